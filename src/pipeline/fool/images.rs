//! Opening a run of images: a generator, as the model sees what it makes.

use trompe_corpora::Split;
use trompe_corpora::recipes::Options;

use super::opening::{Waiting, Work};
use crate::classifiers::ImageModel;
use crate::error::{Error, Result};
use crate::exhibits::{BankUsed, ClassifierUsed, GeneratorUsed, Medium, Origin};
use crate::image::{
    Cppn, Described, Descriptor, Generator, ImageDelivery, ImageProblem, Patches, Pixels, Settings,
    Tiles, Values,
};
use crate::pipeline::open;
use crate::pipeline::train_images::part;

/// Does what waits on images that `model` sees.
pub(super) fn open<W: Work>(waiting: Waiting<'_, W>, model: &ImageModel) -> Result<W::Output> {
    let shape = model.classifier().shape();
    match &waiting.configuration.image {
        Settings::Patches(settings) => {
            describe(waiting, model, Patches::new(shape, settings)?, None)
        }
        Settings::Pixels(settings) => describe(waiting, model, Pixels::new(shape, settings)?, None),
        Settings::Cppn(settings) => describe(waiting, model, Cppn::new(shape, settings), None),
        Settings::Values(settings) => {
            let ImageModel::Net(net) = model else {
                return Err(Error::request(
                    "only of nets that `trompe train` made the gradient is known",
                    "choose another generator, such as cppn",
                ));
            };
            describe(waiting, model, Values::new(shape, settings, net.mean())?, None)
        }
        Settings::Tiles(settings) => {
            let options = Options { seed: open::CORPUS_SEED, ..Options::default() };
            let corpus = open::images(&settings.corpus, &options, waiting.progress)?;
            let indices = part(&corpus, Split::Train, false)?;
            let tiles =
                Tiles::cut(&corpus, &indices, settings.side, settings.count, open::BANK_SEED)?;
            let bank = BankUsed {
                name: corpus.name.clone(),
                sha256: tiles.library_hash().to_owned(),
                provenance: corpus.provenance,
            };
            describe(waiting, model, tiles, Some(bank))
        }
    }
}

fn describe<W: Work, G: Generator>(
    waiting: Waiting<'_, W>,
    model: &ImageModel,
    generator: G,
    bank: Option<BankUsed>,
) -> Result<W::Output> {
    match waiting.configuration.descriptor {
        Descriptor::None => judge(waiting, model, generator, bank),
        Descriptor::BrightnessAndEdges => judge(waiting, model, Described(generator), bank),
    }
}

fn judge<W: Work, G: Generator>(
    waiting: Waiting<'_, W>,
    model: &ImageModel,
    generator: G,
    bank: Option<BankUsed>,
) -> Result<W::Output> {
    let configuration = waiting.configuration;
    let classifier = model.classifier();
    let (corpus, provenance) = model.trained_on();
    let origin = Origin {
        medium: Medium::Image,
        classes: classifier.classes().to_vec(),
        classifier: ClassifierUsed {
            kind: model.kind().to_owned(),
            posterior_kind: classifier.posterior_kind(),
            sha256: classifier.fingerprint(),
            corpus: corpus.to_owned(),
            provenance,
        },
        generator: GeneratorUsed {
            name: configuration.image.name().to_owned(),
            bank,
            settings: serde_json::to_value(&configuration.image).unwrap_or_default(),
        },
        seed: configuration.search.seed,
        threshold: configuration.search.threshold(),
    };
    let problem = ImageProblem::new(classifier, generator)?;
    waiting.on(&problem, &ImageDelivery { problem: &problem }, origin)
}
