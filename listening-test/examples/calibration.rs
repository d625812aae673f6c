//! Do the claims keep their level, do the intervals cover, and what does a study find?
//!
//! ```text
//! cargo run --release -p trompe-listening-test --example calibration -- [STUDIES]
//! cargo run --release -p trompe-listening-test --example calibration -- bounds STUDIES [CELL]
//! ```
//!
//! `bounds` prints the lines on the upper bound alone, of which a study takes most of the time; `CELL`, 1 to 15, one
//! of them, so that they can be spread over machines.
//!
//! Simulates studies whose truth is known, with the seeds below, and prints a table for
//! docs/listening-test.md. It ends with exit code 1 if a claim is made falsely more often than its level allows: if the lower
//! Clopper-Pearson bound of the share passes the level.

use rayon::prelude::*;
use trompe_base::random::normal;
use trompe_listening_test::AnswerRow;
use trompe_listening_test::analysis::{AnalysisPlan, Design, analyze, power, simulate};
use trompe_statistics::intervals::clopper_pearson;
use trompe_statistics::mixed_model::{AccuracyModel, upper_bound_lies_below};
use trompe_statistics::stream::{Purpose, stream};

const LISTENERS: usize = 30;
const ITEMS: usize = 30;
/// Margin on the scale (accuracy - chance) / (1 - chance).
const MARGIN: f64 = 0.1;
/// Standard deviations of listeners and items, on the logit scale.
const SDS: [(f64, f64); 3] = [(0.0, 0.0), (0.3, 0.7), (0.5, 1.5)];
/// Simulated studies behind a calibrated bound.
const SIMULATIONS: usize = 199;
const SEED: u64 = 2012;

/// A line of the table: what was counted, of how many, and the most that may be found.
struct Cell {
    what: String,
    truth: String,
    count: usize,
    of: usize,
    nominal: &'static str,
    /// Level that the share must not pass; absent for coverage and power.
    level: Option<f64>,
}

impl Cell {
    fn print(&self) -> bool {
        let interval = clopper_pearson(self.count as u64, self.of as u64, 0.95);
        let share = self.count as f64 / self.of.max(1) as f64;
        println!(
            "| {} | {} | {} | {share:.3} ({:.3} to {:.3}) | {} |",
            self.what, self.truth, self.nominal, interval.low, interval.high, self.of
        );
        self.level.is_none_or(|level| interval.low <= level)
    }
}

fn design(accuracy: f64, (participant_sd, item_sd): (f64, f64), seed: u64) -> Design {
    Design {
        participants: LISTENERS,
        items: ITEMS,
        accuracy,
        participant_sd,
        item_sd,
        seed,
        ..Design::default()
    }
}

/// Numbers of classes with their seeds.
const CLASSES: [(f64, u64); 3] = [(10.0, SEED), (4.0, SEED + 1), (2.0, SEED + 2)];

/// Claims and intervals of one condition of known accuracy.
fn conditions((classes, seed): (f64, u64), sds: (f64, f64), studies: usize) -> [Cell; 2] {
    let chance = 1.0 / classes;
    let at_chance = design(chance, sds, seed);
    let tests: Vec<(f64, f64)> = (0..studies)
        .into_par_iter()
        .filter_map(|place| {
            let answers = simulate(&at_chance, place as u64);
            let test = AccuracyModel::fit(&answers).ok()?.test(chance).ok()?;
            Some((test.p, test.t))
        })
        .collect();
    let false_claims = Cell {
        what: "claims better than chance, falsely".into(),
        truth: truth(chance, classes, sds),
        count: tests.iter().filter(|(p, t)| *p <= 0.05 && *t > 0.0).count(),
        of: tests.len(),
        nominal: ".025",
        level: Some(0.025),
    };
    let coverage = Cell {
        what: "interval covers".into(),
        truth: truth(chance, classes, sds),
        count: tests.iter().filter(|(p, _)| *p > 0.05).count(),
        of: tests.len(),
        nominal: ".95",
        level: None,
    };
    [false_claims, coverage]
}

