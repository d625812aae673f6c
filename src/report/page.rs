//! The page of a fooling set: `index.html`, opened from disk.

use maud::{Markup, html};

use crate::exhibits::companions::Companions;
use crate::exhibits::{Manifest, Medium, Picture, Unreached};

use super::address::percent_encoded;
use super::card::card;
use super::companion;
use super::table::{Cell, Table};
use super::{numbers, provenance, shell};

/// The page of a set, with one picture per exhibit in the manifest's order, and what there is to
/// compare with. It fetches nothing but the files of exhibits and companions beside it.
pub fn fooling_set_page(
    manifest: &Manifest,
    pictures: &[Picture],
    companions: &Companions,
) -> String {
    let things = Things::of(manifest.origin.medium);
    let body = html! {
        header {
            h1 { (things.title) " " span.kicker { "trompe · fooling set" } }
            (introduction(manifest, &things))
            (provenance::badge(&manifest.origin))
        }
        div.guess-bar {
            button #guess type="button" hidden aria-pressed="false" { "Guess first" }
            p #score aria-live="polite" hidden { "Hide the labels, and see how often you agree with the classifier." }
        }
        (class_list(manifest))
        @if manifest.origin.medium == Medium::Image { (contact_sheet(manifest)) }
        h2 #quiz hidden { "What is it?" }
        div #shuffled {}
        @for (class, label) in manifest.origin.classes.iter().enumerate() {
            @if manifest.of_class(class).next().is_some() {
                section.class id=(format!("class-{class}")) {
                    div.head {
                        h2 { (label) }
                        @if let Some(genuine) = companions.genuine.get(label) {
                            (companion::genuine_clip(label, genuine))
                        }
                    }
                    div.cards {
                        @for (index, (exhibit, picture)) in manifest.exhibits.iter().zip(pictures).enumerate() {
                            @if exhibit.class == class { (card(manifest, index, exhibit, picture, companions)) }
                        }
                    }
                }
            }
        }
        (below_threshold(manifest))
        details.made {
            summary { "How this set was made" }
            (shell::facts(&manifest.origin, None, &manifest.origin.seed.to_string()))
        }
    };
    let script = concat!(include_str!("players.js"), include_str!("page.js"));
    shell::document(things.title, &body, Some(script))
}

/// What the exhibits of a medium are called.
struct Things {
    title: &'static str,
    one: &'static str,
    classifier: &'static str,
    perceive: &'static str,
}

impl Things {
    fn of(medium: Medium) -> Self {
        match medium {
            Medium::Audio => Self {
                title: "Do you hear it?",
                one: "excerpt",
                classifier: "an audio classifier",
                perceive: "listen, and judge whether you hear it",
            },
            Medium::Image => Self {
                title: "Do you see it?",
                one: "image",
                classifier: "an image classifier",
                perceive: "look, and judge whether you see it",
            },
        }
    }
}

fn introduction(manifest: &Manifest, things: &Things) -> Markup {
    let origin = &manifest.origin;
    html! {
        p.lead {
            "A program made every " (things.one) " below, guided by nothing but the answers of "
            (things.classifier) ", until the classifier was sure. It gives each "
            (things.one) " its label "
            @match origin.level {
                None => { "with a posterior of at least " strong { (numbers::threshold(origin.threshold)) } },
                Some(level) => {
                    "and a higher score than a share of " strong { (numbers::threshold(level)) } " of the genuine items of the class has"
                },
            }
            "; " (things.perceive) "."
        }
    }
}

/// All classes, as links to their sections; those without exhibits are marked.
fn class_list(manifest: &Manifest) -> Markup {
    html! {
        nav aria-label="Classes" {
            ul.chips {
                @for (class, label) in manifest.origin.classes.iter().enumerate() {
                    @let exhibits = manifest.of_class(class).count();
                    li data-class=(label) {
                        @if exhibits > 0 {
                            a href=(format!("#class-{class}")) { (label) " " span { (exhibits) } }
                        } @else {
                            a.below href="#below" { (label) " " span { "below" } }
                        }
                    }
                }
            }
        }
    }
}

