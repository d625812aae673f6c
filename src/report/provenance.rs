//! Names for the provenance of sound and images: recorded, rendered, synthetic.

use maud::{Markup, html};
use trompe_corpora::Provenance;

use crate::exhibits::{Medium, Origin};

/// One word.
pub(super) fn word(provenance: Provenance) -> &'static str {
    match provenance {
        Provenance::Recorded => "recorded",
        Provenance::Rendered => "rendered",
        Provenance::Synthetic => "synthetic",
        Provenance::Unstated => "unstated",
    }
}

/// The word, and who says so: what is known of a published data set, or whoever made the corpus.
pub(super) fn with_source(provenance: Provenance, known_as: Option<&str>) -> String {
    let word = word(provenance);
    match (provenance, known_as) {
        (Provenance::Unstated, _) => word.to_owned(),
        (_, Some(data_set)) => format!("{word}: what is known of {data_set}"),
        (_, None) => format!("{word}: stated with it"),
    }
}

/// The badge on top of a page, as loud as the material is artificial.
pub(super) fn badge(origin: &Origin) -> Markup {
    let provenance = origin.provenance();
    let title = match provenance {
        Provenance::Recorded => "Recorded material",
        Provenance::Rendered => "Rendered material",
        Provenance::Synthetic => "Synthetic material",
        Provenance::Unstated => "Material of unstated origin",
    };
    let text = match (origin.medium, provenance) {
        (Medium::Audio, Provenance::Recorded) => "Corpus and bank are recordings.",
        (Medium::Audio, Provenance::Rendered) => {
            "Human-written music played by a synthesizer, not recordings, is part of the corpus or the bank."
        }
        (Medium::Audio, Provenance::Synthetic) => {
            "The corpus or the bank was made by the built-in synthesizer, for tests and offline trials only. Nothing on this page says anything about real music."
        }
        (Medium::Audio, Provenance::Unstated) => {
            "Nothing was stated of the corpus or the bank: they may be recordings, rendered or synthetic."
        }
        (Medium::Image, Provenance::Unstated) => {
            "Nothing was stated of the pictures that the classifier learned from."
        }
        (Medium::Image, Provenance::Recorded) => {
            "The classifier learned from pictures of real things, not from drawn ones."
        }
        (Medium::Image, Provenance::Rendered) => {
            "The classifier learned, at least in part, from pictures that a program rendered."
        }
        (Medium::Image, Provenance::Synthetic) => {
            "The classifier learned, at least in part, from digits drawn by the built-in pen, for tests and offline trials only. Nothing on this page says anything about real pictures."
        }
    };
    html! {
        p class={ "badge " (word(provenance)) } role="note" { strong { (title) } " " (text) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn provenance_comes_with_who_says_so() {
        let of = with_source;
        assert_eq!(of(Provenance::Recorded, Some("FMA")), "recorded: what is known of FMA");
        assert_eq!(of(Provenance::Rendered, None), "rendered: stated with it");
        assert_eq!(of(Provenance::Unstated, None), "unstated");
    }
}
