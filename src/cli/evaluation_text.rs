//! What `trompe evaluate` prints of a division.

use trompe_base::words::counted;
use trompe_statistics::Interval;

use crate::evaluation::{Assessment, Intervals, Rival, Spread};
use crate::report::terminal;

/// Everything found in one division, with the confusion of all its trials together.
pub(super) fn show(assessment: &Assessment, kind: &str) -> String {
    let Assessment { evaluation, consistency, against_chance: chance, .. } = assessment;
    let mut lines = vec![format!("{}:", assessment.division)];
    lines.extend(assessment.notes.iter().map(|note| format!("note: {note}")));
    lines.push(terminal::confusion(&evaluation.classes, |t, p| assessment.confused(t, p)));
    lines.push(format!(
        "mean recall {}, accuracy {}, chance {:.3}",
        spread(evaluation.mean_recall),
        spread(evaluation.accuracy),
        chance.chance
    ));
    let both = &assessment.intervals;
    for (figure, intervals) in [("mean recall", both.mean_recall), ("accuracy", both.accuracy)] {
        lines.extend(intervals_in_words(intervals).map(|words| format!("{figure}: {words}")));
    }
    lines.push(format!(
        "against chance, items independent: {} of {} right, p = {:.2e} (binomial), {} \
         ({} permutations)",
        chance.right,
        counted(chance.excerpts, "excerpt"),
        chance.p_binomial,
        p_value(chance.p_permutation),
        chance.permutations
    ));
    if let Some(by_group) = &chance.by_group {
        lines.push(format!(
            "against chance, by group: {:.1} of {} right, p = {:.2e} (binomial), {} ({} \
             permutations)",
            by_group.right,
            counted(by_group.groups, "group"),
            by_group.p_binomial,
            p_value(by_group.p_permutation),
            chance.permutations
        ));
    }
    if let Some(reach) = &evaluation.reach {
        lines.push(format!("{reach}: their codes are plain least squares"));
    }
    for certainty in evaluation.certainty.iter().filter(|certainty| certainty.claims > 0) {
        lines.push(format!(
            "posterior >= {}: {}, {} of them right",
            certainty.threshold,
            counted(certainty.claims, "claim"),
            certainty.right
        ));
    }
    if consistency.trials > 1 {
        lines.push(format!(
            "wrong in all {} trials: {}; wrong with one label alone: {}; both: {}",
            consistency.trials,
            counted(consistency.consistent, "excerpt"),
            consistency.persistent,
            consistency.consistent_and_persistent
        ));
    }
    if let Some(shuffled) = &assessment.shuffled_labels {
        lines.push(format!(
            "trained on shuffled labels: mean recall {:.3}, p = {:.3}",
            shuffled.mean_recall, shuffled.p_binomial
        ));
    }
    lines.extend(assessment.rival.iter().flat_map(|rival| comparison(rival, kind)));
    lines.push(String::new());
    lines.join("\n")
}

/// The comparison of the classifier, of that `kind`, with another.
fn comparison(rival: &Rival, kind: &str) -> Vec<String> {
    let (pairs, mcnemar) = (&rival.mcnemar.pairs, &rival.mcnemar);
    let mut lines = vec![format!(
        "{} on the same folds: mean recall {}; both right {}, {kind} alone {}, {} alone {}, \
         neither {}",
        rival.kind,
        spread(rival.evaluation.mean_recall),
        pairs.both,
        pairs.first_only,
        rival.kind,
        pairs.second_only,
        pairs.neither,
    )];
    lines.push(format!("items independent: McNemar's exact p = {:.3e}", mcnemar.p));
    if let Some(flips) = &mcnemar.by_group {
        lines.push(format!(
            "by group: p = {:.3e}, flipping whole groups: {kind} has more right in {} of {}, {} \
             in {}",
            flips.p, flips.first_better, flips.groups, rival.kind, flips.second_better
        ));
    }
    let difference = &rival.accuracy_difference;
    let words = intervals_in_words(difference.intervals).map(|words| format!("; {words}"));
    lines.push(format!(
        "accuracy of {kind} less that of {}: {:+.3}{}",
        rival.kind,
        difference.value,
        words.unwrap_or_default()
    ));
    lines
}

/// Both intervals; `None` if nothing could be resampled.
fn intervals_in_words(intervals: Intervals) -> Option<String> {
    let ends = |interval: Interval| format!("{:.3} to {:.3}", interval.low, interval.high);
    let independent =
        intervals.independent.map(|interval| format!("{} (items independent)", ends(interval)));
    let by_group = intervals.by_group.map(|interval| format!("{} (by group)", ends(interval)));
    let both: Vec<String> = independent.into_iter().chain(by_group).collect();
    (!both.is_empty()).then(|| format!("95 % interval {}", both.join(", ")))
}

fn p_value(p: Option<f64>) -> String {
    p.map_or_else(|| "not defined, one class alone is tested".to_owned(), |p| format!("{p:.2e}"))
}

fn spread(figure: Spread) -> String {
    match figure.deviation {
        Some(deviation) => format!("{:.3} +- {deviation:.3}", figure.mean),
        None => format!("{:.3}", figure.mean),
    }
}
