//! Genuine items beside what fools a classifier: rates, separation, calibration, and the
//! distributions of the highest scores.

use maud::{Markup, PreEscaped, html};

use super::numbers;
use super::table::{Cell, Table};
use crate::log_odds::{log_odds_from_posterior, posterior_from_log_odds};
use crate::reference::{
    Bin, CalibrationReport, Criterion, FEWEST_GROUPS_OF_CLASS, MapComparison, Rates, ReferenceKind,
    Separation, Share,
};
use crate::results::{AgainstGenuine, Distributions, LevelReport, RunReport};

/// Size of a distribution's strip in its own units.
const WIDTH: f64 = 640.0;
const STRIP: f64 = 74.0;
const LEFT: f64 = 130.0;
const AXIS: f64 = 26.0;

/// Least distance of two labels of the axis.
const TICK_ROOM: f64 = 46.0;

/// Side of a reliability diagram.
const SIDE: f64 = 240.0;

const STYLE: &str = "\
.dist{font:12px system-ui,-apple-system,'Segoe UI',Roboto,Arial,sans-serif}\
.dist text{fill:#5e5b55}.dist .name{fill:#1e1d1b;font-weight:600}.dist .base{stroke:#cfc8ba}\
.dist .of-0{fill:#4b6a8f}.dist .of-1{fill:#b9a27a}.dist .of-2{fill:#a93c25}\
.dist .mark{stroke:#a93c25;stroke-dasharray:3 3}.dist .ideal{stroke:#8a857b;stroke-dasharray:3 3}\
.dist .raw{fill:none;stroke:#b9a27a;stroke-width:2}.dist .calibrated{fill:none;stroke:#4b6a8f;stroke-width:2}\
@media(prefers-color-scheme:dark){.dist text{fill:#a7a49d}.dist .name{fill:#ebe9e4}\
.dist .base{stroke:#44464c}.dist .of-0{fill:#7fa3cf}.dist .of-1{fill:#9b8a68}.dist .of-2{fill:#ff9478}\
.dist .mark{stroke:#ff9478}.dist .calibrated{stroke:#7fa3cf}}";

/// The first section of a run's page: genuine items beside random candidates and exhibits.
pub(super) fn certainty(report: &RunReport) -> Markup {
    let Some(genuine) = &report.genuine else {
        return html! {
            section {
                h2 { "Genuine items" }
                @if let Some(why) = &report.no_levels {
                    p { "There are no levels: " (why) "." }
                } @else { p {
                    "The classifier has no genuine reference, so that there are no levels and no calibrated posterior: a high "
                    "posterior says nothing until it is known how often genuine items have one. "
                    code { "trompe reference MODEL --genuine CORPUS" } " adds one."
                } }
            }
        };
    };
    html! {
        section {
            h2 { "How certain is it of genuine items?" }
            (distributions(&genuine.distributions, report.origin.level.is_none().then_some(report.origin.threshold)))
            p { (source(genuine)) }
            (rates_table(&genuine.rates))
            p.note {
                "Random candidates: those whose label, whatever it is, reaches the posterior or the level. Genuine items are ranked "
                "among the items of other groups, so that a class of exactly " (crate::reference::FEWEST_GROUPS) " groups has no rightly "
                "labelled ones here. Intervals are by resampling groups (Wilson’s for random candidates at a posterior; candidates where a victim names tags). "
                @if !genuine.undefined.is_empty() {
                    "Left out at levels, because fewer than " (crate::reference::FEWEST_GROUPS)
                    " groups have an item that the classifier labels rightly, or that has the tag: " (genuine.undefined.join(", ")) "."
                }
            }
            (separation_table(&genuine.separation))
            p.note {
                "AUROC: how often a genuine item has the higher score; 0.5 means that the classifier is no less certain of the others. "
                "FPR95: share of the others that are accepted where 95\u{202f}% of the genuine items are. "
                @if genuine.separation.iter().any(|by| by.score == crate::results::BY_DISTANCE) {
                    "By Mahalanobis distance, the higher score is the smaller distance to the nearest class of genuine items, in the "
                    "space of mean feature vectors or of what the last layer takes."
                } @else {
                    "By Mahalanobis distance: not available. The classifier gives no embedding of an input, or one of more than "
                    (crate::reference::MOST_DIMENSIONS) " values, or its genuine items were kept without."
                }
            }
        }
    }
}

