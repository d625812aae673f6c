//! What the shares of a comparison are counted at.

/// Posteriors and levels, each ascending.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places<'a> {
    pub(super) thresholds: &'a [f64],
    pub(super) levels: &'a [f64],
}
