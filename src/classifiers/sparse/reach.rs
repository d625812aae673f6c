//! How many inputs a sparse representation classifier cannot represent.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::SparseParams;
use super::preparation::Preparation;
use super::span::Span;
use crate::dataset::Dataset;

/// Parts that the training excerpts are divided into (our choice, as for calibration).
const PARTS: usize = 5;

/// Inputs of which no code comes as close as epsilon ([`super::SparseRepresentation::misses`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Reach {
    /// Inputs that were looked at.
    pub inputs: usize,
    /// Those out of reach.
    pub out_of_reach: usize,
}

impl Reach {
    /// Counts what [`Classifier::out_of_reach`](crate::classifiers::Classifier::out_of_reach)
    /// said of some inputs; `None` if it said nothing of any.
    pub fn of(said: impl IntoIterator<Item = Option<bool>>) -> Option<Self> {
        let mut reach = Self { inputs: 0, out_of_reach: 0 };
        for missed in said.into_iter().flatten() {
            reach.inputs += 1;
            reach.out_of_reach += usize::from(missed);
        }
        (reach.inputs > 0).then_some(reach)
    }

    /// Share of the inputs that are out of reach.
    pub fn share(&self) -> f64 {
        self.out_of_reach as f64 / self.inputs as f64
    }
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} of {} ({:.1} %) out of reach of epsilon",
            self.out_of_reach,
            self.inputs,
            100.0 * self.share()
        )
    }
}

impl SparseParams {
    /// How many excerpts of `dataset` the others cannot represent. The excerpts are divided into
    /// five parts without dividing a group, and each part is held out in turn: in its own
    /// dictionary, every excerpt represents itself. `None` where there is only one group.
    pub fn held_out_reach(&self, dataset: &Dataset) -> Option<Reach> {
        let part_of = parts(dataset);
        let starts = dataset.excerpt_starts();
        let vectors = |excerpt: usize| dataset.vectors_of(&starts, excerpt);
        let dimensions = dataset.dimensions();
        let count = part_of.iter().max().map_or(0, |last| last + 1);
        if count < 2 {
            return None;
        }
        let mut said = Vec::new();
        for part in 0..count {
            let excerpts = || (0..part_of.len()).map(|excerpt| (excerpt, part_of[excerpt] == part));
            let training: Vec<f32> = excerpts()
                .filter(|(_, held_out)| !held_out)
                .flat_map(|(excerpt, _)| vectors(excerpt).iter().copied().collect::<Vec<_>>())
                .collect();
            let preparation = Preparation::fit(self, &training, dimensions);
            let atoms: Vec<f64> = training
                .chunks_exact(dimensions)
                .flat_map(|vector| preparation.apply(vector))
                .collect();
            let span = Span::of(&atoms, atoms.len() / (training.len() / dimensions));
            for (excerpt, _) in excerpts().filter(|(_, held_out)| *held_out) {
                let misses = |row: ndarray::ArrayView1<'_, f32>| {
                    span.distance(&preparation.apply(&row.to_vec())) > self.epsilon
                };
                said.push(Some(vectors(excerpt).outer_iter().any(misses)));
            }
        }
        Reach::of(said)
    }
}

/// The part of every excerpt: groups are dealt to the parts like cards, in the order in which
/// they first occur, which spreads those of one class. An excerpt without a group is its own.
fn parts(dataset: &Dataset) -> Vec<usize> {
    let mut seen = BTreeMap::new();
    let mut next = 0;
    let mut deal = || {
        next += 1;
        (next - 1) % PARTS
    };
    let part = |excerpt: &crate::dataset::Excerpt| match &excerpt.group {
        Some(group) => *seen.entry(group.clone()).or_insert_with(&mut deal),
        None => deal(),
    };
    dataset.excerpts.iter().map(part).collect()
}
