//! Opening a run of audio: excerpts composed from a bank, as the model hears them.

use super::{Configuration, Fooled, Run};
use crate::audio::{ExcerptDelivery, Excerpts, Listener};
use crate::classifiers::{Classifier, Model};
use crate::error::Result;
use crate::exhibits::{BankUsed, GeneratorUsed, Medium, Origin};
use crate::pipeline::open;

/// Composes what `model` labels with near certainty.
pub(super) fn fool(run: Run<'_, '_>, model: &Model) -> Result<Fooled> {
    let configuration = run.configuration;
    let listener = Listener::of_model(model)?;
    let bank = open::bank(&configuration.bank, listener.sample_rate(), run.watch.progress)?;
    let excerpts =
        Excerpts::new(&bank, &listener, &configuration.composition, model.fingerprint())?;
    let origin = origin(configuration, model, &excerpts)?;
    let delivery = ExcerptDelivery {
        excerpts: &excerpts,
        listener: &listener,
        calibration: model.calibration(),
    };
    run.search(&excerpts, &delivery, origin)
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