/// All images at a glance: a group a class, best first.
fn contact_sheet(manifest: &Manifest) -> Markup {
    html! {
        ul.sheet aria-label="Contact sheet" {
            @for (class, label) in manifest.origin.classes.iter().enumerate() {
                @if manifest.of_class(class).next().is_some() {
                    li {
                        a href=(format!("#class-{class}")) { (label) }
                        div {
                            @for exhibit in manifest.of_class(class) {
                                @let posterior = numbers::posterior(exhibit.posterior);
                                img src=(percent_encoded(&exhibit.file)) loading="lazy"
                                    alt={ (label) ", posterior " (posterior) } title=(posterior);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Lists the classes without an exhibit.
fn below_threshold(manifest: &Manifest) -> Markup {
    let row = |class: &Unreached| {
        let best =
            class.best_posterior.map_or_else(|| "never the label".to_owned(), numbers::posterior);
        vec![Cell::new(&class.label), Cell::new(best)]
    };
    html! {
        @if !manifest.unreached.is_empty() {
            section #below {
                h2 { "Not reached" }
                p {
                    "The search found no file that the classifier labels with one of these classes at "
                    (manifest.origin.criterion().in_words()) " or more. The best posterior is that of "
                    "candidates labelled with the class."
                }
                (Table::new("Classes not reached")
                    .texts(["Class"])
                    .numbers(["Best posterior"])
                    .rows(manifest.unreached.iter().map(row)))
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]

    use trompe_corpora::Provenance;

    use crate::exhibits::toy;
    use crate::exhibits::{Picture, Spectrogram, Waveform};

    use super::*;

    /// A class name that tries everything.
    pub(in super::super) const HOSTILE: &str =
        "</title></style></script><script>alert(1)</script><img src=x onerror=alert(1)>\"' &amp;";

    /// Every address a page mentions, in attributes, styles or scripts.
    pub(in super::super) fn outside_addresses(page: &str) -> Vec<&str> {
        // Browsers do not fetch the SVG namespace.
        page.split("http://www.w3.org/2000/svg")
            .flat_map(|part| {
                ["://", "src=\"//", "href=\"//", "url(", "@import"].map(|sign| (part, sign))
            })
            .filter_map(|(part, sign)| part.find(sign).map(|at| part.split_at(at).1))
            .collect()
    }

    fn page(manifest: &Manifest) -> String {
        page_with(manifest, &Companions::default())
    }

    fn page_with(manifest: &Manifest, companions: &Companions) -> String {
        let waveform = Waveform { envelope: vec![(-0.5, 0.5); 4], seconds: 30.0 };
        let spectrogram = Spectrogram { columns: 2, levels: vec![0.0, 0.5, 1.0, 0.5] };
        let pictures = vec![Picture::Sound { waveform, spectrogram }; manifest.exhibits.len()];
        fooling_set_page(manifest, &pictures, companions)
    }

    #[test]
    fn the_page_shows_every_exhibit_and_number_of_the_manifest() {
        let manifest = toy::manifest();
        let page = page(&manifest);
        assert_eq!(page.matches("<article").count(), manifest.exhibits.len());
        for exhibit in &manifest.exhibits {
            assert!(page.contains(&format!("src=\"./{}\"", exhibit.file)));
            for posterior in &exhibit.posteriors {
                let cell = format!("<td class=\"value\">{}</td>", numbers::posterior(*posterior));
                assert!(page.contains(&cell), "{cell}");
            }
            for part in &exhibit.descriptions {
                assert!(page.contains(&format!("<li>{part}</li>")));
            }
        }
        let below = page.split("Not reached").nth(1).unwrap();
        assert!(below.contains("jazz") && below.contains("0.8125"));
    }

    #[test]
    fn the_material_is_named_on_screen() {
        let mut manifest = toy::manifest();
        assert!(page(&manifest).contains("badge synthetic"));
        manifest.origin.classifier.provenance = Provenance::Recorded;
        assert!(page(&manifest).contains("badge rendered"), "the bank is rendered");
        manifest.origin.generator.bank = None;
        assert!(page(&manifest).contains("badge recorded"));
    }

    #[test]
    fn hostile_names_stay_text() {
        let mut manifest = toy::manifest();
        manifest.origin.classes[0] = HOSTILE.into();
        manifest.exhibits[0].label = HOSTILE.into();
        manifest.exhibits[0].descriptions = vec![HOSTILE.into()];
        manifest.exhibits[0].emitter = HOSTILE.into();
        manifest.exhibits[0].made_by = Some(HOSTILE.into());
        manifest.origin.classifier.corpus = HOSTILE.into();
        manifest.origin.generator.settings = serde_json::json!({ HOSTILE: HOSTILE });
        manifest.unreached[0].label = HOSTILE.into();
        manifest.origin.classes[2] = HOSTILE.into();
        let page = page(&manifest);
        assert_eq!(page.matches("<script>").count(), 1, "only the page's own");
        assert_eq!(page.matches("</style>").count(), 1);
        let pictures =
            page.matches("<img class=\"spectrogram\" src=\"data:image/png;base64,").count();
        assert_eq!(page.matches("<img").count(), pictures);
        assert!(page.contains("&lt;script&gt;alert(1)"));
        assert!(!page.contains("&quot;' &amp; "), "quotes and ampersands are escaped too");
    }

    #[test]
    fn nothing_outside_the_folder_is_fetched() {
        let page = page(&toy::manifest());
        assert_eq!(outside_addresses(&page), Vec::<&str>::new());
        assert_eq!(outside_addresses("<a href=\"https://x\">").len(), 1);
        for (at, _) in page.match_indices("src=\"") {
            let inside = ["src=\"./", "src=\"data:image/png;base64,"];
            let inside = inside.iter().any(|start| page[at..].starts_with(start));
            assert!(inside, "{}", &page[at..at + 40]);
        }
    }

    #[test]
    fn an_image_is_its_own_picture() {
        let mut manifest = toy::manifest();
        manifest.origin.medium = Medium::Image;
        let pictures = vec![Picture::Image; manifest.exhibits.len()];
        let page = fooling_set_page(&manifest, &pictures, &Companions::default());
        assert!(page.contains("<img src=\"./blues-1_0.9999.txt\""));
        assert!(!page.contains("<audio"));
        assert!(page.contains("Do you see it?"));
        let sheet = page.split("Contact sheet").nth(1).unwrap().split("</ul>").next().unwrap();
        assert_eq!(sheet.matches("<img").count(), manifest.exhibits.len());
    }
}
