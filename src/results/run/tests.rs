//! Tests of the numbers of a run.

#![allow(clippy::unwrap_used)]

use crate::exhibits::{ClassifierUsed, GeneratorUsed, Medium};
use crate::log_odds::PosteriorKind;
use trompe_corpora::Provenance;

use super::*;

pub(crate) fn origin(classes: &[&str]) -> Origin {
    Origin {
        medium: Medium::Audio,
        classes: classes.iter().map(|&class| class.to_owned()).collect(),
        classifier: ClassifierUsed {
            kind: "adabffs".into(),
            posterior_kind: PosteriorKind::LogisticOfVote,
            sha256: "c0ffee".into(),
            corpus: "tiny".into(),
            provenance: Provenance::Recorded,
            known_as: None,
            input: serde_json::Value::Null,
            runtime: None,
        },
        generator: GeneratorUsed {
            name: "loops".into(),
            bank: None,
            settings: serde_json::json!({}),
        },
        seed: 5,
        threshold: 0.999,
        level: None,
        reference: None,
    }
}

pub(crate) fn improvement(evaluation: u64, class: usize, posterior: f64) -> Improvement {
    Improvement {
        evaluation,
        class,
        log_odds: log_odds_from_posterior(posterior),
        posterior,
        emitter: "climber".into(),
        made_by: None,
        parent: None,
    }
}

/// Three classes: one reaches everything, one 0.999, one nothing.
pub(crate) fn known() -> RunReport {
    let origin = origin(&["blues", "rock", "jazz"]);
    let trace = [
        improvement(1, 0, 0.2),
        improvement(1, 1, 0.1),
        improvement(1, 2, 0.05),
        improvement(8, 1, 0.4),
        improvement(12, 0, 0.995),
        improvement(40, 2, 0.6),
        improvement(90, 0, 0.99995),
        improvement(300, 1, 0.9992),
        improvement(450, 2, 0.9),
    ];
    // Of 20 random candidates one has a posterior between 0.99 and 0.999.
    let of = |posterior: f64| [log_odds_from_posterior(posterior), -9.0, -9.0];
    let random: Vec<f64> = (0..20).flat_map(|n| of(if n == 0 { 0.995 } else { 0.3 })).collect();
    let record = RunRecord {
        origin: &origin,
        emitter: "climber",
        random_draws: Some(32),
        targeted: &[true; 3],
        trace: &trace,
        budget: 1000,
        evaluations: 500,
        marks: &[],
        random: &random,
        reference: None,
        exhibits: &[],
        distances: Distances::default(),
    };
    RunReport::new(&record).unwrap()
}

#[test]
fn a_known_trace_gives_the_known_table() {
    let report = known();
    let to: Vec<&[Option<u64>]> =
        report.classes.iter().map(|class| class.evaluations_to.as_slice()).collect();
    assert_eq!(to[0], [Some(12), Some(90), Some(90)]);
    assert_eq!(to[1], [Some(300), Some(300), None]);
    assert_eq!(to[2], [None, None, None]);
    let summary: Vec<(f64, usize, Option<u64>)> = report
        .thresholds
        .iter()
        .map(|t| (t.threshold, t.classes_reached, t.median_evaluations))
        .collect();
    assert_eq!(summary, [(0.99, 2, Some(300)), (0.999, 2, Some(300)), (0.9999, 1, None)]);
    assert_eq!(report.classes[2].best_evaluation, Some(450));
    let in_draws: Vec<_> = report.thresholds.iter().map(|t| t.reached_in_draws).collect();
    assert_eq!(in_draws, [Some(1), Some(0), Some(0)]);
}

#[test]
fn medians_at_powers_of_ten_follow_the_curves() {
    let points: Vec<(u64, f64)> =
        known().median_best.iter().map(|m| (m.evaluations, m.posterior)).collect();
    let expected = [(1, 0.1), (10, 0.2), (100, 0.6), (500, 0.9992)];
    assert_eq!(points.len(), expected.len());
    for (point, expected) in points.iter().zip(expected) {
        assert_eq!(point.0, expected.0);
        assert!((point.1 - expected.1).abs() < 1e-12, "{point:?} {expected:?}");
    }
}

#[test]
fn base_rates_carry_their_interval() {
    let report = known();
    let rate = report.thresholds[0].base_rate.unwrap();
    assert_eq!(rate.rate, 0.05);
    assert_eq!((rate.low, rate.high), wilson_95(1, 20));
    assert_eq!(report.thresholds[1].base_rate.unwrap().high, wilson_95(0, 20).1);
}

