//! Victims: Python callables and models' files.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use pyo3::prelude::*;
use sha2::{Digest, Sha256};
use trompe::base::encoding::hex;
use trompe::corpora::{ImageShape, Provenance};
use trompe::dataset::extract::as_delivered;
use trompe::error::Error;
use trompe::pipeline::open;
use trompe::reference::{GenuineItem, Reference, ReferenceKind, ReferenceSource};
use trompe::victims::{AnyModel, Runtime, Scorer};

use crate::arrays;
use crate::callable::Callable;
use crate::calls::score;
use crate::errors::{bad, raised};
use crate::output::Output;
use crate::remote::Inputs;
use crate::stated::{Medium, Stated};

/// Kind of the models that a runtime of nets runs.
const ONNX: &str = "onnx";

/// What gives the scores.
pub(crate) enum Kind {
    Callable(Box<Callable>),
    File { path: PathBuf, model: Box<AnyModel> },
}

/// Whatever is fooled: a callable or a model's file.
#[pyclass(frozen, module = "trompe._trompe")]
pub(crate) struct Victim {
    pub(crate) kind: Kind,
}

impl Victim {
    pub(crate) fn medium(&self) -> PyResult<Medium> {
        match &self.kind {
            Kind::Callable(callable) => Ok(callable.stated.medium),
            Kind::File { model, .. } => Ok(match model.scorer() {
                Scorer::Audio(sound) => {
                    Medium::Audio { rate: sound.victim().map_err(raised)?.1.sample_rate }
                }
                Scorer::Image(image) => Medium::Image { shape: image.shape() },
            }),
        }
    }

    pub(crate) fn class_names(&self) -> &[String] {
        match &self.kind {
            Kind::Callable(callable) => &callable.stated.classes,
            Kind::File { model, .. } => model.classes(),
        }
    }

    pub(crate) fn reference(&self) -> Option<&Reference> {
        match &self.kind {
            Kind::Callable(callable) => callable.reference.get(),
            Kind::File { model, .. } => model.reference(),
        }
    }
}

/// The runtime of nets called `name`; that of ONNX is looked for in this interpreter's packages.
fn runtime_by_name(py: Python<'_>, name: &str) -> PyResult<Runtime> {
    let runtime = Runtime::by_name(name).ok_or_else(|| {
        let known = Runtime::ALL.map(Runtime::name).join(", ");
        bad("runtime", format!("'{name}' is not one of {known}"))
    })?;
    own_python(py)?;
    Ok(runtime)
}

/// Lets ONNX Runtime be looked for in the packages of this interpreter.
pub(crate) fn own_python(py: Python<'_>) -> PyResult<()> {
    let executable: Option<PathBuf> = py.import("sys")?.getattr("executable")?.extract()?;
    if let Some(executable) = executable.filter(|path| !path.as_os_str().is_empty()) {
        Runtime::of_python(executable);
    }
    Ok(())
}

/// Name and version of what computes a model's scores, if not the library itself.
fn runtime_of(model: &AnyModel) -> Option<String> {
    let record = match model.scorer() {
        Scorer::Audio(sound) => sound.victim().ok()?.0.record(),
        Scorer::Image(image) => image.victim().record(),
    };
    record.runtime.map(|runtime| runtime.name)
}

