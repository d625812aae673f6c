//! Confusion matrices as Sturm draws them: columns are the true classes, rows the predicted
//! ones, columns in percent; precision beside, F-score below, mean recall in the corner.

use maud::{Markup, html};

use super::curves::shortened;

const CELL: f64 = 58.0;
/// Gap between the matrix and its margins.
const GAP: f64 = 8.0;
/// Shares from which a cell's text must be inverted to stand out: on light ground, where
/// cells grow dark, and on dark ground, where they grow light.
const INVERTED_ON_LIGHT: f64 = 0.66;
const INVERTED_ON_DARK: f64 = 0.5;
/// Longest class name that is drawn, in characters.
const LONGEST_LABEL: usize = 16;
/// Width of one character of a label, about.
const CHARACTER: f64 = 7.4;

const STYLE: &str = "\
.confusion{font:13px system-ui,-apple-system,'Segoe UI',Roboto,Arial,sans-serif}\
.confusion text{fill:#1e1d1b}.confusion .soft{fill:#5e5b55}.confusion .count{font-size:10px}\
.confusion .paper{fill:#fff}.confusion .cell{fill:#0b3c7a}.confusion .frame{fill:none;stroke:#d9d5cc}\
.confusion .margin{fill:#f2efe9}.confusion text.on{fill:#fff}.confusion .strong{font-weight:650}\
@media(prefers-color-scheme:dark){.confusion text{fill:#ebe9e4}.confusion .soft{fill:#a7a49d}\
.confusion .paper{fill:#1c1e21}.confusion .cell{fill:#9cc7ff}.confusion .frame{stroke:#3a3c42}\
.confusion .margin{fill:#27292e}.confusion text.on{fill:#ebe9e4}.confusion text.deep{fill:#10131a}}";

/// Figures of merit of each class, computed from the confusion matrix as in Sturm's `get_fom.m` (2015).
#[derive(Debug, Clone, PartialEq)]
pub struct Margins {
    /// Correct share of each true class; `None` for a class without inputs.
    pub recall: Vec<Option<f64>>,
    /// Correct share of each predicted class; `None` for a class never predicted.
    pub precision: Vec<Option<f64>>,
    /// 2PR / (P + R); 0 where that is undefined.
    pub f_score: Vec<f64>,
    /// Mean recall over the classes that have inputs (normalised accuracy).
    pub mean_recall: f64,
}

impl Margins {
    /// Margins of a matrix of `classes` classes with `count(truth, predicted)` inputs.
    pub fn of(classes: usize, count: impl Fn(usize, usize) -> u64) -> Self {
        let share = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
        let recall: Vec<Option<f64>> = (0..classes)
            .map(|truth| share(count(truth, truth), (0..classes).map(|p| count(truth, p)).sum()))
            .collect();
        let precision: Vec<Option<f64>> = (0..classes)
            .map(|p| share(count(p, p), (0..classes).map(|truth| count(truth, p)).sum()))
            .collect();
        let f_score = recall.iter().zip(&precision).map(|pair| match pair {
            (Some(recall), Some(precision)) if recall + precision > 0.0 => {
                2.0 * precision * recall / (precision + recall)
            }
            _ => 0.0,
        });
        let known: Vec<f64> = recall.iter().flatten().copied().collect();
        let mean_recall = known.iter().sum::<f64>() / known.len().max(1) as f64;
        Self { f_score: f_score.collect(), recall, precision, mean_recall }
    }
}

/// A confusion matrix as a standalone SVG picture (also fit to be put into a page):
/// `count(truth, predicted)` inputs per cell. Percent are of the true class (its column),
/// the small number is the count.
pub fn confusion_svg(classes: &[String], count: impl Fn(usize, usize) -> u64) -> String {
    let n = classes.len();
    let margins = Margins::of(n, &count);
    let labels: Vec<String> = classes.iter().map(|class| shortened(class, LONGEST_LABEL)).collect();
    let longest = labels.iter().map(|label| label.chars().count()).max().unwrap_or(0).max(9);
    let left = 34.0 + longest as f64 * CHARACTER;
    // Column labels stand at 45 degrees.
    let top = 40.0 + longest as f64 * CHARACTER * 0.71;
    let side = n as f64 * CELL;
    let width = left + side + GAP + CELL + 24.0 + CHARACTER * 3.0;
    let height = top + side + GAP + CELL + 22.0;
    let at = |i: usize| i as f64 * CELL;
    let totals: Vec<u64> = (0..n).map(|truth| (0..n).map(|p| count(truth, p)).sum()).collect();
    let picture = html! {
        svg.confusion xmlns="http://www.w3.org/2000/svg" viewBox=(format!("0 0 {width:.0} {height:.0}")) width=(format!("{width:.0}")) height=(format!("{height:.0}")) role="img" {
            title { "Confusion matrix: columns true, rows predicted" }
            style { (maud::PreEscaped(STYLE)) }
            rect.paper width="100%" height="100%" {}
            text.soft x=(format!("{:.0}", left + side / 2.0)) y="20" text-anchor="middle" { "true" }
            text.soft transform=(format!("translate(20 {:.0}) rotate(-90)", top + side / 2.0)) text-anchor="middle" { "predicted" }
            g transform=(format!("translate({left:.0} {top:.0})")) {
                @for (i, label) in labels.iter().enumerate() {
                    text transform=(format!("translate({:.0} -8) rotate(-45)", at(i) + CELL / 2.0)) { title { (classes[i]) } (label) }
                    text x="-8" y=(at(i) + CELL / 2.0 + 4.5) text-anchor="end" { title { (classes[i]) } (label) }
                }
                text.soft transform=(format!("translate({:.0} -8) rotate(-45)", side + GAP + CELL / 2.0)) { "precision" }
                text.soft x="-8" y=(side + GAP + CELL / 2.0 + 4.5) text-anchor="end" { "F-score" }
                @for predicted in 0..n {
                    @for truth in 0..n {
                        (cell(at(truth), at(predicted), count(truth, predicted), totals[truth], truth == predicted))
                    }
                    (margin(side + GAP, at(predicted), margins.precision[predicted]))
                    (margin(at(predicted), side + GAP, Some(margins.f_score[predicted])))
                }
                rect.frame width=(side) height=(side) {}
                (margin(side + GAP, side + GAP, Some(margins.mean_recall)))
                text.count.soft x=(side + GAP + CELL / 2.0) y=(side + GAP + CELL + 12.0) text-anchor="middle" { "mean recall" }
            }
        }
    };
    picture.into_string()
}

