//! What people say of the exhibits of a group, from a study of its fooling sets.

use serde::{Deserialize, Serialize};
use trompe_listening_test::analysis::{ExhibitAgreement, HumanAgreement, SetAgreement};

use super::runs::Group;
use super::survival::beyond_chance;
use crate::report::intervals::Share;

/// What people say of the exhibits of a group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// Name of the study.
    pub study: String,
    /// Whether its answers are those of simulated listeners: then nothing here is about people.
    pub simulated: bool,
    /// Level of its one-sided bounds and tests.
    pub alpha: f64,
    /// Agreement that would count as better than chance, in multiples of chance.
    pub margin: f64,
    /// One entry a fooling set of the group that people judged.
    pub sets: Vec<JudgedSet>,
    /// One entry per threshold of the comparison.
    pub levels: Vec<FoolingRate>,
}

/// One fooling set that people judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JudgedSet {
    /// Seed of its run.
    pub seed: u64,
    /// Human agreement beyond chance: 0 is chance, 1 is all.
    pub beyond_chance: f64,
    /// What the study says.
    pub agreement: SetAgreement,
}

/// Fooling rate at one threshold, of the exhibits that people judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoolingRate {
    /// The posterior that the exhibits reach.
    pub threshold: f64,
    /// Exhibits whose human agreement is shown to be no better than chance: their exact upper
    /// bound lies below the study's margin times chance.
    pub by_bound: Option<Share>,
    /// Exhibits whose human agreement is not shown to be above chance, which few answers
    /// make easy.
    pub not_above: Option<Share>,
}

impl Agreement {
    /// What `study` says of a group; `None` if it judged none of its fooling sets.
    pub(super) fn of(group: &Group, study: &HumanAgreement, thresholds: &[f64]) -> Option<Self> {
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
        let levels =
            thresholds.iter().map(|&threshold| fooling_rate(group, &sets, study, threshold));
        Some(Self {
            study: study.study.clone(),
            simulated: study.simulated,
            alpha: study.alpha,
            margin: study.margin,
            levels: levels.collect(),
            sets,
        })
    }
}

fn fooling_rate(
    group: &Group,
    sets: &[JudgedSet],
    study: &HumanAgreement,
    threshold: f64,
) -> FoolingRate {
    let reaching: Vec<&str> = group
        .runs()
        .iter()
        .flat_map(|run| &run.manifest.exhibits)
        .filter(|exhibit| exhibit.posterior >= threshold)
        .map(|exhibit| exhibit.sha256.as_str())
        .collect();
    let judged: Vec<(&ExhibitAgreement, f64)> = sets
        .iter()
        .flat_map(|set| set.agreement.exhibits.iter().map(|e| (e, set.agreement.chance)))
        .filter(|(exhibit, _)| exhibit.answers > 0 && reaching.contains(&exhibit.sha256.as_str()))
        .collect();
    let share = |holds: &dyn Fn(&ExhibitAgreement, f64) -> bool| {
        let count = judged.iter().filter(|(exhibit, chance)| holds(exhibit, *chance)).count();
        Share::new(count as u64, judged.len() as u64)
    };
    FoolingRate {
        threshold,
        by_bound: share(&|exhibit, chance| exhibit.upper_bound < study.margin * chance),
        not_above: share(&|exhibit, _| exhibit.p_above > study.alpha),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use trompe_listening_test::analysis::DontKnow;
    use trompe_listening_test::study::Medium;

    use super::super::runs::tests::run;
    use super::*;

    /// Three exhibits: one that nobody names in 100 answers, one that few judged, one that
    /// most people name; another was not judged.
    fn judged() -> (Group, HumanAgreement) {
        let mut run = run(7, "x", &[]);
        let exhibit = &crate::exhibits::toy::manifest().exhibits[0];
        for (sha256, posterior) in [("e0", 0.9999), ("e1", 0.9995), ("e2", 0.9992), ("e3", 0.9999)]
        {
            let mut exhibit = exhibit.clone();
            exhibit.sha256 = sha256.into();
            exhibit.posterior = posterior;
            run.manifest.exhibits.push(exhibit);
        }
        let exhibit = |sha256: &str, answers, hits, p_above, upper_bound| ExhibitAgreement {
            sha256: sha256.into(),
            label: "a".into(),
            answers,
            hits,
            p_above,
            upper_bound,
        };
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
            method: "by hand".into(),
            exhibits: vec![
                exhibit("e0", 100, 0, 1.0, 0.03),
                exhibit("e1", 5, 1, 0.41, 0.66),
                exhibit("e2", 100, 81, 0.0, 0.87),
            ],
        };
        let study = HumanAgreement {
            schema_version: 1,
            study: "by hand".into(),
            study_sha256: String::new(),
            simulated: true,
            synthetic: false,
            level: 0.95,
            alpha: 0.05,
            margin: 1.5,
            dont_know: DontKnow::Guess,
            fooling_sets: vec![set],
        };
        (Group::of(vec![run]).unwrap().remove(0), study)
    }

    #[test]
    fn only_what_is_shown_to_be_at_chance_fools() {
        let (group, study) = judged();
        let agreement = Agreement::of(&group, &study, &[0.999, 0.9999]).unwrap();
        let count = |share: &Option<Share>| share.map(|share| (share.count, share.of));
        let [all, high] = agreement.levels.as_slice() else { panic!("two levels") };
        assert_eq!(count(&all.by_bound), Some((1, 3)), "0.03 lies below 1.5 x 0.1, 0.66 does not");
        assert_eq!(count(&all.not_above), Some((2, 3)), "five answers show little");
        assert_eq!(count(&high.by_bound), Some((1, 1)), "what was not judged does not count");
        assert_eq!(agreement.sets[0].seed, 7);
        assert!((agreement.sets[0].beyond_chance - 1.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn a_study_of_other_sets_says_nothing() {
        let (group, mut study) = judged();
        study.fooling_sets[0].manifest_sha256 = "other".into();
        assert_eq!(Agreement::of(&group, &study, &[0.999]), None);
    }
}
