//! Grades of small impairments by ITU-R BS.1116-3: the object and the hidden reference of each trial are
//! graded from 1.0 to 5.0 beside the open reference. What counts is their difference (diff-grade).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use trompe_statistics::Interval;
use trompe_statistics::special::{student_quantile, student_sf};

use super::plan::AnalysisPlan;
use crate::answers::AnswerRow;
use crate::mushra::REFERENCE;

/// The grades of one block.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bs1116Report {
    /// Name of the block.
    pub block: String,
    /// What the post-screening found of each listener.
    pub screening: Vec<Expertise>,
    /// One report an object under test, of the listeners who passed; empty if nobody did.
    pub conditions: Vec<Bs1116Condition>,
}

/// Whether a listener tells objects from the reference: a one-sided t-test of the listener's
/// diff-grades over all trials (BS.1116-3, post-screening).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Expertise {
    /// Code of the participant.
    pub participant: String,
    /// Trials.
    pub trials: usize,
    /// Mean diff-grade.
    pub mean: f64,
    /// Student's t of "the mean is not below 0"; absent where all diff-grades are equal or there is one.
    pub t: Option<f64>,
    /// Its one-sided p; absent for a single trial, which nothing can be tested with.
    pub p: Option<f64>,
    /// Whether the listener is out.
    pub out: bool,
}

/// The grades of one object under test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bs1116Condition {
    /// Its name.
    pub condition: String,
    /// Listeners with grades.
    pub listeners: usize,
    /// Trials with grades.
    pub trials: usize,
    /// Mean grade of the object.
    pub object: f64,
    /// Mean grade of the hidden reference beside it.
    pub reference: f64,
    /// Mean diff-grade: object less hidden reference, from -4 (very annoying) to 0 and above.
    pub diff: f64,
    /// Standard deviation of the diff-grades.
    pub sd: f64,
    /// Student's interval of the mean over the listeners' means; absent for one listener.
    pub interval: Option<Interval>,
}

/// One trial of one listener.
#[derive(Debug, Clone, Copy)]
struct Trial<'a> {
    listener: &'a str,
    condition: &'a str,
    object: f64,
    reference: f64,
}

impl Trial<'_> {
    fn diff(&self) -> f64 {
        self.object - self.reference
    }
}

/// The report on the rows of one block.
///
/// # Errors
/// The row that holds no grade, or that has no partner.
pub(super) fn report(
    block: &str,
    rows: &[&AnswerRow],
    plan: &AnalysisPlan,
) -> Result<Bs1116Report, String> {
    let all = trials(rows)?;
    let screening = screen(&all, plan.alpha);
    let out: BTreeSet<&str> =
        screening.iter().filter(|s| s.out).map(|s| s.participant.as_str()).collect();
    let kept: Vec<Trial> = all.into_iter().filter(|trial| !out.contains(trial.listener)).collect();
    let names: BTreeSet<&str> = kept.iter().map(|trial| trial.condition).collect();
    let conditions = names.into_iter().map(|name| condition(name, &kept, plan.level)).collect();
    Ok(Bs1116Report { block: block.to_owned(), conditions, screening })
}

/// Grades in pairs: those of the object and of the hidden reference of the same trial.
fn trials<'a>(rows: &[&'a AnswerRow]) -> Result<Vec<Trial<'a>>, String> {
    type Pair<'a> = (Option<(&'a str, f64)>, Option<f64>);
    let mut pairs: BTreeMap<(&str, &str), Pair> = BTreeMap::new();
    for row in rows {
        let page = row.item.split_once('/').map(|(page, _)| page);
        let condition = row.condition.split_once(':').map(|(_, name)| name);
        let grade = row.rating.filter(|grade| (1.0..=5.0).contains(grade));
        let (Some(page), Some(condition), Some(grade)) = (page, condition, grade) else {
            return Err(format!(
                "item {} of {} has the grade {:?}, not 1.0 to 5.0",
                row.item, row.participant, row.rating
            ));
        };
        let pair = pairs.entry((&row.participant, page)).or_default();
        match condition {
            REFERENCE => pair.1 = Some(grade),
            object => pair.0 = Some((object, grade)),
        }
    }
    let trial = |((listener, page), pair): ((&'a str, &'a str), Pair<'a>)| match pair {
        (Some((condition, object)), Some(reference)) => {
            Ok(Trial { listener, condition, object, reference })
        }
        _ => Err(format!(
            "trial {page} of {listener} does not hold a grade of the object and one of the reference"
        )),
    };
    pairs.into_iter().map(trial).collect()
}

/// One verdict a listener, in order of name.
fn screen(trials: &[Trial], alpha: f64) -> Vec<Expertise> {
    let mut people: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for trial in trials {
        people.entry(trial.listener).or_default().push(trial.diff());
    }
    let verdict = |(listener, diffs): (&str, Vec<f64>)| {
        let (mean, sd) = mean_and_sd(&diffs);
        let count = diffs.len() as f64;
        let t = (sd > 0.0).then(|| mean / (sd / libm::sqrt(count)));
        let p = match t {
            Some(t) => Some(student_sf(-t, count - 1.0)),
            // all alike: as sure as can be, one way or the other
            None if diffs.len() > 1 => Some(if mean < 0.0 { 0.0 } else { 1.0 }),
            None => None,
        };
        Expertise {
            participant: listener.to_owned(),
            trials: diffs.len(),
            mean,
            t,
            p,
            out: p.is_some_and(|p| p >= alpha),
        }
    };
    people.into_iter().map(verdict).collect()
}

