#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use trompe_base::random::stream;

use super::fit::Boosting;
use super::plain::{self, Plain};
use super::*;
use crate::Dataset;
use crate::dataset::generated::{gaussians, uniform};

fn fit(dataset: &Dataset, rounds: usize, learner: WeakLearner) -> AdaBoost {
    let votes = Votes::Normalized;
    AdaBoostParams { rounds, learner, votes, ..AdaBoostParams::default() }
        .fit(dataset, &mut |_| {})
        .unwrap()
}

/// Every round of the real fit against the plain one.
fn assert_agrees(dataset: &Dataset, rounds: usize, learner: WeakLearner) {
    let model = fit(dataset, rounds, learner);
    let mut plain = Plain::new(dataset);
    let mut reference = Vec::new();
    for (round, ours) in model.hypotheses().iter().enumerate() {
        let theirs = plain.round(learner);
        assert_eq!(ours.root, theirs.root, "round {round}");
        assert_eq!(ours.branch, theirs.branch, "round {round}");
        assert!((ours.alpha - theirs.alpha).abs() < 1e-9, "round {round}: {ours:?} {theirs:?}");
        reference.push(theirs);
    }
    assert_eq!(model.hypotheses().len(), rounds);
    for row in dataset.vectors.outer_iter() {
        let vector = row.to_vec();
        let mut ours = vec![0.0; dataset.classes.len()];
        model.votes(&vector, &mut ours);
        for (ours, theirs) in ours.iter().zip(plain::votes(&reference, &vector)) {
            assert!((ours - theirs).abs() < 1e-9, "{ours} {theirs}");
        }
    }
}

/// Few distinct values, columns that are copies and mirror images: full of ties.
fn tied(mut dataset: Dataset) -> Dataset {
    dataset.vectors.mapv_inplace(f32::round);
    let first = dataset.vectors.column(0).to_owned();
    dataset.vectors.column_mut(1).assign(&first);
    dataset.vectors.column_mut(2).assign(&first.mapv(|value| -value));
    dataset
}

#[test]
fn stumps_agree_with_the_plain_reference() {
    assert_agrees(&gaussians(3, 10, 3, 5, 0.5, 1), 40, WeakLearner::Stump);
    assert_agrees(&gaussians(2, 12, 2, 4, 0.3, 2), 40, WeakLearner::Stump);
    assert_agrees(&gaussians(10, 6, 2, 6, 0.8, 3), 25, WeakLearner::Stump);
}

#[test]
fn trees_agree_with_the_plain_reference() {
    assert_agrees(&gaussians(3, 10, 3, 5, 0.5, 1), 40, WeakLearner::TwoNodeTree);
    assert_agrees(&gaussians(2, 12, 2, 4, 0.3, 2), 40, WeakLearner::TwoNodeTree);
    assert_agrees(&gaussians(10, 6, 2, 6, 0.8, 3), 25, WeakLearner::TwoNodeTree);
}

/// Under the initial weights of MultiBoost (half of the weight on the true classes, half spread
/// over the K - 1 others) the raw vote F tends to 2 F = logit p + ln(K - 1), where p is the share of
/// the class among equal vectors: at 11 classes a posterior of 0.999 stands for p = 0.990.
#[test]
fn twice_the_raw_vote_is_the_logit_of_the_share_plus_the_log_of_the_other_classes() {
    // Three kinds of vectors; of kind c, class k comes 1 + (k + 2 c) mod 5 times.
    let count = |class: usize, kind: usize| 1 + (class + 2 * kind) % 5;
    let cells: Vec<(usize, usize)> = (0..11)
        .flat_map(|class| (0..3).flat_map(move |kind| vec![(class, kind); count(class, kind)]))
        .collect();
    let mut data = gaussians(11, cells.len().div_ceil(11), 1, 3, 1.0, 1);
    data.excerpts.truncate(cells.len());
    data.excerpt_of.truncate(cells.len());
    data.vectors = ndarray::Array2::from_shape_fn((cells.len(), 3), |(row, column)| {
        f32::from(u8::from(cells[row].1 == column))
    });
    for (excerpt, (class, _)) in data.excerpts.iter_mut().zip(&cells) {
        excerpt.class = *class;
    }
    let model = fit(&data, 4_000, WeakLearner::Stump);
    let mut votes = vec![0.0; 11];
    for kind in 0..3 {
        let vector: Vec<f32> = (0..3).map(|column| f32::from(u8::from(kind == column))).collect();
        model.votes(&vector, &mut votes);
        let all: usize = (0..11).map(|class| count(class, kind)).sum();
        for (class, vote) in votes.iter().enumerate() {
            let share = count(class, kind) as f64 / all as f64;
            let above = 2.0 * model.tables.total_weight() * vote - (share / (1.0 - share)).ln();
            assert!((above - 10.0_f64.ln()).abs() < 0.02, "class {class}, kind {kind}: {above}");
        }
    }
}