#[pymethods]
impl Victim {
    /// A callable as a victim; `audio` is a sample rate, `image` (rows, columns, channels).
    #[staticmethod]
    #[pyo3(signature = (call, classes, audio, image, output, batch, fingerprint, gradient, runtime, seconds))]
    #[allow(clippy::too_many_arguments)]
    fn of_callable(
        call: Py<PyAny>,
        classes: Vec<String>,
        audio: Option<u32>,
        image: Option<(usize, usize, usize)>,
        output: &str,
        batch: usize,
        fingerprint: Option<Vec<u8>>,
        gradient: Option<Py<PyAny>>,
        runtime: String,
        seconds: f64,
    ) -> PyResult<Self> {
        let medium = match (audio, image) {
            (Some(rate @ 1..=768_000), None) => Medium::Audio { rate },
            (Some(rate), None) => {
                return Err(bad("audio", format!("{rate} is no sample rate in hertz")));
            }
            (None, Some((height, width, channels))) => {
                let shape = ImageShape { width, height, channels };
                if !matches!(channels, 1 | 3)
                    || !(1..=1 << 13).contains(&width.max(height))
                    || width.min(height) == 0
                {
                    let what =
                        format!("({height}, {width}, {channels}) is not (rows, columns, 1 or 3)");
                    return Err(bad("image", what));
                }
                Medium::Image { shape }
            }
            _ => return Err(bad("audio, image", "give exactly one of them")),
        };
        let repeated = classes.iter().enumerate().find(|(n, class)| classes[..*n].contains(class));
        if let Some((_, class)) = repeated {
            return Err(bad("classes", format!("'{class}' is there twice")));
        }
        if classes.len() < 2 {
            return Err(bad(
                "classes",
                format!("{} of them, at least 2 are needed", classes.len()),
            ));
        }
        if batch == 0 {
            return Err(bad("batch", "0, at least 1 is needed"));
        }
        if gradient.is_some() && matches!(medium, Medium::Audio { .. }) {
            return Err(bad("gradient", "only victims of images use one"));
        }
        let stated = Stated {
            classes,
            medium,
            output: Output::by_name(output)?,
            batch,
            fingerprint: fingerprint.map(|text| hex(&Sha256::digest(text))),
            runtime,
            has_gradient: gradient.is_some(),
            seconds,
        };
        let reference = OnceLock::new();
        let stated = Arc::new(stated);
        let callable = Callable { stated, call, gradient, reference };
        Ok(Self { kind: Kind::Callable(Box::new(callable)) })
    }

    /// The model in a file, or of a recipe's name. `runtime` names what runs it, if it is an ONNX net.
    #[staticmethod]
    #[pyo3(signature = (path, runtime=None))]
    fn of_file(py: Python<'_>, path: PathBuf, runtime: Option<&str>) -> PyResult<Self> {
        let runtime = runtime.map(|name| runtime_by_name(py, name)).transpose()?;
        let quiet = |_: &str, _, _| {};
        py.detach(|| {
            let path = open::absolute_model(&path)?;
            let model = match runtime {
                Some(runtime) => runtime.during(|| open::model(&path, &quiet))??,
                None => open::model(&path, &quiet)?,
            };
            if let Some(runtime) = runtime.filter(|_| model.kind() != ONNX) {
                return Err(Error::request(
                    format!(
                        "runtime {}: {} is no net in an ONNX file",
                        runtime.name(),
                        path.display()
                    ),
                    "leave the runtime out",
                ));
            }
            Ok(Self { kind: Kind::File { path, model: Box::new(model) } })
        })
        .map_err(raised)
    }

