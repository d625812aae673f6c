//! Thresholds from adaptive tracks: of each track the mean of its last reversals, of all answers
//! together a psychometric function.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use trompe_statistics::bootstrap::percentile_interval;
use trompe_statistics::psychometric::{Level, Psychometric, fit, refit};
use trompe_statistics::special::student_quantile;
use trompe_statistics::stream::{Purpose, stream};
use trompe_statistics::{Interval, Undefined};

use super::method::Method;
use super::plan::AnalysisPlan;
use super::rows::hit;
use crate::answers::AnswerRow;
use crate::staircase::{Course, Staircase};

/// Resamples of a psychometric function: a fit takes long, and 999 know the ends of an interval well
/// enough (our choice).
const MOST_RESAMPLES: usize = 999;

/// Share of the resamples that must have a threshold, or there is no interval.
const DEFINED: f64 = 0.95;

/// The tracks of one condition of a block.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StaircaseReport {
    /// Name of the block.
    pub block: String,
    /// The condition, `staircase:<name>`.
    pub condition: String,
    /// How its tracks ran.
    pub settings: Staircase,
    /// Probability of a right answer at which the rule hovers.
    pub target: f64,
    /// One report a track, by participant.
    pub tracks: Vec<TrackReport>,
    /// Mean of the tracks' thresholds.
    pub mean: Method<MeanThreshold>,
    /// Right answers by strength, ascending.
    pub levels: Vec<LevelReport>,
    /// The psychometric function of all answers.
    pub function: Method<FunctionReport>,
}

/// One track of one participant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrackReport {
    /// Code of the participant.
    pub participant: String,
    /// Its trials in order.
    pub trials: Vec<TrackTrial>,
    /// Numbers of the trials, from 0, after which it turned.
    pub reversals: Vec<usize>,
    /// How many of the last reversals are averaged.
    pub averaged: usize,
    /// Their mean, the threshold of the track.
    pub threshold: Method<f64>,
    /// Their standard deviation.
    pub sd: Option<f64>,
    /// Whether it ran to its end.
    pub complete: bool,
    /// How often the rule asked for a strength beyond the ends of the list.
    pub held_at_end: usize,
}

/// One trial of a track.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TrackTrial {
    /// Strength of the stimulus.
    pub strength: f64,
    /// Whether the answer was right.
    pub right: bool,
}

/// The mean of the thresholds of several participants.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MeanThreshold {
    /// Participants with a threshold.
    pub participants: usize,
    /// Mean of their thresholds.
    pub mean: f64,
    /// Standard deviation between participants.
    pub sd: f64,
    /// Student's interval of the mean.
    pub interval: Interval,
}

/// The answers to stimuli of one strength.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LevelReport {
    /// The strength.
    pub strength: f64,
    /// Right answers.
    pub right: u64,
    /// All answers.
    pub answers: u64,
}

/// A psychometric function, p(x) = 1/m + (1 - 1/m - lapse) / (1 + exp(-slope (x - threshold))); where
/// lower strengths are easier, the sign of the exponent is turned.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FunctionReport {
    /// Participants whose answers it describes.
    pub participants: usize,
    /// Strength half-way between guessing and the best.
    pub threshold: f64,
    /// Its interval from resampling participants.
    pub threshold_interval: Option<Interval>,
    /// Steepness in log-odds per unit of strength.
    pub slope: f64,
    /// Its interval.
    pub slope_interval: Option<Interval>,
    /// Share of answers that are wrong, but for lucky guesses, however easy the stimulus.
    pub lapse: f64,
    /// Strength at the target of the rule, which the means of reversals estimate, too.
    pub at_target: Option<f64>,
    /// Its interval.
    pub at_target_interval: Option<Interval>,
    /// Resamples, and how many of them had a threshold.
    pub resamples: (usize, usize),
}

