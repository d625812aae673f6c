//! A reference as `.npz`, which numpy reads, too: beside a foreign net as a file, inside a model file as
//! one tensor.
//!
//! | array | type and shape | content |
//! |---|---|---|
//! | `log_odds` | f64, (items, classes) | scores before calibration |
//! | `y` | i64, (items) | class number of every item, from 0 |
//! | `group` | i64, (items) | items of equal number share an artist, an album, a file |
//! | `classes` | u8 | JSON list of class names |
//! | `means` | f32, (classes, dimensions) | mean embedding of every class; of victims with embeddings, as the two below |
//! | `whitening` | f32, (dimensions, dimensions) | lower triangle that makes the covariance within classes the identity |
//! | `distances` | f64, (items) | squared Mahalanobis distance of every item, by items of other groups |
//! | `meta` | u8 | JSON object with all else: source, victim, names and hashes of items, temperature or vector scaling, one item taken apart |

use std::io::Cursor;
use std::path::Path;

use ndarray::{Array1, Array2};
use ndarray_npy::{NpzReader, NpzWriter, ReadableElement};
use serde::{Deserialize, Serialize};
use trompe_base::files::write_atomically;

use super::{
    CalibrationMap, Coverage, GenuineItem, Mahalanobis, Reference, ReferenceSource, TakenApart,
    Temperature, VectorScaling,
};
use crate::error::{Error, Result};
use crate::log_odds::PosteriorKind;

/// Greatest file that is read, in bytes.
const MAX_BYTES: u64 = 1 << 30;

/// Content of `meta`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Meta {
    version: u32,
    victim: String,
    posterior_kind: PosteriorKind,
    source: ReferenceSource,
    temperature: Option<Temperature>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    vector_scaling: Option<VectorScaling>,
    coverage: Option<Coverage>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    taken_apart: Option<TakenApart>,
    items: Vec<MetaItem>,
}

/// What `meta` says of one item.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MetaItem {
    name: String,
    sha256: String,
    group: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    other_tags: Vec<usize>,
}

/// Version of the layout.
const VERSION: u32 = 1;

type Reader<'b> = NpzReader<Cursor<&'b [u8]>>;

impl Reference {
    /// The content of its file.
    ///
    /// # Errors
    /// [`Error::Request`] if it is too large for the format.
    pub fn to_npz(&self) -> Result<Vec<u8>> {
        let map = self.calibration_map.as_ref();
        let meta = Meta {
            version: VERSION,
            victim: self.victim.clone(),
            posterior_kind: self.posterior_kind,
            source: self.source.clone(),
            temperature: map.and_then(CalibrationMap::temperature).copied(),
            vector_scaling: map.and_then(CalibrationMap::vector_scaling).cloned(),
            coverage: self.coverage.clone(),
            taken_apart: self.taken_apart.clone(),
            items: self
                .items
                .iter()
                .map(|item| MetaItem {
                    name: item.name.clone(),
                    sha256: item.sha256.clone(),
                    group: item.group.clone(),
                    other_tags: item.other_tags.clone(),
                })
                .collect(),
        };
        let shape = (self.items.len(), self.classes.len());
        let write = || -> Result<Vec<u8>, Box<dyn std::error::Error>> {
            let scores = self.items.iter().flat_map(|item| item.log_odds.iter().copied());
            let log_odds = Array2::from_shape_vec(shape, scores.collect())?;
            let classes: Array1<i64> = self.items.iter().map(|item| item.class as i64).collect();
            let groups: Array1<i64> =
                self.groups.of_item().iter().map(|&group| group as i64).collect();
            let mut npz = NpzWriter::new_compressed(Cursor::new(Vec::new()));
            npz.add_array("log_odds", &log_odds)?;
            npz.add_array("y", &classes)?;
            npz.add_array("group", &groups)?;
            npz.add_array("classes", &Array1::from(serde_json::to_vec(&self.classes)?))?;
            if let Some(mahalanobis) = &self.mahalanobis {
                let (means, whitening, distances) = mahalanobis.parts();
                npz.add_array("means", means)?;
                npz.add_array("whitening", whitening)?;
                npz.add_array("distances", &Array1::from(distances.to_vec()))?;
            }
            npz.add_array("meta", &Array1::from(serde_json::to_vec(&meta)?))?;
            Ok(npz.finish()?.into_inner())
        };
        write().map_err(|error| {
            Error::request(format!("genuine reference: {error}"), "give fewer genuine items")
        })
    }

