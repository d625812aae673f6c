//! The genuine reference: genuine items that the scorer of a victim did not see in training, with
//! their scores. It tells where any other score stands among them ([`Levels`]), what posteriors
//! mean ([`CalibrationMap`]), and how often genuine items are as certain as what fools the victim.
//!
//! It is numbers alone: scores, labels, groups. Whoever scores the items is elsewhere.

mod calibration;
mod calibration_map;
mod coverage;
mod file;
mod folds;
mod item;
mod levels;
mod mahalanobis;
mod map_choice;
mod rates;
mod reliability;
mod scored_items;
mod separation;
mod share;
mod temperature;
mod vector_scaling;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use trompe_base::encoding::hex;
use trompe_corpora::Provenance;
use trompe_statistics::groups::Groups;

use crate::error::{Error, Result};
use crate::log_odds::{Labelling, PosteriorKind, label};

pub use calibration::{Bin, CalibrationReport};
pub use calibration_map::CalibrationMap;
pub use coverage::{Coverage, CoverageAt};
pub use item::{GenuineItem, TakenApart};
pub use levels::{ClassLevels, FEWEST_GROUPS, LEVELS, Levels};
pub use mahalanobis::{MOST_DIMENSIONS, Mahalanobis};
pub use map_choice::{FEWEST_GROUPS_OF_CLASS, MapComparison, chosen_map};
pub use rates::{Criterion, Limits, Rates, THRESHOLDS};
pub use reliability::{Reliability, reliable_threshold};
pub use scored_items::ScoredItems;
pub use separation::{Separation, highest_scores};
pub use share::{Share, ShareReached, grouped_share};
pub use temperature::{TEMPERATURES, Temperature};
pub use vector_scaling::VectorScaling;

use levels::Rightly;

/// How genuine items came to their scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReferenceKind {
    /// By the victim itself, which was trained on none of their groups.
    HeldOut,
    /// By models like the victim, each trained without one fold of groups, and pooled. Candidates
    /// are scored by the victim alone, so that levels are an approximation.
    CrossFitted,
}

impl ReferenceKind {
    /// Its name on screen.
    pub fn name(self) -> &'static str {
        match self {
            Self::HeldOut => "held out",
            Self::CrossFitted => "cross-fitted",
        }
    }
}

/// Where the items come from, and how they were scored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReferenceSource {
    /// How the items came to their scores.
    pub kind: ReferenceKind,
    /// Name of their corpus.
    pub corpus: String,
    /// Where that corpus comes from.
    pub provenance: Provenance,
    /// Its licence, as it states it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// Folds of a cross-fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folds: Option<usize>,
    /// Length that sound was cut to before it was scored, in samples at the victim's rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub samples: Option<usize>,
    /// What was left out, and what to know, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// Genuine items with their scores, and what follows from them.
#[derive(Debug, Clone, PartialEq)]
pub struct Reference {
    source: ReferenceSource,
    classes: Vec<String>,
    posterior_kind: PosteriorKind,
    /// Fingerprint of the victim.
    victim: String,
    items: Vec<GenuineItem>,
    calibration_map: Option<CalibrationMap>,
    coverage: Option<Coverage>,
    taken_apart: Option<TakenApart>,
    mahalanobis: Option<Mahalanobis>,
    groups: Groups,
    levels: Levels,
}

impl Reference {
    /// The reference of the victim with this fingerprint, from items that were scored for it.
    ///
    /// # Errors
    /// [`Error::Request`] if there are no items, or an item has another number of log-odds than
    /// there are classes, one that is not finite, or no such class.
    pub fn new(
        source: ReferenceSource,
        classes: Vec<String>,
        posterior_kind: PosteriorKind,
        victim: String,
        items: Vec<GenuineItem>,
    ) -> Result<Self> {
        let bad = |what: String| {
            Error::request(format!("genuine reference: {what}"), "score the items again")
        };
        check(&classes, &items).map_err(bad)?;
        let map = match posterior_kind.labelling() {
            Labelling::Single => {
                let groups = groups(&items);
                chosen_map(&scored(posterior_kind, classes.len(), &items, &groups))
            }
            Labelling::Multi => {
                let questions = questions(&items);
                let rows = questions.iter().map(|(row, answer, _)| (&row[..], *answer));
                Temperature::fit(PosteriorKind::Softmax, rows)
                    .map(|fit| Temperature { of: posterior_kind, ..fit })
                    .map(CalibrationMap::Temperature)
            }
        };
        Self::assembled(source, classes, posterior_kind, victim, items, map).map_err(bad)
    }

    /// The same with a map that was fitted before; an error says what is wrong.
    fn assembled(
        source: ReferenceSource,
        classes: Vec<String>,
        posterior_kind: PosteriorKind,
        victim: String,
        items: Vec<GenuineItem>,
        calibration_map: Option<CalibrationMap>,
    ) -> Result<Self, String> {
        check(&classes, &items)?;
        if let Some(map) = &calibration_map {
            map.check(posterior_kind, classes.len())?;
        }
        let groups = groups(&items);
        let rightly = rightly(&items, &groups, posterior_kind.labelling());
        let levels = Levels::new(classes.len(), &rightly);
        Ok(Self {
            source,
            classes,
            posterior_kind,
            victim,
            items,
            calibration_map,
            coverage: None,
            taken_apart: None,
            mahalanobis: None,
            groups,
            levels,
        })
    }