impl StaircaseReport {
    /// The thresholds in a line.
    pub(super) fn sentence(&self) -> String {
        let unit = &self.settings.unit;
        let mean = match &self.mean {
            Method::Done(mean) => format!(
                "mean threshold {:.2} {unit} ({:.2} to {:.2}) of {} participants",
                mean.mean, mean.interval.low, mean.interval.high, mean.participants
            ),
            Method::NotDefined(why) => format!("no mean threshold: {why}"),
        };
        let fitted = match &self.function {
            Method::Done(f) => match f.at_target {
                Some(at) => format!(
                    "{:.1} % right at {at:.2} {unit} by the psychometric function",
                    100.0 * self.target
                ),
                None => "the psychometric function does not reach the target".to_owned(),
            },
            Method::NotDefined(why) => format!("no psychometric function: {why}"),
        };
        format!("{mean}; {fitted}")
    }
}

impl FunctionReport {
    /// Probability of a right answer.
    pub(super) fn right(&self, settings: &Staircase, strength: f64) -> f64 {
        self.eased(settings).right(settings.ease(strength))
    }

    /// The function on the axis on which more is easier.
    fn eased(&self, settings: &Staircase) -> Psychometric {
        Psychometric {
            guess: settings.chance(),
            threshold: settings.ease(self.threshold),
            slope: self.slope,
            lapse: self.lapse,
            log_likelihood: 0.0,
        }
    }
}

/// One report a block and condition, in order of name.
///
/// # Errors
/// What is wrong with a row.
pub(super) fn reports(
    rows: &[&AnswerRow],
    plan: &AnalysisPlan,
) -> Result<Vec<StaircaseReport>, String> {
    let mut groups: BTreeMap<(&str, &str), Vec<&AnswerRow>> = BTreeMap::new();
    for &row in rows {
        groups.entry((&row.block, &row.condition)).or_default().push(row);
    }
    let report = |((block, condition), rows): ((&str, &str), Vec<&AnswerRow>)| {
        let settings = plan.staircases.get(block).ok_or_else(|| {
            format!("the plan does not say how the tracks of block {block:?} ran (staircases)")
        })?;
        report(block, condition, settings, &rows, plan)
    };
    groups.into_iter().map(report).collect()
}

fn report(
    block: &str,
    condition: &str,
    settings: &Staircase,
    rows: &[&AnswerRow],
    plan: &AnalysisPlan,
) -> Result<StaircaseReport, String> {
    let mut by_track: BTreeMap<(&str, &str), Vec<(u32, TrackTrial)>> = BTreeMap::new();
    for row in rows {
        let track = row.item.split_once('/').map(|(track, _)| track);
        let (Some(track), Some(strength)) = (track, row.strength.filter(|s| s.is_finite())) else {
            return Err(format!(
                "item {} of {} is a trial of a track without a strength",
                row.item, row.participant
            ));
        };
        let trial = TrackTrial { strength, right: hit(row) };
        by_track.entry((&row.participant, track)).or_default().push((row.position, trial));
    }
    let mut tracks = Vec::new();
    for ((participant, _), mut trials) in by_track {
        trials.sort_by_key(|(position, _)| *position);
        let gaps = trials.windows(2).any(|pair| pair[1].0 != pair[0].0 + 1);
        let trials: Vec<TrackTrial> = trials.into_iter().map(|(_, trial)| trial).collect();
        tracks.push(track(participant, trials, gaps, settings));
    }
    Ok(StaircaseReport {
        block: block.to_owned(),
        condition: condition.to_owned(),
        target: settings.rule.target(),
        mean: mean_threshold(&tracks, plan.level).into(),
        levels: levels(tracks.iter().flat_map(|track| &track.trials)),
        function: function(&tracks, settings, plan).into(),
        settings: settings.clone(),
        tracks,
    })
}

