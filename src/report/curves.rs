//! Best posterior over evaluations: one small panel per class, with the others behind it,
//! so that eleven curves need no legend.

use std::fmt::Write;

use maud::{Markup, html};

use super::axis::LogOddsAxis;
use super::card::MANY_CLASSES;
use crate::results::run::{ClassReport, RunReport};

/// Panels of a run of very many classes ([`MANY_CLASSES`]).
const SAMPLE: usize = 24;

/// Panel size and margins in its own units; text is 11 units high.
const WIDTH: f64 = 260.0;
const HEIGHT: f64 = 170.0;
const LEFT: f64 = 46.0;
const RIGHT: f64 = 8.0;
const TOP: f64 = 8.0;
const BOTTOM: f64 = 22.0;

/// Legible on light and dark ground alike; names its own scope, since a style inside an
/// inline picture holds for the whole page.
const STYLE: &str = "\
.curves{font:11px system-ui,-apple-system,'Segoe UI',Roboto,Arial,sans-serif}\
.curves text{fill:#5e5b55}.curves .title{fill:#1e1d1b;font-size:13px;font-weight:600}\
.curves .paper{fill:#fff}.curves .grid{stroke:#e2ddd3}.curves path{fill:none;stroke-linejoin:round}\
.curves .all{fill:none;stroke:#d3cdc1}.curves .this{stroke:#a93c25;stroke-width:2}\
.curves .threshold{stroke:#a93c25;stroke-dasharray:3 3}\
@media(prefers-color-scheme:dark){.curves text{fill:#a7a49d}.curves .title{fill:#ebe9e4}\
.curves .paper{fill:#1c1e21}.curves .grid{stroke:#33353a}.curves .all{stroke:#44464c}\
.curves .this{stroke:#ff9478}.curves .threshold{stroke:#ff9478}}";

/// All panels of a run as one standalone SVG picture, `columns` side by side.
pub fn curves_svg(report: &RunReport, columns: usize) -> String {
    let plot = Plot::new(report);
    let columns = columns.clamp(1, plot.shown.len().max(1));
    let rows = plot.shown.len().div_ceil(columns);
    let (width, height) = (WIDTH + 12.0, HEIGHT + 24.0);
    let size = (columns as f64 * width + 12.0, rows as f64 * height + 12.0);
    let picture = html! {
        svg.curves xmlns="http://www.w3.org/2000/svg" viewBox=(format!("0 0 {} {}", size.0, size.1)) width=(size.0) height=(size.1) role="img" {
            title { "Best posterior over evaluations, per class" }
            style { (maud::PreEscaped(STYLE)) }
            rect.paper width="100%" height="100%" {}
            @for (panel, &class) in plot.shown.iter().enumerate() {
                @let x = 12.0 + (panel % columns) as f64 * width;
                @let y = 24.0 + (panel / columns) as f64 * height;
                g transform=(format!("translate({x} {y})")) {
                    text.title x=(LEFT) y="-3" { (shortened(&report.classes[class].label, 32)) }
                    (plot.content(class))
                }
            }
        }
    };
    picture.into_string()
}

/// The panels of a run, to be drawn one by one.
pub(super) struct Plot<'a> {
    report: &'a RunReport,
    axis: LogOddsAxis,
    /// Classes that have a panel.
    shown: Vec<usize>,
}

impl<'a> Plot<'a> {
    pub(super) fn new(report: &'a RunReport) -> Self {
        let values =
            report.classes.iter().flat_map(|class| class.curve.iter().map(|point| point.1));
        // What lies far below is cut: the first random candidates say little.
        let axis = LogOddsAxis::around(values.map(|value| value.max(-5.0)));
        Self { report, axis, shown: shown(report) }
    }

    /// Classes that have a panel, and whether these are all.
    pub(super) fn shown(&self) -> (&[usize], bool) {
        (&self.shown, self.shown.len() == self.report.classes.len())
    }

    /// One class as an inline picture.
    pub(super) fn panel(&self, class: usize) -> Markup {
        html! {
            svg.curves viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-label={ "Best posterior of " (self.report.classes[class].label) " over evaluations" } {
                @if self.is_first(class) { style { (maud::PreEscaped(STYLE)) } }
                (self.content(class))
            }
        }
    }

    fn content(&self, class: usize) -> Markup {
        let origin = &self.report.origin;
        let label = &self.report.classes[class].label;
        let index = origin.classes.iter().position(|other| other == label);
        let limit = index.map_or(f64::INFINITY, |index| origin.limits().of(index));
        let threshold = self.y(limit.min(f64::MAX));
        html! {
            @for (position, label) in self.axis.ticks() {
                @let y = HEIGHT - BOTTOM - position * (HEIGHT - TOP - BOTTOM);
                line.grid x1=(LEFT) x2=(WIDTH - RIGHT) y1=(units(y)) y2=(units(y)) {}
                text x=(LEFT - 5.0) y=(units(y + 3.5)) text-anchor="end" { (label) }
            }
            @for power in 0..=self.decades() as u32 {
                @let x = self.x(libm::pow(10.0, f64::from(power)));
                line.grid x1=(units(x)) x2=(units(x)) y1=(HEIGHT - BOTTOM) y2=(HEIGHT - BOTTOM + 4.0) {}
                text x=(units(x)) y=(HEIGHT - 6.0) text-anchor="middle" { (power_label(power)) }
            }
            line.threshold x1=(LEFT) x2=(WIDTH - RIGHT) y1=(units(threshold)) y2=(units(threshold)) {}
            // All curves are drawn once, and shown again behind every panel; they take their
            // style from where they are shown.
            @if self.is_first(class) {
                defs { g id="all-curves" { @for &class in &self.shown { path d=(self.steps(&self.report.classes[class])) {} } } }
            }
            use.all href="#all-curves" {}
            path.this d=(self.steps(&self.report.classes[class])) {}
        }
    }

