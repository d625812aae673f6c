//! The page's section on adaptive tracks: thresholds, the tracks and the psychometric function.

use maud::{Markup, html};

use super::method::Method;
use super::staircase::{FunctionReport, StaircaseReport, TrackReport};

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 300.0;
const TOP: f64 = 24.0;
/// Left and right edges of the two panels.
const TRACKS: (f64, f64) = (56.0, 440.0);
const FUNCTION: (f64, f64) = (520.0, 840.0);

pub(super) fn sections(reports: &[StaircaseReport]) -> Markup {
    html! { @for report in reports { (section(report)) } }
}

fn section(report: &StaircaseReport) -> Markup {
    let settings = &report.settings;
    html! {
        h2 { "Threshold (staircase): " (report.block) ", " (name(report)) }
        p {
            (settings.intervals) " intervals, " (String::from(settings.rule)) ", which hovers at "
            (format!("{:.1} %", 100.0 * report.target)) " right answers; guessing reaches "
            (format!("{:.1} %", 100.0 * settings.chance())) ". " (report.tracks.len()) " track(s)."
        }
        figure {
            div.scroll tabindex="0" { (drawing(report)) }
            figcaption {
                "Left: the tracks; the first that ran to its end is drawn strongly, with a ring at each reversal, filled where it is averaged; a cross is a wrong answer. "
                "Right: share of right answers to each strength, larger dots for more answers, with the psychometric function; dashed: guessing; dotted: target of the rule."
            }
        }
        dl {
            dt { "mean of the tracks" } dd {
                @match &report.mean {
                    Method::Done(mean) => {
                        (with_unit(report, mean.mean)) " (" (number(mean.interval.low)) " to " (number(mean.interval.high))
                        "), standard deviation " (number(mean.sd)) " between " (mean.participants) " participants"
                    }
                    Method::NotDefined(why) => { (why) }
                }
            }
            @match &report.function {
                Method::Done(f) => { (fitted(report, f)) }
                Method::NotDefined(why) => { dt { "psychometric function" } dd { (why) } }
            }
        }
        (tracks(report))
    }
}

fn fitted(report: &StaircaseReport, f: &FunctionReport) -> Markup {
    let (wanted, defined) = f.resamples;
    html! {
        dt { "at the target" } dd {
            @match f.at_target {
                Some(at) => { (with_unit(report, at)) (range(f.at_target_interval)) " by the psychometric function" }
                None => { "the psychometric function does not reach it" }
            }
        }
        dt { "half-way" } dd {
            (with_unit(report, f.threshold)) (range(f.threshold_interval)) ", half-way between guessing and the best"
        }
        dt { "slope" } dd {
            (number(f.slope)) (range(f.slope_interval)) " in log-odds per unit; lapse rate " (format!("{:.1} %", 100.0 * f.lapse))
        }
        @if wanted > 0 {
            dt { "intervals" } dd {
                (f.participants) " participants resampled " (wanted) " times; " (defined) " of the resamples have a threshold"
            }
        }
    }
}

fn tracks(report: &StaircaseReport) -> Markup {
    html! { details { summary { "Each track" }
        div.scroll tabindex="0" { table {
            thead { tr {
                th { "participant" } th { "trials" } th { "reversals" } th { "averaged" } th { "threshold" } th { "sd" } th { "ran to its end" }
                th { "held at an end" }
            } }
            tbody { @for t in &report.tracks { tr {
                td { (t.participant) } td { (t.trials.len()) } td { (t.reversals.len()) } td { (t.averaged) }
                @match &t.threshold {
                    Method::Done(threshold) => { td { (number(*threshold)) } td { @if let Some(sd) = t.sd { (number(sd)) } } }
                    Method::NotDefined(why) => { td.word colspan="2" { (why) } }
                }
                td { @if t.complete { "yes" } @else { "no" } } td { (t.held_at_end) }
            } } }
        } }
    } }
}

/// The name after `staircase:`.
pub(super) fn name(report: &StaircaseReport) -> &str {
    report.condition.split_once(':').map_or(&report.condition, |(_, name)| name)
}

