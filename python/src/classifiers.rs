//! Classifiers that the library trains.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use trompe::classifiers::{
    AdaBoostParams, Classifier as _, Fitted, Model, SparseParams, TrainedOn,
};
use trompe::dataset::{Dataset, Excerpt, Source};
use trompe::error::{Error, Result};

use crate::arrays;
use crate::errors::{bad, raised};
use crate::features::settings_of;

/// A fitted classifier of feature vectors.
#[pyclass(frozen, module = "trompe._trompe")]
pub(crate) struct Classifier {
    model: Model,
}

#[pymethods]
impl Classifier {
    /// Fits a classifier of `kind` on `vectors`; `counts` says how many rows each example has, `labels`
    /// its class.
    #[staticmethod]
    #[pyo3(signature = (kind, params, vectors, counts, labels, classes, features=None))]
    #[allow(clippy::too_many_arguments)]
    fn fit(
        py: Python<'_>,
        kind: &str,
        params: &str,
        vectors: &Bound<'_, PyAny>,
        counts: Vec<usize>,
        labels: Vec<usize>,
        classes: Vec<String>,
        features: Option<&str>,
    ) -> PyResult<Self> {
        let settings = features.map(settings_of).transpose()?;
        let (numbers, shape) = arrays::floats("X", vectors)?;
        let [rows, columns] = shape[..] else {
            return Err(bad("X", format!("an array of shape {shape:?}, not [samples, features]")));
        };
        if let Some(settings) = &settings
            && settings.dimensions() != columns
        {
            let what = format!("{columns} columns, the feature set has {}", settings.dimensions());
            return Err(bad("X", what));
        }
        if counts.iter().sum::<usize>() != rows || counts.len() != labels.len() {
            return Err(bad("X", format!("{rows} rows for {} labels", labels.len())));
        }
        let excerpt_of =
            counts.iter().enumerate().flat_map(|(n, &rows)| std::iter::repeat_n(n, rows));
        let excerpt = |(number, class): (usize, usize)| Excerpt {
            id: number.to_string(),
            class,
            group: None,
            split: None,
            fold: None,
        };
        let dataset = Dataset {
            vectors: table(numbers, rows, columns).map_err(raised)?,
            excerpt_of: excerpt_of.collect(),
            excerpts: labels.into_iter().enumerate().map(excerpt).collect(),
            classes,
            feature_names: match &settings {
                Some(settings) => settings.names(),
                None => (0..columns).map(|column| format!("x{column}")).collect(),
            },
            settings,
            source: Source { name: "not stated".to_owned(), provenance: None, known_as: None },
        };
        let fitted = |params: &str| -> Result<Fitted> {
            dataset.check()?;
            let unreadable = |error: serde_json::Error| {
                Error::request(format!("parameters: {error}"), "check them")
            };
            Ok(match kind {
                "adaboost-mh" => {
                    let params: AdaBoostParams =
                        serde_json::from_str(params).map_err(unreadable)?;
                    Fitted::AdaBoost(params.fit(&dataset, &mut |_| {})?)
                }
                _ => {
                    let params: SparseParams = serde_json::from_str(params).map_err(unreadable)?;
                    Fitted::Sparse(params.fit(&dataset)?)
                }
            })
        };
        let model = py.detach(|| Model::new(fitted(params)?, TrainedOn::new(&dataset)));
        Ok(Self { model: model.map_err(raised)? })
    }

    /// One log-odds per class and example, of shape (examples, classes).
    fn log_odds<'py>(
        &self,
        py: Python<'py>,
        vectors: &Bound<'py, PyAny>,
        counts: Vec<usize>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (numbers, shape) = arrays::floats("X", vectors)?;
        let columns = self.model.dimensions();
        let rows: usize = counts.iter().sum();
        if shape != [rows, columns] || counts.contains(&0) {
            let what = format!("an array of shape {shape:?}, not [{rows}, {columns}]");
            return Err(bad("X", what));
        }
        let classes = self.model.classes().len();
        let mut scores = vec![0.0; counts.len() * classes];
        py.detach(|| {
            let mut first = 0;
            for (&count, row) in counts.iter().zip(scores.chunks_exact_mut(classes)) {
                let last = first + count * columns;
                self.model.log_odds(&numbers[first..last], row);
                first = last;
            }
        });
        arrays::array(py, scores, &[counts.len(), classes])
    }

    /// Content of its model file.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &self.model.to_bytes().map_err(raised)?))
    }

    /// The classifier in a model file.
    #[staticmethod]
    fn of_file(path: PathBuf) -> PyResult<Self> {
        Ok(Self { model: Model::load(&path).map_err(raised)? })
    }

    /// Writes its model file, whole or not at all.
    fn save(&self, path: PathBuf) -> PyResult<()> {
        self.model.save(&path).map_err(raised)
    }

    /// SHA-256 of its model file.
    #[getter]
    fn fingerprint(&self) -> String {
        self.model.fingerprint().to_owned()
    }

    /// Number of values in one vector.
    #[getter]
    fn dimensions(&self) -> usize {
        self.model.dimensions()
    }
}

fn table(numbers: Vec<f32>, rows: usize, columns: usize) -> Result<numpy::ndarray::Array2<f32>> {
    numpy::ndarray::Array2::from_shape_vec((rows, columns), numbers)
        .map_err(|error| Error::numeric(format!("X: {error}"), "report this as a fault"))
}