    /// The same with what is known of its coverage.
    #[must_use]
    pub fn with_coverage(self, coverage: Coverage) -> Self {
        Self { coverage: Some(coverage), ..self }
    }

    /// The same with one item taken apart.
    ///
    /// # Errors
    /// What is wrong, in words, if a part has not one finite log-odds for each class.
    pub fn with_taken_apart(self, taken_apart: TakenApart) -> Result<Self, String> {
        for (part, log_odds) in &taken_apart.parts {
            if log_odds.len() != self.classes.len() || log_odds.iter().any(|s| !s.is_finite()) {
                return Err(format!("{part} has not one finite log-odds for each class"));
            }
        }
        Ok(Self { taken_apart: Some(taken_apart), ..self })
    }

    /// The same with what follows from the victim's embeddings of the items, one each; an empty one is
    /// none. Without any, or if they are longer than [`MOST_DIMENSIONS`], nothing does.
    #[must_use]
    pub fn with_embeddings(self, embeddings: &[Vec<f32>]) -> Self {
        let classes: Vec<usize> = self.items.iter().map(|item| item.class).collect();
        let mahalanobis = Mahalanobis::fit(embeddings, &classes, self.classes.len(), &self.groups);
        Self { mahalanobis, ..self }
    }

    /// How far inputs lie from the items; `None` for victims without embeddings.
    pub fn mahalanobis(&self) -> Option<&Mahalanobis> {
        self.mahalanobis.as_ref()
    }

    /// Where the items come from.
    pub fn source(&self) -> &ReferenceSource {
        &self.source
    }

    /// Class names, in the order of the log-odds.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// What kind of number the victim's posterior is.
    pub fn posterior_kind(&self) -> PosteriorKind {
        self.posterior_kind
    }

    /// Fingerprint of the victim that it belongs to.
    pub fn victim(&self) -> &str {
        &self.victim
    }

    /// The items.
    pub fn items(&self) -> &[GenuineItem] {
        &self.items
    }

    /// The item that stands for all where one is taken apart: the first that its scorer labels rightly,
    /// or the first.
    pub fn example(&self) -> &GenuineItem {
        let right = |item: &&GenuineItem| self.claims(&item.log_odds, item.class);
        self.items.iter().find(right).unwrap_or(&self.items[0])
    }

    /// One item taken apart; `None` where the items are no sound and no image, or were scored by an
    /// earlier version.
    pub fn taken_apart(&self) -> Option<&TakenApart> {
        self.taken_apart.as_ref()
    }

    /// The group of every item; one without a group is its own.
    pub fn groups(&self) -> &Groups {
        &self.groups
    }

    /// Where scores stand among the items.
    pub fn levels(&self) -> &Levels {
        &self.levels
    }

    /// The map to calibrated posteriors; `None` for posteriors that have none.
    pub fn calibration_map(&self) -> Option<&CalibrationMap> {
        self.calibration_map.as_ref()
    }

    /// What nested folds found of a cross-fitted reference; `None` if they were not asked.
    pub fn coverage(&self) -> Option<&Coverage> {
        self.coverage.as_ref()
    }

    /// Whether its levels promise too much: nested folds found more genuine items at a level than
    /// there may be. `None` of a cross-fit that nested folds did not check; held-out items keep
    /// their promise.
    pub fn is_biased(&self) -> Option<bool> {
        match self.source.kind {
            ReferenceKind::HeldOut => Some(false),
            ReferenceKind::CrossFitted => self.coverage.as_ref().map(Coverage::is_biased),
        }
    }

    /// Level of a candidate with these log-odds in `class`; `None` if its label is another class, or
    /// if the class has too few groups. A tag has a level whatever the other tags are.
    pub fn level(&self, log_odds: &[f64], class: usize) -> Option<f64> {
        self.claims(log_odds, class).then(|| self.levels.of_class(class).level(log_odds[class]))?
    }

    /// Whether the victim may call an input with these log-odds `class`.
    fn claims(&self, log_odds: &[f64], class: usize) -> bool {
        self.posterior_kind.labelling().lead(log_odds, class) > 0.0
    }

    /// One calibrated posterior per class, if there is a map to them.
    pub fn calibrated(&self, log_odds: &[f64]) -> Option<Vec<f64>> {
        Some(self.calibration_map.as_ref()?.posteriors(log_odds))
    }

    /// How many of the genuine items that levels in `class` are counted among a candidate with these
    /// log-odds is above, if it is above all of them.
    pub fn above_all(&self, log_odds: &[f64], class: usize) -> Option<usize> {
        if !self.claims(log_odds, class) {
            return None;
        }
        let of_class = self.levels.of_class(class);
        let above = of_class.highest().is_some_and(|highest| log_odds[class] > highest);
        (above && of_class.is_defined()).then(|| of_class.items())
    }

