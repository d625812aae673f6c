//! Tables as plain text, for the terminal.

use super::card::MANY_CLASSES;
use super::confusion::Margins;
use super::numbers;
use crate::exhibits::names::truncated;
use crate::reference::{Criterion, Share};
use crate::results::run::ThresholdReport;
use crate::results::{AgainstGenuine, Answer, LevelReport, Probe, RunReport};
use trompe_base::words::counted;

/// Rows of cells in aligned columns: the first to the left, the others to the right, two
/// spaces between. The first row is the head.
pub fn table(rows: &[Vec<String>]) -> String {
    aligned(rows, 1, 0)
}

/// The same for rows that begin with `words` columns of words and end with a sentence, which are
/// aligned to the left; numbers between them to the right.
pub fn listing(words: usize, rows: &[Vec<String>]) -> String {
    aligned(rows, words, 1)
}

/// Rows of cells: `first` columns and the `last` ones to the left, those between to the right.
fn aligned(rows: &[Vec<String>], first: usize, last: usize) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let gap = " ".repeat(widths[column].saturating_sub(cell.chars().count()));
            let between = if column == 0 { "" } else { "  " };
            line = match column < first || column + last >= columns {
                true => format!("{line}{between}{cell}{gap}"),
                false => format!("{line}{between}{gap}{cell}"),
            };
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// A confusion matrix in counts, columns true, rows predicted, with precision (`P`, in
/// percent) beside, recall (`R`) and F-score (`F`) below, and the mean recall in the corner.
pub fn confusion(classes: &[String], count: impl Fn(usize, usize) -> u64) -> String {
    let n = classes.len();
    let margins = Margins::of(n, &count);
    let percent =
        |share: Option<f64>| share.map_or_else(|| "-".into(), |s| format!("{:.1}", 100.0 * s));
    let letter = |class: usize| format!("({})", class + 1);
    let mut rows = vec![vec!["predicted \\ true".to_owned()]];
    rows[0].extend((0..n).map(letter).chain(["P".into()]));
    for (predicted, label) in classes.iter().enumerate() {
        let mut row = vec![format!("{} {label}", letter(predicted))];
        row.extend((0..n).map(|truth| match count(truth, predicted) {
            0 => "·".to_owned(),
            count => count.to_string(),
        }));
        row.push(percent(margins.precision[predicted]));
        rows.push(row);
    }
    let below = |name: &str, shares: Vec<Option<f64>>, corner: String| {
        let mut row = vec![name.to_owned()];
        row.extend(shares.into_iter().map(percent).chain([corner]));
        row
    };
    rows.push(below("R", margins.recall.clone(), percent(Some(margins.mean_recall))));
    rows.push(below("F", margins.f_score.iter().copied().map(Some).collect(), String::new()));
    table(&rows)
}

/// A level, cut after two digits, so that none is rounded up; `-` where there is none.
pub fn level(level: Option<f64>) -> String {
    level.map_or_else(|| "-".to_owned(), |level| truncated(level, 2))
}

/// The level of an answer, or how many genuine items it is above if that is all of them.
pub fn level_of(answer: &Answer) -> String {
    match answer.above_all {
        Some(items) => format!("above all {items}"),
        None => level(answer.level),
    }
}

/// Evaluations to each threshold, best posterior, and the medians and coverage of a run, with
/// the number of classes that the random candidates of the first generation reached; of
/// very many classes the medians and coverage alone.
pub fn run(report: &RunReport) -> String {
    let mut head = vec!["class".to_owned()];
    head.extend(report.thresholds.iter().map(|level| format!("to {}", level.threshold)));
    head.push("best posterior".into());
    let mut rows = vec![head];
    let few = report.classes.len() <= MANY_CLASSES;
    for class in report.classes.iter().filter(|_| few) {
        let mut row = vec![class.label.clone()];
        row.extend(
            class.evaluations_to.iter().map(|to| numbers::censored(*to, report.evaluations)),
        );
        row.push(class.best_posterior.map_or_else(|| "-".into(), numbers::posterior));
        rows.push(row);
    }
    let level_row = |name: &str, cell: &dyn Fn(&ThresholdReport) -> String| {
        let mut row = vec![name.to_owned()];
        row.extend(report.thresholds.iter().map(cell));
        row
    };
    let median =
        |level: &ThresholdReport| numbers::censored(level.median_evaluations, report.evaluations);
    rows.push(level_row("median", &median));
    if let Some(draws) = report.random_draws {
        let reached = |level: &ThresholdReport| {
            level.reached_in_draws.map_or_else(String::new, |reached| reached.to_string())
        };
        rows.push(level_row(&format!("in first {draws} draws"), &reached));
    }
    rows.push(level_row("coverage", &|level| numbers::percent(level.coverage)));
    let base_rate = |level: &ThresholdReport| {
        level.base_rate.map_or_else(|| "-".into(), |rate| numbers::percent(rate.rate))
    };
    rows.push(level_row("base rate", &base_rate));
    let median_best = report.median_best.last().map_or(0.0, |last| last.posterior);
    let mut text = match few {
        true => table(&rows),
        false => {
            rows[0].pop();
            let (classes, median_best) = (report.classes.len(), numbers::posterior(median_best));
            format!("{}median best posterior of {classes} classes: {median_best}\n", table(&rows))
        }
    };
    if let Some(found) = &report.genuine {
        text.push('\n');
        text.push_str(&genuine(found, &report.levels));
    }
    if let Some(why) = &report.no_levels {
        text.push_str(&format!("no levels: {why}\n"));
    }
    if let Some(files) = &report.out_of_reach {
        text.push_str(&format!("exhibits out of reach of epsilon: {}\n", files.len()));
    }
    text
}

