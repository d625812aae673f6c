//! Genuine references: which items are held out of training, and how they come to their scores.
//!
//! Where a corpus has a test part, or a share of it is asked for, the items are held out and scored
//! by the model itself. Else they are cross-fitted: each is scored by a model like it that was
//! trained without the item's fold of groups.

mod class_map;
mod foreign;
mod heard;
mod images;
mod sound;
mod taken_apart;

use std::collections::{BTreeMap, BTreeSet};

use rand::RngExt;
use trompe_base::random::stream;

use crate::error::{Error, Result};

pub use class_map::ClassMap;
pub use foreign::reference_of;
pub use images::{TrainedOnImages, check_images, train_images};
pub use sound::{
    Clips, CrossFit, TrainedOnSound, check_clips, check_vectors, cross_fit, load_clips, train_sound,
};

/// Length that genuine sound is cut to before it is scored, in seconds: that of an excerpt.
pub const SECONDS: f64 = 30.0;

/// Key of the random streams that draw groups.
const STREAM: u64 = 0x7265_6665;

/// How the reference of a model that is trained is made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReferencePlan {
    /// Share of the groups of every class that is held out; `None` for the test part of the corpus
    /// where there is one, or a cross-fit.
    pub hold_out: Option<f64>,
    /// Folds of a cross-fit; 0 for no reference.
    pub folds: usize,
    /// Whether nested folds check the levels of a cross-fit.
    pub check_levels: bool,
    /// Seed of folds and draws.
    pub seed: u64,
}

impl ReferencePlan {
    /// Folds of the cross-fit, where none are asked for.
    pub const FOLDS: usize = 5;

    /// What `train` does where nothing is asked for.
    pub fn usual(seed: u64) -> Self {
        Self { hold_out: None, folds: Self::FOLDS, check_levels: false, seed }
    }

    /// Checks the share.
    ///
    /// # Errors
    /// [`Error::Request`] outside [0, 1).
    pub fn check(&self) -> Result<()> {
        match self.hold_out {
            Some(share) if !(0.0..1.0).contains(&share) => Err(Error::request(
                format!("--hold-out {share}"),
                "give a share of the groups below 1, such as 0.2",
            )),
            _ if self.folds == 1 => Err(Error::request(
                "1 fold: it would hold everything out",
                "give 0 for no reference, or at least 2 folds",
            )),
            _ => Ok(()),
        }
    }
}

/// Where a share is to be held out and nothing can be.
fn nothing_held_out() -> Error {
    Error::request(
        "--hold-out: every class has a single group, and none is left to hold out",
        "add groups, or leave --hold-out out for a cross-fit",
    )
}

/// An item as a draw of groups sees it.
struct Grouped<'a> {
    class: usize,
    /// Its group, or a name of its own.
    group: &'a str,
}

/// Holds out a `share` of the groups of every class, drawn at random, at least one of each class
/// that has two and never the last: the numbers of the items held out. A group that several classes
/// share goes as a whole.
fn draw_held_out(items: &[Grouped<'_>], share: f64, seed: u64) -> Vec<usize> {
    let mut groups_of_class: BTreeMap<usize, BTreeSet<&str>> = BTreeMap::new();
    for item in items {
        groups_of_class.entry(item.class).or_default().insert(item.group);
    }
    let mut held_out: BTreeSet<&str> = BTreeSet::new();
    for (class, groups) in &groups_of_class {
        let mut groups: Vec<&str> = groups.iter().copied().collect();
        let mut rng = stream(seed, STREAM, *class as u64, 0);
        for last in (1..groups.len()).rev() {
            groups.swap(last, rng.random_range(0..=last));
        }
        let wanted = (share * groups.len() as f64).round() as usize;
        let wanted = wanted.clamp(usize::from(groups.len() > 1), groups.len().saturating_sub(1));
        for group in groups.iter().copied() {
            let of_class = groups.iter().filter(|group| held_out.contains(*group)).count();
            // Groups that several classes share must leave each of them another one.
            let last_of_a_class = groups_of_class.values().any(|others| {
                others.contains(group)
                    && others.iter().all(|other| *other == group || held_out.contains(other))
            });
            if of_class < wanted && !last_of_a_class {
                held_out.insert(group);
            }
        }
    }
    (0..items.len()).filter(|&item| held_out.contains(items[item].group)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_groups_are_held_out_and_every_class_keeps_one() {
        let names: Vec<String> = (0..40).map(|n| format!("{}", n / 4)).collect();
        let items: Vec<Grouped<'_>> =
            names.iter().enumerate().map(|(n, group)| Grouped { class: n / 20, group }).collect();
        let held_out = draw_held_out(&items, 0.4, 1);
        assert_eq!(held_out.len(), 16, "two of five groups of each class");
        for item in 0..40 {
            let with_group = held_out.contains(&(item / 4 * 4));
            assert_eq!(held_out.contains(&item), with_group);
        }
        assert_eq!(draw_held_out(&items, 0.4, 1), held_out);
        assert_ne!(draw_held_out(&items, 0.4, 2), held_out);
        // A group of two classes must not take the last one of either.
        let shared = [(0, "a"), (0, "b"), (1, "b"), (1, "c")];
        let shared: Vec<Grouped<'_>> =
            shared.iter().map(|&(class, group)| Grouped { class, group }).collect();
        for seed in 0..20 {
            let held_out = draw_held_out(&shared, 0.9, seed);
            for class in 0..2 {
                let left = (0..4).filter(|at| !held_out.contains(at));
                assert!(left.into_iter().any(|at| shared[at].class == class), "seed {seed}");
            }
        }
        // One group alone stays in training.
        let alone = [Grouped { class: 0, group: "a" }, Grouped { class: 0, group: "a" }];
        assert!(draw_held_out(&alone, 0.5, 1).is_empty());
    }

    #[test]
    fn a_share_is_below_one() {
        let plan = |hold_out| ReferencePlan { hold_out, folds: 5, check_levels: false, seed: 1 };
        assert!(plan(Some(0.2)).check().is_ok() && plan(None).check().is_ok());
        assert!(plan(Some(1.0)).check().is_err() && plan(Some(f64::NAN)).check().is_err());
    }
}
