#![allow(clippy::unwrap_used)]

use super::*;

/// A genuine item.
pub(crate) fn item(class: usize, group: Option<&str>, log_odds: &[f64]) -> GenuineItem {
    GenuineItem {
        name: format!("item of {class}"),
        sha256: "00".repeat(32),
        group: group.map(str::to_owned),
        class,
        other_tags: Vec::new(),
        log_odds: log_odds.to_vec(),
    }
}

/// A reference of votes with these items, held out.
pub(crate) fn reference(classes: usize, items: Vec<GenuineItem>) -> Reference {
    let source = ReferenceSource {
        kind: ReferenceKind::HeldOut,
        corpus: "toys".into(),
        provenance: Provenance::Synthetic,
        licence: None,
        folds: None,
        samples: None,
        notes: Vec::new(),
    };
    let classes = (0..classes).map(|class| format!("class {class}")).collect();
    Reference::new(source, classes, PosteriorKind::LogisticOfVote, "victim".into(), items).unwrap()
}

/// A reference of two classes: `count` items each, the first with scores 1 to `count`, rightly
/// labelled, the second wrongly labelled throughout.
pub(crate) fn one_defined_class(count: usize) -> Reference {
    let score = |n: usize| n as f64 + 1.0;
    let first = (0..count).map(|n| item(0, None, &[score(n), -score(n)]));
    let second = (0..count).map(|n| item(1, None, &[score(n), -score(n)]));
    reference(2, first.chain(second).collect())
}

#[test]
fn a_candidate_has_a_level_in_the_class_of_its_label_alone() {
    let reference = one_defined_class(19);
    assert_eq!(reference.undefined(), ["class 1"]);
    assert_eq!(reference.level(&[10.5, 0.0], 0), Some(0.5));
    assert_eq!(reference.level(&[0.0, 10.5], 1), None, "no genuine item is labelled so");
    assert_eq!(reference.level(&[3.0, 3.0], 0), None, "no label");
    let limits = Criterion::Level(0.5).limits(Some(&reference)).unwrap();
    assert_eq!(limits, Limits::PerClass(vec![Some(10.0_f64.next_up()), None]));
    assert!(limits.is_defined(0) && !limits.is_defined(1));
    assert!(Criterion::Level(0.5).limits(None).unwrap_err().to_string().contains("reference"));
    let few = one_defined_class(8);
    assert!(Criterion::Level(0.5).limits(Some(&few)).is_err());
}

#[test]
fn rates_stand_beside_those_of_genuine_items() {
    let reference = one_defined_class(19);
    // Two above the median of the first class, one below, one without a label, one of a class
    // without a level.
    let random = [11.0, 0.0, 15.0, 0.0, 2.0, 0.0, 4.0, 4.0, 0.0, 9.0];
    let at = Rates::of(&reference, &random, Criterion::Level(0.5));
    let share = at.random.unwrap();
    assert_eq!((share.reached, share.of), (2, 4));
    assert!(share.low < 0.5 && share.high > 0.5);
    let right = at.genuine_right.unwrap();
    assert_eq!(right.of, 19);
    assert!(right.share <= 0.5, "genuine items reach the median at most half of the time");
    assert_eq!(at.genuine_wrong.unwrap().of, 19);
    let at = Rates::of(&reference, &random, Criterion::Posterior(0.999));
    assert_eq!((at.random.unwrap().reached, at.random.unwrap().of), (3, 5));
}

#[test]
fn a_reference_is_named_by_its_scores_and_groups() {
    let one = one_defined_class(12);
    assert_eq!(one.sha256(), one_defined_class(12).sha256());
    assert_ne!(one.sha256(), one_defined_class(13).sha256());
    let grouped =
        reference(2, vec![item(0, Some("a"), &[1.0, 0.0]), item(0, Some("a"), &[2.0, 0.0])]);
    let apart =
        reference(2, vec![item(0, Some("a"), &[1.0, 0.0]), item(0, Some("b"), &[2.0, 0.0])]);
    assert_ne!(grouped.sha256(), apart.sha256());
    // Names of groups do not matter, only who shares one.
    let renamed =
        reference(2, vec![item(0, Some("z"), &[1.0, 0.0]), item(0, Some("z"), &[2.0, 0.0])]);
    assert_eq!(grouped.sha256(), renamed.sha256());
}

