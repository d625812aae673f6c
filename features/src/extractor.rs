//! What every feature set can do.
use crate::error::Result;
/// Turns mono samples into feature vectors. Holds its buffers: one extractor a thread.
pub trait Extractor: Send {
    /// Appends the feature vectors of one clip to `out`, row by row
    /// ([`crate::FeatureSettings::dimensions`] values each), and returns how many there are.
    ///
    /// # Errors
    /// [`crate::Error::TooShort`] below one vector, [`crate::Error::NotFinite`] on NaN or
    /// infinity, [`crate::Error::TooLoud`] on samples far outside [-1, 1],
    /// [`crate::Error::Silent`] where a set has no value for silence; `out` is then
    /// unchanged.
    fn extract(&mut self, samples: &[f32], out: &mut Vec<f32>) -> Result<usize>;

    /// An extractor for another thread: shares the tables, owns its buffers.
    fn fork(&self) -> Box<dyn Extractor>;
}