    /// Reads the content of its file; an error says what is wrong with it.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn from_npz(bytes: &[u8]) -> Result<Self, String> {
        let mut npz = NpzReader::new(Cursor::new(bytes)).map_err(|e| format!("no .npz: {e}"))?;
        let mut meta: Meta = json(&mut npz, "meta")?;
        if meta.version != VERSION {
            return Err(format!("version {}, this trompe reads {VERSION}", meta.version));
        }
        let classes: Vec<String> = json(&mut npz, "classes")?;
        let log_odds: Array2<f64> = npz.by_name("log_odds").map_err(|e| wrong("log_odds", &e))?;
        let labels: Array1<i64> = array(&mut npz, "y")?;
        let (items, columns) = log_odds.dim();
        if columns != classes.len() || items != labels.len() || items != meta.items.len() {
            return Err("its arrays differ in length".to_owned());
        }
        let rows = log_odds.outer_iter().zip(&labels).zip(std::mem::take(&mut meta.items));
        let items = rows
            .map(|((row, &label), of)| {
                let class = usize::try_from(label).map_err(|_| format!("class number {label}"))?;
                let MetaItem { name, sha256, group, other_tags } = of;
                let log_odds = row.to_vec();
                Ok(GenuineItem { name, sha256, group, class, other_tags, log_odds })
            })
            .collect::<Result<Vec<_>, String>>()?;
        let map = CalibrationMap::of_fields(meta.temperature, meta.vector_scaling);
        let Meta { source, posterior_kind, victim, coverage, taken_apart, .. } = meta;
        let read = Self::assembled(source, classes, posterior_kind, victim, items, map)?;
        let mahalanobis = mahalanobis(&mut npz, &read)?;
        let read = Self { coverage, mahalanobis, ..read };
        match taken_apart {
            Some(taken_apart) => read.with_taken_apart(taken_apart),
            None => Ok(read),
        }
    }

    /// Writes its file, whole or not at all.
    ///
    /// # Errors
    /// As [`Reference::to_npz`]; an output error naming `path`.
    pub fn save(&self, path: &Path) -> Result<()> {
        Ok(write_atomically(path, &self.to_npz()?)?)
    }

    /// Reads its file.
    ///
    /// # Errors
    /// [`Error::BadFile`] if it is damaged or something else.
    pub fn load(path: &Path) -> Result<Self> {
        let length = std::fs::metadata(path).map_err(|e| Error::io(path, e))?.len();
        let bad = |what: String| {
            Error::bad_file(path, what, "write it again with `trompe reference`, or remove it")
        };
        if length > MAX_BYTES {
            return Err(bad(format!("larger than {MAX_BYTES} bytes")));
        }
        let bytes = std::fs::read(path).map_err(|e| Error::io(path, e))?;
        Self::from_npz(&bytes).map_err(|what| bad(format!("not a genuine reference: {what}")))
    }
}

/// What is kept of embeddings, if anything is.
fn mahalanobis(npz: &mut Reader<'_>, of: &Reference) -> Result<Option<Mahalanobis>, String> {
    let names = npz.names().map_err(|error| wrong("means", &error))?;
    if !names.iter().any(|name| name.trim_end_matches(".npy") == "means") {
        return Ok(None);
    }
    let means: Array2<f32> = npz.by_name("means").map_err(|e| wrong("means", &e))?;
    let whitening = npz.by_name("whitening").map_err(|e| wrong("whitening", &e))?;
    let distances: Array1<f64> = array(npz, "distances")?;
    if means.nrows() != of.classes.len() || distances.len() != of.items.len() {
        return Err("its arrays differ in length".to_owned());
    }
    Mahalanobis::from_parts(means, whitening, distances.to_vec()).map(Some)
}

