//! Log-odds from what callables return.

use pyo3::PyResult;
use trompe::log_odds::PosteriorKind;

use crate::errors::bad;

/// Least probability that is told from 0, and from 1 by its distance to it (our choice): a search
/// compares finite log-odds.
const LEAST: f64 = 1e-12;

/// How far the probabilities of a row may add up to another number than 1.
const SUM_SLACK: f64 = 1e-3;

/// What the numbers of a callable are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// ln(p / (1 - p)) of each class.
    LogOdds,
    /// Inputs of a softmax.
    Logits,
    /// Probabilities that add up to 1.
    Probabilities,
    /// One probability a class, which need not add up to 1.
    Sigmoid,
}

impl Output {
    /// # Errors
    /// `ValueError` naming what there is.
    pub(crate) fn by_name(name: &str) -> PyResult<Self> {
        Ok(match name {
            "log_odds" => Self::LogOdds,
            "logits" => Self::Logits,
            "probabilities" => Self::Probabilities,
            "sigmoid" => Self::Sigmoid,
            _ => {
                let what = format!("'{name}' is not log_odds, logits, probabilities or sigmoid");
                return Err(bad("output", what));
            }
        })
    }

    pub(crate) fn posterior_kind(self) -> PosteriorKind {
        match self {
            Self::LogOdds => PosteriorKind::Stated,
            Self::Sigmoid => PosteriorKind::Sigmoid,
            Self::Logits | Self::Probabilities => PosteriorKind::Softmax,
        }
    }

    /// Log-odds of `rows` of numbers of `classes` classes.
    ///
    /// # Errors
    /// `ValueError` saying which number cannot be what they are stated to be.
    pub(crate) fn log_odds(self, mut rows: Vec<f64>, classes: &[String]) -> PyResult<Vec<f64>> {
        let name = "output of the victim";
        if let Some(place) = rows.iter().position(|value| !value.is_finite()) {
            let class = &classes[place % classes.len()];
            let (value, row) = (rows[place], place / classes.len());
            return Err(bad(name, format!("{value} for class '{class}' in row {row}")));
        }
        for row in rows.chunks_exact_mut(classes.len()) {
            match self {
                Self::LogOdds => {}
                Self::Logits => softmax(row),
                Self::Probabilities | Self::Sigmoid => {
                    if let Some(value) = row.iter().find(|value| !(0.0..=1.0).contains(*value)) {
                        let what =
                            format!("{value} is no probability; state what it is by output=");
                        return Err(bad(name, what));
                    }
                    if self == Self::Sigmoid {
                        let odds = |p: f64| (p.max(LEAST) / (1.0 - p).max(LEAST)).ln();
                        row.iter_mut().for_each(|value| *value = odds(*value));
                        continue;
                    }
                    let sum: f64 = row.iter().sum();
                    if (sum - 1.0).abs() > SUM_SLACK {
                        let what = format!(
                            "probabilities add up to {sum}; output='sigmoid' takes one a class"
                        );
                        return Err(bad(name, what));
                    }
                    probabilities(row);
                }
            }
        }
        Ok(rows)
    }
}

/// Logits in place to log-odds of their softmax: each less the log-sum-exp of the others.
fn softmax(row: &mut [f64]) {
    let logits = row.to_vec();
    for (class, out) in row.iter_mut().enumerate() {
        let others = || logits.iter().enumerate().filter(|(other, _)| *other != class);
        let peak = others().map(|(_, &logit)| logit).fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = others().map(|(_, &logit)| (logit - peak).exp()).sum();
        *out = logits[class] - peak - sum.ln();
    }
}

/// Probabilities in place to log-odds. 1 - p is the sum of the others, which keeps its digits where p
/// is rounded to 1.
fn probabilities(row: &mut [f64]) {
    let given = row.to_vec();
    for (class, out) in row.iter_mut().enumerate() {
        let rest: f64 =
            given.iter().enumerate().filter(|(other, _)| *other != class).map(|(_, p)| p).sum();
        *out = (given[class].max(LEAST) / rest.max(LEAST)).ln();
    }
}
