//! `manifest.json`: what a fooling set holds, what it was made with, and how to check it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use trompe_base::words::counted;
use trompe_corpora::Provenance;

use crate::log_odds::{Labelling, label, log_odds_from_posterior, posterior_from_log_odds};
use crate::problem::{ClassifierUsed, GeneratorUsed, Input, Medium, Victim};
use crate::reference::{Criterion, LEVELS, Limits, Reference, ReferenceKind};

use super::names::is_plain_file_name;

/// Version of the manifest's layout that this program writes. It reads all versions from 1:
/// version 2 only added fields, all of them optional.
pub const SCHEMA_VERSION: u32 = 2;

/// Largest difference between a posterior and the logistic of its log-odds, both read from
/// one manifest: they were written from the same numbers.
const SAME_NUMBER: f64 = 1e-9;

/// Everything a set was made with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// What the exhibits are made of.
    pub medium: Medium,
    /// Class names, in the order of posteriors and log-odds.
    pub classes: Vec<String>,
    /// The classifier that was fooled.
    pub classifier: ClassifierUsed,
    /// The generator.
    pub generator: GeneratorUsed,
    /// Seed of the run.
    pub seed: u64,
    /// Posterior that every exhibit reaches in its class, in (0, 1).
    pub threshold: f64,
    /// Level that every exhibit reaches in its class, in (0, 1), if one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<f64>,
    /// The genuine items that levels are counted among; `None` if the victim has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<ReferenceUsed>,
}

/// The genuine items that levels are counted among.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReferenceUsed {
    /// Hash of the items' scores, labels and groups, in lower-case hexadecimal. It is apart from
    /// the victim's, so that another reference orphans no set.
    pub sha256: String,
    /// Whether the victim itself scored the items and never saw their groups in training. If not,
    /// they were scored by models of folds, and levels are approximate.
    pub held_out: bool,
    /// Name of the items' corpus.
    #[serde(default)]
    pub corpus: String,
    /// Whether nested folds found that the levels promise too much; `None` of a cross-fit that they
    /// did not check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub biased: Option<bool>,
    /// What there is of every class.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<ClassReference>,
    /// For each level, the log-odds of every class that an exhibit must exceed; `None` where the
    /// class has too few groups.
    pub thresholds: Vec<LevelThresholds>,
}

/// The genuine items of one class that their scorer labels with it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassReference {
    /// Number of groups.
    pub groups: usize,
    /// Number of items.
    pub items: usize,
    /// The highest log-odds of the class; `None` without items.
    pub highest: Option<f64>,
}

impl ReferenceUsed {
    /// What a set says of `reference`: the thresholds of the levels that every report states, and of
    /// the `level` that was asked for.
    pub fn of(reference: &Reference, level: Option<f64>) -> Self {
        let mut levels: Vec<f64> = LEVELS.into_iter().chain(level).collect();
        levels.sort_by(f64::total_cmp);
        levels.dedup();
        let of_class = |class| {
            let class = reference.levels().of_class(class);
            let (groups, items) = (class.groups(), class.items());
            ClassReference { groups, items, highest: class.highest() }
        };
        let thresholds =
            |level| LevelThresholds { level, log_odds: reference.levels().thresholds(level) };
        Self {
            sha256: reference.sha256(),
            held_out: reference.source().kind == ReferenceKind::HeldOut,
            corpus: reference.source().corpus.clone(),
            biased: reference.is_biased(),
            classes: (0..reference.classes().len()).map(of_class).collect(),
            thresholds: levels.into_iter().map(thresholds).collect(),
        }
    }

    /// The log-odds of every class that exhibits at `level` exceed; `None` if the set does not say.
    pub fn at(&self, level: f64) -> Option<&[Option<f64>]> {
        let found = self.thresholds.iter().find(|of| of.level == level);
        found.map(|of| of.log_odds.as_slice())
    }
}

/// What exhibits must exceed to be at a level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevelThresholds {
    /// The level, in (0, 1).
    pub level: f64,
    /// Log-odds per class; `None` where the level is undefined.
    pub log_odds: Vec<Option<f64>>,
}