/// Tags that are all given or none count as often as there are candidates, not as there are pairs.
#[test]
fn the_interval_of_tags_that_depend_on_each_other_is_that_of_candidates() {
    let tags: Vec<String> = (0..50).map(|tag| format!("tag {tag}")).collect();
    let names: Vec<&str> = tags.iter().map(String::as_str).collect();
    let mut origin = origin(&names);
    origin.classifier.posterior_kind = PosteriorKind::Sigmoid;
    let (candidates, hits) = (200, 40);
    let score = |n: usize| log_odds_from_posterior(if n < hits { 0.9995 } else { 0.2 });
    let random: Vec<f64> = (0..candidates).flat_map(|n| vec![score(n); 50]).collect();
    let record = RunRecord {
        origin: &origin,
        emitter: "random",
        random_draws: None,
        targeted: &[true; 50],
        trace: &[],
        budget: 1,
        evaluations: 1,
        marks: &[],
        random: &random,
        reference: None,
        exhibits: &[],
        distances: Distances::default(),
    };
    let report = RunReport::new(&record).unwrap();
    let rate = report.thresholds[0].base_rate.unwrap();
    assert_eq!((rate.reached, rate.candidates), (40 * 50, 200 * 50));
    let (low, high) = wilson_95(40, 200);
    assert!((rate.low - low).abs() < 0.02 && (rate.high - high).abs() < 0.02, "{rate:?}");
    // Wilson's interval over pairs is seven times narrower.
    let (low_of_pairs, high_of_pairs) = wilson_95(40 * 50, 200 * 50);
    assert!(rate.high - rate.low > 5.0 * (high_of_pairs - low_of_pairs), "{rate:?}");
    // Of a threshold that none reaches, the upper bound is that of candidates, too.
    let none = report.thresholds.last().unwrap().base_rate.unwrap();
    assert_eq!((none.reached, none.low), (0, 0.0));
    assert!(none.high > wilson_95(0, 200).1 * 0.9, "{none:?}");
}

#[test]
fn the_run_s_own_threshold_is_reported_once() {
    let mut origin = origin(&["a"]);
    origin.threshold = 0.95;
    let record = RunRecord {
        origin: &origin,
        emitter: "random",
        random_draws: None,
        targeted: &[true],
        trace: &[],
        budget: 0,
        evaluations: 0,
        marks: &[],
        random: &[],
        reference: None,
        exhibits: &[],
        distances: Distances::default(),
    };
    let report = RunReport::new(&record).unwrap();
    let levels: Vec<f64> = report.thresholds.iter().map(|t| t.threshold).collect();
    assert_eq!(levels, [0.95, 0.99, 0.999, 0.9999]);
    assert_eq!(report.classes[0].best_posterior, None);
    assert!(report.median_best.is_empty());
    assert_eq!(known().thresholds.len(), 3);
}

#[test]
fn classes_that_nobody_searched_for_do_not_count() {
    let origin = origin(&["a", "b", "c"]);
    let record = RunRecord {
        origin: &origin,
        emitter: "climber",
        random_draws: Some(32),
        targeted: &[false, true, false],
        trace: &[improvement(1, 0, 0.2), improvement(3, 1, 0.9995), improvement(4, 2, 0.99999)],
        budget: 100,
        evaluations: 4,
        marks: &[],
        random: &[],
        reference: None,
        exhibits: &[],
        distances: Distances::default(),
    };
    let report = RunReport::new(&record).unwrap();
    let labels: Vec<&str> = report.classes.iter().map(|class| class.label.as_str()).collect();
    assert_eq!(labels, ["b"]);
    let level = report.thresholds.iter().find(|level| level.threshold == 0.999).unwrap();
    assert_eq!((level.coverage, level.median_evaluations), (1.0, Some(3)));
    assert_eq!(
        report.median_best.last().unwrap().posterior,
        report.classes[0].best_posterior.unwrap()
    );
}

#[test]
fn a_foreign_trace_is_refused() {
    let origin = origin(&["a", "b"]);
    for (trace, expected) in [
        (vec![improvement(1, 2, 0.5)], "class 2 of 2"),
        (vec![improvement(9, 0, 0.5)], "evaluation 9 of 8"),
        (vec![improvement(0, 0, 0.5)], "evaluation 0"),
        (vec![improvement(2, 0, 0.5), improvement(1, 0, 0.6)], "out of order"),
    ] {
        let record = RunRecord {
            origin: &origin,
            emitter: "random",
            random_draws: None,
            targeted: &[true; 2],
            trace: &trace,
            marks: &[],
            budget: 8,
            evaluations: 8,
            random: &[],
            reference: None,
            exhibits: &[],
            distances: Distances::default(),
        };
        let error = RunReport::new(&record).unwrap_err().to_string();
        assert!(error.contains(expected), "{error} lacks {expected}");
    }
}

#[test]
fn a_report_is_read_from_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(RunReport::read(folder.path()).unwrap(), None);
    let path = RunReport::path(folder.path());
    std::fs::write(&path, serde_json::to_vec(&known()).unwrap()).unwrap();
    assert_eq!(RunReport::read(folder.path()).unwrap(), Some(known()));
    std::fs::write(&path, "{").unwrap();
    let error = RunReport::read(folder.path()).unwrap_err().to_string();
    assert!(error.contains("report.json") && error.contains("--resume"), "{error}");
}

#[test]
fn json_gives_back_the_same_report() {
    let report = known();
    let text = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<RunReport>(&text).unwrap(), report);
}
