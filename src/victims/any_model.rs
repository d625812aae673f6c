//! A model of any medium, detected from its file, with its genuine reference.

use std::path::{Path, PathBuf};

use trompe_base::files::write_atomically;

use super::kept::{KEPT, ONNX};
use super::{AudioModel, ImageModel, Program, program};
use crate::classifiers::model::{attach, read_file};
use crate::classifiers::{ConvolutionalNet, Model, PixelClassifier, convolutional};
use crate::error::{Error, Result};
use crate::log_odds::PosteriorKind;
use crate::reference::Reference;

/// What may stand before the path of an ONNX file.
const ONNX_PREFIX: &str = "onnx:";

/// What gives the scores of a model.
#[derive(Debug, PartialEq)]
pub enum Scorer {
    /// It judges sound.
    Audio(Box<AudioModel>),
    /// It judges images.
    Image(Box<ImageModel>),
}

/// A model that judges sound or images, and the genuine items that its scores are held against.
#[derive(Debug)]
pub struct AnyModel {
    scorer: Scorer,
    reference: Option<Reference>,
    /// The model's file without its reference, if it was read from one: copies keep its bytes, and so
    /// its fingerprint, whatever version of trompe wrote it.
    file: Option<Vec<u8>>,
}

impl PartialEq for AnyModel {
    fn eq(&self, other: &Self) -> bool {
        self.scorer == other.scorer && self.reference == other.reference
    }
}

impl AnyModel {
    /// A model with a genuine reference, if there is one.
    ///
    /// # Errors
    /// [`Error::Request`] if the reference is that of another model.
    pub fn new(scorer: Scorer, reference: Option<Reference>) -> Result<Self> {
        let model = Self { scorer, reference, file: None };
        if let Some(reference) = &model.reference
            && (reference.victim() != model.fingerprint()
                || reference.classes() != model.classes()
                || reference.posterior_kind() != model.posterior_kind())
        {
            return Err(Error::request(
                "the genuine reference is that of another model",
                "make one for this model with `trompe reference`",
            ));
        }
        Ok(model)
    }

    /// Starts the program of `command:PROGRAM`, or reads the model at `path`: a file that `trompe train` wrote, an ONNX file (also written
    /// `onnx:FILE`), or a folder with a `model.onnx`. The reference is in the file, or beside the
    /// net: `reference.npz` beside `model.onnx`, `NAME.reference.npz` beside `NAME.onnx`.
    ///
    /// # Errors
    /// [`Error::BadFile`] if it is none of these, or a damaged one.
    pub fn load(path: &Path) -> Result<Self> {
        if let Some((scorer, beside)) = open_foreign(path)? {
            let reference = match beside.exists() {
                true => Some(Reference::load(&beside)?),
                false => None,
            };
            return Self::new(scorer, reference).map_err(|_| {
                Error::bad_file(
                    beside,
                    "is the genuine reference of another model",
                    "make one for this model with `trompe reference`, or remove it",
                )
            });
        }
        let (scorer, reference, file) =
            read_file(path, |bytes, json, any| match any.classifier.kind.as_str() {
                convolutional::KIND => {
                    let net = ConvolutionalNet::from_bytes(bytes, json)?;
                    Ok(Scorer::Image(Box::new(ImageModel::Net(net))))
                }
                _ => Ok(match PixelClassifier::of_model(Model::from_bytes(bytes, json)?)? {
                    Ok(pixels) => Scorer::Image(Box::new(ImageModel::Pixels(pixels))),
                    Err(model) => Scorer::Audio(Box::new(AudioModel::Trained(*model))),
                }),
            })?;
        let model = Self::new(scorer, reference)
            .map_err(|error| Error::bad_file(path, error.to_string(), "train the model again"))?;
        Ok(Self { file: Some(file), ..model })
    }

    /// What gives the scores.
    pub fn scorer(&self) -> &Scorer {
        &self.scorer
    }

    /// The model, if it judges images.
    pub fn image_model(&self) -> Option<&ImageModel> {
        match &self.scorer {
            Scorer::Image(model) => Some(model),
            Scorer::Audio(_) => None,
        }
    }

