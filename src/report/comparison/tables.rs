//! The tables of a comparison's page.

use maud::{Markup, html};
use trompe_listening_test::analysis::Outcome;

use super::agreement::{Agreement, JudgedSet};
use super::differences::{Difference, LevelDifference};
use super::figures::colour;
use super::group::{GroupReport, Level};
use super::survival::{Survival, Transfer};
use super::times::MedianTime;
use super::{Comparison, words};
use crate::report::intervals::Share;
use crate::report::numbers;

/// A letter in the colour of its group.
pub(super) fn letter(index: usize, name: &str) -> Markup {
    html! { span.letter.(colour(index)) { (name) } }
}

fn scroll(label: &str, table: &Markup) -> Markup {
    html! { div.scroll tabindex="0" role="region" aria-label=(label) { (table) } }
}

fn share_cell(share: Option<&Share>) -> Markup {
    html! {
        @if let Some(share) = share {
            td.n { (words::share(share)) small { (words::share_interval(share)) } }
        } @else {
            td.n.open { "–" }
        }
    }
}

fn count_cell(share: Option<&Share>) -> Markup {
    html! {
        @if let Some(share) = share {
            td.n { (share.count) " of " (share.of) }
        } @else {
            td.n.open { "–" }
        }
    }
}

fn time_cell(time: &MedianTime, aimed_at: bool) -> Markup {
    html! {
        td.n.open[time.median.is_none()] {
            (words::time(time)) @if !aimed_at { sup { "†" } }
            small { (words::time_interval(time)) }
        }
    }
}

/// Base rate, coverage and evaluations of every group at every threshold.
pub(super) fn fooling_rates(comparison: &Comparison) -> Markup {
    let levels = comparison.thresholds.len();
    let table = html! {
        table.plain {
            thead {
                tr {
                    th scope="col" { "Group" }
                    th.n scope="col" { "Posterior" }
                    th.n scope="col" { "Base rate" }
                    th.n scope="col" { "Coverage" }
                    th.n scope="col" { "Evaluations to it" }
                    th.n scope="col" { "after the first draws" }
                    th.n scope="col" { "reached by these draws" }
                    th.n scope="col" { "to all classes" }
                }
            }
            @for (index, group) in comparison.groups.iter().enumerate() {
                tbody {
                    @for (place, level) in group.levels.iter().enumerate() {
                        tr {
                            @if place == 0 {
                                th scope="rowgroup" rowspan=(levels) { (letter(index, &group.name)) " " (group.emitter) }
                            }
                            td.n { "≥ " (numbers::threshold(level.threshold)) }
                            (share_cell(level.base_rate.as_ref()))
                            (coverage_cell(level))
                            (time_cell(&level.evaluations, level.aimed_at))
                            @if let Some(time) = &level.after_draws {
                                (time_cell(time, level.aimed_at))
                            } @else {
                                td.n.open { "–" }
                            }
                            (count_cell(level.in_draws.as_ref()))
                            (time_cell(&level.all_classes, level.aimed_at))
                        }
                    }
                }
            }
        }
    };
    scroll("Fooling rates", &table)
}

fn coverage_cell(level: &Level) -> Markup {
    html! {
        td.n {
            (numbers::percent(level.coverage.share())) @if level.coverage.delivered.is_none() { sup { "*" } }
            small { (words::coverage(&level.coverage)) }
        }
    }
}

/// Median best posterior at powers of ten, and the error of the rubbish class.
pub(super) fn medians(comparison: &Comparison) -> Markup {
    let mut places: Vec<u64> = comparison
        .groups
        .iter()
        .flat_map(|group| group.median_best.iter().map(|best| best.evaluations))
        .collect();
    places.sort_unstable();
    places.dedup();
    let table = html! {
        table.plain {
            thead {
                tr {
                    th scope="col" { "Group" }
                    th.n scope="col" { "Rubbish-class error" }
                    @for place in &places { th.n scope="col" { "after " (numbers::count(*place)) } }
                }
            }
            tbody {
                @for (index, group) in comparison.groups.iter().enumerate() {
                    tr {
                        th scope="row" { (letter(index, &group.name)) " " (group.emitter) }
                        (share_cell(group.rubbish.as_ref()))
                        @for place in &places { (best_cell(group, *place)) }
                    }
                }
            }
        }
    };
    scroll("Median best posterior", &table)
}

