//! Exhibits on the page of a comparison: players in a list, images on a contact sheet.

use maud::{Markup, html};
use trompe_base::encoding::base64;

use crate::exhibits::Waveform;
use crate::report::{card, numbers};

/// One exhibit that a page shows, with its content.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// Seed of its run.
    pub seed: u64,
    /// Class index.
    pub class: usize,
    /// Its class.
    pub label: String,
    /// Posterior of that class, of the delivered file.
    pub posterior: f64,
    /// What there is to hear or see.
    pub content: Content,
}

/// The content of an exhibit that is embedded in a page.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// The start of a sound as a WAV file, with the picture of the whole.
    Sound {
        /// The picture.
        waveform: Waveform,
        /// The WAV file.
        wav: Vec<u8>,
    },
    /// A whole image as a PNG file.
    Image(Vec<u8>),
}

/// The exhibits of one group.
pub(super) fn exhibits(group: &str, shown: &[Shown]) -> Markup {
    let images = shown.iter().any(|exhibit| matches!(exhibit.content, Content::Image(_)));
    html! {
        @if shown.is_empty() {
            p.note { "No exhibit reached the threshold." }
        } @else if images {
            div.contact { @for exhibit in shown { (image(exhibit)) } }
        } @else {
            div.players {
                @for (index, exhibit) in shown.iter().enumerate() {
                    (player(exhibit, &format!("wave-{group}-{index}")))
                }
            }
        }
    }
}

fn image(exhibit: &Shown) -> Markup {
    let Content::Image(png) = &exhibit.content else { return html! {} };
    let title = format!(
        "{}, posterior {}, seed {}",
        exhibit.label,
        numbers::posterior(exhibit.posterior),
        exhibit.seed
    );
    html! {
        figure title=(title) {
            img src={ "data:image/png;base64," (base64(png)) } alt=(title) loading="lazy";
            figcaption { (exhibit.label) }
        }
    }
}

fn player(exhibit: &Shown, id: &str) -> Markup {
    let Content::Sound { waveform, wav } = &exhibit.content else { return html! {} };
    html! {
        div.play {
            p { b { (exhibit.label) } span { (numbers::posterior(exhibit.posterior)) } }
            (card::draw(waveform, None, id))
            audio controls preload="none" src={ "data:audio/wav;base64," (base64(wav)) } aria-label={ "Exhibit of " (exhibit.label) } {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sounds_are_played_and_images_seen() {
        let exhibit =
            |content| Shown { seed: 1, class: 0, label: "<b>".into(), posterior: 0.9995, content };
        let image = exhibit(Content::Image(b"foo".to_vec()));
        let drawn = exhibits("A", &[image]).into_string();
        assert!(drawn.contains("data:image/png;base64,Zm9v") && drawn.contains("&lt;b&gt;"));
        let waveform = Waveform { envelope: vec![(-0.5, 0.5)], seconds: 30.0 };
        let sound = exhibit(Content::Sound { waveform, wav: b"foo".to_vec() });
        let drawn = exhibits("A", &[sound.clone(), sound]).into_string();
        assert_eq!(drawn.matches("data:audio/wav;base64,Zm9v").count(), 2);
        assert!(drawn.contains("id=\"wave-A-1\""));
        assert!(exhibits("A", &[]).into_string().contains("No exhibit"));
    }
}
