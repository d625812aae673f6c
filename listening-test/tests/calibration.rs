//! The headline test keeps its level and the intervals cover, over simulated studies of
//! known truth. The short versions run always; the full ones with `--ignored`.
use rayon::prelude::*;
use trompe_listening_test::analysis::{Design, power, simulate};
use trompe_statistics::mixed_model::{AccuracyModel, upper_bound_lies_below};

const SDS: [(f64, f64); 3] = [(0.0, 0.0), (0.3, 0.7), (0.5, 1.5)];

fn design(accuracy: f64, (participant_sd, item_sd): (f64, f64)) -> Design {
    let seed = 2012;
    Design {
        participants: 30,
        items: 30,
        accuracy,
        participant_sd,
        item_sd,
        seed,
        ..Design::default()
    }
}

/// Share of studies at `accuracy` falsely found above it, and share of intervals that cover.
fn calibrate(accuracy: f64, sds: (f64, f64), studies: usize) -> (f64, f64) {
    let design = design(accuracy, sds);
    let tests: Vec<_> = (0..studies)
        .into_par_iter()
        .map(|place| {
            let answers = simulate(&design, place as u64);
            AccuracyModel::fit(&answers).unwrap().test(accuracy).unwrap()
        })
        .collect();
    let share = |count: usize| count as f64 / studies as f64;
    (
        share(tests.iter().filter(|test| test.p_above <= 0.05).count()),
        share(tests.iter().filter(|test| test.p > 0.05).count()),
    )
}

#[test]
fn the_headline_test_keeps_its_level_in_short() {
    for sds in SDS {
        let (false_positives, covered) = calibrate(0.1, sds, 300);
        println!("{sds:?}: {false_positives} {covered}");
        // Three standard errors of 300 studies around the full bounds.
        assert!((0.005..0.1).contains(&false_positives), "{sds:?}: {false_positives}");
        assert!((0.89..1.0).contains(&covered), "{sds:?}: {covered}");
    }
}

#[test]
#[ignore = "half a minute optimized"]
fn the_headline_test_keeps_its_level() {
    for sds in SDS {
        let (false_positives, _) = calibrate(0.1, sds, 2000);
        println!("{sds:?}: {false_positives}");
        assert!((0.03..=0.06).contains(&false_positives), "{sds:?}: {false_positives}");
    }
}

#[test]
#[ignore = "half a minute optimized"]
fn intervals_cover() {
    for accuracy in [0.05, 0.1, 0.2, 0.5] {
        for sds in &SDS[1..] {
            let (_, covered) = calibrate(accuracy, *sds, 2000);
            println!("{accuracy} {sds:?}: {covered}");
            assert!((0.93..=0.97).contains(&covered), "{accuracy} {sds:?}: {covered}");
        }
    }
}

#[test]
fn the_interval_holds_what_the_test_does_not_reject() {
    let answers = simulate(&design(0.1, SDS[1]), 3);
    let mut model = AccuracyModel::fit(&answers).unwrap();
    let interval = model.interval(0.95).unwrap();
    for end in [interval.low, interval.high] {
        assert!((model.test(end).unwrap().p - 0.05).abs() < 1e-5);
    }
    let bound = model.upper_bound(0.95).unwrap();
    assert!((model.test(bound).unwrap().p_below - 0.05).abs() < 1e-5);
    assert!(interval.low < model.accuracy() && model.accuracy() < bound && bound < interval.high);
}

#[test]
fn the_upper_bound_covers_in_short() {
    // Items that differ most: where Student's t covers least. All cells: `examples/calibration.rs`.
    let design = design(0.1, SDS[2]);
    let below = (0..60u64).into_par_iter().filter(|&place| {
        let answers = simulate(&design, place);
        let mut model = AccuracyModel::fit(&answers).unwrap();
        upper_bound_lies_below(&mut model, &answers, 0.1, 0.95, 59, place).unwrap()
    });
    let below = below.count();
    println!("{below}");
    // Three standard errors of 60 studies.
    assert!(below <= 8, "{below} of 60");
}

#[test]
#[ignore = "half a minute optimized"]
fn power_predicts_what_other_studies_find() {
    let design =
        Design { accuracy: 0.15, participant_sd: 0.5, item_sd: 1.0, ..design(0.15, SDS[1]) };
    let predicted = power(&design).unwrap();
    let realised = (0..1000u64)
        .into_par_iter()
        .filter(|&place| {
            let answers = simulate(&Design { seed: 77, ..design.clone() }, place);
            let test = AccuracyModel::fit(&answers).unwrap().test(0.1).unwrap();
            test.t > 0.0 && test.p <= 0.05
        })
        .count();
    let realised = realised as f64 / 1000.0;
    let predicted = predicted.above_chance();
    println!("{predicted} {realised}");
    assert!((predicted - realised).abs() < 0.045);
}
