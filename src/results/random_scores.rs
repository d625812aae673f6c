//! `base-rate.npz`: the scores of a run's random candidates, for numpy and for questions asked later.
//!
//! | array | type and shape | content |
//! |---|---|---|
//! | `log_odds` | f64, (candidates, classes) | scores before calibration |
//! | `distances` | f64, (candidates) | squared Mahalanobis distance to genuine items; of victims with embeddings |
//! | `classes` | u8 | JSON list of class names |

use std::io::Cursor;
use std::path::{Path, PathBuf};

use ndarray::{Array1, ArrayView2};
use ndarray_npy::NpzWriter;
use trompe_base::files::write_atomically;

use crate::error::{Error, Result};
use crate::search::Random;

/// The file in a run's folder.
pub fn path(folder: &Path) -> PathBuf {
    folder.join("base-rate.npz")
}

/// Writes the scores of random candidates into a run's folder.
///
/// # Errors
/// [`Error::BadFile`] if they are not of these classes; an output error naming the file.
pub fn write(folder: &Path, classes: &[String], random: &Random) -> Result<()> {
    let path = path(folder);
    let pack = || -> Result<Vec<u8>, Box<dyn std::error::Error>> {
        let scores = &random.scores[..];
        let shape = (scores.len() / classes.len().max(1), classes.len());
        let mut npz = NpzWriter::new_compressed(Cursor::new(Vec::new()));
        npz.add_array("log_odds", &ArrayView2::from_shape(shape, scores)?)?;
        if let Some(distances) = &random.distances {
            npz.add_array("distances", &Array1::from(distances.clone()))?;
        }
        npz.add_array("classes", &Array1::from(serde_json::to_vec(classes)?))?;
        Ok(npz.finish()?.into_inner())
    };
    let bytes = pack()
        .map_err(|error| Error::bad_file(&path, error.to_string(), "report this as a fault"))?;
    Ok(write_atomically(&path, &bytes)?)
}
