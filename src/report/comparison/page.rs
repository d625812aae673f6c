//! The page of a comparison: one file, nothing fetched.

use maud::{Markup, PreEscaped, html};

use super::facts;
use super::figures;
use super::shown::{self, Shown};
use super::tables::{self, letter};
use super::words;
use crate::exhibits::Medium;
use crate::report::{numbers, provenance, shell};
use crate::results::comparison::{AtLevel, Comparison, GroupReport, HEADLINE};

const TITLE: &str = "How easily are they fooled?";

/// The page of a comparison, with the exhibits to show of each group.
pub fn comparison_page(comparison: &Comparison, exhibits: &[Vec<Shown>]) -> String {
    let body = html! {
        style { (PreEscaped(include_str!("comparison.css"))) }
        header {
            p.kicker { "trompe · comparison" }
            h1 { (TITLE) }
            (introduction(comparison))
            (badges(comparison))
            (tiles(comparison))
        }
        section {
            h2 { "Median best posterior over evaluations" }
            p.note {
                "Of each seed, the median over classes of the best posterior so far; the line is the median of the seeds, "
                "the band their range. Evaluations grow to the right by powers of ten, posteriors are spaced by their "
                "log-odds, and the dashed line is the threshold."
            }
            (figures::best_posterior(&comparison.groups, threshold(comparison)))
            (tables::medians(comparison))
        }
        section {
            h2 { "Classes reached over evaluations" }
            p.note {
                "Share of all classes and seeds that have reached a posterior (Kaplan–Meier: searches that ended without "
                "it count as far as they went)."
            }
            div.panels.wide {
                @for (level, threshold) in comparison.thresholds.iter().enumerate() {
                    figure {
                        figcaption { b { "posterior ≥ " (numbers::threshold(*threshold)) } }
                        (figures::reached(&comparison.groups, level))
                    }
                }
            }
        }
        (at_levels(comparison))
        section { h2 { "Fooling rates" } (fooling_notes(comparison)) (tables::fooling_rates(comparison)) }
        @if !comparison.differences.is_empty() {
            section { h2 { "Differences between groups" } (difference_notes(comparison)) (tables::differences(comparison)) }
        }
        (per_class(comparison))
        (survival(comparison))
        @if !comparison.transfer.is_empty() {
            section {
                h2 { "Transfer" }
                p.note {
                    "Exhibits made on one classifier, scored by another. “Beyond chance” is 0 where one exhibit in as many as "
                    "there are classes agrees, and 1 where all do. A level is that of the classifier that scores; exhibits of a class in "
                    "which it is undefined do not count."
                }
                (tables::transfer(comparison))
            }
        }
        (people(comparison))
        (show(comparison, exhibits))
        section { h2 { "Settings, seeds, hashes" } (facts::facts(comparison)) }
    };
    shell::document(TITLE, &body, Some(include_str!("../players.js")))
}

/// What all groups share: the scale of genuine items.
fn at_levels(comparison: &Comparison) -> Markup {
    let without: Vec<&str> = comparison
        .groups
        .iter()
        .filter(|group| group.at_levels.is_empty())
        .map(|group| group.name.as_str())
        .collect();
    html! {
        section {
            h2 { "On the scale of genuine items" }
            @if without.len() < comparison.groups.len() {
                p.note {
                    "A level is where a score stands among genuine items of the class that is given as the label: 0.5 is above half of them. "
                    "So it means the same for every classifier and for both media, as posteriors do not. Genuine items are ranked among the "
                    "items of other groups. Levels of a cross-fit are approximate; they head the page only where nested folds found no bias (train with --check-levels)."
                }
                (tables::at_levels(comparison))
                (tables::separation(comparison))
            }
            @if !without.is_empty() {
                p.note { "Without levels, because not all runs were held against one set of genuine items: " (without.join(", ")) "." }
            }
        }
    }
}

/// The level that every group has, if so, and its numbers come first.
fn headline(group: &GroupReport, all: &Comparison) -> Option<AtLevel> {
    let at = |group: &GroupReport| {
        group.at_levels.iter().find(|at| at.level == HEADLINE && at.biased == Some(false)).cloned()
    };
    all.groups.iter().all(|group| at(group).is_some()).then(|| at(group)).flatten()
}

/// What the first group's runs aim at, in words.
fn asked(comparison: &Comparison) -> String {
    let first = comparison.groups.first();
    first.map_or_else(String::new, |group| group.origin.criterion().in_words())
}

/// The threshold that the first group's runs aim at.
fn threshold(comparison: &Comparison) -> f64 {
    comparison.groups.first().map_or(0.999, |group| group.origin.threshold)
}

