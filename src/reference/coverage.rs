//! Whether the levels of a cross-fitted reference keep their promise, by nested folds.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::item::GenuineItem;
use super::levels::{LEVELS, Levels};
use super::share::{Share, grouped_share};
use crate::log_odds::label;

/// How often genuine items of groups that neither a model nor its reference knows reach a level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Coverage {
    /// Folds that were held out in turn.
    pub folds: usize,
    /// One entry a level.
    pub levels: Vec<CoverageAt>,
}

/// The same at one level.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoverageAt {
    /// The level; at most 1 less it of the items may reach it.
    pub level: f64,
    /// The share that does, of items that are labelled rightly.
    pub reached: Share,
}

impl Coverage {
    /// From nested folds: for each, the levels among the items of the others, and the items of the fold as a
    /// model of the others scores them.
    pub fn of(folds: &[(Levels, Vec<GenuineItem>)]) -> Self {
        let mut groups: BTreeMap<&str, usize> = BTreeMap::new();
        let items = folds.iter().flat_map(|(_, items)| items);
        for item in items {
            let next = groups.len();
            groups.entry(item.group.as_deref().unwrap_or(&item.name)).or_insert(next);
        }
        let group =
            |item: &GenuineItem| groups[item.group.as_deref().unwrap_or(item.name.as_str())];
        let at = |level: f64| {
            let outcomes: Vec<(usize, bool)> = folds
                .iter()
                .flat_map(|(levels, items)| items.iter().map(move |item| (levels, item)))
                .filter(|(_, item)| label(&item.log_odds) == Some(item.class))
                .filter_map(|(levels, item)| {
                    let threshold = levels.of_class(item.class).threshold(level)?;
                    Some((group(item), item.log_odds[item.class] > threshold))
                })
                .collect();
            CoverageAt { level, reached: grouped_share(&outcomes) }
        };
        Self { folds: folds.len(), levels: LEVELS.map(at).to_vec() }
    }

    /// Whether more items reach a level than there may be, beyond the interval.
    pub fn is_biased(&self) -> bool {
        let exceeds = |at: &CoverageAt| at.reached.is_some_and(|share| share.low > 1.0 - at.level);
        self.levels.iter().any(exceeds)
    }
}