fn condition(name: &str, trials: &[Trial], level: f64) -> Bs1116Condition {
    let own: Vec<&Trial> = trials.iter().filter(|trial| trial.condition == name).collect();
    let of = |value: &dyn Fn(&Trial) -> f64| -> Vec<f64> { own.iter().map(|t| value(t)).collect() };
    let mut by_listener: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for trial in &own {
        by_listener.entry(trial.listener).or_default().push(trial.diff());
    }
    let means: Vec<f64> = by_listener.values().map(|own| mean_and_sd(own).0).collect();
    let (diff, sd) = mean_and_sd(&of(&|trial| trial.diff()));
    let (centre, spread) = mean_and_sd(&means);
    let count = means.len() as f64;
    let interval = (means.len() > 1).then(|| {
        let reach = student_quantile(0.5 * (1.0 + level), count - 1.0) * spread / libm::sqrt(count);
        Interval { low: centre - reach, high: centre + reach }
    });
    Bs1116Condition {
        condition: name.to_owned(),
        listeners: means.len(),
        trials: own.len(),
        object: mean_and_sd(&of(&|trial| trial.object)).0,
        reference: mean_and_sd(&of(&|trial| trial.reference)).0,
        diff,
        sd,
        interval,
    }
}

/// Mean and standard deviation; 0 for the latter of one value.
fn mean_and_sd(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count.max(1.0);
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    (mean, if values.len() > 1 { libm::sqrt(squares / (count - 1.0)) } else { 0.0 })
}

impl Bs1116Report {
    /// Whether the post-screening keeps this participant.
    pub(super) fn keeps(&self, participant: &str) -> bool {
        !self.screening.iter().any(|listener| listener.out && listener.participant == participant)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn of<'a>(listener: &'a str, condition: &'a str, diffs: &[f64]) -> Vec<Trial<'a>> {
        let trial = |&diff: &f64| Trial { listener, condition, object: 5.0 + diff, reference: 5.0 };
        diffs.iter().map(trial).collect()
    }

    /// By hand: diff-grades -1, 0, -2, -1 have the mean -1 and the standard deviation sqrt(2/3), so t =
    /// -1 / (0.8165 / 2) = -2.449 with 3 degrees of freedom, p = .0459; with 0 in the place of one -1
    /// the mean is -0.75, t = -1.567, p = .1076 (by the closed form
    /// of three degrees of freedom).
    #[test]
    fn listeners_who_do_not_tell_objects_from_the_reference_are_out() {
        let mut trials = of("good", "codec", &[-1.0, 0.0, -2.0, -1.0]);
        trials.extend(of("unsure", "codec", &[0.0, 0.0, -2.0, -1.0]));
        trials.extend(of("turned", "codec", &[1.0, 1.0, 1.0, 1.0]));
        trials.extend(of("same", "codec", &[-1.0, -1.0, -1.0, -1.0]));
        trials.extend(of("single", "codec", &[0.0]));
        let found = screen(&trials, 0.05);
        let of = |name: &str| found.iter().find(|s| s.participant == name).unwrap();
        assert!((of("good").t.unwrap() + 2.449_49).abs() < 1e-4);
        assert!((of("good").p.unwrap() - 0.045_9).abs() < 2e-4, "{:?}", of("good"));
        assert!((of("unsure").p.unwrap() - 0.107_6).abs() < 2e-4, "{:?}", of("unsure"));
        assert_eq!((of("turned").p, of("same").p, of("single").p), (Some(1.0), Some(0.0), None));
        let out: Vec<&str> =
            found.iter().filter(|s| s.out).map(|s| s.participant.as_str()).collect();
        assert_eq!(out, ["turned", "unsure"]);
    }

    /// Three listeners with the means -1, -2 and -3: mean -2, standard deviation 1, and the interval
    /// reaches 4.3027 / sqrt(3) = 2.484 to both sides.
    #[test]
    fn means_have_the_interval_of_the_listeners() {
        let mut trials = of("a", "codec", &[-0.5, -1.5]);
        trials.extend(of("b", "codec", &[-2.0, -2.0]));
        trials.extend(of("c", "codec", &[-2.5, -3.5]));
        trials.extend(of("c", "other", &[-4.0]));
        let found = condition("codec", &trials, 0.95);
        assert_eq!((found.listeners, found.trials, found.diff), (3, 6, -2.0));
        assert_eq!((found.object, found.reference), (3.0, 5.0));
        let interval = found.interval.unwrap();
        assert!((interval.low + 2.0 + 2.484).abs() < 1e-3, "{interval:?}");
        assert!((interval.high + 2.0 - 2.484).abs() < 1e-3, "{interval:?}");
        assert!(condition("other", &trials, 0.95).interval.is_none());
    }
}