    /// Names of the classes without a level: too few groups have an item that its scorer labels
    /// with the class.
    pub fn undefined(&self) -> Vec<&str> {
        let names = self.classes.iter().enumerate();
        let undefined = names.filter(|(class, _)| !self.levels.of_class(*class).is_defined());
        undefined.map(|(_, name)| name.as_str()).collect()
    }

    /// SHA-256 of scores, classes and groups, in hexadecimal: the same for the same levels.
    pub fn sha256(&self) -> String {
        let mut hash = Sha256::new();
        let mut text = |text: &str| {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        };
        text(&self.victim);
        self.classes.iter().for_each(|class| text(class));
        for (item, group) in self.items.iter().zip(self.groups.of_item()) {
            hash.update((item.class as u64).to_le_bytes());
            hash.update((*group as u64).to_le_bytes());
            item.log_odds.iter().for_each(|value| hash.update(value.to_le_bytes()));
            item.other_tags.iter().for_each(|tag| hash.update((*tag as u64).to_le_bytes()));
        }
        hex(&hash.finalize())
    }

    /// What posteriors are worth on the items. Of tags, every tag that some item has is one question
    /// of two answers for every item.
    pub fn calibration(&self) -> CalibrationReport {
        let map = self.calibration_map.as_ref();
        if self.posterior_kind.labelling() == Labelling::Single {
            let (kind, classes) = (self.posterior_kind, self.classes.len());
            let scored = scored(kind, classes, &self.items, &self.groups);
            return CalibrationReport::delivering(&scored, map);
        }
        let questions = questions(&self.items);
        let groups = questions.iter().map(|(_, _, item)| self.groups.of_item()[*item].to_string());
        let groups: Vec<String> = groups.collect();
        let groups = Groups::by_name(groups.iter().map(|group| Some(group.as_str())));
        let scored = ScoredItems {
            posterior_kind: PosteriorKind::Softmax,
            classes: 2,
            labelling: Labelling::Multi,
            items: questions.iter().map(|(row, answer, _)| (&row[..], *answer)).collect(),
            groups: &groups,
        };
        CalibrationReport::delivering(&scored, map)
    }

    /// The classes that some genuine item has: of the others nothing is known.
    pub fn known(&self) -> BTreeSet<usize> {
        known(&self.items)
    }
}

/// The group of every item; one without a group is its own.
fn groups(items: &[GenuineItem]) -> Groups {
    Groups::by_name(items.iter().map(|item| item.group.as_deref()))
}

/// Items of one class each, with their scores.
fn scored<'a>(
    posterior_kind: PosteriorKind,
    classes: usize,
    items: &'a [GenuineItem],
    groups: &'a Groups,
) -> ScoredItems<'a> {
    let items = items.iter().map(|item| (&item.log_odds[..], item.class)).collect();
    ScoredItems { posterior_kind, classes, labelling: Labelling::Single, items, groups }
}

/// The classes that some item has.
fn known(items: &[GenuineItem]) -> BTreeSet<usize> {
    items.iter().flat_map(GenuineItem::tags).collect()
}

/// For every item and known tag, whether the item has the tag, as a question of two classes: the
/// log-odds of no and of yes, the right answer, and the number of the item.
fn questions(items: &[GenuineItem]) -> Vec<([f64; 2], usize, usize)> {
    let known = known(items);
    let of = |(number, item): (usize, &GenuineItem)| {
        let question = |&tag: &usize| {
            let logit = item.log_odds[tag];
            ([-logit, logit], usize::from(item.is(tag)), number)
        };
        known.iter().map(question).collect::<Vec<_>>()
    };
    items.iter().enumerate().flat_map(of).collect()
}

/// The genuine scores that levels are counted among: of items whose label is their class, or of all
/// items that have a tag.
fn rightly(items: &[GenuineItem], groups: &Groups, labelling: Labelling) -> Vec<Rightly> {
    let of = |(item, &group): (&GenuineItem, &usize)| {
        let counts = move |class: &usize| match labelling {
            Labelling::Single => label(&item.log_odds) == Some(*class),
            Labelling::Multi => true,
        };
        let score = move |class: usize| Rightly { class, group, score: item.log_odds[class] };
        item.tags().filter(counts).map(score).collect::<Vec<_>>()
    };
    items.iter().zip(groups.of_item()).flat_map(of).collect()
}

fn check(classes: &[String], items: &[GenuineItem]) -> Result<(), String> {
    if items.is_empty() {
        return Err("no items".to_owned());
    }
    for item in items {
        let GenuineItem { name, log_odds, .. } = item;
        if log_odds.len() != classes.len() || log_odds.iter().any(|value| !value.is_finite()) {
            return Err(format!("{name} has not one finite log-odds for each class"));
        }
        if let Some(class) = item.tags().find(|class| *class >= classes.len()) {
            return Err(format!("{name} is of class number {class} of {}", classes.len()));
        }
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests;