/// Follows a track by its answers.
fn track(
    participant: &str,
    trials: Vec<TrackTrial>,
    gaps: bool,
    settings: &Staircase,
) -> TrackReport {
    let mut course = Course::default();
    let mut held_at_end = 0;
    for (number, trial) in trials.iter().enumerate() {
        let moves = course.note(settings.rule, trial.right).is_some();
        let next = trials.get(number + 1);
        held_at_end +=
            usize::from(moves && next.is_some_and(|next| next.strength == trial.strength));
    }
    let complete = !gaps && course.over(settings);
    let turned: Vec<f64> =
        course.reversals.iter().filter_map(|&number| Some(trials.get(number)?.strength)).collect();
    let averaged = settings.averaged(&turned);
    let (threshold, sd) = match mean_and_sd(averaged) {
        _ if gaps => (
            Method::NotDefined(
                "answers of the track were left out, so its course is unknown".into(),
            ),
            None,
        ),
        Some((mean, sd)) => (Method::Done(mean), Some(sd)),
        None => {
            let why = "it has fewer than two reversals after the coarse steps";
            (Method::NotDefined(why.into()), None)
        }
    };
    let averaged = if threshold.done().is_some() { averaged.len() } else { 0 };
    let (participant, reversals) = (participant.to_owned(), course.reversals);
    TrackReport { participant, trials, reversals, averaged, threshold, sd, complete, held_at_end }
}

/// Mean and standard deviation of two values or more.
fn mean_and_sd(values: &[f64]) -> Option<(f64, f64)> {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    (values.len() >= 2).then(|| (mean, libm::sqrt(squares / (count - 1.0))))
}

fn mean_threshold(tracks: &[TrackReport], level: f64) -> Result<MeanThreshold, Undefined> {
    // a participant with several tracks of a condition counts once, by their mean
    let mut by_participant: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for track in tracks {
        if let Some(&threshold) = track.threshold.done() {
            by_participant.entry(&track.participant).or_default().push(threshold);
        }
    }
    let own: Vec<f64> =
        by_participant.values().map(|own| own.iter().sum::<f64>() / own.len() as f64).collect();
    let (mean, sd) =
        mean_and_sd(&own).ok_or(Undefined("fewer than two participants have a threshold"))?;
    let count = own.len() as f64;
    let quantile = student_quantile(0.5 * (1.0 + level), count - 1.0);
    let reach = quantile * sd / libm::sqrt(count);
    let interval = Interval { low: mean - reach, high: mean + reach };
    Ok(MeanThreshold { participants: own.len(), mean, sd, interval })
}

fn levels<'a>(trials: impl Iterator<Item = &'a TrackTrial>) -> Vec<LevelReport> {
    let mut found: Vec<LevelReport> = Vec::new();
    for trial in trials {
        let place = found.partition_point(|level| level.strength < trial.strength);
        if found.get(place).is_none_or(|level| level.strength != trial.strength) {
            found.insert(place, LevelReport { strength: trial.strength, right: 0, answers: 0 });
        }
        found[place].right += u64::from(trial.right);
        found[place].answers += 1;
    }
    found
}