/// One cell, shaded by its share of the true class.
fn cell(x: f64, y: f64, count: u64, total: u64, diagonal: bool) -> Markup {
    let share = if total == 0 { 0.0 } else { count as f64 / total as f64 };
    let shade = format!("{share:.3}");
    html! {
        rect.cell x=(x) y=(y) width=(CELL) height=(CELL) fill-opacity=(shade) {}
        @if count > 0 || diagonal {
            @let (middle, base) = (x + CELL / 2.0, y + CELL / 2.0);
            text.strong[diagonal].on[share >= INVERTED_ON_LIGHT].deep[share >= INVERTED_ON_DARK] x=(middle) y=(base + 2.0) text-anchor="middle" { (percent(share)) }
            text.count.on[share >= INVERTED_ON_LIGHT].deep[share >= INVERTED_ON_DARK].soft[share < 0.3] x=(middle) y=(base + 16.0) text-anchor="middle" { (count) }
        }
    }
}

fn margin(x: f64, y: f64, share: Option<f64>) -> Markup {
    html! {
        rect.margin x=(x + 1.0) y=(y + 1.0) width=(CELL - 2.0) height=(CELL - 2.0) {}
        text x=(x + CELL / 2.0) y=(y + CELL / 2.0 + 4.5) text-anchor="middle" { (share.map_or_else(|| "–".into(), percent)) }
    }
}

/// A share in percent, with one decimal unless it is all or nothing.
fn percent(share: f64) -> String {
    if share == 0.0 || share == 1.0 {
        format!("{:.0}", 100.0 * share)
    } else {
        format!("{:.1}", 100.0 * share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// counts[truth][predicted]; the last class has no inputs and is predicted once.
    const COUNTS: [[u64; 3]; 3] = [[8, 1, 1], [4, 6, 0], [0, 0, 0]];

    fn names() -> Vec<String> {
        ["blues", "<b>rock</b>", "a very long name of a genre"].map(str::to_owned).to_vec()
    }

    #[test]
    fn margins_are_those_computed_by_hand() {
        let margins = Margins::of(3, |truth, predicted| COUNTS[truth][predicted]);
        assert_eq!(margins.recall, [Some(0.8), Some(0.6), None]);
        assert_eq!(margins.precision, [Some(8.0 / 12.0), Some(6.0 / 7.0), Some(0.0)]);
        // 2PR / (P + R) in whole numbers: 2 hits / (column + row).
        assert!((margins.f_score[0] - 16.0 / 22.0).abs() < 1e-15);
        assert!((margins.f_score[1] - 12.0 / 17.0).abs() < 1e-15);
        assert_eq!(margins.f_score[2], 0.0);
        assert!((margins.mean_recall - 0.7).abs() < 1e-15);
        assert_eq!(Margins::of(0, |_, _| 0).mean_recall, 0.0);
    }

    #[test]
    fn the_picture_holds_counts_and_percent_and_no_markup_of_others() {
        let picture = confusion_svg(&names(), |truth, predicted| COUNTS[truth][predicted]);
        for text in [">80.0<", ">60.0<", ">8<", ">66.7<", ">70.0<", "a very long nam…"] {
            assert!(picture.contains(text), "{text}");
        }
        assert!(!picture.contains("<b>"));
        assert!(picture.contains("&lt;b&gt;rock"));
    }

    #[test]
    fn columns_are_true_classes() {
        // 4 of the second true class are taken for the first: second column, first row.
        let picture = confusion_svg(&names(), |truth, predicted| COUNTS[truth][predicted]);
        let cell = format!(
            "x=\"{CELL}\" y=\"0\" width=\"{CELL}\" height=\"{CELL}\" fill-opacity=\"0.400\""
        );
        assert!(picture.contains(&cell), "{picture}");
    }
}
