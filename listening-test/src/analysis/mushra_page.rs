//! The page's section on MUSHRA scores, and its box plots.

use maud::{Markup, html};

use super::format::p_value;
use super::mushra::{MushraCondition, MushraReport};

const WIDTH: f64 = 860.0;
const LEFT: f64 = 210.0;
const ROW: f64 = 40.0;

pub(super) fn sections(reports: &[MushraReport]) -> Markup {
    html! { @for report in reports { (section(report)) } }
}

fn section(report: &MushraReport) -> Markup {
    let out = report.screening.iter().filter(|listener| listener.out).count();
    html! {
        h2 { "Scores (MUSHRA): " (report.block) }
        p {
            (report.screening.len()) " listeners gave scores. The post-screening of ITU-R BS.1534-3 leaves " (out)
            " of them out: who scored the hidden reference below 90, or the mid-range anchor (7 kHz) above 90, on more than 15 % of the pages."
            @if !report.excused_pages.is_empty() {
                " On " (report.excused_pages.len()) " page(s) more than a quarter of the listeners scored the mid-range anchor above 90; these pages count against nobody: "
                (report.excused_pages.join(", ")) "."
            }
        }
        @if report.conditions.is_empty() {
            p { "Nobody is left, so nothing can be said of the systems." }
        } @else {
            figure {
                div.scroll tabindex="0" { (boxplots(&report.conditions)) }
                figcaption { "Box: quartiles, with the median; whiskers: the scores within 1.5 interquartile ranges; rings: scores beyond; diamond: mean." }
            }
            (conditions(report))
            (differences(report))
            (by_listener(report))
        }
        (screening(report))
    }
}

fn conditions(report: &MushraReport) -> Markup {
    html! { div.scroll tabindex="0" { table {
        caption { "Scores from 0 to 100. Interval of the mean: listeners and pages resampled." }
        thead { tr {
            th { "condition" } th { "listeners" } th { "pages" } th { "scores" } th { "median" } th { "quartiles" }
            th { "mean" } th { "interval" }
        } }
        tbody { @for c in &report.conditions { tr {
            td { (c.condition) } td { (c.listeners) } td { (c.pages) } td { (c.scores) } td { (one(c.median)) }
            td { (one(c.quartiles.low)) " to " (one(c.quartiles.high)) } td { (one(c.mean)) }
            td { @if let Some(i) = c.interval { (one(i.low)) " to " (one(i.high)) } }
        } } }
    } } }
}

fn differences(report: &MushraReport) -> Markup {
    html! { @if !report.differences.is_empty() { div.scroll tabindex="0" { table {
        caption { "Differences on the pages that a listener scored for both. Interval: listeners and pages resampled. p: Wilcoxon's signed-rank test of the listeners' mean differences, which speaks of other listeners and these pages; Holm over all rows." }
        thead { tr { th { "first" } th { "second" } th { "listeners" } th { "difference" } th { "interval" } th { "p" } th { "p (Holm)" } } }
        tbody { @for d in &report.differences { tr {
            td { (d.first) } td.word { (d.second) } td { (d.listeners) } td { (format!("{:+.1}", d.difference)) }
            td { @if let Some(i) = d.interval { (format!("{:+.1} to {:+.1}", i.low, i.high)) } }
            td { @if let Some(value) = d.p { (p_value(value)) } }
            td { @if let Some(value) = d.p_holm { (p_value(value)) } }
        } } }
    } } } }
}

fn by_listener(report: &MushraReport) -> Markup {
    let score = |condition: &MushraCondition, participant: &str| {
        let own = condition.by_listener.iter().find(|own| own.participant == participant);
        own.map(|own| one(own.mean)).unwrap_or_default()
    };
    let kept = report.screening.iter().filter(|listener| !listener.out);
    html! { details { summary { "Mean scores of each listener" }
        div.scroll tabindex="0" { table {
            thead { tr { th { "participant" } @for c in &report.conditions { th { (c.condition) } } } }
            tbody { @for listener in kept { tr {
                td { (listener.participant) }
                @for c in &report.conditions { td { (score(c, &listener.participant)) } }
            } } }
        } }
    } }
}

fn screening(report: &MushraReport) -> Markup {
    html! { details { summary { "Post-screening of each listener" }
        div.scroll tabindex="0" { table {
            thead { tr { th { "participant" } th { "hidden reference below 90" } th { "mid-range anchor above 90" } th { "verdict" } } }
            tbody { @for s in &report.screening { tr {
                td { (s.participant) } td { (s.low_references) " of " (s.pages) }
                td { (s.high_anchors) " of " (s.anchor_pages) } td.word { @if s.out { "out" } @else { "kept" } }
            } } }
        } }
    } }
}

fn one(value: f64) -> String {
    format!("{value:.1}")
}

/// One box a condition, on an axis from 0 to 100.
pub(super) fn boxplots(conditions: &[MushraCondition]) -> Markup {
    let across = |score: f64| LEFT + score / 100.0 * (WIDTH - LEFT - 30.0);
    let bottom = 14.0 + ROW * conditions.len() as f64;
    let row = |place: usize, c: &MushraCondition| {
        let y = 14.0 + ROW * (place as f64 + 0.5);
        let whisker = |from: f64, to: f64| {
            html! {
                line x1=(across(from)) x2=(across(to)) y1=(y) y2=(y) stroke="currentColor" {}
                line x1=(across(from)) x2=(across(from)) y1=(y - 6.0) y2=(y + 6.0) stroke="currentColor" {}
            }
        };
        html! {
            text x="0" y=(y + 4.0) { (c.condition) }
            (whisker(c.whiskers.low, c.quartiles.low))
            (whisker(c.whiskers.high, c.quartiles.high))
            rect x=(across(c.quartiles.low)) y=(y - 11.0) height="22"
                width=(across(c.quartiles.high) - across(c.quartiles.low))
                fill="var(--accent)" fill-opacity=".25" stroke="var(--accent)" {}
            line x1=(across(c.median)) x2=(across(c.median)) y1=(y - 11.0) y2=(y + 11.0)
                stroke="var(--accent)" stroke-width="3" { title { "median " (one(c.median)) } }
            @let x = across(c.mean);
            path d={ "M" (x - 5.0) " " (y) "L" (x) " " (y - 5.0) "L" (x + 5.0) " " (y) "L" (x) " " (y + 5.0) "z" }
                fill="currentColor" { title { "mean " (one(c.mean)) } }
            @for &outlier in &c.outliers {
                circle cx=(across(outlier)) cy=(y) r="4" fill="none" stroke="currentColor" { title { (outlier) } }
            }
        }
    };
    html! {
        svg.wide xmlns="http://www.w3.org/2000/svg" viewBox={ "0 0 " (WIDTH) " " (bottom + 34.0) } width=(WIDTH)
            role="img" aria-label="Box plots of the scores of each condition" {
            @for tick in 0..=5 {
                @let x = across(20.0 * f64::from(tick));
                line x1=(x) x2=(x) y1="8" y2=(bottom) stroke="currentColor" opacity=".12" {}
                text x=(x) y=(bottom + 20.0) text-anchor="middle" { (20 * tick) }
            }
            @for (place, c) in conditions.iter().enumerate() { (row(place, c)) }
        }
    }
}
