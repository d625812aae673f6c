//! Times AdaBoost.MH on a features file and prints the figures as one JSON object:
//! `time_boosting FEATURES.npz ROUNDS {stump|two-node-tree} THREADS`.

use std::time::Instant;

use trompe::classifiers::adaboost::{AdaBoostParams, WeakLearner};
use trompe::classifiers::{Classifier, top_class};
use trompe::{Dataset, Error};

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, rounds, learner, threads] = arguments.as_slice() else {
        anyhow::bail!("usage: time_boosting FEATURES.npz ROUNDS stump|two-node-tree THREADS");
    };
    rayon::ThreadPoolBuilder::new().num_threads(threads.parse()?).build_global()?;
    let data = Dataset::read_npz(path.as_ref())?;
    let learner: WeakLearner = serde_json::from_value(learner.as_str().into())
        .map_err(|error| Error::request(error.to_string(), "name a weak learner"))?;
    let params = AdaBoostParams { rounds: rounds.parse()?, learner, ..AdaBoostParams::default() };

    let start = Instant::now();
    let model = params.fit(&data, &mut |_| {})?;
    let fit = start.elapsed().as_secs_f64();

    let starts = data.excerpt_starts();
    let mut scores = vec![0.0; data.classes.len()];
    let mut right = 0;
    let start = Instant::now();
    for excerpt in 0..data.excerpts.len() {
        let rows = starts[excerpt] * data.dimensions()..starts[excerpt + 1] * data.dimensions();
        let vectors = &data.vectors.as_slice().unwrap_or_default()[rows];
        model.log_odds(vectors, &mut scores);
        right += usize::from(top_class(&scores) == data.excerpts[excerpt].class);
    }
    let score = start.elapsed().as_secs_f64();

    println!(
        "{}",
        serde_json::json!({
            "fit_seconds": fit,
            "ms_per_round": 1e3 * fit / model.hypotheses().len() as f64,
            "ms_per_excerpt": 1e3 * score / data.excerpts.len() as f64,
            "training_accuracy": right as f64 / data.excerpts.len() as f64,
        })
    );
    Ok(())
}
