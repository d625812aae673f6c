//! The tables of a comparison's page.

use maud::{Markup, html};
use trompe_listening_test::analysis::Outcome;

use super::figures::colour;
use super::words;
use crate::reference::ShareReached;
use crate::report::numbers;
use crate::report::table::{Cell, Table};
use crate::results::comparison::{
    Agreement, Comparison, Difference, GroupReport, HEADLINE, JudgedSet, Level, LevelDifference,
    MedianTime, Survival, Transfer,
};
use crate::results::intervals::Share;

/// A letter in the colour of its group.
pub(super) fn letter(index: usize, name: &str) -> Markup {
    html! { span.letter.(colour(index)) { (name) } }
}

/// A group's letter and emitter, and its folder where it looks like another group.
fn named(index: usize, group: &GroupReport) -> Markup {
    html! {
        (letter(index, &group.name)) " " (group.emitter)
        @if let Some(folder) = &group.folder { " · " (folder.display()) }
    }
}

/// The share at what a group's runs asked for, a posterior or a level.
fn at_own(
    comparison: &Comparison,
    group: &GroupReport,
    at_thresholds: &[Option<Share>],
    at_levels: &[Option<Share>],
) -> Option<Share> {
    let (own, places, shares) = match group.origin.level {
        Some(level) => (level, &comparison.levels, at_levels),
        None => (group.origin.threshold, &comparison.thresholds, at_thresholds),
    };
    let place = places.iter().position(|&place| place == own)?;
    shares.get(place).copied().flatten()
}

/// The share at the level that groups are compared at first.
fn at_headline(comparison: &Comparison, at_levels: &[Option<Share>]) -> Option<Share> {
    let place = comparison.levels.iter().position(|&level| level == HEADLINE)?;
    at_levels.get(place).copied().flatten()
}

fn share_cell(share: Option<&Share>) -> Cell {
    share.map_or_else(Cell::missing, |share| {
        Cell::new(html! { (words::share(share)) small { (words::share_interval(share)) } })
    })
}

fn count_cell(share: Option<&Share>) -> Cell {
    share.map_or_else(Cell::missing, |share| Cell::new(html! { (share.count) " of " (share.of) }))
}

fn time_cell(time: &MedianTime, aimed_at: bool) -> Cell {
    Cell::new(html! {
        (words::time(time)) @if !aimed_at { sup { "†" } }
        small { (words::time_interval(time)) }
    })
    .open_if(time.median.is_none())
}

fn threshold_cell(threshold: f64) -> Cell {
    Cell::new(html! { "≥ " (numbers::threshold(threshold)) })
}

/// Base rate, coverage and evaluations of every group at every threshold.
pub(super) fn fooling_rates(comparison: &Comparison) -> Table {
    let head = Table::new("Fooling rates").texts(["Group"]).numbers([
        "Posterior",
        "Base rate",
        "Coverage",
        "Evaluations to it",
        "after the first draws",
        "reached by these draws",
        "to all classes",
    ]);
    let groups = comparison.groups.iter().enumerate();
    let table = groups.fold(head, |table, (index, group)| {
        let heading = || Cell::new(named(index, group)).spanning(group.levels.len());
        table.rows(group.levels.iter().enumerate().map(|(place, level)| {
            let time = |time| time_cell(time, level.aimed_at);
            let mut cells: Vec<Cell> = (place == 0).then(heading).into_iter().collect();
            cells.extend([
                threshold_cell(level.threshold),
                share_cell(level.base_rate.as_ref()),
                coverage_cell(level),
                time(&level.evaluations),
                level.after_draws.as_ref().map_or_else(Cell::missing, time),
                count_cell(level.in_draws.as_ref()),
                time(&level.all_classes),
            ]);
            cells
        }))
    });
    table.without_empty_columns()
}

