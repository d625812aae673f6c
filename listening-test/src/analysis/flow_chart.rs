//! The flow of participants from those who came in to those who are analyzed, as CONSORT draws it.

use maud::{Markup, html};

use super::exclusions::Counts;

const WIDTH: f64 = 680.0;
const BOX: f64 = 280.0;
const STEP: f64 = 74.0;

pub(super) fn flow_chart(counts: &Counts) -> Markup {
    let lost: Vec<_> =
        counts.exclusions.iter().filter(|out| out.participants > 0 || out.answers > 0).collect();
    let bottom = 60.0 + STEP * (lost.len() as f64 + 1.0);
    let middle = BOX / 2.0;
    let lines = |x: f64, y: f64, width: f64, first: String, second: String| {
        html! {
            rect x=(x) y=(y) width=(width) height="50" rx="6" fill="none" stroke="currentColor" {}
            text x=(x + 12.0) y=(y + 21.0) { (first) }
            text x=(x + 12.0) y=(y + 39.0) { (second) }
        }
    };
    let count = |participants: usize, answers: usize| {
        format!("{participants} participants, {answers} answers")
    };
    html! {
        svg.wide xmlns="http://www.w3.org/2000/svg" viewBox={ "0 0 " (WIDTH) " " (bottom) } width=(WIDTH) role="img"
            aria-label="Flow of participants" {
            line x1=(middle) x2=(middle) y1="52" y2=(bottom - 54.0) stroke="currentColor" {}
            path d={ "M" (middle - 5.0) " " (bottom - 62.0) "l5 9l5 -9z" } fill="currentColor" {}
            (lines(1.0, 2.0, BOX, "came in".to_owned(), count(counts.participants, counts.answers)))
            @for (place, out) in lost.iter().enumerate() {
                @let y = 62.0 + STEP * place as f64;
                line x1=(middle) x2=(BOX + 39.0) y1=(y + 25.0) y2=(y + 25.0) stroke="currentColor" {}
                (lines(BOX + 40.0, y, WIDTH - BOX - 42.0, format!("out: {}", out.reason), count(out.participants, out.answers)))
            }
            (lines(1.0, bottom - 52.0, BOX, "analyzed".to_owned(), count(counts.participants_analyzed, counts.answers_analyzed)))
        }
    }
}
