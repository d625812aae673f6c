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
    let head = ["pair", "posterior", "evaluations", "95 %", "p", "to all classes", "95 %", "p"];
    let mut pairs = vec![head.map(str::to_owned).to_vec()];
    for difference in &comparison.differences {
        for level in &difference.levels {
            let mut row = vec![
                format!("{} : {}", difference.first, difference.second),
                level.threshold.to_string(),
            ];
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
        [] => format!("{levels}{}", table(&rows)),
        _ => format!("{levels}{}\n{}", table(&rows), table(&pairs)),
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
    if rows.len() == 1 { String::new() } else { format!("{}\n", table(&rows)) }
}
