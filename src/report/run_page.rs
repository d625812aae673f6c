//! The page of a run: the same numbers as its JSON, for people.

use maud::{Markup, html};

use super::curves::Plot;
use super::run::{BaseRate, RUBBISH, RunReport};
use super::{numbers, provenance, shell};

/// The page of a run's report: one file, nothing fetched.
pub fn run_page(report: &RunReport) -> String {
    let title = format!("{} on {}", report.emitter, report.origin.classifier.kind);
    let body = html! {
        header {
            p.kicker { "trompe · run" }
            h1 { (title) }
            p.lead {
                (numbers::count(report.evaluations)) " candidates of “" (report.origin.generator.name)
                "” were scored, of " (numbers::count(report.budget)) " allowed. Every candidate competes in all "
                (report.classes.len()) " classes; posteriors here are those of the search, before delivery to files."
            }
            (provenance::badge(&report.origin))
            (headline(report))
            (shell::facts(&report.origin, Some(&report.emitter), &report.origin.seed.to_string()))
        }
        section { h2 { "Best posterior over evaluations" } (panels(report)) }
        section { h2 { "Evaluations to a posterior" } (evaluations_table(report)) }
        @if let Some(files) = &report.out_of_reach {
            section { h2 { "Exhibits out of reach" } (out_of_reach(files)) }
        }
        section { h2 { "What chance alone reaches" } (base_rates(report)) }
        section { h2 { "Median best posterior" } (medians(report)) }
    };
    shell::document(&title, &body, None)
}

/// Exhibits that no sparse code represents.
fn out_of_reach(files: &[String]) -> Markup {
    html! {
        p.note {
            "Sparse representation asks for a code that comes as close to the sound as epsilon. Where the training "
            "clips do not span it, no code does, and the posterior is that of plain least squares."
        }
        @if files.is_empty() {
            p { "A code comes close enough to every exhibit." }
        } @else {
            p { "No code comes close enough to " (files.len()) ": " (files.join(", ")) "." }
        }
    }
}

/// Three numbers first.
fn headline(report: &RunReport) -> Markup {
    let own = report.thresholds.iter().find(|t| t.threshold == report.origin.threshold);
    let threshold = numbers::threshold(report.origin.threshold);
    html! {
        ul.tiles {
            @if let Some(own) = own {
                li {
                    strong { (own.classes_reached) " of " (report.classes.len()) }
                    "classes reached " (threshold)
                }
                li {
                    strong { (numbers::censored(own.median_evaluations, report.evaluations)) }
                    "evaluations to " (threshold) ", median over classes"
                }
            }
            @if let Some(last) = report.median_best.last() {
                li { strong { (numbers::posterior(last.posterior)) } "median best posterior at the end" }
            }
        }
    }
}

fn panels(report: &RunReport) -> Markup {
    let plot = Plot::new(report);
    let (shown, all) = plot.shown();
    html! {
        @if !all {
            p.note {
                (shown.len()) " of " (report.classes.len()) " classes, at even ranks of their best posterior. "
                "The table below has all."
            }
        }
        p.note {
            "One panel per class, the other classes behind it in grey. Evaluations grow to the right by powers of ten; "
            "posteriors are spaced by their log-odds, and the dashed line is the threshold."
        }
        div.panels {
            @for &class in shown {
                @let entry = &report.classes[class];
                figure {
                    figcaption {
                        b { (entry.label) }
                        span { (entry.best_posterior.map_or_else(|| "never the label".into(), numbers::posterior)) }
                    }
                    (plot.panel(class))
                }
            }
        }
    }
}

fn evaluations_table(report: &RunReport) -> Markup {
    html! {
        p.note {
            "A class counts where a candidate is labelled with it. "
            "“> N” means that the class had not reached it when the search ended after N evaluations. "
            "The median over classes accounts for those (Kaplan–Meier)."
        }
        div.scroll tabindex="0" role="region" aria-label="Evaluations to each posterior" {
            table.plain {
                thead {
                    tr {
                        th scope="col" { "Class" }
                        @for level in &report.thresholds { th.n scope="col" { "to " (numbers::threshold(level.threshold)) } }
                        th.n scope="col" { "Best posterior" }
                        th.n scope="col" { "at evaluation" }
                    }
                }
                tbody {
                    @for class in &report.classes {
                        tr {
                            th scope="row" { (class.label) }
                            @for reached in &class.evaluations_to {
                                td.n.open[reached.is_none()] { (numbers::censored(*reached, report.evaluations)) }
                            }
                            td.n { (class.best_posterior.map_or_else(|| "–".into(), numbers::posterior)) }
                            td.n { (class.best_evaluation.map_or_else(|| "–".into(), numbers::count)) }
                        }
                    }
                }
                tfoot {
                    tr {
                        th scope="row" { "Median" }
                        @for level in &report.thresholds {
                            td.n.open[level.median_evaluations.is_none()] { (numbers::censored(level.median_evaluations, report.evaluations)) }
                        }
                        td {} td {}
                    }
                    @if let Some(draws) = report.random_draws {
                        tr {
                            th scope="row" { "Classes reached by the first " (numbers::count(draws)) " random draws" }
                            @for level in &report.thresholds { td.n { (level.reached_in_draws.unwrap_or(0)) } }
                            td {} td {}
                        }
                    }
                    tr {
                        th scope="row" { "Coverage" }
                        @for level in &report.thresholds { td.n { (numbers::percent(level.coverage)) } }
                        td {} td {}
                    }
                }
            }
        }
    }
}

