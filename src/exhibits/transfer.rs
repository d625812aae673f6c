//! What another classifier makes of a fooling set: the delivered files, scored by it.

use std::path::Path;

use serde::{Deserialize, Serialize};
use trompe_corpora::Provenance;

use super::load::load;
use crate::error::{Error, Result};
use crate::log_odds::{Labelling, label, posterior_from_log_odds};
use crate::reference::{Criterion, Reference};

/// One exhibit, seen by another classifier.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Transferred {
    /// File name inside the set.
    pub file: String,
    /// The class it is an exhibit of.
    pub label: String,
    /// Posterior of that class by the classifier that was fooled.
    pub posterior: f64,
    /// Posterior of that class by the other; `None` if it does not know the class.
    pub posterior_there: Option<f64>,
    /// The other's label; `None` in a tie.
    pub label_there: Option<String>,
    /// The other's highest posterior: that of its label, if it gives one.
    pub top_posterior_there: f64,
    /// Level of its label among the other's genuine items, if it has a reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level_there: Option<f64>,
    /// Whether the other gives the same label.
    pub same_label: bool,
    /// Whether the other is fooled alike: it gives the same label, at what it is held to.
    pub reaches: bool,
    /// Whether the other has no level in the class: then the exhibit does not count.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub undefined: bool,
}

/// A whole set, seen by another classifier.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Transfer {
    /// The least real material the set depends on.
    pub provenance: Provenance,
    /// Kind of the classifier that was fooled.
    pub from: String,
    /// SHA-256 of its model file.
    pub from_sha256: String,
    /// The set's threshold.
    pub threshold: f64,
    /// The posterior that the other classifier is held to; `None` if it is held to a level.
    pub threshold_there: Option<f64>,
    /// The level that it is held to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level_there: Option<f64>,
    /// What guessing would give the set's label: 1 over the other's classes.
    pub chance: f64,
    /// One entry an exhibit, in the manifest's order.
    pub exhibits: Vec<Transferred>,
}

impl Transfer {
    /// Exhibits that the other gives the same label.
    pub fn same_label(&self) -> usize {
        self.exhibits.iter().filter(|exhibit| exhibit.same_label).count()
    }

    /// Exhibits of classes in which the other has no level.
    pub fn undefined(&self) -> usize {
        self.exhibits.iter().filter(|exhibit| exhibit.undefined).count()
    }

    /// What the other classifier is held to.
    pub fn asked_there(&self) -> Criterion {
        match (self.level_there, self.threshold_there) {
            (Some(level), _) => Criterion::Level(level),
            (None, posterior) => Criterion::Posterior(posterior.unwrap_or(self.threshold)),
        }
    }

    /// Exhibits that fool the other alike.
    pub fn reaching(&self) -> usize {
        self.exhibits.iter().filter(|exhibit| exhibit.reaches).count()
    }
}

/// The other classifier.
#[derive(Debug, Clone, Copy)]
pub struct Other<'a> {
    /// Class names, in the order of the log-odds.
    pub classes: &'a [String],
    /// What it is held to.
    pub criterion: Criterion,
    /// Its genuine reference, if it has one.
    pub reference: Option<&'a Reference>,
    /// How many classes it may name for one input.
    pub labelling: Labelling,
}