#[test]
fn what_is_no_reference_is_refused() {
    let bad = |items: Vec<GenuineItem>| {
        let source = one_defined_class(9).source().clone();
        let classes = vec!["a".to_owned(), "b".to_owned()];
        Reference::new(source, classes, PosteriorKind::Softmax, String::new(), items)
            .unwrap_err()
            .to_string()
    };
    assert!(bad(Vec::new()).contains("no items"));
    assert!(bad(vec![item(0, None, &[1.0])]).contains("log-odds"));
    assert!(bad(vec![item(0, None, &[1.0, f64::NAN])]).contains("finite"));
    assert!(bad(vec![item(2, None, &[1.0, 2.0])]).contains("class number 2"));
}

/// Forty items, of which the even have tag 0 and every fourth tag 1, too; nothing is known of tag 2.
fn tagged() -> Reference {
    let items = (0..40).map(|n| {
        let logit = |tag: usize| match tag {
            0 => {
                if n % 2 == 0 {
                    n as f64 / 4.0
                } else {
                    -3.0
                }
            }
            1 => {
                if n % 4 == 0 {
                    n as f64 / 8.0
                } else {
                    -3.0
                }
            }
            _ => 50.0,
        };
        let class = usize::from(n % 2 == 1);
        let other_tags = if n % 4 == 0 { vec![1] } else { Vec::new() };
        GenuineItem { other_tags, ..item(class, None, &[logit(0), logit(1), logit(2)]) }
    });
    let votes = reference(3, items.collect());
    let Reference { source, classes, victim, items, .. } = votes;
    Reference::new(source, classes, PosteriorKind::Sigmoid, victim, items).unwrap()
}

#[test]
fn a_tag_has_a_level_whatever_the_other_tags_are() {
    let tags = tagged();
    assert_eq!(tags.known().into_iter().collect::<Vec<_>>(), [0, 1]);
    assert_eq!(tags.undefined(), ["class 2"]);
    // Twenty items have tag 0, with logits 0, 0.5, ... 9.5; 30 have tag 1.
    assert_eq!(tags.level(&[5.1, 9.0, 90.0], 0), Some(11.0 / 21.0));
    assert_eq!(tags.levels().of_class(1).items(), 30);
    let bytes = tags.to_npz().unwrap();
    assert_eq!(Reference::from_npz(&bytes).unwrap(), tags);
    // Rates are of pairs of a candidate and a known tag: here one of four.
    let rates = Rates::of(&tags, &[5.0, -5.0, 9.0, -5.0, -5.0, 9.0], Criterion::Posterior(0.9));
    let random = rates.random.unwrap();
    assert_eq!((random.reached, random.of), (1, 4));
    // Every item is one question of each known tag.
    let right = rates.genuine_right.unwrap();
    assert_eq!((right.of, rates.genuine_wrong.unwrap().of), (50, 30));
    assert!(reliable_threshold(&tags).is_none());
    let calibration = tags.calibration();
    assert_eq!(calibration.items, 80);
    assert!((calibration.nll_uniform - libm::log(2.0)).abs() < 1e-12);
    assert_eq!(calibration.map().as_ref(), tags.calibration_map());
    assert_eq!(calibration.comparison, None, "not tried of tags");
    let temperature = calibration.temperature.unwrap().temperature;
    let calibrated = tags.calibrated(&[2.0, -1.0, 0.0]).unwrap();
    assert!((calibrated[0] - 1.0 / (1.0 + libm::exp(-2.0 / temperature))).abs() < 1e-12);
    assert_eq!(calibrated[2], 0.5);
}