fn base_rates(report: &RunReport) -> Markup {
    let levels = report.thresholds.iter().map(|level| (level.threshold, level.base_rate));
    let rates: Vec<(f64, BaseRate)> = std::iter::once((RUBBISH, report.rubbish))
        .chain(levels)
        .filter_map(|(threshold, rate)| Some((threshold, rate?)))
        .collect();
    html! {
        @if rates.is_empty() {
            p { "Not measured: this run evaluated no random candidates." }
        } @else {
            p.note { "Share of random candidates whose label, whatever it is, has a posterior at the threshold; at 0.5, the error of the rubbish class (Goodfellow et al. 2015)." }
            div.scroll tabindex="0" role="region" aria-label="Base rates" {
                table.plain {
                    thead {
                        tr {
                            th.n scope="col" { "Threshold" }
                            th.n scope="col" { "Reached" }
                            th.n scope="col" { "of random candidates" }
                            th.n scope="col" { "Base rate" }
                            th.n scope="col" { "95 % interval (Wilson)" }
                        }
                    }
                    tbody {
                        @for (threshold, rate) in &rates {
                            tr {
                                th.n scope="row" { (numbers::threshold(*threshold)) }
                                td.n { (numbers::count(rate.reached)) }
                                td.n { (numbers::count(rate.candidates)) }
                                td.n { (numbers::percent(rate.rate)) }
                                td.n { (numbers::percent(rate.low)) " to " (numbers::percent(rate.high)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn medians(report: &RunReport) -> Markup {
    html! {
        p.note { "Median over classes of the best posterior so far, of candidates labelled with the class; a class that was no candidate's label counts as 0." }
        div.scroll tabindex="0" role="region" aria-label="Median best posterior" {
            table.plain {
                thead { tr { th.n scope="col" { "Evaluations" } th.n scope="col" { "Median best posterior" } } }
                tbody {
                    @for point in &report.median_best {
                        tr { th.n scope="row" { (numbers::count(point.evaluations)) } td.n { (numbers::posterior(point.posterior)) } }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::page::tests::{HOSTILE, outside_addresses};
    use super::super::run::tests::known;
    use super::*;

    #[test]
    fn the_page_shows_the_numbers_of_the_json() {
        let report = known();
        let page = run_page(&report);
        let json: serde_json::Value = serde_json::to_value(&report).unwrap();
        let cell = |text: &str| format!(">{text}</td>");
        for class in json["classes"].as_array().unwrap() {
            for reached in class["evaluations_to"].as_array().unwrap() {
                let text = numbers::censored(reached.as_u64(), report.evaluations);
                let text = text.replace('>', "&gt;");
                assert!(page.contains(&cell(&text)), "{text}");
            }
            let best = class["best_posterior"].as_f64().unwrap();
            assert!(page.contains(&cell(&numbers::posterior(best))));
        }
        let rate = &json["thresholds"][0]["base_rate"];
        assert_eq!(rate["reached"], 3);
        assert!(page.contains(&cell("0.30\u{202f}%")));
        let low = numbers::percent(rate["low"].as_f64().unwrap());
        let high = numbers::percent(rate["high"].as_f64().unwrap());
        assert!(page.contains(&cell(&format!("{low} to {high}"))));
        for point in json["median_best"].as_array().unwrap() {
            assert!(
                page.contains(&cell(&numbers::posterior(point["posterior"].as_f64().unwrap())))
            );
        }
    }

    #[test]
    fn a_run_without_random_candidates_says_so() {
        let mut report = known();
        assert!(!run_page(&report).contains("Not measured"));
        for level in &mut report.thresholds {
            level.base_rate = None;
        }
        assert!(run_page(&report).contains("Not measured"));
    }

    #[test]
    fn hostile_names_stay_text_and_nothing_is_fetched() {
        let mut report = known();
        report.classes[1].label = HOSTILE.into();
        report.emitter = HOSTILE.into();
        let page = run_page(&report);
        assert!(!page.contains("<script>") && !page.contains("<img"));
        assert_eq!(page.matches("</title>").count(), 1);
        assert_eq!(outside_addresses(&page), Vec::<&str>::new());
    }
}
