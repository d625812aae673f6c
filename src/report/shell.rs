//! The shell of every page: one file, own style, nothing fetched.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use trompe_base::DESIGN;

use crate::classifiers::PosteriorKind;
use crate::exhibits::{Origin, ReferenceUsed};

use super::provenance;

/// A whole page from its title, its body and an optional script.
pub(super) fn document(title: &str, body: &Markup, script: Option<&str>) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(DESIGN)) (PreEscaped(include_str!("style.css"))) }
            }
            body {
                main { (body) }
                footer { "Made by trompe " (env!("CARGO_PKG_VERSION")) "." }
                @if let Some(script) = script { script { (PreEscaped(script)) } }
            }
        }
    };
    page.into_string()
}

/// What a page's numbers depend on: classifier, corpus, generator, bank, seeds, threshold.
pub(super) fn facts(origin: &Origin, emitter: Option<&str>, seeds: &str) -> Markup {
    let classifier = &origin.classifier;
    html! {
        dl.facts {
            div { dt { "Classifier" } dd { (classifier.kind) " " code title=(classifier.sha256) { (short(&classifier.sha256)) } } }
            div { dt { "Trained on" } dd { (classifier.corpus) " (" (provenance::with_source(classifier.provenance, classifier.known_as.as_deref())) ")" } }
            div { dt { "Generator" } dd { (origin.generator.name) } }
            @if let Some(bank) = &origin.generator.bank {
                div { dt { "Bank" } dd { (bank.name) " (" (provenance::with_source(bank.provenance, None)) ") " code title=(bank.sha256) { (short(&bank.sha256)) } } }
            }
            @if let Some(emitter) = emitter { div { dt { "Emitter" } dd { (emitter) } } }
            div { dt { "Seed" } dd { (seeds) } }
            @match origin.level {
                None => div { dt { "Threshold" } dd { (super::numbers::threshold(origin.threshold)) } },
                Some(level) => div { dt { "Level" } dd { (super::numbers::threshold(level)) } },
            }
            div.wide { dt { "Genuine reference" } dd { (reference_in_words(origin.reference.as_ref())) } }
            div.wide { dt { "Posterior" } dd { (posterior_in_words(classifier.posterior_kind)) } }
        }
        details.settings {
            summary { "Generator settings" }
            pre { (serde_json::to_string_pretty(&origin.generator.settings).unwrap_or_default()) }
        }
    }
}

/// What levels are counted among.
fn reference_in_words(reference: Option<&ReferenceUsed>) -> String {
    let Some(used) = reference else { return "none: there are no levels".to_owned() };
    let items: usize = used.classes.iter().map(|class| class.items).sum();
    let how = match (used.held_out, used.biased) {
        (_, Some(true)) => "cross-fitted; its levels are BIASED",
        (true, _) => "held out of training",
        (false, Some(false)) => "cross-fitted, so that levels are approximate; no bias found",
        (false, None) => "cross-fitted, so that levels are approximate; not checked for bias",
    };
    format!("{items} rightly labelled items of {}, {how}", used.corpus)
}

fn posterior_in_words(kind: PosteriorKind) -> &'static str {
    match kind {
        PosteriorKind::LogisticOfVote => {
            "1 / (1 + exp(−2F)) of each class’ vote F; the classes need not sum to 1"
        }
        PosteriorKind::LogisticOfNormalizedVote => {
            "1 / (1 + exp(−2f)) of each class’ vote f, divided by the sum of the weights; the \
             classes need not sum to 1"
        }
        PosteriorKind::Stated => {
            "1 / (1 + exp(−x)) of the log-odds x that the model states; the classes need not sum to 1"
        }
        PosteriorKind::Softmax => "softmax; the classes sum to 1",
        PosteriorKind::Sigmoid => "sigmoid of each tag; several tags may hold of one input",
        PosteriorKind::ResidualConfidence => {
            "how much nearer than the worst class each class’ part of the sparse code comes to \
             the input, as a share of all; the classes sum to 1, the worst is 0"
        }
    }
}

/// The first digits of a hash, enough to tell two apart by eye.
fn short(sha256: &str) -> String {
    sha256.chars().take(12).collect()
}