/// What else a run's page says of genuine items: levels, and what the posterior is worth.
pub(super) fn sections(report: &RunReport) -> Markup {
    let Some(genuine) = &report.genuine else { return html! {} };
    html! {
        section {
            h2 { "Evaluations to a level" }
            (levels_table(report))
        }
        section {
            h2 { "What the posterior is worth" }
            (calibration(&genuine.calibration, "Calibration"))
            p {
                @match &genuine.reliable {
                    Some(found) => {
                        "From a posterior of " strong { (numbers::posterior(found.posterior)) }
                        " on, at most " (numbers::percent(found.bound)) " of its labels of genuine items are wrong ("
                        (found.wrong) " of " (found.items) ", one item drawn of every group; one-sided 95\u{202f}% bound)."
                    }
                    None if genuine.tags => {}
                    None => {
                        "There is no posterior from which on at most 5\u{202f}% of its labels of genuine items are wrong with 95\u{202f}% confidence."
                    }
                }
            }
        }
    }
}

/// Where the items come from, and what is wrong with them.
pub(super) fn source(genuine: &AgainstGenuine) -> String {
    let source = &genuine.source;
    let how = match source.kind {
        ReferenceKind::HeldOut => {
            "held out of training and scored by the classifier itself".to_owned()
        }
        ReferenceKind::CrossFitted => format!(
            "each scored by a model that was trained without its fold of groups ({}), so that levels are approximate",
            numbers::counted(source.folds.unwrap_or(0) as u64, "fold")
        ),
    };
    let checked = match genuine.biased {
        Some(true) => {
            "; nested folds found more items at a level than there may be: the levels are BIASED"
        }
        Some(false) if source.kind == ReferenceKind::CrossFitted => "; nested folds found no bias",
        Some(false) => "",
        None => "; nested folds did not check them",
    };
    let mut text = format!(
        "{} of {} of {}, {how}{checked}.",
        numbers::counted(genuine.items as u64, "item"),
        numbers::counted(genuine.groups as u64, "group"),
        source.corpus
    );
    for note in &source.notes {
        text.push_str(&format!(" Note: {note}."));
    }
    text
}

fn share_cell(share: Share) -> Cell {
    match share {
        None => Cell::missing(),
        Some(share) => Cell::new(html! {
            (numbers::percent(share.share))
            " (" (numbers::percent(share.low)) " to " (numbers::percent(share.high)) ")"
        }),
    }
}

fn criterion_cell(at: Criterion) -> Cell {
    match at {
        Criterion::Posterior(posterior) => {
            Cell::new(html! { "posterior ≥ " (numbers::threshold(posterior)) })
        }
        Criterion::Level(level) => Cell::new(html! { "level ≥ " (numbers::threshold(level)) }),
    }
}

fn rates_table(rates: &[Rates]) -> Markup {
    let row = |rates: &Rates| {
        vec![
            criterion_cell(rates.at),
            share_cell(rates.random),
            share_cell(rates.genuine_right),
            share_cell(rates.genuine_wrong),
        ]
    };
    html! {
        (Table::new("Shares at posteriors and levels")
            .texts(["At"])
            .numbers(["random candidates", "genuine, rightly labelled", "genuine, wrongly labelled"])
            .rows(rates.iter().map(row)))
    }
}

fn separation_table(separations: &[Separation]) -> Markup {
    let row = |found: &Separation| {
        let interval = |value: f64, low: f64, high: f64| {
            Cell::new(format!("{value:.3} ({low:.3} to {high:.3})"))
        };
        vec![
            Cell::new(&found.score),
            Cell::new(&found.against),
            interval(found.auroc, found.auroc_interval.low, found.auroc_interval.high),
            interval(found.fpr95, found.fpr95_interval.low, found.fpr95_interval.high),
        ]
    };
    html! {
        (Table::new("Separation of genuine items")
            .texts(["Score", "Genuine items against"])
            .numbers(["AUROC", "FPR95"])
            .rows(separations.iter().map(row)))
    }
}

fn levels_table(report: &RunReport) -> Markup {
    let levels = &report.levels;
    let reached = |evaluations: Option<u64>| {
        Cell::new(numbers::censored(evaluations, report.evaluations)).open_if(evaluations.is_none())
    };
    let defined = |class: usize, level: &LevelReport| {
        let index = report.origin.classes.iter().position(|c| *c == report.classes[class].label);
        let limits = report.origin.reference.as_ref().and_then(|used| used.at(level.level));
        index
            .zip(limits)
            .is_some_and(|(index, limits)| limits.get(index).is_some_and(|limit| limit.is_some()))
    };
    let row = |class: usize| {
        let mut cells = vec![Cell::new(&report.classes[class].label)];
        cells.extend(levels.iter().map(|level| match defined(class, level) {
            true => reached(level.evaluations[class]),
            false => Cell::new("undefined").open_if(true),
        }));
        cells
    };
    let foot = |heading: &str, of: &dyn Fn(&LevelReport) -> Cell| {
        let mut cells = vec![Cell::new(heading)];
        cells.extend(levels.iter().map(of));
        cells
    };
    let reached_of = |level: &LevelReport| {
        Cell::new(format!("{} of {}", level.classes_reached, level.classes_defined))
    };
    html! {
        (Table::new("Evaluations to each level")
            .texts(["Class"])
            .numbers(levels.iter().map(|level| format!("to level {}", numbers::threshold(level.level))))
            .rows((0..report.classes.len()).map(row))
            .foot(foot("Median", &|level| reached(level.median_evaluations)))
            .foot(foot("Classes reached", &reached_of)))
    }
}

