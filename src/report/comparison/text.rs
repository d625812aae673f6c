//! A comparison as plain text, for the terminal.

use super::words;
use crate::reference::ShareReached;
use crate::report::numbers;
use crate::report::terminal::table;
use crate::results::comparison::Comparison;

/// One row for each group and threshold: base rate, coverage, evaluations; then the pairs.
pub fn comparison_text(comparison: &Comparison) -> String {
    let head = [
        "group",
        "posterior",
        "base rate",
        "coverage",
        "evaluations",
        "95 %",
        "after first draws",
        "reached by them",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for group in &comparison.groups {
        for level in &group.levels {
            rows.push(vec![
                format!("{} {}", group.name, group.label()),
                level.threshold.to_string(),
                level.base_rate.map_or_else(|| "-".into(), |rate| numbers::percent(rate.share)),
                words::coverage(&level.coverage),
                words::time(&level.evaluations),
                words::time_interval(&level.evaluations),
                level.after_draws.as_ref().map_or_else(|| "-".into(), words::time),
                level.in_draws.map_or_else(|| "-".into(), |s| format!("{} of {}", s.count, s.of)),
            ]);
        }
    }
    let levels = at_levels(comparison);
    let head = ["pair", "at", "evaluations", "95 %", "p", "to all classes", "95 %", "p"];
    let mut pairs = vec![head.map(str::to_owned).to_vec()];
    for difference in &comparison.differences {
        let posteriors = difference.levels.iter().map(|at| (at.threshold.to_string(), at));
        let levels = difference.at_levels.iter();
        let levels = levels.map(|at| (format!("level {}", at.threshold), at));
        for (at, level) in posteriors.chain(levels) {
            let mut row = vec![format!("{} : {}", difference.first, difference.second), at];
            for contrast in [&level.evaluations, &level.all_classes] {
                row.extend(match contrast {
                    None => ["chance", "", "–"].map(str::to_owned),
                    Some(contrast) => [
                        words::ratio(&contrast.ratio),
                        words::ratio_interval(contrast.interval),
                        words::p_value(contrast.p),
                    ],
                });
            }
            pairs.push(row);
        }
    }
    match comparison.differences.as_slice() {
        [] => format!("{levels}{}", without_empty_columns(rows)),
        _ => format!("{levels}{}\n{}", without_empty_columns(rows), without_empty_columns(pairs)),
    }
}

/// One row for each group and level, genuine items beside; nothing without a genuine reference.
fn at_levels(comparison: &Comparison) -> String {
    let head = [
        "group",
        "level",
        "base rate",
        "genuine, right",
        "genuine, wrong",
        "classes reached",
        "evaluations",
        "95 %",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    let genuine = |share: Option<ShareReached>| {
        share.map_or_else(|| "-".into(), |share| numbers::percent(share.share))
    };
    for group in &comparison.groups {
        for at in &group.at_levels {
            rows.push(vec![
                format!("{} {}", group.name, group.label()),
                at.level.to_string(),
                at.base_rate.map_or_else(|| "-".into(), |rate| numbers::percent(rate.share)),
                genuine(at.genuine_right),
                genuine(at.genuine_wrong),
                at.reached.map_or_else(|| "-".into(), |s| format!("{} of {}", s.count, s.of)),
                words::time(&at.evaluations),
                words::time_interval(&at.evaluations),
            ]);
        }
    }
    if rows.len() == 1 { String::new() } else { format!("{}\n", without_empty_columns(rows)) }
}

/// A table of rows with a head, without the columns in which no row says anything.
fn without_empty_columns(mut rows: Vec<Vec<String>>) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let says = |cell: Option<&String>| cell.is_some_and(|cell| !matches!(&**cell, "" | "-" | "–"));
    for column in (0..columns).rev() {
        if !rows.iter().skip(1).any(|row| says(row.get(column))) {
            rows.iter_mut()
                .filter(|row| row.len() > column)
                .for_each(|row| drop(row.remove(column)));
        }
    }
    table(&rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_that_say_nothing_are_left_out() {
        let rows = [["group", "base rate", "95 %", "p"], ["A", "-", "", "–"], ["B", "-", "2", "-"]];
        let rows = rows.map(|row| row.map(str::to_owned).to_vec()).to_vec();
        assert_eq!(without_empty_columns(rows), "group  95 %\nA\nB         2\n");
    }
}
