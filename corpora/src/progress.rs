//! Progress of long operations.

/// Receives progress reports, from any thread.
pub trait Progress: Sync {
    /// `done` of `total` steps of `stage` are finished. A `total` of zero is not known yet.
    fn report(&self, stage: &str, done: u64, total: u64);

    /// Something that the user should know of what is done, in a sentence.
    fn note(&self, _text: &str) {}
}

impl<F: Fn(&str, u64, u64) + Sync> Progress for F {
    fn report(&self, stage: &str, done: u64, total: u64) {
        self(stage, done, total);
    }
}
