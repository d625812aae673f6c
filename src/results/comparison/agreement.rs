//! What people say of the exhibits of a group, from a study of its fooling sets.

use serde::{Deserialize, Serialize};
use trompe_listening_test::analysis::{HumanAgreement, SetAgreement};

use super::runs::Group;
use super::survival::beyond_chance;

/// What people say of the exhibits of a group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// Name of the study.
    pub study: String,
    /// Whether its answers are those of simulated listeners: then nothing here is about people.
    pub simulated: bool,
    /// Level of its one-sided bounds and tests.
    pub alpha: f64,
    /// Agreement that would count as better than chance, in multiples of chance; of the sets
    /// with the fewest classes.
    pub margin: f64,
    /// Why this margin, in the words of the study; absent in studies that state none.
    #[serde(default)]
    pub margin_reason: Option<String>,
    /// One entry a fooling set of the group that people judged.
    pub sets: Vec<JudgedSet>,
}

/// One fooling set that people judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JudgedSet {
    /// Seed of its run.
    pub seed: u64,
    /// Human agreement beyond chance: 0 is chance, 1 is all.
    pub beyond_chance: f64,
    /// The study's result for this set.
    pub agreement: SetAgreement,
}

impl Agreement {
    /// The results of `study` for a group; `None` if it judged none of the group's fooling sets.
    pub(super) fn of(group: &Group, study: &HumanAgreement) -> Option<Self> {
        let judged = |run: &super::Run| {
            let agreement = study.of_set(&run.set_sha256)?.clone();
            let classes = libm::round(1.0 / agreement.chance) as usize;
            let beyond_chance = beyond_chance(agreement.agreement, classes);
            Some(JudgedSet { seed: run.report.origin.seed, beyond_chance, agreement })
        };
        let sets: Vec<JudgedSet> = group.runs().iter().filter_map(judged).collect();
        if sets.is_empty() {
            return None;
        }
        Some(Self {
            study: study.study.clone(),
            simulated: study.simulated,
            alpha: study.alpha,
            margin: study.margin,
            margin_reason: study.margin_reason.clone(),
            sets,
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used)]

    use trompe_listening_test::analysis::{DontKnow, Outcome};
    use trompe_listening_test::study::Medium;

    use super::super::runs::tests::run;
    use super::*;

    /// A study of the fooling set of one run.
    pub(crate) fn judged() -> (Group, HumanAgreement) {
        let run = run(7, "x", &[]);
        let set = SetAgreement {
            manifest_sha256: run.set_sha256.clone(),
            medium: Medium::Audio,
            condition: "fooling:adabffs".into(),
            chance: 0.1,
            participants: 100,
            items: 3,
            answers: 205,
            hits: 82,
            agreement: 0.4,
            interval: None,
            p_above: None,
            upper_bound: 0.5,
            no_better_than_chance: false,
            outcome: Some(Outcome::Undecided),
            margin: Some(0.19),
            p_margin: Some(0.9),
            controls: None,
            exhibit_spread: None,
            method: "by hand".into(),
            exhibits: Vec::new(),
        };
        let study = HumanAgreement {
            schema_version: 1,
            study: "by hand".into(),
            study_sha256: String::new(),
            simulated: true,
            synthetic: false,
            level: 0.95,
            alpha: 0.05,
            margin: 1.9,
            equivalence_margin: Some(0.1),
            margin_reason: Some("no reason was written".into()),
            dont_know: DontKnow::Guess,
            fooling_sets: vec![set],
        };
        (Group::of(vec![run]).unwrap().remove(0), study)
    }

    #[test]
    fn a_group_takes_what_the_study_says_of_its_sets() {
        let (group, study) = judged();
        let agreement = Agreement::of(&group, &study).unwrap();
        let [set] = agreement.sets.as_slice() else { panic!("one set") };
        assert_eq!((set.seed, set.agreement.outcome), (7, Some(Outcome::Undecided)));
        assert!((set.beyond_chance - 1.0 / 3.0).abs() < 1e-12);
        assert_eq!(agreement.margin_reason.as_deref(), Some("no reason was written"));
    }

    #[test]
    fn a_study_of_other_sets_says_nothing() {
        let (group, mut study) = judged();
        study.fooling_sets[0].manifest_sha256 = "other".into();
        assert_eq!(Agreement::of(&group, &study), None);
    }
}