fn introduction(comparison: &Comparison) -> Markup {
    let runs: usize = comparison.groups.iter().map(|group| group.seeds.len()).sum();
    html! {
        p.lead {
            (runs) " searches in " (comparison.groups.len()) " groups, each a classifier, a generator and an emitter over "
            "its seeds, set side by side: how often chance alone fools a classifier, how many evaluations a search "
            "needs for the " strong { (asked(comparison)) }
            ", and what the exhibits withstand."
        }
    }
}

/// One badge for each kind of material, so that none hides behind another.
fn badges(comparison: &Comparison) -> Markup {
    let mut seen = Vec::new();
    for group in &comparison.groups {
        let kind = group.origin.provenance();
        match seen.iter_mut().find(|(other, _, _)| *other == kind) {
            Some((_, names, _)) => *names = format!("{names}, {}", group.name),
            None => seen.push((kind, group.name.clone(), group)),
        }
    }
    html! {
        @for (_, names, group) in &seen {
            p.of { "Groups " (names) }
            (provenance::badge(&group.origin))
        }
    }
}

/// The numbers of each group that say most.
fn tiles(comparison: &Comparison) -> Markup {
    html! {
        ul.tiles {
            @for (index, group) in comparison.groups.iter().enumerate() {
                li {
                    p.group { (letter(index, &group.name)) " " (group.emitter) }
                    p { (group.origin.classifier.kind) " on " (group.origin.classifier.corpus) ", " (group.origin.generator.name) }
                    @if let Some(at) = headline(group, comparison) {
                        strong { (words::time(&at.evaluations)) }
                        "evaluations to level " (numbers::threshold(at.level)) ", median of classes and seeds; random candidates at it: "
                        (at.base_rate.as_ref().map_or_else(|| "none counted".to_owned(), words::share))
                    } @else if let Some(level) = group.levels.iter().find(|l| l.threshold == group.origin.threshold) {
                        strong { (words::time(&level.evaluations)) }
                        "evaluations to " (numbers::threshold(level.threshold)) ", median of classes and seeds; "
                        (words::coverage(&level.coverage)) " reached it within " span.whole { (numbers::count(group.budget)) }
                    }
                }
            }
        }
    }
}

fn fooling_notes(comparison: &Comparison) -> Markup {
    let beyond = comparison.groups.iter().flat_map(|g| &g.levels).any(|level| !level.aimed_at);
    html! {
        p.note {
            "Base rate: random candidates, of all seeds, whose label has a posterior at the threshold, whatever class it is "
            "(95 %: Wilson’s; of tags, by resampling candidates of each seed). Coverage: pairs of a class and a seed with an exhibit, a delivered file that the classifier labels "
            "with the class at the threshold, within the budget. Evaluations: Kaplan–Meier median over classes and seeds, with "
            "the random candidates of the first generation and counted after them, and the median over seeds until the last "
            "class had it; 95 % intervals from resampling seeds. “> N”: most had not reached it when the search ended."
        }
        p.note {
            "* reached in the search; files are delivered from the runs’ own threshold up. "
            @if beyond { "† the search did not aim this high: it leaves a class that has its exhibits." }
        }
    }
}

fn difference_notes(comparison: &Comparison) -> Markup {
    html! {
        p.note {
            "How many times the evaluations of the second group the first one needs, within the smaller of their budgets; "
            "“≥” where a search ended before it reached the posterior: median over classes and seeds, and median over seeds "
            "until the last class had it. At a level, classes in which a group has it undefined do not count. “chance”: no ratio, because the random candidates that searches start from reach more "
            "than a tenth of the pairs of a class and a seed in one of the groups. Intervals (95 %) from resampling the seeds of both. p: two-sided Mann–Whitney test "
            "over seeds, below it adjusted after Holm over the tests of the pair."
            @if comparison.differences.iter().any(|difference| difference.per_class) {
                " ‡ evaluations per class, because the numbers of classes differ."
            }
        }
    }
}

/// Splits groups into runs of neighbours for which `same` holds, each with its index.
fn alike(
    groups: &[GroupReport],
    same: impl Fn(&GroupReport, &GroupReport) -> bool,
) -> Vec<Vec<(usize, &GroupReport)>> {
    let mut parts: Vec<Vec<(usize, &GroupReport)>> = Vec::new();
    for (index, group) in groups.iter().enumerate() {
        match parts.iter_mut().find(|part| same(part[0].1, group)) {
            Some(part) => part.push((index, group)),
            None => parts.push(vec![(index, group)]),
        }
    }
    parts
}

fn per_class(comparison: &Comparison) -> Markup {
    html! {
        section {
            h2 { "Class by class" }
            p.note { "Evaluations to the runs’ own threshold or level: Kaplan–Meier median over seeds, how many seeds reached it, 95 % interval." }
            @for part in alike(&comparison.groups, |a, b| a.classes == b.classes) {
                (tables::per_class(&part))
            }
        }
    }
}