/// One kept candidate: a delivered file and what the classifier says about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exhibit {
    /// File name inside the set's folder.
    pub file: String,
    /// Index of the class it is an exhibit of.
    pub class: usize,
    /// Name of that class.
    pub label: String,
    /// Posterior of that class, of the delivered file.
    pub posterior: f64,
    /// One posterior per class, of the delivered file.
    pub posteriors: Vec<f64>,
    /// One log-odds per class, of the delivered file.
    pub log_odds: Vec<f64>,
    /// One calibrated posterior per class, if the model carries a calibration.
    pub calibrated: Option<Vec<f64>>,
    /// Level of the delivered file among the genuine items of its class, in [0, 1), if the set has
    /// a reference and the class enough groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<f64>,
    /// Other classes that a multi-label victim gives the file, too, by index.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_tags: Vec<usize>,
    /// Number of the evaluation that found it, from 1.
    pub evaluation: u64,
    /// Emitter that proposed it.
    pub emitter: String,
    /// Move that made it, if it was varied.
    pub made_by: Option<String>,
    /// Evaluation number of its parent, if it was varied from one.
    pub parent: Option<u64>,
    /// The genome, as its generator writes it.
    pub genome: serde_json::Value,
    /// What it was made of, in words, such as the names of its loops.
    pub descriptions: Vec<String>,
    /// SHA-256 of the file, in lower-case hexadecimal.
    pub sha256: String,
}

/// A class without an exhibit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unreached {
    /// Class index.
    pub class: usize,
    /// Class name.
    pub label: String,
    /// Highest posterior of the candidates labelled with the class (of the delivered file where
    /// there was one), or `None` if there was no such candidate.
    pub best_posterior: Option<f64>,
}

/// The content of `manifest.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Version of the program that wrote the set.
    pub trompe_version: String,
    /// What the set was made with.
    pub origin: Origin,
    /// The exhibits, by class, best first.
    pub exhibits: Vec<Exhibit>,
    /// The classes that stayed below the threshold.
    pub unreached: Vec<Unreached>,
}

impl Origin {
    /// What a set of exhibits of `generator` says of itself, made by a search with this seed and
    /// criterion.
    ///
    /// # Errors
    /// As [`Criterion::limits`].
    pub fn of<I: Input>(
        victim: &(impl Victim<I> + ?Sized),
        generator: GeneratorUsed,
        seed: u64,
        criterion: Criterion,
    ) -> crate::error::Result<Self> {
        let limits = criterion.limits(victim.reference())?;
        let (threshold, level) = match criterion {
            Criterion::Posterior(posterior) => (posterior, None),
            Criterion::Level(level) => {
                let least = (0..victim.classes().len()).map(|class| limits.of(class));
                let least = posterior_from_log_odds(least.fold(f64::INFINITY, f64::min));
                // What every exhibit reaches, inside (0, 1) where a posterior rounds to an end of it.
                (least.clamp(f64::MIN_POSITIVE, 1.0_f64.next_down()), Some(level))
            }
        };
        Ok(Self {
            medium: I::MEDIUM,
            classes: victim.classes().to_vec(),
            classifier: ClassifierUsed::of(victim),
            generator,
            seed,
            threshold,
            level,
            reference: victim.reference().map(|reference| ReferenceUsed::of(reference, level)),
        })
    }

    /// What exhibits are asked for.
    pub fn criterion(&self) -> Criterion {
        match self.level {
            Some(level) => Criterion::Level(level),
            None => Criterion::Posterior(self.threshold),
        }
    }

    /// How many classes the victim may name for one input.
    pub fn labelling(&self) -> Labelling {
        self.classifier.posterior_kind.labelling()
    }

    /// The least log-odds of an exhibit of each class.
    pub fn limits(&self) -> Limits {
        let at = |level| self.reference.as_ref().and_then(|reference| reference.at(level));
        match self.level {
            None => Limits::Same(log_odds_from_posterior(self.threshold)),
            Some(level) => {
                let thresholds = at(level).unwrap_or_default().iter();
                Limits::PerClass(thresholds.map(|limit| limit.map(f64::next_up)).collect())
            }
        }
    }

    /// The least real material the set depends on: what must be said on screen.
    pub fn provenance(&self) -> Provenance {
        let bank = self.generator.bank.as_ref().map(|bank| bank.provenance);
        [Some(self.classifier.provenance), bank]
            .into_iter()
            .flatten()
            .max_by_key(|provenance| match provenance {
                Provenance::Recorded => 0,
                Provenance::Unstated => 1,
                Provenance::Rendered => 2,
                Provenance::Synthetic => 3,
            })
            .unwrap_or(Provenance::Synthetic)
    }

    /// Checks that classes and threshold make sense.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn check(&self) -> Result<(), String> {
        if self.classes.is_empty() {
            return Err("there are no classes".into());
        }
        if !(self.threshold > 0.0 && self.threshold < 1.0) {
            return Err(format!("the threshold {} is not between 0 and 1", self.threshold));
        }
        if let Some(level) = self.level.filter(|level| !(*level > 0.0 && *level < 1.0)) {
            return Err(format!("the level {level} is not between 0 and 1"));
        }
        if let Some(level) = self.level
            && self.reference.as_ref().is_none_or(|reference| reference.at(level).is_none())
        {
            return Err(format!("the level {level} without the genuine scores that it stands for"));
        }
        let thresholds = self.reference.iter().flat_map(|reference| &reference.thresholds);
        match thresholds.map(|of| of.log_odds.len()).find(|&count| count != self.classes.len()) {
            Some(count) => Err(format!(
                "{} for {}",
                counted(count, "threshold"),
                counted(self.classes.len(), "class")
            )),
            None => Ok(()),
        }
    }
}

