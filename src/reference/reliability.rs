//! Selective risk: from which certainty on a victim is right on genuine items.

use serde::{Deserialize, Serialize};
use trompe_base::random::{index, stream};
use trompe_statistics::intervals::clopper_pearson;

use super::Reference;
use crate::log_odds::{Labelling, label, posterior_from_log_odds};

/// Greatest share of wrong labels above the threshold.
pub(super) const MOST_ERRORS: f64 = 0.05;
/// Fewest items with which a bound of 95 % can lie below [`MOST_ERRORS`]: 1 - 0.05^(1/59) < 0.05.
const FEWEST: usize = 59;
/// Key of the random stream that draws an item of every group.
const STREAM: u64 = 0x7265_6c69;

/// The smallest posterior above which a victim's label is wrong for at most 5 % of genuine items.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Reliability {
    /// The log-odds of the highest posterior.
    pub log_odds: f64,
    /// The posterior.
    pub posterior: f64,
    /// Items that reach it, one drawn of every group.
    pub items: usize,
    /// Those of them whose label is wrong.
    pub wrong: usize,
    /// Upper bound of the share of wrong labels (one-sided, 95 %).
    pub bound: f64,
}

/// The threshold from which on a victim is reliable; `None` if there is none. One item is drawn of
/// every group, so that items are independent. Thresholds are tested from the highest that 59 items
/// reach downwards, until the bound fails: in that order no test costs another one its level.
///
/// `None` of victims of tags: of a tag that nobody gave an item, it is not known whether it is wrong.
pub fn reliable_threshold(reference: &Reference) -> Option<Reliability> {
    if reference.posterior_kind().labelling() == Labelling::Multi {
        return None;
    }
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); reference.groups().count()];
    for (item, &group) in reference.groups().of_item().iter().enumerate() {
        members[group].push(item);
    }
    let mut rng = stream(0, STREAM, 0, 0);
    let drawn = members.iter().filter(|items| !items.is_empty());
    let mut claims: Vec<(f64, bool)> = drawn
        .map(|items| {
            let item = &reference.items()[items[index(items.len(), &mut rng)]];
            let top = item.log_odds.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            (top, label(&item.log_odds) == Some(item.class))
        })
        .collect();
    claims.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut found = None;
    let (mut items, mut wrong) = (0, 0);
    for tie in claims.chunk_by(|a, b| a.0 == b.0) {
        items += tie.len();
        wrong += tie.iter().filter(|(_, right)| !right).count();
        if items < FEWEST {
            continue;
        }
        // The upper end of a two-sided 90 % interval is a one-sided bound of 95 %.
        let bound = clopper_pearson(wrong as u64, items as u64, 0.9).high;
        if bound > MOST_ERRORS {
            break;
        }
        let log_odds = tie[0].0;
        let posterior = posterior_from_log_odds(log_odds);
        found = Some(Reliability { log_odds, posterior, items, wrong, bound });
    }
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::tests::{item, reference};
    use super::*;

    /// Items with the top log-odds `n`, right or wrong.
    fn of(items: impl Iterator<Item = (f64, bool)>) -> Option<Reliability> {
        let items =
            items.map(|(top, right)| item(usize::from(!right), None, &[top, top - 1.0])).collect();
        reliable_threshold(&reference(2, items))
    }

    #[test]
    fn the_threshold_goes_down_to_where_errors_begin() {
        // 100 right above 100, then every second is wrong.
        let items = || (0..200).map(|n| (200.0 - f64::from(n), n < 100 || n % 2 == 0));
        let found = of(items()).unwrap();
        assert!(found.items >= 100 && found.items < 110, "{found:?}");
        assert!(found.bound <= 0.05 && found.wrong <= 1);
        // The first 59 hold an error: nothing can be said.
        assert_eq!(of(items().map(|(top, right)| (top, right && top != 190.0))), None);
        assert_eq!(of((0..58).map(|n| (f64::from(n), true))), None);
        assert!(of((0..59).map(|n| (f64::from(n), true))).is_some());
    }
}
