//! Settings of sparse representation classification.

use serde::{Deserialize, Serialize};

use super::normalization::Normalization;
use super::reduction::Reduction;
use crate::error::{Error, Result};

/// Which solver finds the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Solver {
    /// The LASSO path, exact.
    Homotopy,
    /// SPGL1, stopped after some iterations.
    Spgl1 {
        /// Most iterations; Sturm is remembered to have used 200.
        iterations: usize,
    },
}

/// Settings of a fit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct SparseParams {
    /// How features are brought to one scale.
    pub normalization: Normalization,
    /// How many dimensions are left. All by default, as Sturm probably did.
    pub reduction: Reduction,
    /// Whether every vector is then scaled to length 1, as Wright et al. do; whether Sturm
    /// did is not known. It decides what epsilon means: a share of the vector's length, or
    /// an absolute distance. On by default (our choice).
    pub unit_norm: bool,
    /// How far the code may miss the vector, |x - D s|_2 <= epsilon, above 0 (and below 1
    /// with unit norm). 0.1 by default, as Sturm is remembered to have used
    /// (epsilon^2 = 0.01).
    pub epsilon: f64,
    /// Which solver.
    pub solver: Solver,
}

impl Default for SparseParams {
    fn default() -> Self {
        Self {
            normalization: Normalization::MinMax,
            reduction: Reduction::None,
            unit_norm: true,
            epsilon: 0.1,
            solver: Solver::Homotopy,
        }
    }
}

impl SparseParams {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`Error::Request`] when epsilon or the number of iterations is out of its range.
    pub fn check(&self) -> Result<()> {
        if !(self.epsilon > 0.0 && self.epsilon.is_finite()) {
            let what = format!("sparse representation with epsilon {}", self.epsilon);
            return Err(Error::request(what, "give a number above 0"));
        }
        if self.unit_norm && self.epsilon >= 1.0 {
            let what = format!(
                "sparse representation with epsilon {} on vectors of length 1: nothing would \
                 be represented",
                self.epsilon
            );
            return Err(Error::request(what, "give a number below 1"));
        }
        if self.solver == (Solver::Spgl1 { iterations: 0 }) {
            return Err(Error::request("SPGL1 with 0 iterations", "ask for at least 1"));
        }
        Ok(())
    }
}
