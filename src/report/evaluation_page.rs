//! The page of an evaluation: figures of merit, confusion, tests, and every consistent error
//! with a player, for ears to judge who is wrong.

use std::collections::BTreeMap;

use maud::{Markup, PreEscaped, html};
use trompe_corpora::Provenance;

use super::{confusion_svg, numbers, provenance, shell};
use crate::evaluation::{Assessment, Misclassified, Spread};

/// What was evaluated.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluated {
    /// Name of the kind of classifier.
    pub classifier: String,
    /// Name of the corpus.
    pub corpus: String,
    /// Where its sound comes from, if anybody said.
    pub provenance: Option<Provenance>,
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
                " never heard in training, and what it called them. Where it was wrong in every "
                "trial, listen."
            }
            @if let Some(origin) = evaluated.provenance {
                p class={ "badge " (provenance::word(origin)) } role="note" {
                    strong { "Corpus: " (provenance::word(origin)) " material" }
                }
            }
        }
        @for assessment in assessments { (section(evaluated, assessment)) }
    };
    shell::document("Who is wrong?", &body, None)
}

fn section(evaluated: &Evaluated, assessment: &Assessment) -> Markup {
    let (evaluation, chance) = (&assessment.evaluation, &assessment.against_chance);
    html! {
        section {
            h2 { "Division: " (assessment.division) }
            ul.tiles {
                li { strong { (spread(evaluation.mean_recall)) } "mean recall, "
                    (evaluation.trials.len()) " trials; guessing gives " (share(chance.chance)) }
                li { strong { (p_value(chance.p_permutation)) } "p against chance, labels permuted over excerpts "
                    (numbers::count(chance.permutations as u64)) " times; exact binomial "
                    (p_value(chance.p_binomial)) }
                li { strong { (assessment.consistency.consistent_and_persistent) }
                    "excerpts wrong in every trial with the same label, of "
                    (evaluation.excerpts.len()) }
                @if let Some(rival) = &assessment.rival {
                    li { strong { (p_value(rival.mcnemar.p)) } "p of McNemar’s exact test against "
                        (rival.kind) ", mean recall " (spread(rival.evaluation.mean_recall)) }
                }
                @if let Some(shuffled) = &assessment.shuffled_labels {
                    li { strong { (share(shuffled.mean_recall)) } "mean recall when trained on shuffled labels" }
                }
            }
            div.scroll tabindex="0" role="region" aria-label="Confusion" {
                (PreEscaped(confusion_svg(&evaluation.classes, |t, p| assessment.confused(t, p))))
            }
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

fn share(value: f64) -> String {
    format!("{value:.3}")
}

/// A p-value with two digits.
fn p_value(p: f64) -> String {
    if p < 1e-4 { format!("{p:.1e}") } else { format!("{p:.4}") }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::evaluation::told;

    #[test]
    fn every_consistent_error_has_a_player_and_nothing_else_is_fetched() {
        let evaluation = told(2, &[0, 0, 1, 1], &[[0, 1, 1, 1], [0, 1, 1, 0]]);
        let assessment = Assessment::new("grouped", evaluation, 99, 1).unwrap();
        let files = BTreeMap::from([(1, "clips/00001.wav".to_owned())]);
        let evaluated = Evaluated {
            classifier: "adaboost-mh".into(),
            corpus: "<i>corpus</i>".into(),
            provenance: Some(Provenance::Rendered),
            files,
        };
        let page = evaluation_page(&evaluated, &[assessment]);
        assert_eq!(page.matches("<audio").count(), 1);
        assert!(page.contains("src=\"./clips/00001.wav\""), "{page}");
        assert!(page.contains("class 1 2\u{202f}×"));
        assert!(!page.contains("<i>corpus"));
        // The name of SVG is no address that is fetched.
        assert_eq!(page.matches("http").count(), page.matches("xmlns=\"http://www.w3.org").count());
    }
}