    /// Scores genuine items and keeps them as what levels are counted among. `labels` are indices of
    /// classes; sound is cut to the victim's seconds.
    #[pyo3(signature = (inputs, labels, groups))]
    fn set_genuine(
        &self,
        py: Python<'_>,
        inputs: &Bound<'_, PyAny>,
        labels: Vec<usize>,
        groups: Option<Vec<Option<String>>>,
    ) -> PyResult<()> {
        let Kind::Callable(callable) = &self.kind else {
            return Err(bad("genuine", "a model's file has its own: use `trompe reference`"));
        };
        let stated = &callable.stated;
        let mut samples = None;
        let inputs = match stated.medium {
            Medium::Audio { rate } => {
                let most = (stated.seconds * f64::from(rate)) as usize;
                samples = Some(most);
                let mut sounds = arrays::sounds("genuine", inputs, rate)?;
                for sound in &mut sounds {
                    sound.samples = as_delivered(&sound.samples, most);
                }
                Inputs::Audio(sounds)
            }
            Medium::Image { shape } => Inputs::Image(arrays::images("genuine", inputs, shape)?),
        };
        let groups = groups.unwrap_or_else(|| vec![None; inputs.len()]);
        if labels.len() != inputs.len() || groups.len() != inputs.len() {
            let (labels, groups, count) = (labels.len(), groups.len(), inputs.len());
            let what = format!("{count} inputs, {labels} labels, {groups} groups");
            return Err(bad("genuine", what));
        }
        let scores = score(py, callable, &inputs)?;
        let sha256 = |number: usize| match &inputs {
            Inputs::Audio(sounds) => {
                let bytes = sounds[number].samples.iter().flat_map(|sample| sample.to_le_bytes());
                hex(&Sha256::digest(bytes.collect::<Vec<u8>>()))
            }
            Inputs::Image(images) => hex(&Sha256::digest(&images[number].pixels)),
        };
        let items = labels
            .into_iter()
            .zip(groups)
            .zip(scores.chunks_exact(stated.classes.len()))
            .enumerate()
            .map(|(number, ((class, group), log_odds))| GenuineItem {
                name: number.to_string(),
                sha256: sha256(number),
                group,
                class,
                other_tags: Vec::new(),
                log_odds: log_odds.to_vec(),
            })
            .collect();
        let source = ReferenceSource {
            kind: ReferenceKind::HeldOut,
            corpus: "not stated".to_owned(),
            provenance: Provenance::Unstated,
            licence: None,
            folds: None,
            samples,
            notes: Vec::new(),
        };
        let reference = Reference::new(
            source,
            stated.classes.clone(),
            stated.output.posterior_kind(),
            stated.fingerprint.clone().unwrap_or_default(),
            items,
        )
        .map_err(raised)?;
        callable.reference.set(reference).map_err(|_| bad("genuine", "it was given already"))
    }

    #[getter]
    fn classes(&self) -> Vec<String> {
        self.class_names().to_vec()
    }

    /// Sample rate in hertz of a victim of sound.
    #[getter]
    fn audio(&self) -> PyResult<Option<u32>> {
        Ok(match self.medium()? {
            Medium::Audio { rate } => Some(rate),
            Medium::Image { .. } => None,
        })
    }

    /// (rows, columns, channels) of a victim of images.
    #[getter]
    fn image(&self) -> PyResult<Option<(usize, usize, usize)>> {
        Ok(match self.medium()? {
            Medium::Image { shape } => Some((shape.height, shape.width, shape.channels)),
            Medium::Audio { .. } => None,
        })
    }

    /// SHA-256 that names its scores.
    #[getter]
    fn fingerprint(&self) -> Option<String> {
        match &self.kind {
            Kind::Callable(callable) => callable.stated.fingerprint.clone(),
            Kind::File { model, .. } => Some(model.fingerprint()),
        }
    }

    /// Name of its kind.
    #[getter]
    fn kind(&self) -> String {
        match &self.kind {
            Kind::Callable(_) => trompe::problem::CALLABLE.to_owned(),
            Kind::File { model, .. } => model.kind(),
        }
    }

    /// Path of its file.
    #[getter]
    fn path(&self) -> Option<PathBuf> {
        match &self.kind {
            Kind::Callable(_) => None,
            Kind::File { path, .. } => Some(path.clone()),
        }
    }

    /// Name and version of what computes its scores, if not the package itself.
    #[getter]
    fn runtime(&self) -> Option<String> {
        match &self.kind {
            Kind::Callable(callable) => Some(callable.stated.runtime.clone()),
            Kind::File { model, .. } => runtime_of(model),
        }
    }

    /// Number of genuine items that levels are counted among.
    #[getter]
    fn genuine_items(&self) -> Option<usize> {
        self.reference().map(|reference| reference.items().len())
    }
}