    /// The model, if it judges sound.
    pub fn audio_model(&self) -> Option<&AudioModel> {
        match &self.scorer {
            Scorer::Audio(model) => Some(model),
            Scorer::Image(_) => None,
        }
    }

    /// The genuine items that its scores are held against.
    pub fn reference(&self) -> Option<&Reference> {
        self.reference.as_ref()
    }

    /// The same model with another reference.
    ///
    /// # Errors
    /// As [`AnyModel::new`].
    pub fn with_reference(self, reference: Reference) -> Result<Self> {
        let file = self.file;
        Ok(Self { file, ..Self::new(self.scorer, Some(reference))? })
    }

    /// Class names, in the order of the log-odds.
    pub fn classes(&self) -> &[String] {
        match &self.scorer {
            Scorer::Audio(model) => model.classes(),
            Scorer::Image(model) => model.victim().classes(),
        }
    }

    /// Name of its kind.
    pub fn kind(&self) -> String {
        match &self.scorer {
            Scorer::Audio(model) => model.kind(),
            Scorer::Image(model) => model.victim().record().kind,
        }
    }

    /// SHA-256 that names its scores in everything made with it, in hexadecimal. A reference does not
    /// change it.
    pub fn fingerprint(&self) -> String {
        match &self.scorer {
            Scorer::Audio(model) => model.fingerprint(),
            Scorer::Image(model) => model.victim().fingerprint().unwrap_or_default(),
        }
    }

    /// What kind of number its posterior is.
    pub fn posterior_kind(&self) -> PosteriorKind {
        match &self.scorer {
            Scorer::Audio(model) => model.posterior_kind(),
            Scorer::Image(model) => model.victim().posterior_kind(),
        }
    }

    /// Writes the model to `path`, whole or not at all. A foreign net is written with all that lies
    /// beside it.
    ///
    /// # Errors
    /// An input or output error naming the file.
    pub fn save(&self, path: &Path) -> Result<()> {
        if self.save_foreign(path)? {
            return self.save_reference_to(&reference_beside(path));
        }
        let bytes = match &self.file {
            Some(bytes) => bytes.clone(),
            None => self.to_bytes()?,
        };
        let bytes = match &self.reference {
            None => bytes,
            Some(reference) => attach(&bytes, &reference.to_npz()?)
                .map_err(|what| Error::bad_file(path, what, "train a smaller model"))?,
        };
        Ok(write_atomically(path, &bytes)?)
    }