fn truth(accuracy: f64, classes: f64, sds: (f64, f64)) -> String {
    format!("accuracy {accuracy:.2} of {classes} classes, sd {} and {}", sds.0, sds.1)
}

/// Truths for the upper bound: conditions at the margin itself, where a bound below it is a false claim, and
/// others of a low accuracy, where Student's t covers least.
fn bounds() -> Vec<(&'static str, f64, String, Design)> {
    let at_margin = CLASSES.into_iter().flat_map(|(classes, seed)| {
        SDS.map(|sds| {
            let chance = 1.0 / classes;
            let margin = chance + MARGIN * (1.0 - chance);
            let truth = truth(margin, classes, sds);
            ("claims within the margin, falsely", margin, truth, design(margin, sds, seed + 10))
        })
    });
    let low = [0.1, 0.15].into_iter().flat_map(|accuracy| {
        SDS.map(|sds| {
            let truth = format!("accuracy {accuracy:.2}, sd {} and {}", sds.0, sds.1);
            ("upper bound lies below the truth", accuracy, truth, design(accuracy, sds, SEED))
        })
    });
    at_margin.chain(low).collect()
}

/// How often the upper bound lies below the true accuracy.
fn bound_below(
    (what, accuracy, truth, design): (&str, f64, String, Design),
    studies: usize,
) -> Cell {
    let below: Vec<bool> = (0..studies)
        .into_par_iter()
        .filter_map(|place| {
            let answers = simulate(&design, place as u64);
            let mut model = AccuracyModel::fit(&answers).ok()?;
            let seed = place as u64;
            upper_bound_lies_below(&mut model, &answers, accuracy, 0.95, SIMULATIONS, seed).ok()
        })
        .collect();
    Cell {
        what: what.into(),
        truth,
        count: below.iter().filter(|&&below| below).count(),
        of: below.len(),
        nominal: ".05",
        level: Some(0.05),
    }
}

/// Scores of two systems that are equal but for what listeners and pages prefer.
fn scores(page_sd: f64, place: u64) -> Vec<AnswerRow> {
    const PAGES: usize = 10;
    let mut random = stream(SEED + 20, Purpose::Study, place);
    let mut draw = |sd: f64| sd * normal(&mut random);
    let people: Vec<[f64; 2]> = (0..20).map(|_| [draw(8.0), draw(4.0)]).collect();
    let pages: Vec<[f64; 2]> = (0..PAGES).map(|_| [draw(8.0), draw(page_sd)]).collect();
    let mut rows = Vec::new();
    for (listener, own) in people.iter().enumerate() {
        for (page, of_page) in pages.iter().enumerate() {
            let mut row = |number: usize, name: &str, score: f64| {
                rows.push(AnswerRow {
                    participant: format!("p-{listener:02}"),
                    item: format!("page-{page}/{number}"),
                    condition: format!("mushra:{name}"),
                    medium: "audio".into(),
                    truth: String::new(),
                    answer: None,
                    rating: Some(score.round().clamp(0.0, 100.0)),
                    response_ms: 20_000,
                    heard_ms: None,
                    stalls: None,
                    block: "mushra".into(),
                    position: page as u32,
                    excluded: None,
                    order: None,
                    server_ms: None,
                    strength: None,
                });
            };
            row(1, "reference", 100.0);
            let level = 50.0 + own[0] + of_page[0];
            for (number, name, sign) in [(2, "a", 0.5), (3, "b", -0.5)] {
                row(number, name, level + sign * (own[1] + of_page[1]) + draw(8.0));
            }
        }
    }
    rows
}

