//! Feature files: `.npz`, read and written by numpy too.
//!
//! | array | type and shape | content |
//! |---|---|---|
//! | `X` | f32 or f64, (rows, features) | feature vectors |
//! | `y` | integers, (rows) | class number of every row, from 0 |
//! | `clip` | integers, (rows), optional | rows of equal number are one excerpt; without it, every row is one |
//! | `group` | integers, (rows), optional | excerpts of equal number stay on one side of every fold |
//! | `classes` | u8, optional | JSON list of class names; without it, classes are named by number |
//! | `meta` | u8, optional | JSON object with what else a [`Dataset`] knows |
//!
//! numpy has no portable array of text that could be read here, so text is JSON in bytes:
//! `numpy.frombuffer(json.dumps(["blues", "metal"]).encode(), numpy.uint8)`, and back by
//! `json.loads(file["classes"].tobytes())`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Cursor};
use std::path::Path;

use ndarray::{Array1, Array2, ArrayD, Axis};
use ndarray_npy::{NpzReader, NpzWriter, ReadNpzError, ReadableElement};
use serde::{Deserialize, Serialize};
use trompe_base::files::write_atomically;
use trompe_base::words::counted;
use trompe_features::FeatureSettings;

use super::{Dataset, Excerpt, Source};
use crate::error::{Error, Result};

/// Content of `meta`.
#[derive(Serialize, Deserialize)]
struct Meta {
    source: Source,
    settings: Option<FeatureSettings>,
    feature_names: Vec<String>,
    excerpts: Vec<Excerpt>,
}

type Reader = NpzReader<BufReader<File>>;

impl Dataset {
    /// Writes the dataset as `.npz`. The same dataset gives the same bytes.
    ///
    /// # Errors
    /// When the file cannot be written; an older file is then untouched.
    pub fn write_npz(&self, path: &Path) -> Result<()> {
        let meta = Meta {
            source: self.source.clone(),
            settings: self.settings.clone(),
            feature_names: self.feature_names.clone(),
            excerpts: self.excerpts.clone(),
        };
        let labels: Array1<i64> = self.labels().into_iter().map(|class| class as i64).collect();
        let clip: Array1<i64> = self.excerpt_of.iter().map(|&excerpt| excerpt as i64).collect();
        let group = self.group_numbers();
        let write = || -> Result<Vec<u8>, Box<dyn std::error::Error>> {
            let mut npz = NpzWriter::new_compressed(Cursor::new(Vec::new()));
            npz.add_array("X", &self.vectors)?;
            npz.add_array("y", &labels)?;
            npz.add_array("clip", &clip)?;
            if let Some(group) = group {
                npz.add_array("group", &group)?;
            }
            npz.add_array("classes", &Array1::from(serde_json::to_vec(&self.classes)?))?;
            npz.add_array("meta", &Array1::from(serde_json::to_vec(&meta)?))?;
            Ok(npz.finish()?.into_inner())
        };
        let bytes = write().map_err(|error| {
            Error::bad_file(path, error.to_string(), "report this as a fault of trompe")
        })?;
        Ok(write_atomically(path, &bytes)?)
    }

    /// Number of every row's group by first appearance, if every excerpt has one.
    fn group_numbers(&self) -> Option<Array1<i64>> {
        let mut numbers = BTreeMap::new();
        let of_excerpt = self
            .excerpts
            .iter()
            .map(|excerpt| {
                let next = numbers.len() as i64;
                excerpt.group.as_ref().map(|group| *numbers.entry(group).or_insert(next))
            })
            .collect::<Option<Vec<_>>>()?;
        Some(self.excerpt_of.iter().map(|&excerpt| of_excerpt[excerpt]).collect())
    }

    /// Reads a `.npz` with these arrays: `X` (float, rows by features), `y` (class numbers), and
    /// optionally `clip`, `group` and `classes` (JSON in bytes). Rows of one clip need not be
    /// adjacent: they are grouped, clips in the order of their first row.
    ///
    /// # Errors
    /// [`Error::BadFile`] naming the array at fault.
    pub fn read_npz(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|source| Error::io(path, source))?;
        let mut npz = NpzReader::new(BufReader::new(file)).map_err(|error| {
            Error::bad_file(path, format!("not an .npz file: {error}"), "write it by numpy.savez")
        })?;
        let dataset = from_arrays(path, &mut npz)?;
        dataset.check().map_err(|error| match error {
            Error::Request { what, remedy } => Error::bad_file(path, what, remedy),
            other => other,
        })?;
        Ok(dataset)
    }
}

