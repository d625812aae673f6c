//! One exhibit on a page: picture, player, posteriors, and what it was composed of.

use std::fmt::Write;

use maud::{Markup, html};

use crate::exhibits::companions::Companions;
use crate::exhibits::names::truncated;
use crate::exhibits::{Exhibit, Manifest, Medium, Origin, Picture, Spectrogram, Waveform};

use super::address::percent_encoded;
use super::axis::LogOddsAxis;
use super::{companion, numbers, spectrogram};

/// Most classes whose posteriors are all shown; of more, only the [`HIGHEST`].
pub(super) const MANY_CLASSES: usize = 40;

/// Posteriors shown where there are very many classes.
const HIGHEST: usize = 10;

/// The card of the exhibit at `index` of the manifest.
pub(super) fn card(
    manifest: &Manifest,
    index: usize,
    exhibit: &Exhibit,
    picture: &Picture,
    companions: &Companions,
) -> Markup {
    let origin = &manifest.origin;
    let file = percent_encoded(&exhibit.file);
    let heading = format!("exhibit-{index}");
    html! {
        article.exhibit aria-labelledby=(heading) data-label=(exhibit.label) {
            h3 id=(heading) {
                span.answer { (exhibit.label) }
                span.number {
                    @if let Picture::Sound { waveform, .. } = picture { (seconds(waveform)) " · " }
                    "No. " (index + 1)
                }
            }
            div.play {
                @match picture {
                    Picture::Sound { waveform, spectrogram } => {
                        (draw(waveform, Some(spectrogram), &format!("wave-{index}")))
                    },
                    Picture::Image => div.pair {
                        img src=(file) alt={ "Exhibit " (index + 1) } loading="lazy";
                        @if let Some(nearest) = companions.nearest.get(&exhibit.file) {
                            (companion::nearest_image(nearest))
                        }
                    },
                }
                @if origin.medium == Medium::Audio {
                    audio controls preload="none" src=(file) aria-label={ "Exhibit " (index + 1) } {}
                }
            }
            (certainty(manifest, exhibit))
            div.guesses {}
            details.answer.more {
                summary { "All classes, and how it was made" }
                (bars(origin, exhibit))
                @if !exhibit.descriptions.is_empty() {
                    p.label { "Composed of" }
                    ul.parts {
                        @for part in &exhibit.descriptions {
                            li { (part) @if let Some(of) = companions.parts.get(part) { (companion::part(of)) } }
                        }
                    }
                }
                (fine_print(exhibit, &file))
            }
        }
    }
}

/// Posteriors of the classes: bars from 0.5, to the right what the classifier rather
/// affirms, to the left what it rather denies; the axis is linear in log-odds.
fn bars(origin: &Origin, exhibit: &Exhibit) -> Markup {
    let (classes, limits) = (&origin.classes, origin.limits());
    let axis = LogOddsAxis::symmetric();
    let mark = 100.0 * axis.position(limits.of(exhibit.class));
    let asked = match origin.level {
        None => numbers::threshold(origin.threshold).trim_start_matches('0').to_owned(),
        Some(level) => format!("level {level}"),
    };
    let style = format!("--mark:{mark:.2}%");
    html! {
        table.bars style=(style) aria-label="Posterior per class" {
            tbody {
                @for class in shown(exhibit) {
                    @let label = &classes[class];
                    @let end = 100.0 * axis.position(exhibit.log_odds[class]);
                    @let (from, to) = (end.min(50.0), end.max(50.0));
                    @let reaches = exhibit.log_odds[class] >= limits.of(class);
                    tr.target[class == exhibit.class].reaches[reaches] {
                        th scope="row" title=(label) { (label) }
                        td.bar { span style=(format!("left:{from:.2}%;width:{:.2}%", to - from)) {} }
                        td.value { (numbers::posterior(exhibit.posteriors[class])) }
                    }
                }
            }
            tfoot aria-hidden="true" {
                tr {
                    td {}
                    td.axis {
                        span style="left:25%" { ".01" }
                        span style="left:50%" { ".5" }
                        span.mark style=(format!("left:{mark:.2}%")) { (asked) }
                    }
                    td {}
                }
            }
        }
    }
}