/// Names and values, one a line, names to the left.
pub fn facts(facts: &[(String, String)]) -> String {
    let width = facts.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let line = |(name, value): &(String, String)| {
        let gap = " ".repeat(width - name.chars().count());
        format!("{name}{gap}  {value}\n")
    };
    facts.iter().map(line).collect()
}

/// What a classifier calls probes, and which genuine item was taken apart.
pub fn probes(probes: &[Probe]) -> String {
    let head = ["probe", "label", "posterior", "calibrated", "level"].map(str::to_owned).to_vec();
    let row = |of: &Probe| {
        vec![
            of.probe.clone(),
            of.answer.label.clone().unwrap_or_else(|| "none (a tie)".to_owned()),
            numbers::posterior(of.answer.posterior),
            of.answer.calibrated.map_or_else(|| "-".to_owned(), numbers::posterior),
            level_of(&of.answer),
        ]
    };
    let mut text = table(&std::iter::once(head).chain(probes.iter().map(row)).collect::<Vec<_>>());
    if let Some(item) = probes.iter().find_map(|probe| probe.item.as_deref()) {
        text.push_str(&format!("the genuine item is {item} of the model's reference\n"));
    }
    text
}

/// Genuine items beside random candidates, at every posterior and level.
fn genuine(found: &AgainstGenuine, levels: &[LevelReport]) -> String {
    let share = |share: Share| {
        share.map_or_else(
            || "-".to_owned(),
            |share| {
                let [value, low, high] = [share.share, share.low, share.high].map(numbers::percent);
                format!("{value} ({low}-{high})")
            },
        )
    };
    let head = ["at", "random", "genuine, right", "genuine, wrong", "classes reached"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for rates in &found.rates {
        let reached = match rates.at {
            Criterion::Posterior(_) => String::new(),
            Criterion::Level(level) => levels.iter().find(|of| of.level == level).map_or_else(
                || "-".to_owned(),
                |of| format!("{} of {}", of.classes_reached, of.classes_defined),
            ),
        };
        rows.push(vec![
            rates.at.in_words(),
            share(rates.random),
            share(rates.genuine_right),
            share(rates.genuine_wrong),
            reached,
        ]);
    }
    let undefined = levels.iter().filter(|of| !of.undefined.is_empty());
    let undefined: Vec<String> = undefined
        .map(|of| format!("level {} is undefined in {}\n", of.level, of.undefined.join(", ")))
        .collect();
    let mut text = format!(
        "genuine items: {} of {} of {}, {}\n",
        found.items,
        counted(found.groups, "group"),
        found.source.corpus,
        found.source.kind.name()
    );
    text.push_str(&table(&rows));
    text.push_str(&undefined.concat());
    for apart in found.separation.iter().filter(|apart| apart.against == "random candidates") {
        text.push_str(&format!(
            "AUROC of genuine items against random candidates by {}: {:.3} ({:.3}-{:.3})\n",
            apart.score, apart.auroc, apart.auroc_interval.low, apart.auroc_interval.high
        ));
    }
    text
}

/// One row for each run of a series: classes that reached each threshold, and the median
/// over classes of the evaluations it took.
pub fn series(reports: &[RunReport]) -> String {
    let mut head = vec!["seed".to_owned(), "evaluations".to_owned()];
    let levels = reports.first().map_or(&[][..], |report| &report.thresholds);
    for level in levels {
        head.push(format!("reached {}", level.threshold));
        head.push("after".to_owned());
    }
    let row = |report: &RunReport| {
        let mut row = vec![report.origin.seed.to_string(), numbers::count(report.evaluations)];
        for level in &report.thresholds {
            row.push(format!("{} of {}", level.classes_reached, report.classes.len()));
            row.push(numbers::censored(level.median_evaluations, report.evaluations));
        }
        row
    };
    table(&std::iter::once(head).chain(reports.iter().map(row)).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::run::tests::known;

    #[test]
    fn a_confusion_matrix_is_aligned() {
        let classes = ["blues".to_owned(), "rock".to_owned()];
        let counts = [[9, 1], [0, 10]];
        let text = confusion(&classes, |truth, predicted| counts[truth][predicted]);
        let expected = "\
predicted \\ true   (1)    (2)      P
(1) blues            9      ·  100.0
(2) rock             1     10   90.9
R                 90.0  100.0   95.0
F                 94.7   95.2
";
        assert_eq!(text, expected);
    }

    #[test]
    fn words_and_sentences_are_aligned_to_the_left() {
        let rows = [
            ["file", "label", "posterior", "verdict"],
            ["a.wav", "classical", "1.0", "holds"],
            ["rock-2.wav", "pop", "0.25", "FAILS: it is silent"],
        ];
        let text = listing(2, &rows.map(|row| row.map(str::to_owned).to_vec()));
        let expected = "\
file        label      posterior  verdict
a.wav       classical        1.0  holds
rock-2.wav  pop             0.25  FAILS: it is silent
";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_run_is_a_table() {
        let text = run(&known());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 8);
        let cells: Vec<&str> =
            lines[2].split("  ").map(str::trim).filter(|c| !c.is_empty()).collect();
        assert_eq!(cells, ["rock", "300", "300", "> 500", "0.99920"]);
        assert_eq!(
            lines[5].split_whitespace().collect::<Vec<_>>(),
            ["in", "first", "32", "draws", "1", "0", "0"]
        );
        assert!(lines[7].contains("5.0\u{202f}%"), "{}", lines[7]);
    }

    #[test]
    fn a_series_has_a_row_for_each_seed() {
        let text = series(&[known(), known()]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[1], lines[2]);
        assert!(lines[1].starts_with("5 ") && lines[1].contains("2 of 3"), "{}", lines[1]);
        assert_eq!(series(&[]), "seed  evaluations\n");
    }
}