fn from_arrays(path: &Path, npz: &mut Reader) -> Result<Dataset> {
    let names = npz.names().map_err(|error| array_error(path, "(list)", &error))?;
    let has = |name: &str| names.iter().any(|known| known == name);
    for required in ["X", "y"] {
        if !has(required) {
            let what = format!("array {required} is missing; there are {}", names.join(", "));
            return Err(Error::bad_file(path, what, "name the vectors X and the labels y"));
        }
    }
    let vectors = read_vectors(path, npz)?;
    let labels = read_numbers(path, npz, "y", vectors.nrows())?;
    let clip = match has("clip") {
        true => read_numbers(path, npz, "clip", vectors.nrows())?,
        false => (0..vectors.nrows() as i64).collect(),
    };
    let group = match has("group") {
        true => Some(read_numbers(path, npz, "group", vectors.nrows())?),
        false => None,
    };
    let classes = match has("classes") {
        true => read_json(path, npz, "classes")?,
        false => {
            let count = labels.iter().max().map_or(0, |&largest| largest.saturating_add(1));
            (0..count.clamp(0, 1 << 16)).map(|class| class.to_string()).collect()
        }
    };
    let meta: Option<Meta> = if has("meta") { Some(read_json(path, npz, "meta")?) } else { None };

    let (order, excerpt_of) = bring_clips_together(&clip);
    let excerpts = label_excerpts(path, &order, &excerpt_of, &labels, &clip, group.as_deref())?;
    let dimensions = vectors.ncols();
    let vectors = vectors.select(Axis(0), &order);
    let Some(meta) = meta else {
        let name = path.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into());
        let feature_names = (0..dimensions).map(|column| format!("feature {column}")).collect();
        let source = Source { name, provenance: None, known_as: None };
        let settings = None;
        return Ok(Dataset {
            vectors,
            excerpt_of,
            excerpts,
            classes,
            feature_names,
            settings,
            source,
        });
    };
    let same = meta.excerpts.len() == excerpts.len()
        && meta.excerpts.iter().zip(&excerpts).all(|(ours, file)| ours.class == file.class);
    if !same {
        let what = "the excerpts in meta do not match y and clip";
        return Err(Error::bad_file(path, what, "leave meta out when the arrays were changed"));
    }
    Ok(Dataset {
        vectors,
        excerpt_of,
        excerpts: meta.excerpts,
        classes,
        feature_names: meta.feature_names,
        settings: meta.settings,
        source: meta.source,
    })
}

/// Rows in an order in which every clip's rows are neighbours, and each one's excerpt.
fn bring_clips_together(clip: &[i64]) -> (Vec<usize>, Vec<usize>) {
    let mut numbers = BTreeMap::new();
    let excerpt: Vec<usize> = clip
        .iter()
        .map(|clip| {
            let next = numbers.len();
            *numbers.entry(clip).or_insert(next)
        })
        .collect();
    let mut order: Vec<usize> = (0..clip.len()).collect();
    order.sort_by_key(|&row| excerpt[row]);
    let excerpt_of = order.iter().map(|&row| excerpt[row]).collect();
    (order, excerpt_of)
}

/// One excerpt per clip; all its rows must agree on class and group.
fn label_excerpts(
    path: &Path,
    order: &[usize],
    excerpt_of: &[usize],
    labels: &[i64],
    clip: &[i64],
    group: Option<&[i64]>,
) -> Result<Vec<Excerpt>> {
    let mut excerpts: Vec<Excerpt> = Vec::new();
    for (&row, &excerpt) in order.iter().zip(excerpt_of) {
        let class = usize::try_from(labels[row]).map_err(|_| {
            Error::bad_file(path, format!("y of row {row} is {}", labels[row]), "number from 0")
        })?;
        let group = group.map(|group| group[row].to_string());
        match excerpts.get(excerpt) {
            None => {
                let id = format!("clip {}", clip[row]);
                excerpts.push(Excerpt { id, class, group, split: None, fold: None });
            }
            Some(known) if known.class != class || known.group != group => {
                let what = format!("rows of clip {} differ in class or group", clip[row]);
                return Err(Error::bad_file(path, what, "label every row of a clip the same"));
            }
            Some(_) => {}
        }
    }
    Ok(excerpts)
}

fn read_vectors(path: &Path, npz: &mut Reader) -> Result<Array2<f32>> {
    let single = match read_array::<f32>(npz) {
        Ok(array) => return matrix(path, array),
        Err(single) => single,
    };
    let Ok(array) = read_array::<f64>(npz) else {
        return Err(array_error(path, "X", &single));
    };
    let wide = matrix(path, array)?;
    let beyond = |value: f64| value.is_finite() && !(value as f32).is_finite();
    if let Some(((row, column), value)) = wide.indexed_iter().find(|(_, value)| beyond(**value)) {
        let what = format!("X is {value:e} in row {row}, column {column}, beyond 32 bits");
        return Err(Error::bad_file(path, what, "scale the features"));
    }
    Ok(wide.mapv(|value| value as f32))
}