/// Scores every file of the set in `folder` by another classifier; `score` decodes a file and gives
/// one log-odds per class.
///
/// # Errors
/// As [`load`]: a file that is missing or altered says nothing of the set; as
/// [`Criterion::limits`]; whatever scoring meets.
pub fn transfer(
    folder: &Path,
    other: Other<'_>,
    mut score: impl FnMut(&Path) -> Result<Vec<f64>>,
) -> Result<Transfer> {
    let manifest = load(folder)?;
    let Other { classes, criterion, reference, labelling } = other;
    let limits = criterion.limits(reference)?;
    let mut exhibits = Vec::new();
    for exhibit in &manifest.exhibits {
        let path = folder.join(&exhibit.file);
        let log_odds = score(&path)?;
        if log_odds.len() != classes.len() {
            let what = format!("{} log-odds for {} classes", log_odds.len(), classes.len());
            return Err(Error::bad_file(path, what, "report this as a fault"));
        }
        let label = label(&log_odds);
        let top = log_odds.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let known = classes.iter().position(|class| *class == exhibit.label);
        let at_limit = known.is_some_and(|class| log_odds[class] >= limits.of(class));
        // Of tags, the threshold alone says which are given.
        let same_label = match labelling {
            Labelling::Single => label.is_some() && label == known,
            Labelling::Multi => at_limit,
        };
        let posterior_there = known.map(|class| posterior_from_log_odds(log_odds[class]));
        exhibits.push(Transferred {
            file: exhibit.file.clone(),
            label: exhibit.label.clone(),
            posterior: exhibit.posterior,
            posterior_there,
            label_there: label.map(|label| classes[label].clone()),
            top_posterior_there: posterior_from_log_odds(top),
            level_there: {
                let class = match labelling {
                    Labelling::Single => label,
                    Labelling::Multi => known,
                };
                reference.and_then(|reference| reference.level(&log_odds, class?))
            },
            same_label,
            undefined: known.is_some_and(|class| !limits.is_defined(class)),
            reaches: same_label && at_limit,
        });
    }
    Ok(Transfer {
        provenance: manifest.origin.provenance(),
        from: manifest.origin.classifier.kind.clone(),
        from_sha256: manifest.origin.classifier.sha256.clone(),
        threshold: manifest.origin.threshold,
        threshold_there: match criterion {
            Criterion::Posterior(posterior) => Some(posterior),
            Criterion::Level(_) => None,
        },
        level_there: match criterion {
            Criterion::Posterior(_) => None,
            Criterion::Level(level) => Some(level),
        },
        chance: 1.0 / classes.len() as f64,
        exhibits,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::toy;
    use super::*;

    fn at(classes: &[String]) -> Other<'_> {
        let criterion = Criterion::Posterior(0.9);
        Other { classes, criterion, reference: None, labelling: Labelling::Single }
    }

    #[test]
    fn labels_are_matched_by_name_and_files_must_be_whole() {
        let (_home, folder) = toy::set();
        let own = load(&folder).unwrap().origin.classes;
        // The same classes in another order, and one that the set does not know.
        let mut classes: Vec<String> = own.iter().rev().cloned().collect();
        classes.push("polka".into());
        let wanted = classes.len() - 2;
        let mut log_odds = vec![-2.0; classes.len()];
        log_odds[wanted] = 3.0;
        let found = transfer(&folder, at(&classes), |_| Ok(log_odds.clone())).unwrap();
        for exhibit in &found.exhibits {
            let same = exhibit.label == classes[wanted];
            assert_eq!((exhibit.same_label, exhibit.reaches), (same, same));
            assert_eq!(exhibit.label_there.as_ref(), Some(&classes[wanted]));
        }
        assert_eq!(found.same_label(), found.exhibits.iter().filter(|e| e.label == own[0]).count());

        // At the threshold, but with another label there, or with none.
        for other in [4.0, 3.0] {
            let mut log_odds = log_odds.clone();
            log_odds[classes.len() - 1] = other;
            let found = transfer(&folder, at(&classes), |_| Ok(log_odds.clone())).unwrap();
            assert_eq!((found.same_label(), found.reaching()), (0, 0));
            let label = (other == 4.0).then_some("polka");
            assert!(found.exhibits.iter().all(|e| e.label_there.as_deref() == label));
            assert!(found.exhibits.iter().any(|e| e.posterior_there > Some(0.95)));
        }

        let strangers = ["polka".to_owned(), "march".to_owned()];
        let found = transfer(&folder, at(&strangers), |_| Ok(vec![1.0, 0.0])).unwrap();
        assert!(found.exhibits.iter().all(|e| e.posterior_there.is_none() && !e.same_label));
        assert_eq!(found.reaching(), 0);

        std::fs::write(folder.join(&found.exhibits[0].file), "altered").unwrap();
        assert!(transfer(&folder, at(&strangers), |_| Ok(vec![1.0, 0.0])).is_err());
    }
}