/// Every group at every level, genuine items beside.
pub(super) fn at_levels(comparison: &Comparison) -> Table {
    let head = Table::new("Groups at levels").texts(["Group"]).numbers([
        "Level",
        "Base rate",
        "Genuine, rightly labelled",
        "Genuine, wrongly labelled",
        "Classes reached",
        "with a file",
        "Evaluations to it",
    ]);
    let with_levels = comparison.groups.iter().enumerate().filter(|(_, g)| !g.at_levels.is_empty());
    let table = with_levels.fold(head, |table, (index, group)| {
        let heading = || {
            let note = match group.at_levels.first() {
                Some(at) if at.biased == Some(true) => " (cross-fitted, BIASED)",
                Some(at) if at.biased.is_none() => " (cross-fitted, not checked)",
                Some(at) if at.cross_fitted => " (cross-fitted, no bias found)",
                _ => "",
            };
            Cell::new(html! { (named(index, group)) (note) }).spanning(group.at_levels.len())
        };
        table.rows(group.at_levels.iter().enumerate().map(|(place, at)| {
            let mut cells: Vec<Cell> = (place == 0).then(heading).into_iter().collect();
            cells.extend([
                Cell::new(format!("≥ {}", at.level)),
                share_cell(at.base_rate.as_ref()),
                genuine_cell(at.genuine_right),
                genuine_cell(at.genuine_wrong),
                count_cell(at.reached.as_ref()),
                Cell::new(at.delivered),
                time_cell(&at.evaluations, true),
            ]);
            cells
        }))
    });
    table.without_empty_columns()
}

fn genuine_cell(share: Option<ShareReached>) -> Cell {
    share.map_or_else(Cell::missing, |share| {
        Cell::new(html! {
            (numbers::percent(share.share))
            small { "(" (numbers::percent(share.low)) "–" (numbers::percent(share.high)) ")" }
        })
    })
}

/// How far genuine items lie above random candidates and exhibits, in the first run of each group.
pub(super) fn separation(comparison: &Comparison) -> Table {
    let table = Table::new("Separation of genuine items")
        .texts(["Group", "Score", "Genuine items against"])
        .numbers(["AUROC", "FPR95"]);
    comparison.groups.iter().enumerate().fold(table, |table, (index, group)| {
        table.rows(group.separation.iter().map(|found| {
            let interval = |value: f64, of: trompe_statistics::Interval| {
                Cell::new(html! {
                    (format!("{value:.3}")) small { (format!("({:.3}–{:.3})", of.low, of.high)) }
                })
            };
            vec![
                Cell::new(named(index, group)),
                Cell::new(&found.score),
                Cell::new(&found.against),
                interval(found.auroc, found.auroc_interval),
                interval(found.fpr95, found.fpr95_interval),
            ]
        }))
    })
}

fn coverage_cell(level: &Level) -> Cell {
    Cell::new(html! {
        (numbers::percent(level.coverage.share())) @if level.coverage.delivered.is_none() { sup { "*" } }
        small { (words::coverage(&level.coverage)) }
    })
}

/// Median best posterior at powers of ten, and the error of the rubbish class.
pub(super) fn medians(comparison: &Comparison) -> Table {
    let mut places: Vec<u64> = comparison
        .groups
        .iter()
        .flat_map(|group| group.median_best.iter().map(|best| best.evaluations))
        .collect();
    places.sort_unstable();
    places.dedup();
    let row = |(index, group): (usize, &GroupReport)| {
        let mut cells = vec![Cell::new(named(index, group)), share_cell(group.rubbish.as_ref())];
        cells.extend(places.iter().map(|&place| best_cell(group, place)));
        cells
    };
    Table::new("Median best posterior")
        .texts(["Group"])
        .numbers(["Rubbish-class error"])
        .numbers(places.iter().map(|&place| format!("after {}", numbers::count(place))))
        .rows(comparison.groups.iter().enumerate().map(row))
        .without_empty_columns()
}

fn best_cell(group: &GroupReport, place: u64) -> Cell {
    let best = group.median_best.iter().find(|best| best.evaluations == place);
    best.map_or_else(Cell::missing, |best| {
        Cell::new(html! {
            (numbers::posterior(best.median))
            small { "(" (numbers::posterior(best.low)) "–" (numbers::posterior(best.high)) ")" }
        })
    })
}

/// Place of the group called `name`.
fn index(comparison: &Comparison, name: &str) -> Option<usize> {
    comparison.groups.iter().position(|group| group.name == name)
}

