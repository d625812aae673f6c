//! The page's section on grades of small impairments (BS.1116), and its drawing.

use maud::{Markup, html};

use super::bs1116::{Bs1116Condition, Bs1116Report};
use super::format::p_value;

const WIDTH: f64 = 860.0;
const LEFT: f64 = 210.0;
const ROW: f64 = 36.0;

pub(super) fn sections(reports: &[Bs1116Report], level: f64) -> Markup {
    html! { @for report in reports { (section(report, level)) } }
}

fn section(report: &Bs1116Report, level: f64) -> Markup {
    let out = report.screening.iter().filter(|listener| listener.out).count();
    html! {
        h2 { "Small impairments (BS.1116): " (report.block) }
        p {
            (report.screening.len()) " listeners gave grades. The post-screening of ITU-R BS.1116-3 leaves " (out)
            " of them out, who by a one-sided t-test of their diff-grades do not tell objects from the hidden reference."
        }
        @if report.conditions.is_empty() {
            p { "Nobody is left, so nothing can be said of the objects." }
        } @else {
            figure {
                div.scroll tabindex="0" { (drawing(&report.conditions)) }
                figcaption { "Mean diff-grades, object less hidden reference, with their " (format!("{:.0} %", 100.0 * level)) " intervals over listeners: 0 is imperceptible, -1 perceptible but not annoying, -2 slightly annoying, -3 annoying, -4 very annoying." }
            }
            div.scroll tabindex="0" { table {
                caption { "Grades from 1.0 to 5.0. Interval: Student's, over the listeners' means." }
                thead { tr {
                    th { "object" } th { "listeners" } th { "trials" } th { "object" } th { "hidden reference" } th { "diff-grade" } th { "interval" } th { "sd" }
                } }
                tbody { @for c in &report.conditions { tr {
                    td { (c.condition) } td { (c.listeners) } td { (c.trials) } td { (two(c.object)) } td { (two(c.reference)) }
                    td { (two(c.diff)) } td { @if let Some(i) = c.interval { (two(i.low)) " to " (two(i.high)) } } td { (two(c.sd)) }
                } } }
            } }
        }
        details { summary { "Post-screening of each listener" }
            div.scroll tabindex="0" { table {
                thead { tr { th { "participant" } th { "trials" } th { "mean diff-grade" } th { "t" } th { "p (one-sided)" } th { "verdict" } } }
                tbody { @for s in &report.screening { tr {
                    td { (s.participant) } td { (s.trials) } td { (two(s.mean)) }
                    td { @if let Some(t) = s.t { (two(t)) } } td { @if let Some(p) = s.p { (p_value(p)) } }
                    td.word { @if s.out { "out" } @else if s.p.is_none() { "not tested" } @else { "kept" } }
                } } }
            } }
        }
    }
}

fn two(value: f64) -> String {
    format!("{value:.2}").replace('-', "\u{2212}")
}

/// One line a condition, on an axis of diff-grades.
pub(super) fn drawing(conditions: &[Bs1116Condition]) -> Markup {
    let (low, high) = conditions.iter().fold((-4.0f64, 0.0f64), |(low, high), c| {
        let ends = c.interval.map_or((c.diff, c.diff), |i| (i.low, i.high));
        (low.min(libm::floor(ends.0)), high.max(libm::ceil(ends.1)))
    });
    let across = |diff: f64| LEFT + (diff - low) / (high - low) * (WIDTH - LEFT - 30.0);
    let bottom = 14.0 + ROW * conditions.len() as f64;
    html! {
        svg.wide xmlns="http://www.w3.org/2000/svg" viewBox={ "0 0 " (WIDTH) " " (bottom + 34.0) } width=(WIDTH)
            role="img" aria-label="Mean diff-grade of each object with its interval" {
            @for tick in low as i32..=high as i32 {
                @let x = across(f64::from(tick));
                line x1=(x) x2=(x) y1="8" y2=(bottom) stroke="currentColor" opacity=(if tick == 0 { ".5" } else { ".12" }) {}
                text x=(x) y=(bottom + 20.0) text-anchor="middle" { (tick.to_string().replace('-', "\u{2212}")) }
            }
            @for (place, c) in conditions.iter().enumerate() {
                @let y = 14.0 + ROW * (place as f64 + 0.5);
                text x="0" y=(y + 4.0) { (c.condition) }
                @if let Some(i) = c.interval {
                    line x1=(across(i.low)) x2=(across(i.high)) y1=(y) y2=(y) stroke="var(--accent)" stroke-width="4" stroke-linecap="round" opacity=".45" {}
                }
                circle cx=(across(c.diff)) cy=(y) r="6" fill="var(--accent)" { title { (two(c.diff)) } }
            }
        }
    }
}