fn wrong(name: &str, error: &dyn std::fmt::Display) -> String {
    format!("array {name}: {error}")
}

fn array<T: ReadableElement>(npz: &mut Reader<'_>, name: &str) -> Result<Array1<T>, String> {
    npz.by_name(name).map_err(|error| wrong(name, &error))
}

fn json<T: serde::de::DeserializeOwned>(npz: &mut Reader<'_>, name: &str) -> Result<T, String> {
    let bytes: Array1<u8> = array(npz, name)?;
    serde_json::from_slice(&bytes.to_vec()).map_err(|error| wrong(name, &error))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::tests::one_defined_class;
    use super::*;

    #[test]
    fn a_file_gives_back_the_same_reference() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("reference.npz");
        let parts = vec![("the clip reversed".to_owned(), vec![0.1; 2])];
        let taken_apart = TakenApart { item: "1".to_owned(), parts };
        let whole = one_defined_class(12);
        let embeddings: Vec<Vec<f32>> =
            (0..whole.items().len()).map(|n| vec![n as f32, (n * n % 7) as f32]).collect();
        let reference = whole.clone().with_taken_apart(taken_apart.clone()).unwrap();
        let reference = reference.with_embeddings(&embeddings);
        assert!(reference.mahalanobis().is_some());
        assert_eq!(whole.sha256(), reference.sha256(), "levels are the same");
        let short = TakenApart { parts: vec![("reversed".to_owned(), vec![0.1])], ..taken_apart };
        assert!(whole.with_taken_apart(short).unwrap_err().contains("reversed"));
        reference.save(&path).unwrap();
        assert_eq!(Reference::load(&path).unwrap(), reference);
        let first = std::fs::read(&path).unwrap();
        reference.save(&path).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), first, "the same bytes each time");
    }

    fn meta(npz: &[u8]) -> serde_json::Value {
        json(&mut NpzReader::new(Cursor::new(npz)).unwrap(), "meta").unwrap()
    }

    #[test]
    fn vector_scaling_is_in_files_only_where_it_is_the_map() {
        let temperature = one_defined_class(12);
        let before = temperature.to_npz().unwrap();
        assert!(meta(&before)["temperature"].is_object());
        assert_eq!(meta(&before).get("vector_scaling"), None, "as before vector scaling");
        assert_eq!(Reference::from_npz(&before).unwrap(), temperature);
        let with = |scales: Vec<f64>| {
            let of = PosteriorKind::LogisticOfVote;
            let map = VectorScaling { scales, offsets: vec![-0.5, 0.5], of };
            let calibration_map = Some(CalibrationMap::VectorScaling(map));
            Reference { calibration_map, ..temperature.clone() }
        };
        let scaled = with(vec![0.5, 2.0]);
        assert_eq!(scaled.sha256(), temperature.sha256());
        let bytes = scaled.to_npz().unwrap();
        assert!(meta(&bytes)["temperature"].is_null());
        assert_eq!(Reference::from_npz(&bytes).unwrap(), scaled);
        let short = with(vec![0.5]).to_npz().unwrap();
        assert!(Reference::from_npz(&short).unwrap_err().contains("scale"));
    }

    #[test]
    fn damaged_files_are_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("reference.npz");
        let good = one_defined_class(12).to_npz().unwrap();
        for bytes in [&good[..good.len() / 2], b"", b"PK\x05\x06"] {
            std::fs::write(&path, bytes).unwrap();
            let error = Reference::load(&path).unwrap_err().to_string();
            assert!(error.contains("reference.npz"), "{error}");
        }
    }
}
