//! AdaBoost.MH on as much data as GTZAN gives in ten-fold cross-validation: about 9,000
//! vectors of 120 features, 10 classes. Run with `cargo bench --bench boosting`.

use divan::{Bencher, black_box};
use ndarray::Array2;
use rand::Rng;
use trompe::Dataset;
use trompe::base::random::stream;
use trompe::classifiers::adaboost::WeakLearner;
use trompe::classifiers::{AdaBoost, AdaBoostParams, Classifier};
use trompe::dataset::{Excerpt, Source};

const CLASSES: usize = 10;
const DIMENSIONS: usize = 120;
const VECTORS: usize = 9;

fn main() {
    divan::main();
}

/// 1,000 excerpts of 9 vectors: a centre per class, uniform noise around it.
fn data() -> Dataset {
    let mut rng = stream(1, 0, 0, 0);
    let mut uniform = move || (rng.next_u64() >> 11) as f32 / (1u64 << 53) as f32 - 0.5;
    let centres = Array2::from_shape_simple_fn((CLASSES, DIMENSIONS), || 0.3 * uniform());
    let excerpts = 1000;
    let excerpt_of: Vec<usize> = (0..excerpts * VECTORS).map(|row| row / VECTORS).collect();
    let vectors = Array2::from_shape_fn((excerpts * VECTORS, DIMENSIONS), |(row, column)| {
        centres[[excerpt_of[row] % CLASSES, column]] + uniform()
    });
    Dataset {
        vectors,
        excerpt_of,
        excerpts: (0..excerpts)
            .map(|i| Excerpt {
                id: i.to_string(),
                class: i % CLASSES,
                group: None,
                split: None,
                fold: None,
            })
            .collect(),
        classes: (0..CLASSES).map(|class| class.to_string()).collect(),
        feature_names: (0..DIMENSIONS).map(|column| column.to_string()).collect(),
        settings: None,
        source: Source { name: "generated".into(), provenance: None, known_as: None },
    }
}

fn fit(data: &Dataset, learner: WeakLearner, rounds: usize) -> AdaBoost {
    let params = AdaBoostParams { rounds, learner, ..AdaBoostParams::default() };
    params.fit(data, &mut |_| {}).expect("the data is valid")
}

/// 100 rounds, sorting included.
#[divan::bench(args = [WeakLearner::Stump, WeakLearner::TwoNodeTree], sample_count = 5)]
fn hundred_rounds(bencher: Bencher, learner: WeakLearner) {
    let data = data();
    bencher.bench(|| fit(black_box(&data), learner, 100));
}

/// Log-odds of one excerpt at 4,000 rounds.
#[divan::bench(args = [WeakLearner::Stump, WeakLearner::TwoNodeTree])]
fn score_an_excerpt(bencher: Bencher, learner: WeakLearner) {
    let data = data();
    let model = fit(&data, learner, 4000);
    let vectors: Vec<f32> = data.vectors.iter().take(VECTORS * DIMENSIONS).copied().collect();
    let mut out = vec![0.0; CLASSES];
    bencher.bench_local(|| model.log_odds(black_box(&vectors), &mut out));
}