/// The distributions of the highest scores, over one axis of posteriors; the dashed line is the
/// posterior that exhibits were asked for.
fn distributions(found: &Distributions, threshold: Option<f64>) -> Markup {
    let width = (found.high - found.low).max(f64::MIN_POSITIVE);
    let x = |log_odds: f64| LEFT + (WIDTH - LEFT - 8.0) * (log_odds - found.low) / width;
    let height = STRIP * found.counts.len() as f64 + AXIS;
    let at = |threshold| x(log_odds_from_posterior(threshold).clamp(found.low, found.high));
    let mark = threshold.map(at);
    let ticks = [1e-6, 0.01, 0.5, 0.99, 0.9999, 1.0 - 1e-6, 1.0 - 1e-9, 1.0 - 1e-13];
    let mut shown: Vec<f64> = Vec::new();
    for tick in ticks.map(log_odds_from_posterior) {
        let room = shown.last().is_none_or(|&last| x(tick) - x(last) >= TICK_ROOM);
        if room && (found.low..=found.high).contains(&tick) {
            shown.push(tick);
        }
    }
    html! {
        figure.wide {
            svg.dist viewBox=(format!("0 0 {WIDTH} {height}")) role="img"
                aria-label="Distributions of the highest score of genuine items, random candidates and exhibits" {
                style { (PreEscaped(STYLE)) }
                @for (row, (name, counts)) in found.counts.iter().enumerate() {
                    @let base = STRIP * (row as f64 + 1.0) - 10.0;
                    @let most = counts.iter().copied().max().unwrap_or(0).max(1) as f64;
                    @let total: u64 = counts.iter().sum();
                    text.name x="0" y=(format!("{:.1}", base - 20.0)) { (name) }
                    text x="0" y=(format!("{:.1}", base - 4.0)) { (numbers::count(total)) }
                    line.base x1=(LEFT) x2=(WIDTH - 8.0) y1=(base) y2=(base) {}
                    @for (bin, &count) in counts.iter().enumerate() {
                        @if count > 0 {
                            @let bar = (STRIP - 22.0) * count as f64 / most;
                            @let step = (WIDTH - LEFT - 8.0) / counts.len() as f64;
                            rect class=(format!("of-{row}")) x=(format!("{:.1}", LEFT + step * bin as f64))
                                y=(format!("{:.1}", base - bar)) width=(format!("{:.1}", step - 1.0))
                                height=(format!("{bar:.1}")) {}
                        }
                    }
                }
                @if let Some(mark) = mark {
                    line.mark x1=(format!("{mark:.1}")) x2=(format!("{mark:.1}")) y1="0" y2=(format!("{:.1}", height - AXIS)) {}
                }
                @for tick in shown {
                    text x=(format!("{:.1}", x(tick))) y=(format!("{:.1}", height - 8.0)) text-anchor="middle" {
                        (tick_label(tick))
                    }
                }
            }
            figcaption.note {
                "The highest score of each, spaced by log-odds and labelled with posteriors"
                @if mark.is_some() { "; the dashed line is the posterior that exhibits reach" }
                "."
            }
        }
    }
}

fn tick_label(log_odds: f64) -> String {
    let rest = posterior_from_log_odds(-log_odds);
    match posterior_from_log_odds(log_odds) {
        posterior if posterior < 1e-4 => format!("10{}", superscript(libm::log10(posterior))),
        _ if rest < 1e-5 => format!("1−10{}", superscript(libm::log10(rest))),
        posterior => numbers::threshold((posterior * 1e4).round() / 1e4),
    }
}

fn superscript(exponent: f64) -> String {
    let digits = format!("{}", exponent.round() as i64);
    let raised = |digit: char| match digit {
        '-' => '⁻',
        '0' => '⁰',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        other => char::from_u32(0x2070 + (other as u32 - '0' as u32)).unwrap_or(other),
    };
    digits.chars().map(raised).collect()
}

