//! Scores genomes in parallel: the only parallel part of a run.

use rayon::prelude::*;

use super::problem::Problem;
use crate::error::{Error, Result};

/// One log-odds per class for each genome, row by row.
///
/// Shards have a fixed size and each writes its own rows, so the numbers do not depend on
/// the number of threads.
///
/// # Errors
/// [`Error::Numeric`] if a log-odds is not finite.
pub fn log_odds<P: Problem>(problem: &P, genomes: &[P::Genome]) -> Result<Vec<f64>> {
    let classes = problem.classes().len();
    let shard = problem.shard().max(1);
    let mut scores = vec![f64::NAN; genomes.len() * classes];
    genomes
        .par_chunks(shard)
        .zip(scores.par_chunks_mut(shard * classes))
        .for_each(|(genomes, rows)| problem.log_odds(genomes, rows));
    if let Some(index) = scores.iter().position(|score| !score.is_finite()) {
        return Err(Error::numeric(
            format!(
                "the classifier gave a log-odds that is not finite for class '{}'",
                problem.classes()[index % classes]
            ),
            "train the model again; a model that gives such numbers cannot be searched",
        ));
    }
    Ok(scores)
}