#[test]
fn ties_and_equal_values_agree_with_the_plain_reference() {
    for seed in 0..4 {
        let data = tied(gaussians(4, 8, 2, 5, 0.6, seed));
        assert_agrees(&data, 20, WeakLearner::Stump);
        assert_agrees(&data, 20, WeakLearner::TwoNodeTree);
    }
}

#[test]
fn the_lowest_feature_and_threshold_win_a_tie() {
    // Column 1 is a copy of column 0, and both cuts of it are equally good.
    let mut data = gaussians(3, 2, 1, 2, 1.0, 1);
    for (row, &label) in data.labels().iter().enumerate() {
        data.vectors.row_mut(row).fill(label as f32);
    }
    let model = fit(&data, 1, WeakLearner::Stump);
    let root = &model.hypotheses()[0].root;
    assert_eq!((root.feature, root.threshold), (0, 0.5));
}

#[test]
fn one_to_many_classes_fit_every_width_of_row() {
    for classes in [2, 3, 4, 7, 8, 11, 12, 15, 16, 23, 24, 31, 32, 40, 64] {
        let data = gaussians(classes, 2, 1, 3, 1.0, 5);
        let model = fit(&data, 5, WeakLearner::TwoNodeTree);
        let mut plain = Plain::new(&data);
        for ours in model.hypotheses() {
            let theirs = plain.round(WeakLearner::TwoNodeTree);
            assert_eq!((&ours.root, &ours.branch), (&theirs.root, &theirs.branch));
        }
    }
}

#[test]
fn weights_sum_to_one_and_edges_are_positive() {
    for learner in [WeakLearner::Stump, WeakLearner::TwoNodeTree] {
        let mut boosting = Boosting::<12>::new(&gaussians(8, 9, 3, 6, 0.3, 4));
        for _ in 0..200 {
            let (hypothesis, edge) = boosting.round(learner).unwrap();
            assert!(edge > 0.0 && edge <= 1.0 && hypothesis.alpha > 0.0);
            let sum: f64 = boosting.rows.iter().flat_map(|row| &row[..8]).map(|w| w.abs()).sum();
            assert!((sum - 1.0).abs() < 1e-12, "{sum}");
            let lanes: f64 = boosting.rows.iter().map(|row| row[11]).sum();
            assert!((lanes - 1.0).abs() < 1e-12, "{lanes}");
        }
    }
}

#[test]
fn thread_count_and_instruction_set_do_not_change_a_bit() {
    let data = gaussians(5, 20, 3, 9, 0.3, 6);
    let alphas = |threads: usize, learner| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| fit(&data, 60, learner))
    };
    for learner in [WeakLearner::Stump, WeakLearner::TwoNodeTree] {
        let one = alphas(1, learner);
        assert_eq!(one, alphas(2, learner));
        assert_eq!(one, alphas(7, learner));
        let bits: Vec<u64> = one.hypotheses().iter().map(|h| h.alpha.to_bits()).collect();
        let seven = alphas(7, learner);
        assert!(
            bits.iter().eq(seven
                .hypotheses()
                .iter()
                .map(|h| h.alpha.to_bits())
                .collect::<Vec<_>>()
                .iter())
        );
    }
    // Without any vector instruction: the scan alone, compiled for the base target.
    let boosting = Boosting::<8>::new(&data);
    boosting.assert_scan_is_the_same_without_vector_instructions();
}

#[test]
fn a_learning_curve_needs_one_fit() {
    let data = gaussians(3, 10, 3, 5, 0.5, 1);
    let long = fit(&data, 30, WeakLearner::Stump);
    let short = fit(&data, 12, WeakLearner::Stump);
    assert_eq!(long.after(12).hypotheses(), short.hypotheses());
    let vector = data.vectors.row(3).to_vec();
    let (mut a, mut b) = ([0.0; 3], [0.0; 3]);
    long.after(12).votes(&vector, &mut a);
    short.votes(&vector, &mut b);
    assert_eq!(a, b);
}

#[test]
fn the_sum_of_nine_votes_passes_0_999_and_their_mean_cannot() {
    let data = gaussians(2, 6, 9, 4, 5.0, 1);
    let mean = fit(&data, 20, WeakLearner::Stump);
    let sum = mean.clone().aggregating(Aggregation::Sum);
    let starts = data.excerpt_starts();
    let vectors: Vec<f32> = data.vectors_of(&starts, 0).iter().copied().collect();
    let (mut of_sum, mut of_mean) = ([0.0; 2], [0.0; 2]);
    sum.log_odds(&vectors, &mut of_sum);
    mean.log_odds(&vectors, &mut of_mean);
    assert!(crate::classifiers::posterior_from_log_odds(of_sum[0]) > 0.999);
    assert!(crate::classifiers::posterior_from_log_odds(of_mean[0]) < 0.881);
    assert!((of_sum[0] - 9.0 * of_mean[0]).abs() < 1e-12);
}

