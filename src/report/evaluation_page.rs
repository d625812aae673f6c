//! The page of an evaluation: figures of merit, confusion, tests, and every consistent error
//! with a player, for ears to judge who is wrong.

use std::collections::BTreeMap;

use maud::{Markup, PreEscaped, html};
use trompe_corpora::Provenance;
use trompe_statistics::Interval;

use super::{confusion_svg, genuine, numbers, provenance, shell};
use crate::evaluation::{Assessment, Intervals, Misclassified, Spread};

/// What was evaluated.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluated {
    /// Name of the kind of classifier.
    pub classifier: String,
    /// Name of the corpus.
    pub corpus: String,
    /// Where its sound comes from, if anybody said.
    pub provenance: Option<Provenance>,
    /// The published data set that this is known of; `None` if it was stated.
    pub known_as: Option<String>,
    /// For excerpts that can be listened to, the path of a file beside the page, in plain
    /// characters.
    pub files: BTreeMap<usize, String>,
}

/// The page. It fetches nothing but the files beside it.
pub fn evaluation_page(evaluated: &Evaluated, assessments: &[Assessment]) -> String {
    let body = html! {
        header {
            p.kicker { "trompe · evaluation" }
            h1 { "Who is wrong?" }
            p.lead {
                "Excerpts of " (evaluated.corpus) " that the classifier " (evaluated.classifier)
                (heard_before(assessments)) ", and what it called them. Where it was wrong in "
                "every trial, listen."
            }
            @if let Some(origin) = evaluated.provenance {
                p class={ "badge " (provenance::word(origin)) } role="note" {
                    strong { "Corpus: " (provenance::word(origin)) " material" }
                    " (" (provenance::with_source(origin, evaluated.known_as.as_deref())) ")"
                }
            }
        }
        @for assessment in assessments { (section(evaluated, assessment)) }
    };
    shell::document("Who is wrong?", &body, None)
}

/// Completes the sentence "excerpts that the classifier ...".
fn heard_before(assessments: &[Assessment]) -> &'static str {
    match assessments.iter().any(|assessment| assessment.training_items.is_some_and(|n| n > 0)) {
        true => " was in part or wholly trained on",
        false => " never heard in training",
    }
}

fn section(evaluated: &Evaluated, assessment: &Assessment) -> Markup {
    let (evaluation, chance) = (&assessment.evaluation, &assessment.against_chance);
    let both = &assessment.intervals;
    html! {
        section {
            h2 { "Division: " (assessment.division) }
            @for note in &assessment.notes { p.note role="note" { strong { "Note: " } (note) } }
            ul.tiles {
                li { strong { (spread(evaluation.mean_recall)) } "mean recall, "
                    (evaluation.trials.len()) " trials; guessing gives " (share(chance.chance))
                    (intervals(both.mean_recall)) }
                li { strong { (p_or_none(chance.p_permutation)) } "p against chance, labels permuted over excerpts "
                    (numbers::count(chance.permutations as u64)) " times; exact binomial "
                    (p_value(chance.p_binomial)) " (items independent)" }
                @if let Some(by_group) = &chance.by_group {
                    li { strong { (p_or_none(by_group.p_permutation)) } "p against chance, labels permuted over "
                        (by_group.groups) " whole groups; binomial "
                        (p_value(by_group.p_binomial)) " (by group)" }
                }
                li { strong { (assessment.consistency.consistent_and_persistent) }
                    "excerpts wrong in every trial with the same label, of "
                    (chance.excerpts) }
                @if let Some(rival) = &assessment.rival {
                    li { strong { (p_value(rival.mcnemar.p)) } "p of McNemar’s exact test against "
                        (rival.kind) ", mean recall " (spread(rival.evaluation.mean_recall))
                        " (items independent)" }
                    @if let Some(flips) = &rival.mcnemar.by_group {
                        li { strong { (p_value(flips.p)) } "p against " (rival.kind)
                            ", flipping whole groups; it has more right in "
                            (flips.second_better) " of " (flips.groups)
                            " groups, fewer in " (flips.first_better) " (by group)" }
                    }
                    li { strong { (format!("{:+.3}", rival.accuracy_difference.value)) }
                        "accuracy less that of " (rival.kind)
                        (intervals(rival.accuracy_difference.intervals)) }
                }
                @if let Some(shuffled) = &assessment.shuffled_labels {
                    li { strong { (share(shuffled.mean_recall)) } "mean recall when trained on shuffled labels" }
                }
            }
            div.scroll tabindex="0" role="region" aria-label={ "Confusion, " (assessment.division) } {
                (PreEscaped(confusion_svg(&evaluation.classes, |t, p| assessment.confused(t, p))))
            }
            h3 { "What the posterior is worth" }
            (genuine::calibration(&assessment.calibration, &format!("Calibration, {}", assessment.division)))
            @if evaluation.trials.len() > 1 { (errors(evaluated, assessment)) }
        }
    }
}

