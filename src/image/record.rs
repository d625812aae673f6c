//! What a space of images says of itself.

use serde::Serialize;

use crate::problem::{BankUsed, GeneratorUsed};

/// The settings as `run.toml` holds them: tagged by the name of the generator.
pub(super) fn record(
    name: &str,
    bank: Option<BankUsed>,
    settings: &impl Serialize,
) -> GeneratorUsed {
    let mut settings = serde_json::to_value(settings).unwrap_or_default();
    settings["generator"] = name.into();
    GeneratorUsed { name: name.to_owned(), bank, settings }
}