    fn is_first(&self, class: usize) -> bool {
        self.shown.first() == Some(&class)
    }

    /// Whole powers of ten that the axis of evaluations shows.
    fn decades(&self) -> f64 {
        libm::ceil(libm::log10(self.report.evaluations.max(2) as f64 - 1e-9) - 1e-9)
    }

    fn x(&self, evaluation: f64) -> f64 {
        LEFT + libm::log10(evaluation.max(1.0)) / self.decades() * (WIDTH - LEFT - RIGHT - 6.0)
    }

    fn y(&self, log_odds: f64) -> f64 {
        HEIGHT - BOTTOM - self.axis.position(log_odds) * (HEIGHT - TOP - BOTTOM)
    }

    /// The best so far holds until the next improvement, and to the end of the run.
    fn steps(&self, class: &ClassReport) -> String {
        let mut path = String::new();
        for (i, &(evaluation, log_odds)) in class.curve.iter().enumerate() {
            let (x, y) = (units(self.x(evaluation as f64)), units(self.y(log_odds)));
            // Writing to a string cannot fail.
            let _ = if i == 0 { write!(path, "M{x} {y}") } else { write!(path, "H{x}V{y}") };
        }
        if !path.is_empty() {
            let _ = write!(path, "H{}", units(self.x(self.report.evaluations as f64)));
        }
        path
    }
}

/// All classes; of very many, a sample at even ranks of their best posteriors, best first.
fn shown(report: &RunReport) -> Vec<usize> {
    let mut classes: Vec<usize> = (0..report.classes.len()).collect();
    if classes.len() <= MANY_CLASSES {
        return classes;
    }
    let best = |class: usize| report.classes[class].best_posterior.unwrap_or(0.0);
    classes.sort_by(|&a, &b| best(b).total_cmp(&best(a)));
    (0..SAMPLE).map(|rank| classes[rank * (classes.len() - 1) / (SAMPLE - 1)]).collect()
}

pub(super) fn power_label(power: u32) -> String {
    match power {
        0 => "1".into(),
        1 => "10".into(),
        2 => "100".into(),
        _ => {
            let digits = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
            let superscript = power.to_string();
            let raised = superscript.chars().filter_map(|digit| digit.to_digit(10));
            format!("10{}", raised.map(|digit| digits[digit as usize]).collect::<String>())
        }
    }
}

/// A coordinate with one decimal.
pub(super) fn units(value: f64) -> String {
    format!("{value:.1}")
}

/// At most `longest` characters of a label.
pub(super) fn shortened(label: &str, longest: usize) -> String {
    if label.chars().count() <= longest {
        return label.to_owned();
    }
    label.chars().take(longest - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::run::tests::known;

    #[test]
    fn curves_are_steps_that_rise_to_the_right() {
        let report = known();
        let plot = Plot::new(&report);
        assert_eq!(plot.decades(), 3.0);
        let path = plot.steps(&report.classes[0]);
        assert_eq!(path.matches('H').count(), 3, "two improvements and the end: {path}");
        assert_eq!(path.matches('V').count(), 2);
        assert!(plot.y(2.0) < plot.y(1.0));
        assert!(plot.x(500.0) < WIDTH - RIGHT);
        assert_eq!(plot.x(1.0), LEFT);
    }

    #[test]
    fn the_picture_holds_every_class() {
        let picture = curves_svg(&known(), 2);
        assert_eq!(picture.matches("class=\"this\"").count(), 3);
        assert_eq!(picture.matches("<path d").count(), 3, "each curve is drawn once for all");
        assert_eq!(picture.matches("<use class=\"all\" href=\"#all-curves\"").count(), 3);
        assert!(
            picture.starts_with("<svg") && picture.contains("xmlns=\"http://www.w3.org/2000/svg\"")
        );
    }

    #[test]
    fn of_a_thousand_classes_a_sample_is_shown() {
        let mut report = known();
        let some = report.classes[0].clone();
        report.classes = (0..1_000)
            .map(|rank| ClassReport {
                label: format!("class {rank}"),
                best_posterior: Some(f64::from(rank) / 1_000.0),
                ..some.clone()
            })
            .collect();
        let plot = Plot::new(&report);
        let (shown, all) = plot.shown();
        assert_eq!((shown.len(), shown[0], shown[23], all), (24, 999, 0, false));
        let picture = curves_svg(&report, 4);
        assert_eq!(picture.matches("<path d").count(), 24);
        assert!(picture.contains("class 999") && !picture.contains("class 998"));
    }

    #[test]
    fn powers_are_written_as_people_write_them() {
        let labels: Vec<String> = [0, 1, 2, 3, 6, 12].map(power_label).to_vec();
        assert_eq!(labels, ["1", "10", "100", "10³", "10⁶", "10¹²"]);
        assert_eq!(shortened("abcdef", 4), "abc…");
    }
}
