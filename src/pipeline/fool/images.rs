//! Opening a run of images: a generator, as the model sees what it makes.

use trompe_corpora::Split;
use trompe_corpora::recipes::Options;

use super::{Fooled, Run};
use crate::classifiers::ImageModel;
use crate::error::{Error, Result};
use crate::exhibits::{BankUsed, ClassifierUsed, GeneratorUsed, Medium, Origin};
use crate::image::{
    Cppn, Described, Descriptor, Generator, ImageDelivery, ImageProblem, Patches, Pixels, Settings,
    Tiles, Values,
};
use crate::pipeline::open;
use crate::pipeline::train_images::part;

/// Makes images that `model` labels with near certainty.
pub(super) fn fool(run: Run<'_, '_>, model: &ImageModel) -> Result<Fooled> {
    let shape = model.classifier().shape();
    match &run.configuration.image {
        Settings::Patches(settings) => search(run, model, Patches::new(shape, settings)?, None),
        Settings::Pixels(settings) => search(run, model, Pixels::new(shape, settings)?, None),
        Settings::Cppn(settings) => search(run, model, Cppn::new(shape, settings), None),
        Settings::Values(settings) => {
            let ImageModel::Net(net) = model else {
                return Err(Error::request(
                    "only of nets that `trompe train` made the gradient is known",
                    "choose another generator, such as cppn",
                ));
            };
            search(run, model, Values::new(shape, settings, net.mean())?, None)
        }
        Settings::Tiles(settings) => {
            let options = Options { seed: open::CORPUS_SEED, ..Options::default() };
            let corpus = open::images(&settings.corpus, &options, run.watch.progress)?;
            let indices = part(&corpus, Split::Train, false)?;
            let tiles =
                Tiles::cut(&corpus, &indices, settings.side, settings.count, open::BANK_SEED)?;
            let bank = BankUsed {
                name: corpus.name.clone(),
                sha256: tiles.library_hash().to_owned(),
                provenance: corpus.provenance,
            };
            search(run, model, tiles, Some(bank))
        }
    }
}

fn search<G: Generator>(
    run: Run<'_, '_>,
    model: &ImageModel,
    generator: G,
    bank: Option<BankUsed>,
) -> Result<Fooled> {
    match run.configuration.descriptor {
        Descriptor::None => search_with(run, model, generator, bank),
        Descriptor::BrightnessAndEdges => search_with(run, model, Described(generator), bank),
    }
}

fn search_with<G: Generator>(
    run: Run<'_, '_>,
    model: &ImageModel,
    generator: G,
    bank: Option<BankUsed>,
) -> Result<Fooled> {
    let configuration = run.configuration;
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
    run.search(&problem, &ImageDelivery { problem: &problem }, origin)
}
