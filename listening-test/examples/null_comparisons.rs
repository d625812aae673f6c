//! How often are two equal conditions found to differ? Six kinds of null studies, by what
//! listeners and items do, and two tests: the one that reports print (listeners and items
//! resampled), and the likelihood ratio of a mixed model with intercepts alone, which takes a
//! listener to be equally good in both conditions.
//!
//! ```text
//! cargo run -p trompe-listening-test --example null_comparisons -- [studies a cell]
//! ```
//!
//! Seeds are fixed below. It ends with exit code 1 if the lower Clopper-Pearson bound of the
//! false positives of the first test passes 0.05 in any cell.

use rayon::prelude::*;
use trompe_base::random::{normal, uniform};
use trompe_statistics::bootstrap::{Clusters, Value, two_way_difference};
use trompe_statistics::intervals::clopper_pearson;
use trompe_statistics::mixed_model::{self, Answers, intercept_of, likelihood_ratio};
use trompe_statistics::special::expit;
use trompe_statistics::stream::{Purpose, stream};

const LISTENERS: usize = 30;
/// Items of each condition.
const ITEMS: usize = 12;
/// True accuracy of the average listener on the average item, in both conditions.
const ACCURACY: f64 = 0.4;
/// Standard deviation of listeners, on the logit scale.
const LISTENER_SD: f64 = 1.0;
const RESAMPLES: usize = 1000;
const LEVEL: f64 = 0.95;

/// Name, correlation of a listener's skills in both conditions, standard deviation of items,
/// seed.
const CELLS: [(&str, f64, f64, u64); 6] = [
    ("equal skills, equal items", 1.0, 0.0, 2101),
    ("equal skills, unequal items", 1.0, 1.0, 2102),
    ("correlated skills, equal items", 0.5, 0.0, 2103),
    ("correlated skills, unequal items", 0.5, 1.0, 2104),
    ("independent skills, equal items", 0.0, 0.0, 2105),
    ("independent skills, unequal items", 0.0, 1.0, 2106),
];

/// One null study: the answers in both conditions, in one numbering of the items.
fn study(correlation: f64, item_sd: f64, seed: u64, place: u64) -> [Vec<Value>; 2] {
    let mut stream = stream(seed, Purpose::Study, place);
    let intercept = intercept_of(ACCURACY, LISTENER_SD * LISTENER_SD + item_sd * item_sd);
    let rest = (1.0 - correlation * correlation).sqrt();
    let skills: Vec<[f64; 2]> = (0..LISTENERS)
        .map(|_| {
            let (first, other) = (normal(&mut stream), normal(&mut stream));
            [first, correlation * first + rest * other].map(|skill| LISTENER_SD * skill)
        })
        .collect();
    let items: Vec<f64> = (0..2 * ITEMS).map(|_| item_sd * normal(&mut stream)).collect();
    [0, 1].map(|condition| {
        let mut values = Vec::new();
        for (participant, skill) in skills.iter().enumerate() {
            let own = items.iter().enumerate().skip(condition * ITEMS).take(ITEMS);
            for (item, difficulty) in own {
                let p = expit(intercept + skill[condition] + difficulty);
                let value = f64::from(u8::from(uniform(&mut stream) < p));
                values.push(Value { participant, item, value });
            }
        }
        values
    })
}

/// Whether both tests find a difference; `None` where the second has no model.
fn found([first, second]: &[Vec<Value>; 2], place: u64) -> (bool, Option<bool>) {
    let clusters = Clusters {
        participants: LISTENERS,
        item_strata: vec![(0..ITEMS).collect(), (ITEMS..2 * ITEMS).collect()],
    };
    let resampled = two_way_difference(first, second, &clusters, LEVEL, RESAMPLES, place);
    let by_ratio = || {
        let mut answers = Answers::default();
        let mut design = Vec::new();
        for (values, column) in [(first, 1.0), (second, 0.0)] {
            for value in values {
                answers.push(value.participant, value.item, value.value);
                design.push(vec![1.0, column]);
            }
        }
        let alone: Vec<Vec<f64>> = design.iter().map(|_| vec![1.0]).collect();
        let large = mixed_model::fit(&answers, &design, LEVEL).ok()?;
        let small = mixed_model::fit(&answers, &alone, LEVEL).ok()?;
        Some(likelihood_ratio(&large, &small).p <= 1.0 - LEVEL)
    };
    (resampled.is_some_and(|test| test.p <= 1.0 - LEVEL), by_ratio())
}

fn main() -> std::process::ExitCode {
    let studies = match std::env::args().nth(1).map(|text| text.parse::<u64>()) {
        None => 1000,
        Some(Ok(studies)) if studies > 0 => studies,
        Some(_) => {
            eprintln!("the argument is no number of studies a cell; give one, such as 1000");
            return std::process::ExitCode::from(2);
        }
    };
    println!(
        "{LISTENERS} listeners, {ITEMS} items a condition, accuracy {ACCURACY} in both, standard \
         deviation of listeners {LISTENER_SD}; {studies} studies a cell, {RESAMPLES} resamples"
    );
    println!(
        "| null studies | resampling: found (95 % interval) | likelihood ratio: found (95 % interval) |"
    );
    println!("|---|---|---|");
    let mut holds = true;
    for (name, correlation, item_sd, seed) in CELLS {
        let tests: Vec<(bool, Option<bool>)> = (0..studies)
            .into_par_iter()
            .map(|place| found(&study(correlation, item_sd, seed, place), place))
            .collect();
        let cell = |count: usize, of: usize| {
            let interval = clopper_pearson(count as u64, of as u64, 0.95);
            let share = count as f64 / of.max(1) as f64;
            (interval.low, format!("{share:.3} ({:.3} to {:.3})", interval.low, interval.high))
        };
        let (low, resampled) = cell(tests.iter().filter(|test| test.0).count(), tests.len());
        let defined: Vec<bool> = tests.iter().filter_map(|test| test.1).collect();
        let (_, ratio) = cell(defined.iter().filter(|&&found| found).count(), defined.len());
        println!("| {name} | {resampled} | {ratio} |");
        holds &= low <= 0.05;
    }
    if holds { std::process::ExitCode::SUCCESS } else { std::process::ExitCode::FAILURE }
}
