//! What stands beside exhibits on the page of a set: genuine clips and images, and loops.

use maud::{Markup, html};

use super::address::percent_encoded;
use crate::exhibits::companions::{Companion, CopyOf};

/// A genuine clip of the class `label`: a player, or why there is none.
pub(super) fn genuine_clip(label: &str, genuine: &Companion) -> Markup {
    html! {
        div.genuine {
            (player(genuine, &format!("Genuine {label}")))
            p.fine { "Genuine " (label) ": " (named(genuine)) }
        }
    }
}

/// The genuine image that is nearest to an exhibit; it stays unseen until the exhibit is guessed.
pub(super) fn nearest_image(nearest: &Companion) -> Markup {
    let class = nearest.class.as_deref().unwrap_or("no class");
    html! {
        figure.nearest.answer {
            @if let CopyOf::File(file) = &nearest.copy {
                img src=(percent_encoded(file)) alt={ "Genuine " (class) } loading="lazy";
            }
            figcaption.fine { "nearest genuine image: " (class) ", " (named(nearest)) }
        }
    }
}

/// A loop of an excerpt, after its name.
pub(super) fn part(of: &Companion) -> Markup {
    html! {
        (player(of, &of.name))
        span.fine { (about(of)) }
    }
}

fn player(of: &Companion, label: &str) -> Markup {
    html! {
        @if let CopyOf::File(file) = &of.copy {
            audio controls preload="none" src=(percent_encoded(file)) aria-label=(label) {}
        }
    }
}

/// Name, collection, licence, and why there is no copy.
fn named(of: &Companion) -> String {
    format!("{} of {}", of.name, about(of))
}

fn about(of: &Companion) -> String {
    let mut text = of.collection.clone();
    if let Some(licence) = &of.licence {
        text.push_str(&format!(" ({licence})"));
    }
    if let CopyOf::NotCopied(why) = &of.copy {
        text.push_str(&format!("; not copied here: {why}"));
    }
    text
}