fn best_cell(group: &GroupReport, place: u64) -> Markup {
    let best = group.median_best.iter().find(|best| best.evaluations == place);
    html! {
        @if let Some(best) = best {
            td.n {
                (numbers::posterior(best.median))
                small { "(" (numbers::posterior(best.low)) "–" (numbers::posterior(best.high)) ")" }
            }
        } @else {
            td.n.open { "–" }
        }
    }
}

/// Place of the group called `name`.
fn index(comparison: &Comparison, name: &str) -> Option<usize> {
    comparison.groups.iter().position(|group| group.name == name)
}

/// Every pair of groups at every threshold.
pub(super) fn differences(comparison: &Comparison) -> Markup {
    let named = |name: &str| letter(index(comparison, name).unwrap_or(0), name);
    let table = html! {
        table.plain {
            thead {
                tr {
                    th scope="col" { "Pair" }
                    th scope="col" { "differ in" }
                    th.n scope="col" { "Posterior" }
                    th.n scope="col" { "Evaluations, first : second" }
                    th.n scope="col" { "p" }
                    th.n scope="col" { "to all classes, first : second" }
                    th.n scope="col" { "p" }
                    th.n scope="col" { "Coverage, first − second" }
                }
            }
            @for difference in &comparison.differences {
                tbody {
                    @for (place, level) in difference.levels.iter().enumerate() {
                        tr {
                            @if place == 0 {
                                th scope="rowgroup" rowspan=(difference.levels.len()) {
                                    (named(&difference.first)) " : " (named(&difference.second))
                                    small { "within " (numbers::count(difference.within)) }
                                }
                                td.wrap rowspan=(difference.levels.len()) { (difference.differ_in.join(", ")) }
                            }
                            (difference_cells(difference, level))
                        }
                    }
                }
            }
        }
    };
    scroll("Differences between groups", &table)
}

fn difference_cells(difference: &Difference, level: &LevelDifference) -> Markup {
    let points = |share: f64| {
        let rounded = libm::round(100.0 * share);
        if rounded == 0.0 { "0".to_owned() } else { format!("{rounded:+.0}").replace('-', "−") }
    };
    html! {
        td.n { "≥ " (numbers::threshold(level.threshold)) }
        @for contrast in [&level.evaluations, &level.all_classes] {
            @if let Some(contrast) = contrast {
                td.n {
                    (words::ratio(&contrast.ratio)) @if difference.per_class { sup { "‡" } }
                    small { (words::ratio_interval(contrast.interval)) }
                }
                td.n {
                    (words::p_value(contrast.p))
                    small { "Holm " (words::p_value(contrast.p_holm)) }
                }
            } @else {
                td.n.open { "chance" }
                td.n.open { "–" }
            }
        }
        td.n {
            (points(level.coverage)) " points"
            @if let Some(interval) = level.coverage_interval {
                small { "(" (points(interval.low)) " to " (points(interval.high)) ")" }
            }
        }
    }
}

