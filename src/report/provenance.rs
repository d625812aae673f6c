//! Where material comes from, in words: real and synthetic are never mixed up.

use maud::{Markup, html};
use trompe_corpora::Provenance;

use crate::exhibits::Origin;

/// One word.
pub(super) fn word(provenance: Provenance) -> &'static str {
    match provenance {
        Provenance::Recorded => "recorded",
        Provenance::Rendered => "rendered",
        Provenance::Synthetic => "synthetic",
    }
}

/// The badge on top of a page, as loud as the material is artificial.
pub(super) fn badge(origin: &Origin) -> Markup {
    let provenance = origin.provenance();
    let (title, text) = match provenance {
        Provenance::Recorded => ("Recorded material", "Corpus and bank are recordings."),
        Provenance::Rendered => (
            "Rendered material",
            "Human-written music played by a synthesizer, not recordings, is part of the corpus or the bank.",
        ),
        Provenance::Synthetic => (
            "Synthetic material",
            "The corpus or the bank was made by the built-in synthesizer, for tests and offline trials only. Nothing on this page says anything about real music.",
        ),
    };
    html! {
        p class={ "badge " (word(provenance)) } role="note" { strong { (title) } " " (text) }
    }
}
