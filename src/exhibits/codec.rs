//! Inputs as delivered files.

use std::path::Path;

use crate::error::{Error, Result};
use crate::problem::{Input, Victim, check_row};

use super::picture::Picture;

/// Writes inputs of one medium to files and reads them again. What [`Codec::write`] wrote,
/// [`Codec::read`] gives back unchanged.
pub trait Codec<I>: Sync {
    /// Extension of the files, without the dot.
    fn extension(&self) -> &'static str;

    /// Writes the input to a new file at `path`, and syncs it.
    ///
    /// # Errors
    /// An input or output error that names the file.
    fn write(&self, input: &I, path: &Path) -> Result<()>;

    /// Decodes the file at `path`.
    ///
    /// # Errors
    /// [`crate::Error::Corpora`] if it cannot be decoded.
    fn read(&self, path: &Path) -> Result<I>;

    /// What a page shows of the input.
    fn picture(&self, input: &I) -> Picture;
}

/// One log-odds per class of the file at `path`, which may come from anywhere, and its input.
///
/// # Errors
/// As [`Codec::read`]; [`Error::BadFile`] if the victim does not take such an input; what the
/// victim fails on.
pub fn score_file<I: Input>(
    victim: &(impl Victim<I> + ?Sized),
    codec: &(impl Codec<I> + ?Sized),
    path: &Path,
) -> Result<(I, Vec<f64>)> {
    let input = codec.read(path)?;
    let scores = score_input(victim, &input).map_err(|error| match error {
        Error::Request { what, remedy } | Error::Numeric { what, remedy } => {
            Error::bad_file(path, what, remedy)
        }
        Error::Features(what) => {
            Error::bad_file(path, what.to_string(), "give a file that the model takes")
        }
        Error::Victim { source } => Error::victim(format!("{}: {source}", path.display())),
        other => other,
    })?;
    Ok((input, scores))
}

/// One log-odds per class of an input that may come from anywhere.
///
/// # Errors
/// [`Error::Request`] if the victim does not take such an input; what the victim fails on.
pub fn score_input<I: Input>(victim: &(impl Victim<I> + ?Sized), input: &I) -> Result<Vec<f64>> {
    if let Some(wanted) = victim.format() {
        I::check_format(&input.format(), &wanted)?;
    }
    let scores = victim.scores(std::slice::from_ref(input))?;
    check_row(&scores, victim.classes())?;
    Ok(scores)
}