fn mushra(studies: usize) -> Vec<Cell> {
    let plan = AnalysisPlan { resamples: 400, ..AnalysisPlan::default() };
    let mut cells = Vec::new();
    for page_sd in [0.0, 4.0] {
        let found: Vec<(f64, bool)> = (0..studies)
            .into_par_iter()
            .filter_map(|place| {
                let report = analyze(&scores(page_sd, place as u64), &[], &plan).ok()?;
                let difference = report.mushra[0].differences.iter().find(|d| d.first == "a")?;
                let interval = difference.interval?;
                Some((difference.p?, interval.low <= 0.0 && 0.0 <= interval.high))
            })
            .collect();
        let truth = format!("20 listeners, 10 pages, equal systems, sd of pages {page_sd}");
        if page_sd == 0.0 {
            cells.push(Cell {
                what: "MUSHRA: Wilcoxon finds a difference, falsely".into(),
                truth: truth.clone(),
                count: found.iter().filter(|(p, _)| *p <= 0.05).count(),
                of: found.len(),
                nominal: ".05",
                level: Some(0.05),
            });
        }
        cells.push(Cell {
            what: "MUSHRA: interval of a difference covers".into(),
            truth,
            count: found.iter().filter(|(_, covers)| *covers).count(),
            of: found.len(),
            nominal: ".95",
            level: None,
        });
    }
    cells
}

/// Share of studies with each outcome, bounds by Student's t.
fn powers(studies: usize) -> Vec<Cell> {
    let mut cells = Vec::new();
    for accuracy in [0.1, 0.15, 0.2, 0.3] {
        let wanted = Design { studies, ..design(accuracy, (0.5, 1.0), SEED + 30) };
        let Ok(found) = power(&wanted) else { continue };
        for (what, share) in [
            ("better than chance", found.better.share),
            ("better than chance but within the margin", found.better_but_within.share),
            ("within the margin", found.within.share),
        ] {
            cells.push(Cell {
                what: format!("power: {what}"),
                truth: format!("accuracy {accuracy} of 10 classes, sd 0.5 and 1"),
                count: (share * studies as f64).round() as usize,
                of: studies,
                nominal: "",
                level: None,
            });
        }
    }
    cells
}

/// Which lines are wanted: all, those on the upper bound, or one of these.
enum Lines {
    All,
    Bounds,
    Bound(usize),
}

/// Lines and studies a line; `None` if the arguments say something else.
fn wanted() -> Option<(Lines, usize)> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let studies = |text: &str| text.parse().ok().filter(|&studies| studies > 0);
    match words[..] {
        [] => Some((Lines::All, 1000)),
        ["bounds", number] => Some((Lines::Bounds, studies(number)?)),
        ["bounds", number, cell] => {
            let cell = cell.parse().ok().filter(|cell| (1..=15).contains(cell))?;
            Some((Lines::Bound(cell), studies(number)?))
        }
        [number] => Some((Lines::All, studies(number)?)),
        _ => None,
    }
}

fn main() -> std::process::ExitCode {
    let Some((lines, studies)) = wanted() else {
        eprintln!(
            "the arguments are no number of studies; give one, such as 1000, or bounds, a number of studies and a \
             line from 1 to 15, such as bounds 1000 3"
        );
        return std::process::ExitCode::from(2);
    };
    println!("{LISTENERS} listeners x {ITEMS} items where nothing else is said\n");
    println!("| what | truth | nominal | found (95 % interval) | studies |");
    println!("|---|---|---|---|---|");
    let mut holds = true;
    if matches!(lines, Lines::All) {
        let conditions = CLASSES
            .into_iter()
            .flat_map(|classes| SDS.map(|sds| conditions(classes, sds, studies)))
            .flatten();
        for cell in mushra(studies).into_iter().chain(powers(studies)).chain(conditions) {
            holds &= cell.print();
        }
    }
    for (place, bound) in bounds().into_iter().enumerate() {
        if !matches!(lines, Lines::Bound(cell) if cell != place + 1) {
            holds &= bound_below(bound, studies).print();
        }
    }
    if holds { std::process::ExitCode::SUCCESS } else { std::process::ExitCode::FAILURE }
}
