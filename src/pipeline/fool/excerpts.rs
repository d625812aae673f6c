//! Opening a run of audio: excerpts composed from a bank, as the model hears them.

use super::{Configuration, Fooled, Run};
use crate::audio::{ExcerptDelivery, Excerpts, Listener};
use crate::classifiers::{Classifier, Model};
use crate::error::{Error, Result};
use crate::exhibits::{BankUsed, ClassifierUsed, GeneratorUsed, Medium, Origin};
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
    let source = &model.trained_on().source;
    let provenance = source.provenance.ok_or_else(|| {
        Error::request(
            format!("nothing says whether the sound of {} is recorded or synthetic", source.name),
            "train the model on a corpus of audio",
        )
    })?;
    Ok(Origin {
        medium: Medium::Audio,
        classes: model.classes().to_vec(),
        classifier: ClassifierUsed {
            kind: model.fitted().kind().to_owned(),
            posterior_kind: model.posterior_kind(),
            sha256: model.fingerprint().to_owned(),
            corpus: source.name.clone(),
            provenance,
        },
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
        threshold: configuration.search.threshold,
    })
}