fn read_array<T: ReadableElement>(npz: &mut Reader) -> Result<ArrayD<T>, ReadNpzError> {
    npz.by_name::<ndarray::OwnedRepr<T>, ndarray::IxDyn>("X")
}

fn matrix<T>(path: &Path, array: ArrayD<T>) -> Result<Array2<T>> {
    let sizes = array.shape().to_vec();
    array.into_dimensionality().map_err(|_| {
        let what = format!("X has {}, of sizes {sizes:?}", counted(sizes.len(), "dimension"));
        Error::bad_file(path, what, "give a matrix: one feature vector a row")
    })
}

/// Reads an array of integers of any width, one a row.
fn read_numbers(path: &Path, npz: &mut Reader, name: &str, rows: usize) -> Result<Vec<i64>> {
    fn one<T: ReadableElement + TryInto<i64>>(
        npz: &mut Reader,
        name: &str,
    ) -> Result<Vec<i64>, ReadNpzError> {
        let array = npz.by_name::<ndarray::OwnedRepr<T>, ndarray::Ix1>(name)?;
        // A class number beyond i64 is out of range anyhow; -1 says so later.
        Ok(array.into_iter().map(|value| value.try_into().unwrap_or(-1)).collect())
    }
    let numbers = one::<i64>(npz, name)
        .or_else(|error| one::<i32>(npz, name).map_err(|_| error))
        .or_else(|error| one::<u8>(npz, name).map_err(|_| error))
        .or_else(|error| one::<u32>(npz, name).map_err(|_| error))
        .or_else(|error| one::<u64>(npz, name).map_err(|_| error))
        .or_else(|error| one::<i16>(npz, name).map_err(|_| error))
        .or_else(|error| one::<u16>(npz, name).map_err(|_| error))
        .or_else(|error| one::<i8>(npz, name).map_err(|_| error))
        .map_err(|error| array_error(path, name, &error))?;
    if numbers.len() != rows {
        let what = format!(
            "{name} has {}, X has {}",
            counted(numbers.len(), "value"),
            counted(rows, "row")
        );
        return Err(Error::bad_file(path, what, "give one value a row"));
    }
    Ok(numbers)
}

fn read_json<T: serde::de::DeserializeOwned>(
    path: &Path,
    npz: &mut Reader,
    name: &str,
) -> Result<T> {
    let bytes = npz
        .by_name::<ndarray::OwnedRepr<u8>, ndarray::Ix1>(name)
        .map_err(|error| array_error(path, name, &error))?;
    serde_json::from_slice(&bytes.to_vec()).map_err(|error| {
        let remedy = "write it as bytes of JSON, or leave it out";
        Error::bad_file(path, format!("array {name}: {error}"), remedy)
    })
}