/// What posteriors are worth, with the reliability diagram.
pub(super) fn calibration(found: &CalibrationReport, label: &str) -> Markup {
    let interval = |value: f64, interval: Option<trompe_statistics::Interval>| {
        let interval =
            interval.map_or_else(String::new, |i| format!(" ({:.3} to {:.3})", i.low, i.high));
        Cell::new(format!("{value:.3}{interval}"))
    };
    let optional = |value: Option<f64>, of: Option<trompe_statistics::Interval>| {
        value.map_or_else(Cell::missing, |value| interval(value, of))
    };
    let rows = vec![
        vec![
            Cell::new("raw, divided by the sum"),
            interval(found.nll_raw, found.nll_raw_interval),
            interval(found.ece_raw, found.ece_raw_interval),
        ],
        vec![
            Cell::new("calibrated"),
            optional(found.nll, found.nll_interval),
            optional(found.ece, found.ece_interval),
        ],
    ];
    html! {
        p {
            @match found.map() {
                Some(map) => {
                    "Calibrated posterior: " (map.formula()) " (" strong { (map) } "). "
                    (vector_scaling(found.comparison.as_ref()))
                }
                None => { "There is no calibrated posterior: no map of residual confidences is known to us." }
            }
        }
        (Table::new(label)
            .texts(["Posterior"])
            .numbers(["negative log-likelihood", "expected calibration error"])
            .rows(rows))
        p.note {
            "On " (numbers::count(found.items as u64)) " genuine items, each calibrated by a map that was fitted on other groups. "
            "A classifier that knows nothing has a negative log-likelihood of " (format!("{:.3}", found.nll_uniform)) ". "
            @if let Some(band) = found.ece_band {
                "Of perfectly calibrated classifiers with this number of items, 95\u{202f}% have an error of "
                (format!("{:.3}", band.low)) " to " (format!("{:.3}", band.high)) " (simulated, items independent). "
            }
            "Intervals are by resampling groups."
        }
        (reliability(found))
    }
}

/// Whether vector scaling was tried, and how it compares.
fn vector_scaling(comparison: Option<&MapComparison>) -> String {
    let Some(MapComparison { difference, interval }) = comparison else {
        return format!(
            "Vector scaling was not tried; it takes classes that exclude each other, with {FEWEST_GROUPS_OF_CLASS} groups \
             each."
        );
    };
    let interval = interval.map_or_else(String::new, |i| {
        format!(" (95\u{202f}% interval of the difference {:+.4} to {:+.4})", i.low, i.high)
    });
    let than = if *difference < 0.0 { "lower" } else { "higher" };
    format!(
        "On items that neither was fitted on, the negative log-likelihood of vector scaling is {:.4} {than} than that of \
         one temperature{interval}; vector scaling is taken if the interval lies below 0.",
        difference.abs()
    )
}

/// Share of right labels over the highest posterior, in bins.
fn reliability(found: &CalibrationReport) -> Markup {
    let at = |value: f64| 30.0 + (SIDE - 40.0) * value;
    let points = |bins: &[Bin]| -> String {
        let filled = bins.iter().filter(|bin| bin.items > 0);
        let point = |bin: &Bin| format!("{:.1},{:.1}", at(bin.posterior), SIDE - at(bin.right));
        filled.map(point).collect::<Vec<_>>().join(" ")
    };
    html! {
        figure {
            svg.dist viewBox=(format!("0 0 {SIDE} {SIDE}")) width=(SIDE) role="img" aria-label="Reliability diagram" {
                style { (PreEscaped(STYLE)) }
                line.base x1=(at(0.0)) x2=(at(1.0)) y1=(SIDE - at(0.0)) y2=(SIDE - at(0.0)) {}
                line.base x1=(at(0.0)) x2=(at(0.0)) y1=(SIDE - at(0.0)) y2=(SIDE - at(1.0)) {}
                line.ideal x1=(at(0.0)) x2=(at(1.0)) y1=(SIDE - at(0.0)) y2=(SIDE - at(1.0)) {}
                polyline.raw points=(points(&found.bins_raw)) {}
                polyline.calibrated points=(points(&found.bins)) {}
                text x=(at(0.0)) y=(SIDE - 12.0) text-anchor="middle" { "0" }
                text x=(at(1.0)) y=(SIDE - 12.0) text-anchor="middle" { "1" }
                text x="4" y=(SIDE - at(1.0) + 4.0) { "1" }
            }
            figcaption.note {
                "Share of right labels (upward) over the highest posterior (to the right), in 15 bins: sand, raw; blue, calibrated; dashed, what perfect "
                "calibration would give."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_read_as_posteriors() {
        let label = |posterior: f64| tick_label(log_odds_from_posterior(posterior));
        assert_eq!(label(0.5), "0.5");
        assert_eq!(label(0.99), "0.99");
        assert_eq!(label(1.0 - 1e-9), "1−10⁻⁹");
        assert_eq!(label(1e-6), "10⁻⁶");
    }
}