    /// Writes a foreign net with all that lies beside it; whether it is one.
    #[cfg(feature = "onnx")]
    fn save_foreign(&self, path: &Path) -> Result<bool> {
        match (self.audio_model(), self.image_model()) {
            (Some(AudioModel::Onnx(net)), _) => net.save(path)?,
            (_, Some(ImageModel::Onnx(net))) => net.save(path)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    #[cfg(not(feature = "onnx"))]
    fn save_foreign(&self, _path: &Path) -> Result<bool> {
        Ok(false)
    }

    /// What to say of the model once, when it is opened.
    pub fn notes(&self) -> &[String] {
        if let Some(program) = self.program() {
            return program.notes();
        }
        #[cfg(feature = "onnx")]
        match (self.audio_model(), self.image_model()) {
            (Some(AudioModel::Onnx(net)), _) => return net.notes(),
            (_, Some(ImageModel::Onnx(net))) => return net.notes(),
            _ => {}
        }
        &[]
    }

    /// The content of its file, without its reference.
    fn to_bytes(&self) -> Result<Vec<u8>> {
        match (self.audio_model(), self.image_model()) {
            (Some(AudioModel::Trained(model)), _) => model.to_bytes(),
            (_, Some(ImageModel::Net(net))) => Ok(net.to_bytes()),
            (_, Some(ImageModel::Pixels(classifier))) => classifier.model().to_bytes(),
            _ => Err(Error::request(
                "a foreign net is no model file of trompe",
                "report this as a fault",
            )),
        }
    }

    /// Writes its reference where [`AnyModel::load`] finds it: into the model's own file, or beside
    /// a foreign net, which is left as it is.
    ///
    /// # Errors
    /// An input or output error naming the file.
    pub fn save_reference(&self, path: &Path) -> Result<PathBuf> {
        let beside = match self.program() {
            Some(program) => Some(program.reference_path()),
            None => onnx_file(path).map(|file| reference_beside(&file)),
        };
        match beside {
            Some(beside) => {
                self.save_reference_to(&beside)?;
                Ok(beside)
            }
            None => {
                self.save(path)?;
                Ok(path.to_owned())
            }
        }
    }

    fn save_reference_to(&self, path: &Path) -> Result<()> {
        match &self.reference {
            Some(reference) => reference.save(path),
            None => Ok(()),
        }
    }

    /// The program, if it is one.
    fn program(&self) -> Option<&Program> {
        match (self.audio_model(), self.image_model()) {
            (Some(AudioModel::Program(program)), _) => Some(program),
            (_, Some(ImageModel::Program(program))) => Some(program),
            _ => None,
        }
    }

    /// Writes a copy into `folder`, where [`AnyModel::kept`] finds it; of a program nothing is kept: no
    /// file makes one run.
    ///
    /// # Errors
    /// An input or output error naming the file.
    pub fn keep(&self, folder: &Path) -> Result<()> {
        if self.program().is_some() {
            return Ok(());
        }
        match self.is_foreign() {
            true => self.save(&folder.join(ONNX)),
            false => self.save(&folder.join(KEPT)),
        }
    }

    /// Whether it is a net from an ONNX file.
    fn is_foreign(&self) -> bool {
        #[cfg(feature = "onnx")]
        return matches!(self.audio_model(), Some(AudioModel::Onnx(_)))
            || matches!(self.image_model(), Some(ImageModel::Onnx(_)));
        #[cfg(not(feature = "onnx"))]
        false
    }

    /// Path of the model that is kept in `folder`, if there is one.
    pub fn kept(folder: &Path) -> Option<PathBuf> {
        [KEPT, ONNX].iter().map(|name| folder.join(name)).find(|path| path.exists())
    }
}

/// Opens what trompe did not train, with the place of its genuine reference; `None` for a model file.
fn open_foreign(path: &Path) -> Result<Option<(Scorer, PathBuf)>> {
    if program::is_command(path) {
        let program = Program::start(path)?;
        let beside = program.reference_path();
        let scorer = match program.hello().audio.is_some() {
            true => Scorer::Audio(Box::new(AudioModel::Program(program))),
            false => Scorer::Image(Box::new(ImageModel::Program(program))),
        };
        return Ok(Some((scorer, beside)));
    }
    let Some(file) = onnx_file(path) else { return Ok(None) };
    Ok(Some((open_onnx(&file)?, reference_beside(&file))))
}

/// Where the reference of the net in `file` lies.
fn reference_beside(file: &Path) -> PathBuf {
    match file.file_stem() {
        Some(stem) if stem != "model" => {
            let mut name = stem.to_owned();
            name.push(".reference.npz");
            file.with_file_name(name)
        }
        _ => file.with_file_name("reference.npz"),
    }
}

#[cfg(feature = "onnx")]
fn open_onnx(file: &Path) -> Result<Scorer> {
    Ok(match super::OnnxNet::open(file)? {
        super::OnnxNet::Images(net) => Scorer::Image(Box::new(ImageModel::Onnx(*net))),
        super::OnnxNet::Sound(net) => Scorer::Audio(Box::new(AudioModel::Onnx(*net))),
    })
}

#[cfg(not(feature = "onnx"))]
fn open_onnx(file: &Path) -> Result<Scorer> {
    Err(Error::bad_file(
        file,
        "is an ONNX file, which this build does not read",
        "build trompe with the cargo feature onnx",
    ))
}

/// The ONNX file that `path` means, if it means one.
fn onnx_file(path: &Path) -> Option<PathBuf> {
    if let Some(file) = path.to_str().and_then(|text| text.strip_prefix(ONNX_PREFIX)) {
        return Some(PathBuf::from(file));
    }
    if path.extension().is_some_and(|end| end.eq_ignore_ascii_case("onnx")) {
        return Some(path.to_owned());
    }
    Some(path.join(ONNX)).filter(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use trompe_corpora::Split;
    use trompe_corpora::images::synthetic_digits;

    use super::*;
    use crate::classifiers::convolutional::fit_softmax_regression;
    use crate::classifiers::{Classifier, Fitted, LogisticParams, TrainedOn};
    use crate::dataset::generated::gaussians;
    use crate::problem::Victim;
    use crate::reference::{GenuineItem, ReferenceSource};

    fn logistic() -> Model {
        let data = gaussians(3, 8, 2, 5, 0.5, 1);
        let fitted = Fitted::Logistic(LogisticParams::default().fit(&data).unwrap());
        Model::new(fitted, TrainedOn::new(&data)).unwrap()
    }

    fn reference(model: &Model) -> Reference {
        let source: ReferenceSource = serde_json::from_value(serde_json::json!({
            "kind": "held-out", "corpus": "toys", "provenance": "synthetic"
        }))
        .unwrap();
        let item = |n: usize| GenuineItem {
            name: n.to_string(),
            sha256: String::new(),
            group: None,
            class: n % 3,
            other_tags: Vec::new(),
            log_odds: (0..3).map(|class| if class == n % 3 { 1.0 } else { -1.0 }).collect(),
        };
        let (kind, victim) = (model.posterior_kind(), model.fingerprint().to_owned());
        let items = (0..40).map(item).collect();
        Reference::new(source, model.classes().to_vec(), kind, victim, items).unwrap()
    }

    #[test]
    fn a_file_says_which_medium_its_model_judges() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(AnyModel::kept(folder.path()), None);
        let corpus = synthetic_digits(100, 0, 1);
        let net = fit_softmax_regression(&corpus, &corpus.split(Split::Train), 1.0).unwrap();
        let scorer = Scorer::Image(Box::new(ImageModel::Net(net.clone())));
        let image = AnyModel::new(scorer, None).unwrap();
        image.keep(folder.path()).unwrap();
        let path = AnyModel::kept(folder.path()).unwrap();
        assert_eq!(AnyModel::load(&path).unwrap(), image);
        assert_eq!(net.fingerprint().unwrap().len(), 64);
        assert!(Model::load(&path).unwrap_err().to_string().contains("judges images"));

        let audio =
            AnyModel::new(Scorer::Audio(Box::new(AudioModel::Trained(logistic()))), None).unwrap();
        audio.keep(folder.path()).unwrap();
        assert_eq!(AnyModel::load(&path).unwrap(), audio);
        assert!(ConvolutionalNet::load(&path).unwrap_err().to_string().contains("logistic"));
    }

    #[test]
    fn a_reference_in_the_file_changes_no_fingerprint() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        let model = logistic();
        model.save(&path).unwrap();
        let before = std::fs::read(&path).unwrap();
        let plain = AnyModel::load(&path).unwrap();
        let genuine = reference(&model);
        let with = plain.with_reference(genuine.clone()).unwrap();
        assert_eq!(with.save_reference(&path).unwrap(), path);
        assert!(std::fs::read(&path).unwrap().len() > before.len());
        let read = AnyModel::load(&path).unwrap();
        assert_eq!(read.reference(), Some(&genuine));
        assert_eq!(read.fingerprint(), model.fingerprint());
        // Those who ask for the scorer alone get it, byte for byte.
        assert_eq!(Model::load(&path).unwrap(), model);
        let file = std::fs::read(&path).unwrap();
        assert_eq!(crate::classifiers::model::detach(&file).unwrap().unwrap().scorer, before);
        // And a copy in a run's folder has it, too.
        let run = folder.path().join("run");
        std::fs::create_dir(&run).unwrap();
        read.keep(&run).unwrap();
        assert_eq!(AnyModel::load(&AnyModel::kept(&run).unwrap()).unwrap(), read);
    }

    #[test]
    fn the_reference_of_another_model_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        let data = gaussians(3, 8, 2, 5, 0.5, 2);
        let fitted = Fitted::Logistic(LogisticParams::default().fit(&data).unwrap());
        let other = Model::new(fitted, TrainedOn::new(&data)).unwrap();
        let foreign = reference(&logistic());
        let scorer = Scorer::Audio(Box::new(AudioModel::Trained(other.clone())));
        assert!(AnyModel::new(scorer, Some(foreign.clone())).is_err());
        let bytes = attach(&other.to_bytes().unwrap(), &foreign.to_npz().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        let error = AnyModel::load(&path).unwrap_err().to_string();
        assert!(error.contains("another model"), "{error}");
    }
}