/// The classes whose posteriors are shown: all, or of very many the highest, highest first.
fn shown(exhibit: &Exhibit) -> Vec<usize> {
    let mut classes: Vec<usize> = (0..exhibit.log_odds.len()).collect();
    if classes.len() > MANY_CLASSES {
        classes.sort_by(|&a, &b| exhibit.log_odds[b].total_cmp(&exhibit.log_odds[a]));
        classes.truncate(HIGHEST);
    }
    classes
}

/// The posterior again, beside the calibrated one and the level: three answers to one question.
fn certainty(manifest: &Manifest, exhibit: &Exhibit) -> Markup {
    let calibrated = exhibit.calibrated.as_ref().and_then(|all| all.get(exhibit.class));
    html! {
        ul.certainty.answer {
            li { strong { (numbers::posterior(exhibit.posterior)) } "posterior" }
            @if let Some(calibrated) = calibrated {
                li title="posterior, calibrated on genuine items" {
                    strong { (numbers::posterior(*calibrated)) } "calibrated"
                }
            }
            @if let Some(text) = level_in_words(manifest, exhibit) {
                li title="share of the genuine items of the class that score lower" {
                    strong { (text) } "level"
                }
            }
        }
    }
}

/// An exhibit's level; `None` in a set without a genuine reference.
fn level_in_words(manifest: &Manifest, exhibit: &Exhibit) -> Option<String> {
    let used = manifest.origin.reference.as_ref()?;
    let Some(level) = exhibit.level else { return Some("undefined".to_owned()) };
    let class = used.classes.get(exhibit.class);
    let above = class.filter(|class| {
        class.highest.is_some_and(|highest| exhibit.log_odds[exhibit.class] > highest)
    });
    Some(match above {
        Some(class) => format!("above all {}", class.items),
        None => truncated(level, 2),
    })
}

fn fine_print(exhibit: &Exhibit, file: &str) -> Markup {
    html! {
        p.fine {
            "Evaluation " (numbers::count(exhibit.evaluation)) ", by " (exhibit.emitter)
            @if let Some(made_by) = &exhibit.made_by { ", move “" (made_by) "”" }
            @if let Some(parent) = exhibit.parent { " from evaluation " (numbers::count(parent)) }
            ". "
            "File: " a href=(file) { (exhibit.file) }
        }
    }
}

/// The envelope as one closed shape, drawn twice: at rest, and as far as it was played; below it
/// the spectrogram, if there is one. `id` names the shape on its page.
pub(super) fn draw(waveform: &Waveform, below: Option<&Spectrogram>, id: &str) -> Markup {
    let columns = waveform.envelope.len();
    let y = |sample: f32| 100 - (100.0 * sample.clamp(-1.0, 1.0)).round() as i32;
    let mut path = String::new();
    let upper = waveform.envelope.iter().enumerate().map(|(x, &(_, high))| (x, y(high)));
    // At least one unit high, so that silence is a line.
    let lower = waveform.envelope.iter().enumerate().rev();
    let lower = lower.map(|(x, &(low, high))| (x, y(low).max(y(high) + 1)));
    for (i, (x, y)) in upper.chain(lower).enumerate() {
        let command = if i == 0 { 'M' } else { 'L' };
        // Writing to a string cannot fail.
        let _ = write!(path, "{command}{x} {y}");
    }
    html! {
        div.waveform {
            svg viewBox=(format!("0 0 {} 200", columns.max(2) - 1)) preserveAspectRatio="none" aria-hidden="true" {
                path id=(id) d={ (path) "Z" } {}
                use.played href={ "#" (id) } {}
            }
            @if let Some(spectrogram) = below { (spectrogram::picture(spectrogram)) }
            // A card says it in its heading.
            @if below.is_none() { span.duration { (seconds(waveform)) } }
        }
    }
}

fn seconds(waveform: &Waveform) -> String {
    format!("{:.1} s", waveform.seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_waveform_is_one_closed_shape() {
        let waveform =
            Waveform { envelope: vec![(-1.0, 1.0), (0.0, 0.0), (-9.0, 0.5)], seconds: 2.0 };
        let drawn = draw(&waveform, None, "wave-3").into_string();
        assert!(drawn.contains("M0 0L1 100L2 50L2 200L1 101L0 200Z"), "{drawn}");
        assert!(drawn.contains("2.0 s"));
    }
}