impl Manifest {
    /// Checks that the parts agree with each other: lengths, indices, class names, posteriors
    /// with their log-odds, and file names that stay inside the folder. What its exhibits claim
    /// is checked by [`Manifest::faults`].
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn check(&self) -> Result<(), String> {
        if !(1..=SCHEMA_VERSION).contains(&self.schema_version) {
            return Err(format!(
                "its schema version is {}, this program reads versions 1 to {SCHEMA_VERSION}",
                self.schema_version
            ));
        }
        self.origin.check()?;
        let classes = &self.origin.classes;
        let mut seen = std::collections::BTreeSet::new();
        for exhibit in &self.exhibits {
            let file = &exhibit.file;
            if !is_plain_file_name(file) {
                return Err(format!("{file:?} is not a plain file name inside the folder"));
            }
            if !seen.insert(file) {
                return Err(format!("{file:?} is listed twice"));
            }
            exhibit.check(classes).map_err(|what| format!("{file:?}: {what}"))?;
        }
        for class in &self.unreached {
            if classes.get(class.class) != Some(&class.label) {
                return Err(format!("class {} is not {:?}", class.class, class.label));
            }
            if self.exhibits.iter().any(|exhibit| exhibit.class == class.class) {
                return Err(format!("{:?} has exhibits and is listed as unreached", class.label));
            }
        }
        Ok(())
    }

    /// What makes an exhibit none, for each exhibit in order: the classifier's label of it is
    /// another than its class, or its file is that of an exhibit before it.
    pub fn faults(&self) -> Vec<Vec<String>> {
        let mut files: BTreeMap<&str, &Exhibit> = BTreeMap::new();
        let mut faults = Vec::new();
        for exhibit in &self.exhibits {
            let copy = files.insert(&exhibit.sha256, exhibit).map(|twin| {
                format!("its file is the same as {:?}, an exhibit of {:?}", twin.file, twin.label)
            });
            let label = self.label_of(&exhibit.log_odds, exhibit.class);
            let other = (label != Some(&exhibit.label)).then(|| {
                let label =
                    label.map_or_else(|| "no label".to_owned(), |label| format!("{label:?}"));
                format!("the classifier's label of it is {label}, not {:?}", exhibit.label)
            });
            faults.push(other.into_iter().chain(copy).collect());
        }
        faults
    }

    /// Name of the class that the victim calls an exhibit of `class` with these log-odds; `None` in
    /// a tie. A victim of tags may call it several: then it is `class` itself, and the threshold
    /// decides alone.
    pub fn label_of(&self, log_odds: &[f64], class: usize) -> Option<&String> {
        let label = match self.origin.labelling() {
            Labelling::Single => label(log_odds)?,
            Labelling::Multi => class,
        };
        self.origin.classes.get(label)
    }

    /// The exhibits of one class, best first.
    pub fn of_class(&self, class: usize) -> impl Iterator<Item = &Exhibit> {
        self.exhibits.iter().filter(move |exhibit| exhibit.class == class)
    }
}

