//! The page of a run: the same numbers as its JSON, for people.

use maud::{Markup, html};

use super::address::percent_encoded;
use super::curves::Plot;
use super::table::{Cell, Table};
use super::terminal::level_of;
use super::{genuine, numbers, provenance, shell};
use crate::log_odds::Labelling;
use crate::results::Probe;
use crate::results::run::{BaseRate, ClassReport, MedianBest, RUBBISH, RunReport, ThresholdReport};

/// The page of the run's fooling set, from the page of the run.
const SET: &str = "./fooling-set/index.html";

/// A link from the page of a run to another page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The other page's path from the run's folder.
    pub to: String,
    /// What it says there.
    pub text: String,
}

/// The page of a run's report, with `links` to pages beside it: one file, nothing fetched.
pub fn run_page(report: &RunReport, links: &[Link]) -> String {
    let title = format!("{} on {}", report.emitter, report.origin.classifier.kind);
    let body = html! {
        header {
            h1 { (title) " " span.kicker { "trompe · run" } }
            p.lead {
                (numbers::count(report.evaluations)) " candidates of “" (report.origin.generator.name)
                "” were scored, of " (numbers::count(report.budget)) " allowed. Every candidate competes in all "
                (report.classes.len()) " classes; posteriors here are those of the search, before delivery to files."
            }
            (provenance::badge(&report.origin))
            (headline(report))
            @if let Some(shared) = &report.shared_sources { p.note { (shared) "." } }
            p.links {
                a href=(SET) { "See or hear the fooling set" }
                @for link in links { " · " a href=(percent_encoded(&link.to)) { (link.text) } }
            }
        }
        (genuine::certainty(report))
        section { h2 { "Best posterior over evaluations" } (panels(report)) }
        section { h2 { "Evaluations to a posterior" } (evaluations_table(report)) }
        @if let Some(files) = &report.out_of_reach {
            section { h2 { "Exhibits out of reach" } (out_of_reach(files)) }
        }
        section { h2 { "What chance alone reaches" } (base_rates(report)) }
        (genuine::sections(report))
        @if !report.probes.is_empty() {
            section { h2 { "What it calls noise, silence and music taken apart" } (probes(&report.probes)) }
        }
        section { h2 { "Median best posterior" } (medians(report)) }
        details.made {
            summary { "How this run was made" }
            (shell::facts(&report.origin, Some(&report.emitter), &report.origin.seed.to_string()))
        }
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
    let asked = report.origin.level;
    let own = report
        .thresholds
        .iter()
        .find(|t| asked.is_none() && t.threshold == report.origin.threshold);
    let own_level = report.levels.iter().find(|level| asked == Some(level.level));
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
            @if let Some(own) = own_level {
                li {
                    strong { (own.classes_reached) " of " (own.classes_defined) }
                    "classes reached level " (own.level)
                }
                li {
                    strong { (numbers::censored(own.median_evaluations, report.evaluations)) }
                    "evaluations to level " (own.level) ", median over classes"
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
    let levels = &report.thresholds;
    let reached = |evaluations: Option<u64>| {
        Cell::new(numbers::censored(evaluations, report.evaluations)).open_if(evaluations.is_none())
    };
    let row = |class: &ClassReport| {
        let mut cells = vec![Cell::new(&class.label)];
        cells.extend(class.evaluations_to.iter().map(|&evaluations| reached(evaluations)));
        cells.push(class.best_posterior.map_or_else(Cell::missing, posterior));
        cells.push(class.best_evaluation.map_or_else(Cell::missing, count));
        cells
    };
    let foot = |heading: String, of: &dyn Fn(&ThresholdReport) -> Cell| {
        let mut cells = vec![Cell::new(heading)];
        cells.extend(levels.iter().map(of));
        cells.extend([Cell::empty(), Cell::empty()]);
        cells
    };
    let mut table = Table::new("Evaluations to each posterior")
        .texts(["Class"])
        .numbers(levels.iter().map(|level| format!("to {}", numbers::threshold(level.threshold))))
        .numbers(["Best posterior", "at evaluation"])
        .rows(report.classes.iter().map(row))
        .foot(foot("Median".to_owned(), &|level| reached(level.median_evaluations)));
    if let Some(draws) = report.random_draws {
        let heading =
            format!("Classes reached by the first {} random draws", numbers::count(draws));
        table = table.foot(foot(heading, &|level| Cell::new(level.reached_in_draws.unwrap_or(0))));
    }
    table = table
        .foot(foot("Coverage".to_owned(), &|level| Cell::new(numbers::percent(level.coverage))));
    html! {
        p.note {
            "A class counts where a candidate is labelled with it. "
            "“> N” means that the class had not reached it when the search ended after N evaluations. "
            "The median over classes accounts for those (Kaplan–Meier)."
        }
        (table)
    }
}

fn posterior(value: f64) -> Cell {
    Cell::new(numbers::posterior(value))
}

fn count(value: u64) -> Cell {
    Cell::new(numbers::count(value))
}

fn base_rates(report: &RunReport) -> Markup {
    let levels = report.thresholds.iter().map(|level| (level.threshold, level.base_rate));
    let rates: Vec<(f64, BaseRate)> = std::iter::once((RUBBISH, report.rubbish))
        .chain(levels)
        .filter_map(|(threshold, rate)| Some((threshold, rate?)))
        .collect();
    let row = |(threshold, rate): &(f64, BaseRate)| {
        let interval = [rate.low, rate.high].map(numbers::percent).join(" to ");
        vec![
            Cell::new(numbers::threshold(*threshold)),
            count(rate.reached),
            count(rate.candidates),
            Cell::new(numbers::percent(rate.rate)),
            Cell::new(interval),
        ]
    };
    let (of, note) = match report.origin.labelling() {
        Labelling::Single => (
            "of random candidates",
            "Share of random candidates whose label, whatever it is, has a posterior at the threshold; at 0.5, the error of the rubbish class (Goodfellow et al. 2015). Intervals are Wilson’s.",
        ),
        Labelling::Multi => (
            "of pairs",
            "Share of pairs of a random candidate and a tag whose posterior is at the threshold: the mean over tags. Intervals are by resampling candidates, because the tags of one candidate stand or fall together.",
        ),
    };
    html! {
        @if rates.is_empty() {
            p { "Not measured: this run evaluated no random candidates." }
        } @else {
            p.note { (note) }
            (Table::new("Base rates")
                .numbers(["Threshold", "Reached", of, "Base rate", "95 % interval"])
                .rows(rates.iter().map(row)))
        }
    }
}

/// What the classifier calls inputs without content, and a genuine item taken apart.
fn probes(probes: &[Probe]) -> Markup {
    let row = |of: &Probe| {
        let label = of.answer.label.as_deref();
        vec![
            Cell::new(&of.probe),
            label.map_or_else(|| Cell::new("none (a tie)").open_if(true), Cell::new),
            posterior(of.answer.posterior),
            of.answer.calibrated.map_or_else(Cell::missing, posterior),
            Cell::new(level_of(&of.answer)).open_if(of.answer.level.is_none()),
        ]
    };
    let item = probes.iter().find_map(|probe| probe.item.as_deref());
    html! {
        @if let Some(item) = item {
            p.note { "The genuine item is " (item) " of the model's reference." }
        }
        (Table::new("Probes")
            .texts(["Probe", "Label"])
            .numbers(["Posterior", "Calibrated", "Level"])
            .rows(probes.iter().map(row)))
    }
}

fn medians(report: &RunReport) -> Markup {
    let row = |point: &MedianBest| vec![count(point.evaluations), posterior(point.posterior)];
    html! {
        p.note { "Median over classes of the best posterior so far, of candidates labelled with the class; a class that was no candidate's label counts as 0." }
        (Table::new("Median best posterior")
            .numbers(["Evaluations", "Median best posterior"])
            .rows(report.median_best.iter().map(row)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::page::tests::{HOSTILE, outside_addresses};
    use super::*;
    use crate::results::run::tests::known;

    #[test]
    fn the_page_shows_the_numbers_of_the_json() {
        let report = known();
        let page = run_page(&report, &[]);
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
        assert_eq!(rate["reached"], 1);
        assert!(page.contains(&cell("5.0\u{202f}%")));
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
        assert!(!run_page(&report, &[]).contains("Not measured"));
        for level in &mut report.thresholds {
            level.base_rate = None;
        }
        report.rubbish = None;
        assert!(run_page(&report, &[]).contains("Not measured"));
    }

    #[test]
    fn pages_beside_the_run_are_linked() {
        let links =
            [Link { to: "../my evaluation/index.html".to_owned(), text: "Its <model>".to_owned() }];
        let page = run_page(&known(), &links);
        let link = "<a href=\"./../my%20evaluation/index.html\">Its &lt;model&gt;</a>";
        assert!(page.contains(link), "{page}");
        assert_eq!(outside_addresses(&page), Vec::<&str>::new());
    }

    #[test]
    fn hostile_names_stay_text_and_nothing_is_fetched() {
        let mut report = known();
        report.classes[1].label = HOSTILE.into();
        report.emitter = HOSTILE.into();
        let page = run_page(&report, &[]);
        assert!(!page.contains("<script>") && !page.contains("<img"));
        assert_eq!(page.matches("</title>").count(), 1);
        assert_eq!(outside_addresses(&page), Vec::<&str>::new());
    }
}
