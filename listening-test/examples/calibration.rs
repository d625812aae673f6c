//! Does the headline test keep its level, and do the intervals cover?
//!
//! Simulates studies whose truth is known and counts: `cargo run --release -p
//! trompe-listening-test --example calibration -- [STUDIES] [LISTENERS] [ITEMS]`.

use rayon::prelude::*;
use trompe_listening_test::analysis::{Design, simulate};
use trompe_statistics::mixed_model::AccuracyModel;

fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse().ok());
    let mut number = |default: usize| arguments.next().flatten().unwrap_or(default);
    let (studies, participants, items) = (number(2000), number(30), number(30));
    println!("{studies} studies of {participants} listeners x {items} items, level .05 / .95");
    println!("accuracy sd_p sd_i | falsely above  below | interval  upper bound cover | no model");
    for accuracy in [0.05, 0.1, 0.2, 0.5] {
        for (participant_sd, item_sd) in [(0.0, 0.0), (0.3, 0.7), (0.5, 1.5)] {
            let design = Design {
                participants,
                items,
                accuracy,
                participant_sd,
                item_sd,
                seed: 2012,
                ..Design::default()
            };
            let study = |place: usize| {
                let mut model = AccuracyModel::fit(&simulate(&design, place as u64)).ok()?;
                model.test(accuracy).ok()
            };
            let tests: Vec<_> = (0..studies).into_par_iter().filter_map(study).collect();
            let share = |of: fn(f64, f64) -> bool| {
                let count = tests.iter().filter(|test| of(test.p_above, test.p_below)).count();
                count as f64 / tests.len() as f64
            };
            println!(
                "{accuracy:8.2} {participant_sd:4.1} {item_sd:4.1} | {:13.4} {:.4} | {:8.4} {:18.4} | {}",
                share(|above, _| above <= 0.05),
                share(|_, below| below <= 0.05),
                share(|above, below| above.min(below) > 0.025),
                share(|_, below| below > 0.05),
                studies - tests.len(),
            );
        }
    }
}
