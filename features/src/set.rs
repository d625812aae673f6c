//! Named feature sets, as a classifier asks for them.

use serde::{Deserialize, Serialize};

use crate::error::Result;

/// Turns mono samples into feature vectors. Holds its buffers: one extractor a thread.
pub trait Extractor: Send {
    /// Appends the feature vectors of one clip to `out`, row by row
    /// ([`Settings::dimensions`] values each), and returns how many there are.
    ///
    /// # Errors
    /// [`crate::Error::TooShort`] below one vector, [`crate::Error::NotFinite`] on NaN or
    /// infinity; `out` is then unchanged.
    fn extract(&mut self, samples: &[f32], out: &mut Vec<f32>) -> Result<usize>;
}

/// Which feature set, with its settings: what a model stores to see sound again as it did
/// when it was trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "set", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Settings {}
