//! Does the headline test keep its level, and do the intervals cover?
//!
//! Simulates studies whose truth is known and counts. `cargo run --release --example
//! calibration -p trompe-listening-test -- [STUDIES] [LISTENERS] [ITEMS]`

use rayon::prelude::*;
use trompe_listening_test::statistics::mixed_model::{AccuracyModel, Answers};
use trompe_listening_test::statistics::special::expit;
use trompe_listening_test::statistics::stream::{Purpose, normal, stream, uniform};

fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<usize>().ok());
    let mut number = |default| arguments.next().flatten().unwrap_or(default);
    let (studies, listeners, items) = (number(2000), number(30), number(30));
    println!(
        "{studies} studies of {listeners} listeners x {items} items; tests at .05, intervals at .95"
    );
    println!("accuracy sd_p sd_i | above  below | two-sided cover | upper bound cover | failed");
    for accuracy in [0.05, 0.1, 0.2, 0.5] {
        for (participant_sd, item_sd) in [(0.0, 0.0), (0.3, 0.7), (0.5, 1.5)] {
            let rows: Vec<Option<(f64, f64)>> = (0..studies)
                .into_par_iter()
                .map(|study| {
                    let answers =
                        simulate(study as u64, listeners, items, accuracy, participant_sd, item_sd);
                    let test = AccuracyModel::fit(&answers).ok()?.test(accuracy).ok()?;
                    Some((test.p_above, test.p_below))
                })
                .collect();
            let done: Vec<_> = rows.iter().flatten().collect();
            let share = |of: &dyn Fn(&(f64, f64)) -> bool| {
                done.iter().filter(|row| of(row)).count() as f64 / done.len() as f64
            };
            println!(
                "{accuracy:8.2} {participant_sd:4.1} {item_sd:4.1} | {:.4} {:.4} | {:.4} | {:.4} | {}",
                share(&|&(above, _)| above <= 0.05),
                share(&|&(_, below)| below <= 0.05),
                share(&|&(above, below)| above.min(below) > 0.025),
                share(&|&(_, below)| below > 0.05),
                studies - done.len(),
            );
        }
    }
}

fn simulate(
    study: u64,
    listeners: usize,
    items: usize,
    accuracy: f64,
    participant_sd: f64,
    item_sd: f64,
) -> Answers {
    let mut stream = stream(2012, Purpose::Study, study);
    let intercept = trompe_listening_test::statistics::mixed_model::intercept_of(
        accuracy,
        participant_sd * participant_sd + item_sd * item_sd,
    );
    let people: Vec<f64> = (0..listeners).map(|_| participant_sd * normal(&mut stream)).collect();
    let things: Vec<f64> = (0..items).map(|_| item_sd * normal(&mut stream)).collect();
    let mut answers = Answers::default();
    for (p, person) in people.iter().enumerate() {
        for (i, thing) in things.iter().enumerate() {
            let hit = uniform(&mut stream) < expit(intercept + person + thing);
            answers.push(p, i, f64::from(u8::from(hit)));
        }
    }
    answers
}