fn errors(evaluated: &Evaluated, assessment: &Assessment) -> Markup {
    let errors = assessment.consistency.consistent_errors();
    html! {
        h2 { "Wrong in every trial" }
        p.note {
            (assessment.consistency.consistent) " excerpts were wrong in all "
            (assessment.consistency.trials) " trials, "
            (assessment.consistency.consistent_and_persistent)
            " of them always with the same label; these come first, the most confident on top. "
            "Confidence is the mean posterior of the label given."
        }
        div.cards {
            @for error in errors { (error_card(evaluated, assessment, error)) }
        }
    }
}

fn error_card(evaluated: &Evaluated, assessment: &Assessment, error: &Misclassified) -> Markup {
    let evaluation = &assessment.evaluation;
    let classes = &evaluation.classes;
    let told = error.taken_for.iter().enumerate().filter(|(_, count)| **count > 0);
    let told: Vec<String> =
        told.map(|(class, count)| format!("{} {count}\u{202f}×", classes[class])).collect();
    html! {
        article.exhibit {
            h3 {
                span.number { (evaluation.excerpts[error.excerpt]) }
                span { "“" (classes[error.class]) "” called " strong { (classes[error.wrong_label]) } }
                span.posterior { (numbers::posterior(error.mean_confidence)) }
            }
            div.play {
                @match evaluated.files.get(&error.excerpt) {
                    Some(file) => audio controls preload="none" src={ "./" (file) }
                        aria-label=(evaluation.excerpts[error.excerpt]) {},
                    None => p.fine { "No sound: the evaluation was made from a features file." },
                }
            }
            div.say { p.label { "Called" } p { (told.join(", ")) } }
        }
    }
}

fn spread(figure: Spread) -> String {
    match figure.deviation {
        Some(deviation) => format!("{:.3} ± {deviation:.3}", figure.mean),
        None => format!("{:.3}", figure.mean),
    }
}

/// Both intervals, after the figure that they are of.
fn intervals(intervals: Intervals) -> String {
    let words = |interval: Option<Interval>, how: &str| {
        interval.map_or_else(String::new, |i| {
            format!("; 95\u{202f}% interval {:.3} to {:.3} ({how})", i.low, i.high)
        })
    };
    words(intervals.by_group, "by group") + &words(intervals.independent, "items independent")
}

fn p_or_none(p: Option<f64>) -> String {
    p.map_or_else(|| "–".to_owned(), p_value)
}

fn share(value: f64) -> String {
    format!("{value:.3}")
}

/// A p-value with two digits.
fn p_value(p: f64) -> String {
    if p < 1e-4 { format!("{p:.1e}") } else { format!("{p:.4}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::told;

    #[test]
    fn every_consistent_error_has_a_player_and_nothing_else_is_fetched() {
        let evaluation = told(2, &[0, 0, 1, 1], &[[0, 1, 1, 1], [0, 1, 1, 0]]);
        let mut assessment = Assessment::new("grouped", evaluation, 99, 1);
        assessment.notes.push("class <b>x</b> not tested".to_owned());
        let files = BTreeMap::from([(1, "clips/00001.wav".to_owned())]);
        let evaluated = Evaluated {
            classifier: "adaboost-mh".into(),
            corpus: "<i>corpus</i>".into(),
            provenance: Some(Provenance::Rendered),
            known_as: None,
            files,
        };
        let page = evaluation_page(&evaluated, &[assessment]);
        assert_eq!(page.matches("<audio").count(), 1);
        assert!(page.contains("src=\"./clips/00001.wav\""), "{page}");
        assert!(page.contains("class 1 2\u{202f}×"));
        assert!(!page.contains("<i>corpus"));
        assert!(page.contains("Note: </strong>class &lt;b&gt;x&lt;/b&gt; not tested"));
        assert!(page.contains("(by group)") && page.contains("(items independent)"));
        assert!(page.contains("never heard in training"));
        // Browsers do not fetch the SVG namespace.
        assert_eq!(page.matches("http").count(), page.matches("xmlns=\"http://www.w3.org").count());
    }
}
