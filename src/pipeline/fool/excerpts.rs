//! Opening a run of audio: excerpts composed from a bank, as the model hears them.

use super::Configuration;
use super::opening::{Waiting, Work};
use crate::audio::{ExcerptDelivery, Excerpts, Listener};
use crate::classifiers::{Classifier, Model};
use crate::error::Result;
use crate::exhibits::{BankUsed, GeneratorUsed, Medium, Origin};
use crate::pipeline::open;

/// Does what waits on excerpts that `model` hears.
pub(super) fn open<W: Work>(waiting: Waiting<'_, W>, model: &Model) -> Result<W::Output> {
    let configuration = waiting.configuration;
    let listener = Listener::of_model(model)?;
    let bank = open::bank(&configuration.bank, listener.sample_rate(), waiting.progress)?;
    let excerpts =
        Excerpts::new(&bank, &listener, &configuration.composition, model.fingerprint())?;
    let origin = origin(configuration, model, &excerpts)?;
    let delivery = ExcerptDelivery {
        excerpts: &excerpts,
        listener: &listener,
        calibration: model.calibration(),
    };
    waiting.on(&excerpts, &delivery, origin)
}

/// What the run's files say of where they come from.
fn origin(configuration: &Configuration, model: &Model, excerpts: &Excerpts<'_>) -> Result<Origin> {
    let bank = excerpts.bank();
    Ok(Origin {
        medium: Medium::Audio,
        classes: model.classes().to_vec(),
        classifier: open::classifier_used(model)?,
        generator: GeneratorUsed {
            name: "loop composition".to_owned(),
            bank: Some(BankUsed {
                name: bank.name.clone(),
                sha256: excerpts.bank_hash().to_owned(),
                provenance: bank.provenance,
            }),
            settings: serde_json::to_value(&configuration.composition).unwrap_or_default(),
        },
        seed: configuration.search.seed,
        threshold: configuration.search.threshold(),
    })
}