/// Evaluations to the runs' own threshold in each class, of groups with the same classes.
pub(super) fn per_class(groups: &[(usize, &GroupReport)]) -> Markup {
    let Some((_, first)) = groups.first() else { return html! {} };
    let own = |group: &GroupReport| {
        group.levels.iter().position(|level| level.threshold == group.origin.threshold)
    };
    let table = html! {
        table.plain {
            thead {
                tr {
                    th scope="col" { "Class" }
                    @for (index, group) in groups { th.n scope="col" { (letter(*index, &group.name)) " " (group.emitter) } }
                }
            }
            tbody {
                @for (class, label) in first.classes.iter().enumerate() {
                    tr {
                        th scope="row" { (label) }
                        @for (_, group) in groups {
                            @if let Some(time) = own(group).and_then(|level| group.levels[level].classes.get(class)) {
                                td.n.open[time.median.is_none()] {
                                    (words::time(time))
                                    small { (time.reached) " of " (time.of) " " (words::time_interval(time)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    };
    scroll("Evaluations to the threshold in each class", &table)
}

/// What the exhibits of groups of one medium withstand, at the runs' own threshold.
pub(super) fn survival(comparison: &Comparison, groups: &[(usize, &GroupReport)]) -> Markup {
    let interventions = groups.first().map_or(&[][..], |(_, group)| &group.survival);
    let table = html! {
        table.plain {
            thead {
                tr {
                    th scope="col" { "Intervention" }
                    @for (index, group) in groups { th.n scope="col" { (letter(*index, &group.name)) " " (group.emitter) } }
                }
            }
            tbody {
                @for intervention in interventions {
                    tr {
                        th scope="row" { (intervention.intervention) }
                        @for (_, group) in groups { (survival_cell(comparison, group, &intervention.intervention)) }
                    }
                }
            }
        }
    };
    scroll("Survival", &table)
}

fn survival_cell(comparison: &Comparison, group: &GroupReport, intervention: &str) -> Markup {
    let found = group.survival.iter().find(|survival| survival.intervention == intervention);
    let own = comparison.thresholds.iter().position(|&t| t == group.origin.threshold);
    let share = |survival: &Survival| own.and_then(|level| *survival.levels.get(level)?);
    html! {
        @if let Some(why) = found.and_then(|survival| survival.skipped.as_ref()) {
            td.n.open { "not tried" small { (why) } }
        } @else if let Some((share, survival)) = found.and_then(|s| Some((share(s)?, s))) {
            td.n {
                (words::share(&share)) " of " (share.of)
                small {
                    (words::share_interval(&share))
                    @if let Some(same) = survival.same_label { ", label kept by " (same.count) " of " (same.of) }
                    @if let Some(median) = survival.median_posterior { ", median " (numbers::posterior(median)) }
                }
            }
        } @else {
            td.n.open { "–" }
        }
    }
}

/// Exhibits of one group scored by the classifier of another.
pub(super) fn transfer(comparison: &Comparison) -> Markup {
    let named = |name: &str| letter(index(comparison, name).unwrap_or(0), name);
    let own = |transfer: &Transfer| {
        let group = &comparison.groups[index(comparison, &transfer.from)?];
        comparison.thresholds.iter().position(|&t| t == group.origin.threshold)
    };
    let table = html! {
        table.plain {
            thead {
                tr {
                    th scope="col" { "Exhibits of" }
                    th scope="col" { "scored by the classifier of" }
                    th.n scope="col" { "Exhibits" }
                    th.n scope="col" { "same label" }
                    th.n scope="col" { "beyond chance" }
                    th.n scope="col" { "same label at the threshold" }
                    th.n scope="col" { "any label at the threshold" }
                }
            }
            tbody {
                @for transfer in &comparison.transfer {
                    @let level = own(transfer).unwrap_or(0);
                    tr {
                        th scope="row" { (named(&transfer.from)) }
                        td { (named(&transfer.to)) }
                        td.n { (numbers::count(transfer.exhibits)) }
                        (share_cell(transfer.same_top.as_ref()))
                        td.n { (transfer.same_top_beyond_chance.map_or_else(|| "–".into(), |s| format!("{s:+.2}"))) }
                        (share_cell(transfer.same_class.get(level).and_then(Option::as_ref)))
                        (share_cell(transfer.any_class.get(level).and_then(Option::as_ref)))
                    }
                }
            }
        }
    };
    scroll("Transfer", &table)
}

/// Human agreement of every judged fooling set, and how much its exhibits differ.
pub(super) fn agreement(comparison: &Comparison) -> Markup {
    let judged = comparison.groups.iter().enumerate();
    let judged: Vec<(usize, &GroupReport, &Agreement)> = judged
        .filter_map(|(index, group)| Some((index, group, group.agreement.as_ref()?)))
        .collect();
    let table = html! {
        table.plain {
            thead {
                tr {
                    th scope="col" { "Group" }
                    th.n scope="col" { "Seed" }
                    th.n scope="col" { "Answers equal to the label" }
                    th.n scope="col" { "Human agreement" }
                    th.n scope="col" { "beyond chance" }
                    th.n scope="col" { "at most" }
                    th scope="col" { "Outcome" }
                }
            }
            tbody {
                @for (index, group, agreement) in &judged {
                    @for set in &agreement.sets { (set_row(*index, group, set)) }
                }
            }
        }
    };
    let exhibits = html! {
        table.plain {
            thead {
                tr {
                    th scope="col" { "Group" }
                    th.n scope="col" { "Seed" }
                    th.n scope="col" { "Half of the exhibits" }
                    th.n scope="col" { "nine in ten" }
                    th.n scope="col" { "Exhibits below the margin" }
                    th.n scope="col" { "Difference to genuine controls" }
                }
            }
            tbody {
                @for (index, group, agreement) in &judged {
                    @for set in &agreement.sets { (exhibits_row(*index, group, set)) }
                }
            }
        }
    };
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
        (scroll("Human agreement", &table))
        p.note {
            "How much exhibits differ in their agreement, by the study’s mixed model: agreements of the average participant "
            "with exhibits like these, and the share of them that lies below the margin, with credible intervals. These "
            "describe the exhibits, not how many answers each one got. The difference to the genuine controls has listeners "
            "resampled together for both, items apart."
        }
        (scroll("Exhibits by people", &exhibits))
    }
}

fn exhibits_row(index: usize, group: &GroupReport, set: &JudgedSet) -> Markup {
    let found = &set.agreement;
    let spread = found.exhibit_spread.as_ref();
    let at = |share: f64| {
        let quantiles = spread.iter().flat_map(|spread| &spread.quantiles);
        quantiles
            .filter(|quantile| quantile.share == share)
            .map(|quantile| numbers::percent(quantile.accuracy))
            .collect::<String>()
    };
    let difference =
        found.controls.as_ref().and_then(|controls| controls.found.as_ref()?.difference);
    let withheld = found.controls.as_ref().is_some_and(|controls| !controls.suffice);
    html! {
        tr {
            th scope="row" { (letter(index, &group.name)) " " (group.emitter) }
            td.n { (set.seed) }
            @match spread {
                Some(spread) => {
                    td.n { (at(0.25)) "–" (at(0.75)) }
                    td.n { (at(0.05)) "–" (at(0.95)) }
                    td.n {
                        (numbers::percent(spread.below_margin))
                        small {
                            "(" (numbers::percent(spread.below_margin_interval.low)) "–"
                            (numbers::percent(spread.below_margin_interval.high)) ")"
                            @if withheld { " controls do not suffice" }
                        }
                    }
                }
                None => { td.n { "–" } td.n { "–" } td.n { "–" } }
            }
            td.n {
                @match difference {
                    Some(found) => {
                        (format!("{:+.1} points", 100.0 * found.difference))
                        small { (format!("({:+.1} to {:+.1})", 100.0 * found.interval.low, 100.0 * found.interval.high)) }
                    }
                    None => { "–" }
                }
            }
        }
    }
}

fn set_row(index: usize, group: &GroupReport, set: &JudgedSet) -> Markup {
    let found = &set.agreement;
    html! {
        tr {
            th scope="row" { (letter(index, &group.name)) " " (group.emitter) }
            td.n { (set.seed) }
            td.n { (found.hits) " of " (numbers::count(found.answers)) small { (found.participants) " participants, " (found.items) " exhibits" } }
            td.n {
                (numbers::percent(found.agreement))
                @if let Some(interval) = found.interval {
                    small { "(" (numbers::percent(interval.low)) "–" (numbers::percent(interval.high)) ")" }
                }
            }
            td.n { (format!("{:+.2}", set.beyond_chance)) }
            td.n { (numbers::percent(found.upper_bound)) small { "chance " (numbers::percent(found.chance)) } }
            td {
                @match found.outcome {
                    Some(outcome) => { (outcome) }
                    None => { "not stated; analyze the study again" }
                }
                @if found.outcome == Some(Outcome::Undecided) && found.controls.as_ref().is_some_and(|controls| !controls.suffice) {
                    small { "this study could not have shown a difference: its controls do not suffice" }
                }
            }
        }
    }
}