#[test]
fn raw_votes_are_normalized_ones_times_the_sum_of_the_weights() {
    let data = gaussians(3, 8, 4, 4, 0.5, 1);
    let normalized = fit(&data, 30, WeakLearner::TwoNodeTree);
    let total: f64 = normalized.hypotheses().iter().map(|hypothesis| hypothesis.alpha).sum();
    let raw = normalized.clone().reading(Votes::Raw);
    let vector = data.vectors.row(5).to_vec();
    let (mut f, mut big_f) = ([0.0; 3], [0.0; 3]);
    normalized.votes(&vector, &mut f);
    raw.votes(&vector, &mut big_f);
    for (f, big_f) in f.iter().zip(big_f) {
        assert!((f * total - big_f).abs() < 1e-12);
    }
}

fn right(model: &AdaBoost, test: &Dataset) -> f64 {
    let starts = test.excerpt_starts();
    let mut scores = vec![0.0; test.classes.len()];
    let hits = (0..test.excerpts.len()).filter(|&excerpt| {
        let vectors: Vec<f32> = test.vectors_of(&starts, excerpt).iter().copied().collect();
        model.log_odds(&vectors, &mut scores);
        crate::classifiers::top_class(&scores) == test.excerpts[excerpt].class
    });
    hits.count() as f64 / test.excerpts.len() as f64
}

#[test]
fn shuffled_labels_fall_to_chance() {
    let all = gaussians(4, 200, 2, 8, 0.5, 9);
    let half: Vec<usize> = (0..400).collect();
    let (train, test) = (all.subset(&half), all.subset(&(400..800).collect::<Vec<_>>()));
    assert!(right(&fit(&train, 100, WeakLearner::Stump), &test) > 0.7);
    let mut shuffled = train;
    let mut rng = stream(3, 0, 0, 0);
    for last in (1..shuffled.excerpts.len()).rev() {
        let other = (uniform(&mut rng) * (last + 1) as f64) as usize;
        let class = shuffled.excerpts[last].class;
        shuffled.excerpts[last].class = shuffled.excerpts[other].class;
        shuffled.excerpts[other].class = class;
    }
    // Chance is 0.25; four standard deviations of 400 trials are 0.087.
    let by_chance = right(&fit(&shuffled, 100, WeakLearner::Stump), &test);
    assert!((by_chance - 0.25).abs() < 0.087, "{by_chance}");
}

#[test]
fn what_cannot_be_trained_is_refused() {
    let data = gaussians(2, 3, 2, 4, 1.0, 1);
    let fails = |params: AdaBoostParams, data: &Dataset| {
        params.fit(data, &mut |_| {}).unwrap_err().to_string()
    };
    let none = AdaBoostParams { rounds: 0, ..AdaBoostParams::default() };
    assert!(fails(none, &data).contains("0 rounds"));
    let ten = AdaBoostParams { rounds: 10, ..AdaBoostParams::default() };
    let mut constant = data.clone();
    constant.vectors.fill(1.0);
    assert!(fails(ten.clone(), &constant).contains("no feature that separates"));
    let one_class = data.subset(&[0, 2]);
    assert!(fails(ten, &one_class).contains("class 1 has no excerpt"));
    let many = gaussians(128, 1, 1, 2, 1.0, 1);
    assert!(fails(AdaBoostParams::default(), &many).contains("at most 127"));
}

#[test]
fn progress_is_told_after_every_round() {
    let mut numbers = Vec::new();
    let params = AdaBoostParams { rounds: 5, ..AdaBoostParams::default() };
    params
        .fit(&gaussians(2, 9, 3, 4, 0.2, 1), &mut |round| {
            assert_eq!(round.of, 5);
            numbers.push(round.number);
        })
        .unwrap();
    assert_eq!(numbers, [1, 2, 3, 4, 5]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn votes_stay_in_range_and_settings_survive_json(seed in 0u64..1000, classes in 2usize..6) {
        let data = gaussians(classes, 4, 2, 3, 0.5, seed);
        let model = fit(&data, 15, WeakLearner::TwoNodeTree);
        let mut votes = vec![0.0; classes];
        for row in data.vectors.outer_iter() {
            model.votes(&row.to_vec(), &mut votes);
            prop_assert!(votes.iter().all(|vote| vote.abs() <= 1.0 + 1e-12));
        }
        let json = serde_json::to_string(model.params()).unwrap();
        prop_assert_eq!(&serde_json::from_str::<AdaBoostParams>(&json).unwrap(), model.params());
    }
}
