//! One item of a reference, taken apart when the reference is made: where the corpus is not at hand
//! later, reports still say what the model calls a clip whose frames are shuffled.

use crate::error::{Error, Result};
use crate::pipeline::probe::{Genuine, taken_apart};
use crate::pipeline::scoring::FileScorer;
use crate::reference::{Reference, TakenApart};
use crate::victims::AnyModel;

/// `reference` with its example taken apart, which `read` gives by its name, if it can.
///
/// # Errors
/// Whatever reading and scoring meet.
pub(super) fn with_example_taken_apart(
    model: &AnyModel,
    reference: Reference,
    read: impl FnOnce(&str) -> Result<Option<Genuine>>,
) -> Result<Reference> {
    let item = reference.example().name.clone();
    let Some(genuine) = read(&item)? else { return Ok(reference) };
    let parts = taken_apart(&FileScorer::new(model)?, &genuine)?;
    let bad = |what: String| Error::numeric(what, "train the model again");
    reference.with_taken_apart(TakenApart { item, parts }).map_err(bad)
}

/// `model`, which has no reference yet, with this one.
///
/// # Errors
/// As [`with_example_taken_apart`].
pub(super) fn model_with(
    model: AnyModel,
    reference: Option<Reference>,
    read: impl FnOnce(&str) -> Result<Option<Genuine>>,
) -> Result<AnyModel> {
    let Some(reference) = reference else { return Ok(model) };
    let reference = with_example_taken_apart(&model, reference, read)?;
    model.with_reference(reference)
}