fn array_error(path: &Path, name: &str, error: &ReadNpzError) -> Error {
    let remedy = "X is a matrix of f32 or f64, y, clip and group are lists of integers, \
                  classes is bytes of JSON";
    Error::bad_file(path, format!("array {name}: {error}"), remedy)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use ndarray::array;
    use tempfile::TempDir;
    use trompe_corpora::Split;

    use super::*;
    use crate::dataset::generated::gaussians;

    fn file(write: impl FnOnce(&mut NpzWriter<File>)) -> (TempDir, std::path::PathBuf) {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("features.npz");
        let mut npz = NpzWriter::new(File::create(&path).unwrap());
        write(&mut npz);
        npz.finish().unwrap();
        (folder, path)
    }

    #[test]
    fn what_is_written_is_read_back_and_written_the_same() {
        let folder = TempDir::new().unwrap();
        let (first, second) = (folder.path().join("a.npz"), folder.path().join("b.npz"));
        let mut data = gaussians(3, 4, 2, 5, 1.0, 1);
        data.excerpts[2].split = Some(Split::Valid);
        data.excerpts[3].fold = Some(7);
        data.write_npz(&first).unwrap();
        let read = Dataset::read_npz(&first).unwrap();
        assert_eq!(read, data);
        read.write_npz(&second).unwrap();
        assert_eq!(std::fs::read(&first).unwrap(), std::fs::read(&second).unwrap());
    }

    #[test]
    fn arrays_from_elsewhere_need_only_x_and_y() {
        let (_folder, path) = file(|npz| {
            npz.add_array("X", &array![[1.0f64, 2.0], [3.0, 4.0], [5.0, 6.0]]).unwrap();
            npz.add_array("y", &array![1i32, 0, 1]).unwrap();
        });
        let data = Dataset::read_npz(&path).unwrap();
        assert_eq!(data.vectors, array![[1.0f32, 2.0], [3.0, 4.0], [5.0, 6.0]]);
        assert_eq!(data.labels(), [1, 0, 1]);
        assert_eq!(data.classes, ["0", "1"]);
        assert_eq!(
            data.source,
            Source { name: "features".into(), provenance: None, known_as: None }
        );
    }

    #[test]
    fn rows_of_a_clip_are_brought_together() {
        let (_folder, path) = file(|npz| {
            npz.add_array("X", &array![[0.0f32], [1.0], [2.0], [3.0]]).unwrap();
            npz.add_array("y", &array![0u8, 1, 0, 1]).unwrap();
            npz.add_array("clip", &array![9i64, 4, 9, 4]).unwrap();
            npz.add_array("group", &array![1i64, 2, 1, 2]).unwrap();
            let names = serde_json::to_vec(&["blues", "metal"]).unwrap();
            npz.add_array("classes", &Array1::from(names)).unwrap();
        });
        let data = Dataset::read_npz(&path).unwrap();
        assert_eq!(data.vectors, array![[0.0f32], [2.0], [1.0], [3.0]]);
        assert_eq!(data.excerpt_of, [0, 0, 1, 1]);
        assert_eq!(data.excerpts[0].id, "clip 9");
        assert_eq!(data.excerpts[1].group.as_deref(), Some("2"));
        assert_eq!(data.classes, ["blues", "metal"]);
    }

    #[test]
    fn every_fault_names_the_file_and_the_array() {
        let fault = |write: fn(&mut NpzWriter<File>)| {
            let (_folder, path) = file(write);
            let text = Dataset::read_npz(&path).unwrap_err().to_string();
            assert!(text.contains("features.npz"), "{text}");
            text
        };
        let text = fault(|npz| npz.add_array("X", &array![[1.0f32]]).unwrap());
        assert!(text.contains("array y is missing"), "{text}");
        let text = fault(|npz| {
            npz.add_array("X", &array![1.0f32]).unwrap();
            npz.add_array("y", &array![1i64]).unwrap();
        });
        assert!(text.contains("X has 1 dimension, of sizes [1]"), "{text}");
        let text = fault(|npz| {
            npz.add_array("X", &array![[[1.0f64]]]).unwrap();
            npz.add_array("y", &array![1i64]).unwrap();
        });
        assert!(text.contains("X has 3 dimensions, of sizes [1, 1, 1]"), "{text}");
        let text = fault(|npz| {
            npz.add_array("X", &array![[1.0f64], [-1e300]]).unwrap();
            npz.add_array("y", &array![0i64, 1]).unwrap();
        });
        assert!(text.contains("X is -1e300 in row 1, column 0, beyond 32 bits"), "{text}");
        let text = fault(|npz| {
            npz.add_array("X", &array![[1i64]]).unwrap();
            npz.add_array("y", &array![1i64]).unwrap();
        });
        assert!(text.contains("array X"), "{text}");
        let text = fault(|npz| {
            npz.add_array("X", &array![[1.0f32], [2.0]]).unwrap();
            npz.add_array("y", &array![1i64]).unwrap();
        });
        assert!(text.contains("y has 1 value, X has 2 rows"), "{text}");
        let text = fault(|npz| {
            npz.add_array("X", &array![[1.0f32], [2.0]]).unwrap();
            npz.add_array("y", &array![-1i64, 1]).unwrap();
        });
        assert!(text.contains("y of row 0 is -1"), "{text}");
        let text = fault(|npz| {
            npz.add_array("X", &array![[1.0f32], [2.0]]).unwrap();
            npz.add_array("y", &array![0i64, 1]).unwrap();
            npz.add_array("clip", &array![5i64, 5]).unwrap();
        });
        assert!(text.contains("rows of clip 5 differ"), "{text}");
        let text = fault(|npz| {
            npz.add_array("X", &array![[f32::INFINITY], [2.0]]).unwrap();
            npz.add_array("y", &array![0i64, 1]).unwrap();
        });
        assert!(text.contains("row 0"), "{text}");
        let text = fault(|npz| {
            npz.add_array("X", &array![[1.0f32], [2.0]]).unwrap();
            npz.add_array("y", &array![0i64, 1]).unwrap();
            npz.add_array("classes", &Array1::from(b"[".to_vec())).unwrap();
        });
        assert!(text.contains("array classes"), "{text}");
    }

    #[test]
    fn a_file_that_is_no_npz_or_is_cut_short_is_refused() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("features.npz");
        assert!(Dataset::read_npz(&path).unwrap_err().to_string().contains("features.npz"));
        std::fs::write(&path, b"hello").unwrap();
        assert!(Dataset::read_npz(&path).unwrap_err().to_string().contains("not an .npz"));
        gaussians(2, 3, 2, 4, 1.0, 1).write_npz(&path).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        assert!(Dataset::read_npz(&path).is_err());
    }
}
