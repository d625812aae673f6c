//! Inline SVG: accuracy with intervals, humans against the classifier.

use maud::{Markup, PreEscaped, html};

use super::condition::ConditionReport;
use super::participants::ItemReport;

const WIDTH: f64 = 860.0;
const LEFT: f64 = 210.0;
const ROW: f64 = 38.0;

fn across(share: f64) -> f64 {
    LEFT + share.clamp(0.0, 1.0) * (WIDTH - LEFT - 30.0)
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// One line a condition: estimate, interval, chance and margin on an axis from 0 to 100 %.
pub(super) fn accuracies(conditions: &[ConditionReport]) -> Markup {
    let bottom = 14.0 + ROW * conditions.len() as f64;
    let line = |place: usize, condition: &ConditionReport| {
        let y = 14.0 + ROW * (place as f64 + 0.5);
        let (estimate, interval) = condition.headline();
        html! {
            text x="0" y=(y + 4.0) { (condition.block) ", " (condition.condition) }
            line x1=(across(condition.chance)) x2=(across(condition.chance)) y1=(y - 13.0) y2=(y + 13.0)
                stroke="currentColor" stroke-width="1.5" stroke-dasharray="3 3" {}
            line x1=(across(condition.equivalence.margin)) x2=(across(condition.equivalence.margin))
                y1=(y - 7.0) y2=(y + 7.0) stroke="currentColor" opacity=".5" {}
            line x1=(across(interval.low)) x2=(across(interval.high)) y1=(y) y2=(y)
                stroke="var(--accent)" stroke-width="4" stroke-linecap="round" opacity=".45" {}
            circle cx=(across(estimate)) cy=(y) r="6" fill="var(--accent)" {
                title { (percent(estimate)) }
            }
        }
    };
    html! {
        figure {
            div.scroll tabindex="0" { svg.wide viewBox={ "0 0 " (WIDTH) " " (bottom + 34.0) } width=(WIDTH) role="img"
                aria-label="Accuracy of each condition with its interval, beside chance" {
                @for tick in 0..=4 {
                    @let x = across(f64::from(tick) * 0.25);
                    line x1=(x) x2=(x) y1="8" y2=(bottom) stroke="currentColor" opacity=".12" {}
                    text x=(x) y=(bottom + 20.0) text-anchor="middle" { (25 * tick) " %" }
                }
                @for (place, condition) in conditions.iter().enumerate() { (line(place, condition)) }
            } }
            figcaption {
                "Dot: accuracy of the average listener on the average item; bar: its interval; "
                "dashed: chance; short tick: the margin of equivalence."
            }
        }
    }
}

/// One dot an item: the classifier's posterior across, human agreement up.
pub(super) fn against_classifier(items: &[&ItemReport]) -> Markup {
    const SIDE: f64 = 300.0;
    let x = |share: f64| 48.0 + share * SIDE;
    let y = |share: f64| 12.0 + (1.0 - share) * SIDE;
    html! {
        figure {
            svg viewBox={ "0 0 380 " (SIDE + 62.0) } width="380" role="img"
                aria-label="Human agreement with the label against the classifier's posterior, one dot an item" {
                @for tick in 0..=2 {
                    @let share = f64::from(tick) * 0.5;
                    line x1=(x(share)) x2=(x(share)) y1=(y(0.0)) y2=(y(1.0)) stroke="currentColor" opacity=".12" {}
                    line x1=(x(0.0)) x2=(x(1.0)) y1=(y(share)) y2=(y(share)) stroke="currentColor" opacity=".12" {}
                    text x=(x(share)) y=(y(0.0) + 18.0) text-anchor="middle" { (share) }
                    text x="40" y=(y(share) + 4.0) text-anchor="end" { (share) }
                }
                line x1=(x(0.0)) y1=(y(0.0)) x2=(x(1.0)) y2=(y(1.0)) stroke="currentColor" opacity=".3" stroke-dasharray="4 4" {}
                text x=(x(0.5)) y=(y(0.0) + 40.0) text-anchor="middle" { "classifier's posterior" }
                @for item in items {
                    @if let Some(posterior) = item.posterior {
                        circle cx=(x(posterior)) cy=(y(item.agreement)) r="4.5" fill="var(--accent)" opacity=".6" {
                            title { (item.item) ": posterior " (format!("{posterior:.4}")) ", people " (percent(item.agreement)) }
                        }
                    }
                }
            }
            figcaption { "Up: share of listeners who gave the label. On the diagonal, people would be as sure as the machine." }
        }
    }
}

/// Labels by answers, shaded by the share of the row.
pub(super) fn confusion(condition: &ConditionReport) -> Markup {
    let shown: Vec<(&String, &Vec<u64>)> = condition
        .classes
        .iter()
        .zip(&condition.confusion)
        .filter(|(_, counts)| counts.iter().sum::<u64>() > 0)
        .collect();
    html! {
        div.scroll tabindex="0" {
            table.heat {
                caption { "Row: label; column: answer. Shading: share of the row. Outlined: answer equals label." }
                thead {
                    tr {
                        th scope="col" { "label" }
                        @for class in &condition.classes { th scope="col" { (class) } }
                        th scope="col" { "don't know" }
                    }
                }
                tbody {
                    @for (label, counts) in shown {
                        @let total = counts.iter().sum::<u64>().max(1) as f64;
                        tr {
                            th scope="row" { (label) }
                            @for (place, &count) in counts.iter().enumerate() {
                                @let shade = 0.75 * count as f64 / total;
                                @let own = condition.classes.get(place) == Some(label);
                                td style={
                                    "background: color-mix(in srgb, var(--accent) " (format!("{:.0}", 100.0 * shade)) "%, transparent);"
                                    @if own { "outline: 1.5px solid var(--ink); outline-offset: -2px" }
                                } { (count) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A drawing of the page as a file of its own: black on white, the accent dark.
pub(super) fn standalone(drawing: &Markup) -> String {
    let style = "<style>svg{--accent:#a93c25;color:#000;background:#fff;font:13px sans-serif}\
                 text{fill:currentColor}</style>";
    let text = drawing.0.replacen('>', &format!(">{style}"), 1);
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{text}\n")
}

/// The style sheet.
pub(super) fn style() -> Markup {
    html! { style { (PreEscaped(trompe_base::DESIGN)) (PreEscaped(include_str!("page.css"))) } }
}