/// Every pair of groups at every threshold and level.
pub(super) fn differences(comparison: &Comparison) -> Table {
    let named = |name: &str| letter(index(comparison, name).unwrap_or(0), name);
    let head = Table::new("Differences between groups").texts(["Pair", "differ in"]).numbers([
        "Posterior or level",
        "Evaluations, first : second",
        "p",
        "to all classes, first : second",
        "p",
        "Coverage, first − second",
    ]);
    let table = comparison.differences.iter().fold(head, |table, difference| {
        let posteriors = difference.levels.iter().map(|at| (threshold_cell(at.threshold), at));
        let levels = difference.at_levels.iter();
        let levels = levels.map(|at| (Cell::new(format!("level {}", at.threshold)), at));
        let rows = difference.levels.len() + difference.at_levels.len();
        table.rows(posteriors.chain(levels).enumerate().map(|(place, (at, level))| {
            let mut cells = Vec::new();
            if place == 0 {
                let pair = html! {
                    (named(&difference.first)) " : " (named(&difference.second))
                    small { "within " (numbers::count(difference.within)) }
                };
                let differ_in = difference.differ_in.join(", ");
                cells.push(Cell::new(pair).spanning(rows));
                cells.push(Cell::new(differ_in).wrapping().spanning(rows));
            }
            cells.push(at);
            cells.extend(difference_cells(difference, level));
            cells
        }))
    });
    table.without_empty_columns()
}

fn difference_cells(difference: &Difference, level: &LevelDifference) -> Vec<Cell> {
    let points = |share: f64| {
        let rounded = libm::round(100.0 * share);
        if rounded == 0.0 { "0".to_owned() } else { format!("{rounded:+.0}").replace('-', "−") }
    };
    let mut cells = Vec::new();
    for contrast in [&level.evaluations, &level.all_classes] {
        cells.extend(match contrast {
            Some(contrast) => [
                Cell::new(html! {
                    (words::ratio(&contrast.ratio)) @if difference.per_class { sup { "‡" } }
                    small { (words::ratio_interval(contrast.interval)) }
                }),
                Cell::new(html! {
                    (words::p_value(contrast.p))
                    small { "Holm " (words::p_value(contrast.p_holm)) }
                }),
            ],
            None => [Cell::new("chance").open_if(true), Cell::missing()],
        });
    }
    cells.push(Cell::new(html! {
        (points(level.coverage)) " points"
        @if let Some(interval) = level.coverage_interval {
            small { "(" (points(interval.low)) " to " (points(interval.high)) ")" }
        }
    }));
    cells
}

