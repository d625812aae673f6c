//! Items with their scores, of which maps are fitted and calibration is measured.

use trompe_statistics::groups::Groups;

use crate::log_odds::{Labelling, PosteriorKind};

/// Items with their scores.
#[derive(Debug, Clone)]
pub struct ScoredItems<'a> {
    /// What kind of posterior the log-odds are of.
    pub posterior_kind: PosteriorKind,
    /// Number of classes.
    pub classes: usize,
    /// Whether classes exclude each other. Of tags every item is one question of two classes.
    pub labelling: Labelling,
    /// Log-odds and class of every item.
    pub items: Vec<(&'a [f64], usize)>,
    /// The group of every item.
    pub groups: &'a Groups,
}

/// Log-odds, class and group of an item.
pub(super) type Item<'a> = (&'a [f64], usize, usize);

impl ScoredItems<'_> {
    /// Items with their groups.
    pub(super) fn grouped(&self) -> impl Iterator<Item = Item<'_>> + Clone {
        let items = self.items.iter().zip(self.groups.of_item());
        items.map(|(&(log_odds, class), &group)| (log_odds, class, group))
    }
}
