//! The page's sections on preferences and ratings.

use maud::{Markup, html};

use super::format::{p, p_value, percent, range};
use super::method::Method;
use super::preference::PreferenceReport;
use super::report::Report;

pub(super) fn preferences(report: &Report) -> Markup {
    html! { @for found in &report.preferences {
        h2 { "Preference: " (found.first) " or " (found.second) }
        p {
            @if let Some(model) = found.model.done() {
                "Share for " (found.first) " by the mixed model: " (percent(model.share)) " ("
                (range(model.interval)) "; " (p(model.p)) " against one half). "
                (verdict(found, report.plan.level)) " "
            }
            (found.chosen) " of " (found.answers) " answers are for " (found.first) "."
        }
        dl {
            dt { "block" } dd {
                (found.block) ", " (found.participants) " participants, " (found.items) " pairs, "
                (found.answers) " answers"
            }
            dt { "plain share" } dd {
                (percent(found.share))
                @if let Some(interval) = found.bootstrap { ", " (range(interval)) " resampling listeners and pairs" }
            }
            @if let Method::NotDefined(why) = &found.model { dt { "mixed model" } dd { (why) } }
            dt { "position" } dd { (percent(found.share_of_a)) " of answers are for the one played as A" }
            dt { "if answers were independent" } dd {
                (found.chosen) " of " (found.answers) ", exact " (p(found.exact_p)) ", Clopper-Pearson "
                (range(found.exact)) ". They are not, so these are too sure."
            }
        }
        details { summary { (found.pairs.len()) " pairs" }
            div.scroll tabindex="0" { table {
                thead { tr { th { "pair" } th { "for " (found.first) } th { "answers" } } }
                tbody { @for pair in &found.pairs { tr {
                    td { code { (pair.item) } } td { (pair.chosen) } td { (pair.answers) }
                } } }
            } }
        }
    } }
}

/// The two-sided test at the level at which the interval leaves one half out.
fn verdict(found: &PreferenceReport, level: f64) -> String {
    match found.model.done() {
        Some(model) if model.p > 1.0 - level => "No preference is shown.".to_owned(),
        Some(model) if model.share > 0.5 => format!("{} is preferred.", found.first),
        Some(_) => format!("{} is preferred.", found.second),
        None => String::new(),
    }
}

pub(super) fn ratings(report: &Report) -> Markup {
    html! { @if !report.ratings.is_empty() {
        h2 { "Ratings" }
        div.scroll tabindex="0" { table {
            caption { "Interval of the mean: listeners and items resampled." }
            thead { tr {
                th { "block" } th { "condition" } th { "listeners" } th { "items" } th { "median" }
                th { "quartiles" } th { "mean" } th { "interval" } th { "ratings from 1 up" }
            } }
            tbody { @for found in &report.ratings { tr {
                td.word { (found.block) } td.word { (found.condition) }
                td { (found.participants) } td { (found.items) } td { (found.median) }
                td { (found.quartiles.low) " to " (found.quartiles.high) }
                td { (format!("{:.2}", found.mean)) }
                td { @if let Some(i) = found.bootstrap { (format!("{:.2} to {:.2}", i.low, i.high)) } }
                td.word { (found.distribution.iter().map(u64::to_string).collect::<Vec<_>>().join(" ")) }
            } } }
        } }
        @if !report.rating_differences.is_empty() {
            div.scroll tabindex="0" { table {
                caption { "Differences of the mean ratings of participants who rated both. p: Wilcoxon's signed-rank test over participants, which speaks of other listeners and these items; Holm over all rows. Interval: listeners and items resampled." }
                thead { tr { th { "first" } th { "second" } th { "listeners" } th { "difference" } th { "interval" } th { "p" } th { "p (Holm)" } } }
                tbody { @for d in &report.rating_differences { tr {
                    td.word { (d.first.join(", ")) } td.word { (d.second.join(", ")) } td { (d.participants) }
                    td { (format!("{:+.2}", d.difference)) }
                    td { @if let Some(i) = d.interval { (format!("{:+.2} to {:+.2}", i.low, i.high)) } }
                    td { @if let Some(value) = d.p { (p_value(value)) } }
                    td { @if let Some(value) = d.p_holm { (p_value(value)) } }
                } } }
            } }
        }
    } }
}
