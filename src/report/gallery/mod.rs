//! The first page of a site of several fooling sets: a game, and a card a set.

use maud::{Markup, html};
use serde::Serialize;

use super::address::percent_encoded;
use super::{numbers, provenance, shell};
use crate::exhibits::{Exhibit, Manifest, Medium};

const TITLE: &str = "Can you tell?";

/// Images on the card of a set.
const SHOWN: usize = 12;

/// A set in the gallery.
#[derive(Debug)]
pub struct Hung {
    /// Name of its folder, which holds `fooling-set/` and perhaps `report.html`.
    pub name: String,
    /// Its manifest.
    pub manifest: Manifest,
    /// Whether its run's report is there.
    pub report: bool,
}

impl Hung {
    /// The address of something in its folder, from the first page.
    fn address(&self, path: &str) -> String {
        percent_encoded(&format!("{}/{path}", self.name))
    }

    fn file(&self, exhibit: &Exhibit) -> String {
        self.address(&format!("fooling-set/{}", exhibit.file))
    }
}

/// One question of the game.
#[derive(Serialize)]
struct Question<'a> {
    file: String,
    image: bool,
    label: &'a str,
    posterior: String,
    /// Index of its classes in [`Game::classes`].
    set: usize,
}

/// All questions of the game.
#[derive(Serialize)]
struct Game<'a> {
    /// The classes of every set.
    classes: Vec<&'a [String]>,
    questions: Vec<Question<'a>>,
}

/// The first page of a gallery of these sets.
pub fn gallery_page(sets: &[Hung]) -> String {
    let body = html! {
        header {
            h1 { (TITLE) " " span.kicker { "trompe · gallery" } }
            p.lead {
                "A program made every sound and image here, guided by nothing but the answers of a classifier, until the "
                "classifier was sure of its label. What do you hear, and what do you see?"
            }
        }
        (game(sets))
        section {
            h2 { "All sets" }
            div.cards { @for hung in sets { (card(hung)) } }
        }
    };
    let script = concat!(include_str!("../players.js"), include_str!("game.js"));
    shell::document(TITLE, &body, Some(script))
}

/// The game; its script shows it.
fn game(sets: &[Hung]) -> Markup {
    let questions = sets.iter().enumerate().flat_map(|(set, hung)| {
        hung.manifest.exhibits.iter().map(move |exhibit| Question {
            file: hung.file(exhibit),
            image: hung.manifest.origin.medium == Medium::Image,
            label: &exhibit.label,
            posterior: numbers::posterior(exhibit.posterior),
            set,
        })
    });
    let game = Game {
        questions: questions.collect(),
        classes: sets.iter().map(|hung| hung.manifest.origin.classes.as_slice()).collect(),
    };
    html! {
        section #game.game hidden data-game=(serde_json::to_string(&game).unwrap_or_default()) {
            h2 { "What does the classifier call it?" }
            div.stage {}
            div.choices {}
            p.verdict aria-live="polite" {}
            p.note #tally {}
            button #next type="button" { "Next" }
            " "
            button #forget type="button" { "Forget my score" }
        }
    }
}

/// One set: what it is, a taste of it, and where to go.
fn card(hung: &Hung) -> Markup {
    let manifest = &hung.manifest;
    let origin = &manifest.origin;
    let reached = origin.classes.len() - manifest.unreached.len();
    html! {
        article.exhibit {
            h3 { span { (origin.classifier.kind) " on " (origin.classifier.corpus) } }
            @match origin.medium {
                Medium::Image => div.taste {
                    @for exhibit in manifest.exhibits.iter().take(SHOWN) {
                        img src=(hung.file(exhibit)) alt={ (exhibit.label) ", posterior " (numbers::posterior(exhibit.posterior)) } loading="lazy";
                    }
                },
                Medium::Audio => @if let Some(first) = manifest.exhibits.first() {
                    div.play {
                        audio controls preload="none" src=(hung.file(first)) aria-label={ "First exhibit of " (hung.name) } {}
                        p.fine { (first.label) ", posterior " (numbers::posterior(first.posterior)) ": " (first.file) }
                    }
                },
            }
            p.fine {
                (numbers::counted(manifest.exhibits.len() as u64, "exhibit")) " of " (reached) " of "
                (numbers::counted(origin.classes.len() as u64, "class")) ", "
                (origin.generator.name) ", at " (origin.criterion().in_words()) "; "
                (provenance::word(origin.provenance())) " material"
            }
            p.links {
                a href=(hung.address("fooling-set/index.html")) { "All exhibits of " (hung.name) }
                @if hung.report { " · " a href=(hung.address("report.html")) { "Report of " (hung.name) } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::page::tests::{HOSTILE, outside_addresses};
    use super::*;
    use crate::exhibits::toy;

    fn hung(name: &str, report: bool) -> Hung {
        Hung { name: name.into(), manifest: toy::manifest(), report }
    }

    #[test]
    fn every_set_is_linked_and_every_exhibit_is_a_question() {
        let sets = [hung("first", true), hung("second", false)];
        let page = gallery_page(&sets);
        assert!(page.contains("href=\"./first/fooling-set/index.html\""));
        assert!(page.contains("href=\"./first/report.html\""));
        assert!(page.contains("href=\"./second/fooling-set/index.html\""));
        assert!(!page.contains("href=\"./second/report.html\""));
        for file in ["blues-1_0.9999.txt", "rock-1_0.9996.txt"] {
            for set in ["first", "second"] {
                let question = format!("{{&quot;file&quot;:&quot;./{set}/fooling-set/{file}&quot;");
                assert!(page.contains(&question), "{page}");
            }
        }
    }

    #[test]
    fn hostile_names_stay_text_and_nothing_is_fetched() {
        let mut hostile = hung("first", true);
        hostile.manifest.origin.classes[0] = HOSTILE.into();
        hostile.manifest.exhibits[0].label = HOSTILE.into();
        hostile.manifest.origin.classifier.corpus = HOSTILE.into();
        let page = gallery_page(&[hostile]);
        assert_eq!(page.matches("<script>").count(), 1, "only the page's own");
        assert!(!page.contains("<img src=x"));
        assert_eq!(outside_addresses(&page), Vec::<&str>::new());
    }
}