impl Exhibit {
    fn check(&self, classes: &[String]) -> Result<(), String> {
        if classes.get(self.class) != Some(&self.label) {
            return Err(format!("class {} is not {:?}", self.class, self.label));
        }
        let calibrated = self.calibrated.as_deref().unwrap_or(&self.posteriors);
        for (what, values) in [
            ("posterior", self.posteriors.as_slice()),
            ("score", &self.log_odds),
            ("calibrated posterior", calibrated),
        ] {
            if values.len() != classes.len() {
                return Err(format!(
                    "{} for {}",
                    counted(values.len(), what),
                    counted(classes.len(), "class")
                ));
            }
        }
        if let Some(tag) = self.other_tags.iter().find(|&&tag| tag >= classes.len()) {
            return Err(format!("tag {tag} of {} classes", classes.len()));
        }
        if let Some(level) = self.level.filter(|level| !(0.0..1.0).contains(level)) {
            return Err(format!("its level {level} is not in [0, 1)"));
        }
        if self.posteriors.get(self.class) != Some(&self.posterior) {
            return Err("its posterior is not the one listed for its class".into());
        }
        for (posterior, &log_odds) in self.posteriors.iter().zip(&self.log_odds) {
            let expected = posterior_from_log_odds(log_odds);
            // A comparison with NaN is false, so that NaN is refused.
            let same = (posterior - expected).abs() <= SAME_NUMBER;
            if !same {
                return Err(format!("posterior {posterior} and log-odds {log_odds} disagree"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::toy;
    use super::*;
    use crate::problem::BankUsed;

    #[test]
    fn json_gives_back_the_same_manifest() {
        let manifest = toy::manifest();
        let text = serde_json::to_string(&manifest).unwrap();
        assert_eq!(serde_json::from_str::<Manifest>(&text).unwrap(), manifest);
        manifest.check().unwrap();
    }

    #[test]
    fn a_set_of_schema_1_is_read() {
        let new = toy::manifest();
        let mut old = serde_json::to_value(&new).unwrap();
        old["schema_version"] = 1.into();
        old["origin"]["classifier"].as_object_mut().unwrap().remove("input");
        // Nothing else is written where nothing new is known.
        for key in ["level", "reference"] {
            assert!(old["origin"].get(key).is_none());
        }
        let old: Manifest = serde_json::from_value(old).unwrap();
        old.check().unwrap();
        assert!(old.origin.classifier.input.is_null());
        assert_eq!(old.exhibits, new.exhibits);
    }

    #[test]
    fn an_unknown_field_is_refused() {
        let text = serde_json::to_string(&toy::manifest()).unwrap();
        let text = text.replacen("\"seed\"", "\"sede\":1,\"seed\"", 1);
        let error = serde_json::from_str::<Manifest>(&text).unwrap_err().to_string();
        assert!(error.contains("sede"), "{error}");
    }

    #[test]
    fn every_disagreement_is_named() {
        type Spoil = fn(&mut Manifest);
        let cases: [(Spoil, &str); 14] = [
            (|m| m.schema_version = 3, "schema version is 3"),
            (|m| m.origin.threshold = 1.0, "threshold 1"),
            (|m| m.origin.classes.clear(), "no classes"),
            (|m| m.exhibits[0].file = "../up.txt".into(), "plain file name"),
            (|m| m.exhibits[1].file = m.exhibits[0].file.clone(), "listed twice"),
            (|m| m.exhibits[0].label = "other".into(), "is not \"other\""),
            (|m| m.exhibits[0].class = 99, "class 99"),
            (|m| m.exhibits[0].posterior = 0.5, "not the one listed"),
            (|m| m.exhibits[0].log_odds[1] += 0.1, "disagree"),
            (|m| m.exhibits[0].posteriors.truncate(1), "1 posterior for"),
            (|m| m.origin.level = Some(1.0), "level 1"),
            (|m| m.origin.level = Some(0.5), "without the genuine scores"),
            (|m| m.exhibits[0].other_tags = vec![3], "tag 3"),
            (
                |m| {
                    let thresholds = vec![LevelThresholds { level: 0.5, log_odds: vec![None] }];
                    m.origin.reference = Some(ReferenceUsed {
                        sha256: "r".into(),
                        held_out: true,
                        corpus: "genuine".into(),
                        biased: None,
                        classes: Vec::new(),
                        thresholds,
                    });
                },
                "1 threshold for 3",
            ),
        ];
        for (spoil, expected) in cases {
            let mut manifest = toy::manifest();
            spoil(&mut manifest);
            let error = manifest.check().unwrap_err();
            assert!(error.contains(expected), "{error} lacks {expected}");
        }
    }

    #[test]
    fn an_exhibit_under_another_label_or_delivered_twice_is_a_fault() {
        let mut manifest = toy::manifest();
        assert!(manifest.faults().iter().all(Vec::is_empty));
        let at_threshold = manifest.exhibits[0].log_odds[0];
        for (other, expected) in [(at_threshold + 1.0, "\"rock\", not"), (at_threshold, "no label")]
        {
            manifest.exhibits[0].log_odds[1] = other;
            let faults = manifest.faults();
            assert!(faults[0][0].contains(expected), "{faults:?}");
            assert!(faults[1].is_empty());
        }
        let mut manifest = toy::manifest();
        manifest.exhibits[1].sha256 = manifest.exhibits[0].sha256.clone();
        let faults = manifest.faults();
        assert!(faults[0].is_empty());
        assert!(
            faults[1][0].contains("\"blues-1_0.9999.txt\", an exhibit of \"blues\""),
            "{faults:?}"
        );
    }

    #[test]
    fn the_least_real_part_names_the_provenance() {
        let mut origin = toy::origin();
        origin.classifier.provenance = Provenance::Recorded;
        origin.generator.bank = None;
        assert_eq!(origin.provenance(), Provenance::Recorded);
        origin.generator.bank = Some(BankUsed {
            name: "b".into(),
            sha256: "0".into(),
            provenance: Provenance::Synthetic,
            licence: None,
        });
        assert_eq!(origin.provenance(), Provenance::Synthetic);
    }
}