fn with_unit(report: &StaircaseReport, value: f64) -> String {
    format!("{} {}", number(value), report.settings.unit).trim_end().to_owned()
}

fn number(value: f64) -> String {
    format!("{value:.2}").replace('-', "\u{2212}")
}

fn range(interval: Option<trompe_statistics::Interval>) -> String {
    interval.map_or(String::new(), |i| format!(" ({} to {})", number(i.low), number(i.high)))
}

/// Lowest and highest of some numbers, apart where they are equal.
fn span(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    if low < high { (low, high) } else { (low - 1.0, high + 1.0) }
}

/// Five round ticks or so within a span.
fn ticks((low, high): (f64, f64)) -> Vec<f64> {
    let rough = (high - low) / 5.0;
    let power = libm::pow(10.0, libm::floor(libm::log10(rough)));
    let step = [1.0, 2.0, 5.0, 10.0].map(|m| m * power).into_iter().find(|&step| step >= rough);
    let step = step.unwrap_or(rough);
    let first = libm::ceil(low / step - 1e-9) as i64;
    let last = libm::floor(high / step + 1e-9) as i64;
    (first..=last).map(|n| n as f64 * step).collect()
}

/// A tick's number without digits that say nothing.
fn tick(value: f64) -> String {
    let text = format!("{value:.6}");
    text.trim_end_matches('0').trim_end_matches('.').replace('-', "\u{2212}")
}