fn function(
    tracks: &[TrackReport],
    settings: &Staircase,
    plan: &AnalysisPlan,
) -> Result<FunctionReport, Undefined> {
    let all = levels(tracks.iter().flat_map(|track| &track.trials));
    let participants: BTreeSet<&str> =
        tracks.iter().map(|track| track.participant.as_str()).collect();
    // right answers and all answers of each participant, by strength
    let table: Vec<Vec<(f64, f64)>> = participants
        .iter()
        .map(|name| {
            let mut counts = vec![(0.0, 0.0); all.len()];
            let own = tracks.iter().filter(|track| track.participant == *name);
            for trial in own.flat_map(|track| &track.trials) {
                let place = all.partition_point(|level| level.strength < trial.strength);
                counts[place].0 += f64::from(u8::from(trial.right));
                counts[place].1 += 1.0;
            }
            counts
        })
        .collect();
    let of = |chosen: &[usize]| -> Vec<Level> {
        let level = |(place, level): (usize, &LevelReport)| {
            let (right, answers) = chosen.iter().fold((0.0, 0.0), |(right, answers), &person| {
                (right + table[person][place].0, answers + table[person][place].1)
            });
            Level { strength: settings.ease(level.strength), right, answers }
        };
        all.iter().enumerate().map(level).collect()
    };
    let everyone: Vec<usize> = (0..table.len()).collect();
    let best = fit(&of(&everyone), settings.chance())?;
    let target = settings.rule.target();
    let wanted = if table.len() < 2 { 0 } else { plan.resamples.min(MOST_RESAMPLES) };
    let mut draws: Vec<Psychometric> = Vec::new();
    for place in 0..wanted {
        let mut random = stream(plan.seed, Purpose::Bootstrap, place as u64);
        let chosen: Vec<usize> =
            everyone.iter().map(|_| trompe_base::random::index(table.len(), &mut random)).collect();
        draws.extend(refit(&of(&chosen), &best));
    }
    let defined = draws.len();
    let interval = |value: &dyn Fn(&Psychometric) -> Option<f64>| {
        let values: Vec<f64> = draws.iter().filter_map(value).collect();
        let enough = wanted > 0 && values.len() as f64 >= DEFINED * wanted as f64;
        percentile_interval(values, plan.level).filter(|_| enough)
    };
    // back to the axis of the strengths
    let back = |interval: Option<Interval>| {
        let ends = interval.map(|i| [settings.ease(i.low), settings.ease(i.high)]);
        ends.map(|[a, b]| Interval { low: a.min(b), high: a.max(b) })
    };
    Ok(FunctionReport {
        participants: table.len(),
        threshold: settings.ease(best.threshold),
        threshold_interval: back(interval(&|f| Some(f.threshold))),
        slope: best.slope,
        slope_interval: interval(&|f| Some(f.slope)),
        lapse: best.lapse,
        at_target: best.strength_at(target).map(|strength| settings.ease(strength)),
        at_target_interval: back(interval(&|f| f.strength_at(target))),
        resamples: (wanted, defined),
    })
}