/// The names of groups: `A, B`.
fn letters(groups: &[(usize, &GroupReport)]) -> String {
    groups.iter().map(|(_, group)| group.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// Evaluations to the runs' own threshold or level in each class, of groups with the same classes.
pub(super) fn per_class(groups: &[(usize, &GroupReport)]) -> Table {
    let classes = groups.first().map_or(&[][..], |(_, group)| &group.classes);
    let cell = |group: &GroupReport, class: usize| {
        let time = match group.origin.level {
            Some(own) => {
                let at = group.at_levels.iter().find(|at| at.level == own);
                at.and_then(|at| at.classes.get(class)?.as_ref())
            }
            None => {
                let own = group.origin.threshold;
                let at = group.levels.iter().find(|level| level.threshold == own);
                at.and_then(|level| level.classes.get(class))
            }
        };
        time.map_or_else(Cell::missing, |time| {
            Cell::new(html! {
                (words::time(time))
                small { (time.reached) " of " (time.of) " " (words::time_interval(time)) }
            })
            .open_if(time.median.is_none())
        })
    };
    let row = |(class, label): (usize, &String)| {
        let mut cells = vec![Cell::new(label)];
        cells.extend(groups.iter().map(|(_, group)| cell(group, class)));
        cells
    };
    Table::new(format!("Evaluations in each class of {}", letters(groups)))
        .texts(["Class"])
        .numbers(groups.iter().map(|(index, group)| named(*index, group)))
        .rows(classes.iter().enumerate().map(row))
        .without_empty_columns()
}

/// What the exhibits of groups of one medium withstand, at the runs' own threshold or level.
pub(super) fn survival(comparison: &Comparison, groups: &[(usize, &GroupReport)]) -> Table {
    let interventions = groups.first().map_or(&[][..], |(_, group)| &group.survival);
    let row = |of: &Survival| {
        let mut cells = vec![Cell::new(&of.intervention)];
        let cell = |(_, group): &(_, &GroupReport)| survival_cell(comparison, group, of);
        cells.extend(groups.iter().map(cell));
        cells
    };
    Table::new(format!("Survival of {}", letters(groups)))
        .texts(["Intervention"])
        .numbers(groups.iter().map(|(index, group)| named(*index, group)))
        .rows(interventions.iter().map(row))
        .without_empty_columns()
}

/// What the exhibits of `group` withstand of the intervention that `of` is of.
fn survival_cell(comparison: &Comparison, group: &GroupReport, of: &Survival) -> Cell {
    let found = group.survival.iter().find(|other| other.intervention == of.intervention);
    let Some(survival) = found else { return Cell::missing() };
    if let Some(why) = &survival.skipped {
        return Cell::new(html! { "not tried" small { (why) } }).open_if(true);
    }
    let share = at_own(comparison, group, &survival.levels, &survival.at_levels);
    let Some(share) = share else { return Cell::missing() };
    let at_level = at_headline(comparison, &survival.at_levels);
    Cell::new(html! {
        (words::share(&share)) " of " (share.of)
        small {
            (words::share_interval(&share))
            @if let Some(same) = survival.same_label { ", label kept by " (same.count) " of " (same.of) }
            @if let Some(level) = at_level { ", level " (HEADLINE) " kept by " (level.count) " of " (level.of) }
            @if let Some(median) = survival.median_posterior { ", median " (numbers::posterior(median)) }
        }
    })
}

/// Exhibits of one group scored by the classifier of another.
pub(super) fn transfer(comparison: &Comparison) -> Table {
    let named = |name: &str| letter(index(comparison, name).unwrap_or(0), name);
    let row = |transfer: &Transfer| {
        let beyond = transfer.same_top_beyond_chance;
        let from = index(comparison, &transfer.from).map(|index| &comparison.groups[index]);
        let own = |at_thresholds: &[Option<Share>], at_levels: &[Option<Share>]| {
            let share = from.and_then(|group| at_own(comparison, group, at_thresholds, at_levels));
            share_cell(share.as_ref())
        };
        let level = |shares: &[Option<Share>]| share_cell(at_headline(comparison, shares).as_ref());
        let (same, any) = (&transfer.same_class_at_levels, &transfer.any_class_at_levels);
        vec![
            Cell::new(named(&transfer.from)),
            Cell::new(named(&transfer.to)),
            Cell::new(numbers::count(transfer.exhibits)),
            share_cell(transfer.same_top.as_ref()),
            beyond.map_or_else(Cell::missing, |share| Cell::new(format!("{share:+.2}"))),
            own(&transfer.same_class, same),
            own(&transfer.any_class, any),
            level(same),
            level(any),
        ]
    };
    Table::new("Transfer")
        .texts(["Exhibits of", "scored by the classifier of"])
        .numbers(["Exhibits", "same label", "beyond chance"])
        .numbers(["same label at what was asked for", "any label at it"])
        .numbers(["same label", "any label"].map(|what| format!("{what} at level {HEADLINE}")))
        .rows(comparison.transfer.iter().map(row))
        .without_empty_columns()
}

/// Human agreement of every judged fooling set, and how much its exhibits differ.
pub(super) fn agreement(comparison: &Comparison) -> Markup {
    let judged = comparison.groups.iter().enumerate();
    let judged: Vec<(usize, &GroupReport, &Agreement)> = judged
        .filter_map(|(index, group)| Some((index, group, group.agreement.as_ref()?)))
        .collect();
    let rows = |row: fn(usize, &GroupReport, &JudgedSet) -> Vec<Cell>| {
        judged.iter().flat_map(move |&(index, group, agreement)| {
            agreement.sets.iter().map(move |set| row(index, group, set))
        })
    };
    let sets = Table::new("Human agreement")
        .texts(["Group"])
        .numbers(["Seed", "Answers equal to the label", "Human agreement"])
        .numbers(["beyond chance", "at most"])
        .texts(["Outcome"])
        .rows(rows(set_row));
    let exhibits = Table::new("Exhibits by people")
        .texts(["Group"])
        .numbers(["Seed", "Half of the exhibits", "nine in ten"])
        .numbers(["Exhibits below the margin", "Difference to genuine controls"])
        .rows(rows(exhibits_row));
    html! {
        @for (_, group, agreement) in judged.iter().filter(|(_, _, agreement)| agreement.simulated) {
            p.badge.synthetic role="note" {
                strong { "Simulated listeners" }
                "The answers on group " (group.name) " (study “" (agreement.study) "”) are those of a program. They say nothing about people."
            }
        }
        p.note {
            "Share of answers equal to the classifier’s label, and the outcome that the study read from its interval. "
            "Absence (within the margin) is claimed only where the genuine controls of the same people lie above chance by the "
            "amount that the study planned."
            @for (_, group, agreement) in &judged {
                @if let Some(reason) = &agreement.margin_reason {
                    " Margin of group " (group.name) ": " (format!("{:.2}", agreement.margin)) " times chance (" (reason) ")."
                }
            }
        }
        (sets)
        p.note {
            "How much exhibits differ in their agreement, by the study’s mixed model: agreements of the average participant "
            "with exhibits like these, and the share of them that lies below the margin, with credible intervals. These "
            "describe the exhibits, not how many answers each one got. The difference to the genuine controls has listeners "
            "resampled together for both, items apart."
        }
        (exhibits)
    }
}

fn exhibits_row(index: usize, group: &GroupReport, set: &JudgedSet) -> Vec<Cell> {
    let found = &set.agreement;
    let spread = found.exhibit_spread.as_ref();
    let at = |share: f64| {
        let quantiles = spread.iter().flat_map(|spread| &spread.quantiles);
        quantiles
            .filter(|quantile| quantile.share == share)
            .map(|quantile| numbers::percent(quantile.accuracy))
            .collect::<String>()
    };
    let between = |low: f64, high: f64| match spread {
        Some(_) => Cell::new(format!("{}–{}", at(low), at(high))),
        None => Cell::missing(),
    };
    let withheld = found.controls.as_ref().is_some_and(|controls| !controls.suffice);
    let below = spread.map_or_else(Cell::missing, |spread| {
        let interval = spread.below_margin_interval;
        Cell::new(html! {
            (numbers::percent(spread.below_margin))
            small {
                "(" (numbers::percent(interval.low)) "–" (numbers::percent(interval.high)) ")"
                @if withheld { " controls do not suffice" }
            }
        })
    });
    let difference =
        found.controls.as_ref().and_then(|controls| controls.found.as_ref()?.difference);
    let difference = difference.map_or_else(Cell::missing, |found| {
        let [low, high] = [found.interval.low, found.interval.high].map(|bound| 100.0 * bound);
        Cell::new(html! {
            (format!("{:+.1} points", 100.0 * found.difference))
            small { (format!("({low:+.1} to {high:+.1})")) }
        })
    });
    vec![
        Cell::new(named(index, group)),
        Cell::new(set.seed),
        between(0.25, 0.75),
        between(0.05, 0.95),
        below,
        difference,
    ]
}

fn set_row(index: usize, group: &GroupReport, set: &JudgedSet) -> Vec<Cell> {
    let found = &set.agreement;
    let undecided = found.outcome == Some(Outcome::Undecided)
        && found.controls.as_ref().is_some_and(|controls| !controls.suffice);
    vec![
        Cell::new(named(index, group)),
        Cell::new(set.seed),
        Cell::new(html! {
            (found.hits) " of " (numbers::count(found.answers))
            small { (found.participants) " participants, " (found.items) " exhibits" }
        }),
        Cell::new(html! {
            (numbers::percent(found.agreement))
            @if let Some(interval) = found.interval {
                small { "(" (numbers::percent(interval.low)) "–" (numbers::percent(interval.high)) ")" }
            }
        }),
        Cell::new(format!("{:+.2}", set.beyond_chance)),
        Cell::new(html! {
            (numbers::percent(found.upper_bound)) small { "chance " (numbers::percent(found.chance)) }
        }),
        Cell::new(html! {
            @match found.outcome {
                Some(outcome) => { (outcome) }
                None => { "not stated; analyze the study again" }
            }
            @if undecided {
                small { "this study could not have shown a difference: its controls do not suffice" }
            }
        }),
    ]
}