/// Tracks on the left, the psychometric function on the right.
pub(super) fn drawing(report: &StaircaseReport) -> Markup {
    let strengths = span(report.levels.iter().map(|level| level.strength));
    let down = |share: f64| TOP + (1.0 - share) * HEIGHT;
    let within = |value: f64| (value - strengths.0) / (strengths.1 - strengths.0);
    let longest = report.tracks.iter().map(|t| t.trials.len()).max().unwrap_or(1).max(2);
    let along = |trial: usize| {
        TRACKS.0 + 8.0 + (TRACKS.1 - TRACKS.0 - 16.0) * trial as f64 / (longest - 1) as f64
    };
    let across = |value: f64| FUNCTION.0 + 8.0 + (FUNCTION.1 - FUNCTION.0 - 16.0) * within(value);
    let main = report.tracks.iter().find(|t| t.complete).or(report.tracks.first());
    let path = |track: &TrackReport| {
        let points = track.trials.iter().enumerate().map(|(place, trial)| {
            format!("{:.1},{:.1}", along(place), down(within(trial.strength)))
        });
        points.collect::<Vec<_>>().join(" ")
    };
    let unit = match report.settings.unit.as_str() {
        "" => "strength".to_owned(),
        unit => format!("strength ({unit})"),
    };
    let trials = ticks((1.0, longest as f64));
    html! {
        svg.wide xmlns="http://www.w3.org/2000/svg" viewBox={ "0 0 " (WIDTH) " " (TOP + HEIGHT + 48.0) } width=(WIDTH)
            role="img" aria-label="Tracks with their reversals, and the psychometric function" {
            @for value in ticks(strengths) {
                @let y = down(within(value));
                line x1=(TRACKS.0) x2=(TRACKS.1) y1=(y) y2=(y) stroke="currentColor" opacity=".12" {}
                text x=(TRACKS.0 - 6.0) y=(y + 4.0) text-anchor="end" { (tick(value)) }
                @let x = across(value);
                line x1=(x) x2=(x) y1=(down(1.0)) y2=(down(0.0)) stroke="currentColor" opacity=".12" {}
                text x=(x) y=(down(0.0) + 18.0) text-anchor="middle" { (tick(value)) }
            }
            @for value in trials.iter().filter(|value| **value >= 1.0 && value.fract() == 0.0) {
                text x=(along(*value as usize - 1)) y=(down(0.0) + 18.0) text-anchor="middle" { (tick(*value)) }
            }
            text x="0" y="12" { (unit) }
            text x=((TRACKS.0 + TRACKS.1) / 2.0) y=(down(0.0) + 40.0) text-anchor="middle" { "trial" }
            text x=((FUNCTION.0 + FUNCTION.1) / 2.0) y=(down(0.0) + 40.0) text-anchor="middle" { (unit) }
            text x=(FUNCTION.0 - 40.0) y="12" { "right answers" }
            @for track in &report.tracks {
                polyline points=(path(track)) fill="none" stroke="currentColor" opacity=".15" {}
            }
            @if let Some(track) = main {
                polyline points=(path(track)) fill="none" stroke="var(--accent)" stroke-width="2" {}
                @for (place, trial) in track.trials.iter().enumerate().filter(|(_, trial)| !trial.right) {
                    @let (x, y) = (along(place), down(within(trial.strength)));
                    path d={ "M" (x - 3.0) " " (y - 3.0) "l6 6m0 -6l-6 6" } stroke="currentColor" fill="none" {}
                }
                @for (count, &place) in track.reversals.iter().enumerate() {
                    @let averaged = count + track.averaged >= track.reversals.len();
                    circle cx=(along(place)) cy=(down(within(track.trials[place].strength))) r="5.5"
                        fill=(if averaged { "var(--accent)" } else { "none" }) fill-opacity=".6" stroke="var(--accent)" {
                        title { "reversal at " (tick(track.trials[place].strength)) }
                    }
                }
            }
            @for tenth in [0, 2, 4, 6, 8, 10] {
                @let y = down(f64::from(tenth) / 10.0);
                line x1=(FUNCTION.0) x2=(FUNCTION.1) y1=(y) y2=(y) stroke="currentColor" opacity=".12" {}
                text x=(FUNCTION.0 - 6.0) y=(y + 4.0) text-anchor="end" { (10 * tenth) " %" }
            }
            @for (share, dash) in [(report.settings.chance(), "6 4"), (report.target, "2 4")] {
                line x1=(FUNCTION.0) x2=(FUNCTION.1) y1=(down(share)) y2=(down(share)) stroke="currentColor" stroke-dasharray=(dash) {}
            }
            @for level in &report.levels {
                @let share = level.right as f64 / level.answers.max(1) as f64;
                circle cx=(across(level.strength)) cy=(down(share)) r=(format!("{:.1}", (1.5 + 0.6 * libm::sqrt(level.answers as f64)).min(10.0)))
                    fill="var(--accent)" fill-opacity=".45" {
                    title { (tick(level.strength)) ": " (level.right) " of " (level.answers) " right" }
                }
            }
            @if let Some(f) = report.function.done() { (curve(report, f, strengths, &across, &down)) }
        }
    }
}

/// The psychometric function with its strength at the target.
fn curve(
    report: &StaircaseReport,
    f: &FunctionReport,
    strengths: (f64, f64),
    across: &dyn Fn(f64) -> f64,
    down: &dyn Fn(f64) -> f64,
) -> Markup {
    let point = |step: i32| {
        let strength = strengths.0 + (strengths.1 - strengths.0) * f64::from(step) / 100.0;
        format!("{:.1},{:.1}", across(strength), down(f.right(&report.settings, strength)))
    };
    let points = (0..=100).map(point).collect::<Vec<_>>().join(" ");
    let inside = |at: &f64| (strengths.0..=strengths.1).contains(at);
    html! {
        polyline points=(points) fill="none" stroke="var(--accent)" stroke-width="2" {}
        @if let Some(at) = f.at_target.filter(inside) {
            @let (x, y) = (across(at), down(report.target));
            line x1=(x) x2=(x) y1=(y) y2=(down(0.0)) stroke="var(--accent)" {}
            @if let Some(interval) = f.at_target_interval {
                line x1=(across(interval.low.clamp(strengths.0, strengths.1))) x2=(across(interval.high.clamp(strengths.0, strengths.1)))
                    y1=(y) y2=(y) stroke="var(--accent)" stroke-width="5" stroke-linecap="round" opacity=".5" {}
            }
        }
    }
}