/// What a reader must know of the tracks before the numbers.
pub(super) fn warnings(reports: &[StaircaseReport]) -> Vec<String> {
    let mut warnings = Vec::new();
    for report in reports {
        let name = format!("{}, {}", report.block, report.condition);
        let count = |is: &dyn Fn(&&TrackReport) -> bool| report.tracks.iter().filter(is).count();
        let of = report.tracks.len();
        let without = count(&|track| track.threshold.done().is_none());
        if without > 0 {
            warnings.push(format!("{name}: {without} of {of} tracks have no threshold"));
        }
        let unfinished = count(&|track| !track.complete);
        if unfinished > 0 {
            warnings.push(format!("{name}: {unfinished} of {of} tracks did not run to their end"));
        }
        let held = count(&|track| track.held_at_end > 0);
        if held > 0 {
            warnings.push(format!(
                "{name}: {held} of {of} tracks came to an end of the strengths and were held there, which \
                 draws their thresholds towards the middle"
            ));
        }
    }
    warnings
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::staircase::{Easier, Rule};

    fn rows(participant: &str, trials: &[(f64, bool)]) -> Vec<AnswerRow> {
        let row = |(position, &(strength, right)): (usize, &(f64, bool))| AnswerRow {
            participant: participant.into(),
            item: format!("track/{}", strength as i64 + 100),
            condition: "staircase:eq".into(),
            medium: "audio".into(),
            truth: "2".into(),
            answer: Some(if right { "2" } else { "1" }.into()),
            rating: None,
            response_ms: 3000,
            heard_ms: Some(3000),
            stalls: Some(0),
            block: "staircase".into(),
            position: position as u32 + 4,
            excluded: None,
            order: None,
            server_ms: None,
            strength: Some(strength),
        };
        trials.iter().enumerate().map(row).collect()
    }

    fn plan(settings: Staircase) -> AnalysisPlan {
        AnalysisPlan {
            staircases: [("staircase".to_owned(), settings)].into(),
            resamples: 200,
            ..AnalysisPlan::default()
        }
    }

    /// By hand, 1-up-1-down with three intervals: turns at 4, 6, 3, 5; of these the last two are
    /// averaged, 4 with a standard deviation of the square root of 2.
    #[test]
    fn a_track_is_followed_from_a_table_as_by_hand() {
        let settings = Staircase {
            rule: Rule { down: 1 },
            coarse_reversals: 2,
            average: 2,
            reversals: Some(4),
            ..Staircase::default()
        };
        let trials = [
            (8.0, true),
            (6.0, true),
            (4.0, false),
            (6.0, true),
            (5.0, true),
            (4.0, true),
            (3.0, false),
            (4.0, false),
            (5.0, true),
        ];
        let rows = rows("p", &trials);
        let all: Vec<&AnswerRow> = rows.iter().collect();
        let report = &reports(&all, &plan(settings.clone())).unwrap()[0];
        let [track] = report.tracks.as_slice() else { panic!("one track") };
        assert_eq!(track.reversals, [2, 3, 6, 8]);
        assert_eq!((track.threshold.done(), track.averaged), (Some(&4.0), 2));
        assert!((track.sd.unwrap() - core::f64::consts::SQRT_2).abs() < 1e-12);
        assert!(track.complete && track.held_at_end == 0);
        assert!(report.mean.done().is_none(), "one listener has no spread");
        let level = |strength: f64| report.levels.iter().find(|l| l.strength == strength).unwrap();
        assert_eq!((level(4.0).right, level(4.0).answers), (1, 3));
        // a rule that took a trial out: the course is unknown, the answers still count
        let cut: Vec<&AnswerRow> = rows.iter().filter(|row| row.position != 9).collect();
        let report = &reports(&cut, &plan(settings.clone())).unwrap()[0];
        assert!(report.tracks[0].threshold.done().is_none() && !report.tracks[0].complete);
        assert_eq!(warnings(std::slice::from_ref(report)).len(), 2);
        // an unfinished one, and a row without a strength
        let report = &reports(&all[..4], &plan(settings.clone())).unwrap()[0];
        assert!(report.tracks[0].threshold.done().is_none() && !report.tracks[0].complete);
        let mut wrong = rows[0].clone();
        wrong.strength = None;
        assert!(reports(&[&wrong], &plan(settings)).unwrap_err().contains("without a strength"));
        assert!(reports(&all, &AnalysisPlan::default()).unwrap_err().contains("staircases"));
    }

    /// Twelve listeners whose shares of right answers are those of a function, one with lower strengths
    /// easier: its numbers come back on the axis of the strengths.
    #[test]
    fn the_function_comes_back_on_the_axis_of_the_strengths() {
        for (easier, sign) in [(Easier::Higher, 1.0), (Easier::Lower, -1.0)] {
            let settings = Staircase { easier: Some(easier), ..Staircase::default() };
            let truth = FunctionReport {
                participants: 0,
                threshold: 3.0,
                threshold_interval: None,
                slope: 1.2,
                slope_interval: None,
                lapse: 0.0,
                at_target: None,
                at_target_interval: None,
                resamples: (0, 0),
            };
            let mut all = Vec::new();
            for person in 0..12 {
                let mut trials = Vec::new();
                for strength in -2..=8 {
                    let strength = f64::from(strength);
                    let right = 40.0 * truth.right(&settings, strength);
                    // people differ by one answer in forty
                    let right = libm::round(right) as i32 + person % 3 - 1;
                    trials.extend((0..40).map(|number| (strength, number < right)));
                }
                all.extend(rows(&format!("p{person:02}"), &trials));
            }
            let all: Vec<&AnswerRow> = all.iter().collect();
            let report = &reports(&all, &plan(settings.clone())).unwrap()[0];
            let found = report.function.done().unwrap();
            assert!((found.threshold - 3.0).abs() < 0.1, "{found:?}");
            assert!((found.slope - 1.2).abs() < 0.15, "{found:?}");
            let interval = found.threshold_interval.unwrap();
            assert!(interval.contains(found.threshold) && interval.high - interval.low < 0.3);
            let at = found.at_target.unwrap();
            assert!((found.right(&settings, at) - report.target).abs() < 1e-9);
            assert!(found.at_target_interval.unwrap().contains(at));
            assert!(sign * (at - found.threshold) > 0.0, "70.7 % lie on the easier side of 66.7 %");
            assert_eq!(found.resamples, (200, 200));
        }
    }
}