fn survival(comparison: &Comparison) -> Markup {
    html! {
        @if comparison.groups.iter().any(|group| !group.survival.is_empty()) {
            section {
                h2 { "What the exhibits withstand" }
                p.note {
                    "Share of exhibits that still reach the runs’ own threshold or level when their delivered file is treated and scored "
                    "again (Wilson 95 %), and the median posterior after it. A level is kept by exhibits that have it before and after."
                }
                @for part in alike(&comparison.groups, |a, b| a.origin.medium == b.origin.medium) {
                    (tables::survival(comparison, &part))
                }
            }
        }
    }
}

fn people(comparison: &Comparison) -> Markup {
    html! {
        @if comparison.groups.iter().any(|group| group.agreement.is_some()) {
            section { h2 { "What people say" } (tables::agreement(comparison)) }
        }
    }
}

fn show(comparison: &Comparison, exhibits: &[Vec<Shown>]) -> Markup {
    html! {
        @if exhibits.iter().any(|shown| !shown.is_empty()) {
            section {
                h2 { "Exhibits side by side" }
                p.note {
                    "The best exhibit of each class: of sounds, from the first seed that has one, its first seconds; "
                    "of images, from every seed. The whole files are in the fooling sets."
                }
                @for part in alike(&comparison.groups, |a, b| a.origin.medium == b.origin.medium) {
                    div.sides {
                        @for (index, group) in &part {
                            @if let Some(shown) = exhibits.get(*index) {
                                div {
                                    h3 { (letter(*index, &group.name)) " " (group.label()) }
                                    @if group.origin.medium == Medium::Audio || !shown.is_empty() {
                                        (shown::exhibits(&group.name, shown))
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use trompe_listening_test::analysis::Outcome;

    use super::super::shown::Content;
    use super::*;
    use crate::report::page::tests::{HOSTILE, outside_addresses};
    use crate::results::comparison::tests::{comparison, judged};

    #[test]
    fn the_page_shows_the_numbers_of_the_json() {
        let comparison = comparison();
        let page = comparison_page(&comparison, &[]);
        for group in &comparison.groups {
            for level in &group.levels {
                assert!(page.contains(&words::time(&level.evaluations).replace('>', "&gt;")));
                assert!(page.contains(&words::coverage(&level.coverage)));
            }
            assert!(page.contains(&group.seeds[0].set_sha256));
        }
        let ratio = &comparison.differences[0].levels[1];
        assert!(page.contains(&words::ratio(&ratio.evaluations.unwrap().ratio)));
        assert!(page.contains(&words::p_value(ratio.all_classes.unwrap().p)));
        assert!(page.contains("no lame") && page.contains("+0.00"), "survival and transfer");
        assert!(!page.contains("What people say"), "without a study nothing is said of people");
        assert!(page.contains("badge recorded"));
    }

    #[test]
    fn hostile_names_stay_text_and_nothing_is_fetched() {
        let mut comparison = comparison();
        let group = &mut comparison.groups[0];
        group.emitter = HOSTILE.into();
        group.classes[0] = HOSTILE.into();
        group.origin.classifier.corpus = HOSTILE.into();
        group.settings = serde_json::json!({ HOSTILE: HOSTILE });
        group.seeds[0].folder = HOSTILE.into();
        let shown = Shown {
            seed: 1,
            class: 0,
            label: HOSTILE.into(),
            posterior: 0.9995,
            content: Content::Image(vec![1, 2, 3]),
        };
        let page = comparison_page(&comparison, &[vec![shown], vec![]]);
        assert_eq!(page.matches("<script>").count(), 1, "only the page's own");
        assert_eq!(page.matches("</title>").count(), 1);
        assert_eq!(page.matches("<img").count(), 1);
        assert_eq!(outside_addresses(&page), Vec::<&str>::new());
    }

    #[test]
    fn the_page_says_the_outcome_of_the_study_and_no_other() {
        let (group, mut study) = judged();
        for outcome in Outcome::ALL {
            study.fooling_sets[0].outcome = Some(outcome);
            let comparison =
                Comparison::new(std::slice::from_ref(&group), &[], Vec::new(), Some(&study));
            let page = comparison_page(&comparison, &[]);
            let table = page.split("What people say").nth(1).unwrap();
            let table = table.split("<table").nth(1).unwrap().split("</table>").next().unwrap();
            assert!(table.contains(&format!("<td>{outcome}</td>")), "{table}");
            let others = Outcome::ALL.iter().filter(|&&other| other != outcome);
            assert!(others.into_iter().all(|other| !table.contains(&format!(">{other}<"))));
            assert!(page.contains("1.90 times chance (no reason was written)"), "{page}");
        }
        study.fooling_sets[0].outcome = None;
        let comparison =
            Comparison::new(std::slice::from_ref(&group), &[], Vec::new(), Some(&study));
        assert!(comparison_page(&comparison, &[]).contains("analyze the study again"));
    }
}
