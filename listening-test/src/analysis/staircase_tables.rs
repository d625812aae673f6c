//! The tables of adaptive tracks.

use super::report::Report;
use super::staircase::{FunctionReport, LevelReport, StaircaseReport, TrackReport, TrackTrial};
use super::table::{Table, maybe, number, of, text};

pub(super) fn all(report: &Report) -> [Table; 4] {
    [tracks(report), trials(report), levels(report), functions(report)]
}

/// A row of a condition.
type Of<'a, T> = (&'a StaircaseReport, &'a T);

fn tracks(report: &Report) -> Table {
    let rows = report.staircases.iter().flat_map(|s| s.tracks.iter().map(move |t| (s, t)));
    Table::of::<Of<TrackReport>>(
        "staircase_tracks.csv",
        rows,
        &[
            ("block", "name of the block", |(s, _)| text(&s.block)),
            ("condition", "staircase:<name>", |(s, _)| text(&s.condition)),
            ("participant", "code; sim-... is a simulated listener", |(_, t)| text(&t.participant)),
            ("trials", "trials", |(_, t)| t.trials.len().to_string()),
            ("reversals", "reversals", |(_, t)| t.reversals.len().to_string()),
            ("averaged", "last reversals that are averaged", |(_, t)| t.averaged.to_string()),
            ("threshold", "their mean strength; empty if there is none", |(_, t)| {
                maybe(t.threshold.done().copied())
            }),
            ("sd", "their standard deviation", |(_, t)| maybe(t.sd)),
            ("complete", "true if the track ran to its end", |(_, t)| t.complete.to_string()),
            ("held_at_end", "times the rule asked for a strength beyond the list", |(_, t)| {
                t.held_at_end.to_string()
            }),
        ],
    )
}

fn trials(report: &Report) -> Table {
    let rows = report.staircases.iter().flat_map(|s| {
        let tracks = s.tracks.iter();
        tracks.flat_map(move |t| {
            t.trials.iter().enumerate().map(move |(place, trial)| (s, t, place, trial))
        })
    });
    Table::of::<(&StaircaseReport, &TrackReport, usize, &TrackTrial)>(
        "staircase_trials.csv",
        rows,
        &[
            ("block", "name of the block", |(s, ..)| text(&s.block)),
            ("condition", "staircase:<name>", |(s, ..)| text(&s.condition)),
            ("participant", "code; sim-... is a simulated listener", |(_, t, ..)| {
                text(&t.participant)
            }),
            ("trial", "number in the track, from 1", |(_, _, place, _)| (place + 1).to_string()),
            ("strength", "strength of the stimulus", |(.., trial)| number(trial.strength)),
            ("right", "true if the right interval was named", |(.., trial)| {
                trial.right.to_string()
            }),
            ("reversal", "true if the track turned after it", |(_, t, place, _)| {
                t.reversals.contains(place).to_string()
            }),
        ],
    )
}

fn levels(report: &Report) -> Table {
    let rows = report.staircases.iter().flat_map(|s| s.levels.iter().map(move |l| (s, l)));
    Table::of::<Of<LevelReport>>(
        "staircase_levels.csv",
        rows,
        &[
            ("block", "name of the block", |(s, _)| text(&s.block)),
            ("condition", "staircase:<name>", |(s, _)| text(&s.condition)),
            ("strength", "strength of the stimulus", |(_, l)| number(l.strength)),
            ("right", "right answers of all participants", |(_, l)| l.right.to_string()),
            ("answers", "answers of all participants", |(_, l)| l.answers.to_string()),
        ],
    )
}

fn functions(report: &Report) -> Table {
    Table::of::<&StaircaseReport>(
        "staircase_functions.csv",
        report.staircases.iter(),
        &[
            ("block", "name of the block", |s| text(&s.block)),
            ("condition", "staircase:<name>", |s| text(&s.condition)),
            ("unit", "unit of the strengths", |s| text(&s.settings.unit)),
            ("intervals", "intervals of a trial; guessing is right in one of them", |s| {
                s.settings.intervals.to_string()
            }),
            ("rule", "when the strength changes", |s| text(&String::from(s.settings.rule))),
            ("target", "probability of a right answer at which the rule hovers", |s| {
                number(s.target)
            }),
            ("participants", "participants with a threshold", |s| {
                of(s.mean.done(), |mean| mean.participants.to_string())
            }),
            ("mean", "mean of their thresholds", |s| of(s.mean.done(), |mean| number(mean.mean))),
            ("sd", "standard deviation between participants", |s| {
                of(s.mean.done(), |mean| number(mean.sd))
            }),
            ("mean_low", "Student's interval of the mean", |s| {
                of(s.mean.done(), |mean| number(mean.interval.low))
            }),
            ("mean_high", "its upper end", |s| {
                of(s.mean.done(), |mean| number(mean.interval.high))
            }),
            (
                "threshold",
                "of the psychometric function, half-way from guessing to the best",
                |s| fitted(s, |f| number(f.threshold)),
            ),
            ("threshold_low", "its interval, participants resampled", |s| {
                fitted(s, |f| maybe(f.threshold_interval.map(|i| i.low)))
            }),
            ("threshold_high", "its upper end", |s| {
                fitted(s, |f| maybe(f.threshold_interval.map(|i| i.high)))
            }),
            ("slope", "steepness in log-odds per unit", |s| fitted(s, |f| number(f.slope))),
            ("slope_low", "its interval, participants resampled", |s| {
                fitted(s, |f| maybe(f.slope_interval.map(|i| i.low)))
            }),
            ("slope_high", "its upper end", |s| {
                fitted(s, |f| maybe(f.slope_interval.map(|i| i.high)))
            }),
            ("lapse", "lapse rate", |s| fitted(s, |f| number(f.lapse))),
            ("at_target", "strength at the target of the rule", |s| {
                fitted(s, |f| maybe(f.at_target))
            }),
            ("at_target_low", "its interval, participants resampled", |s| {
                fitted(s, |f| maybe(f.at_target_interval.map(|i| i.low)))
            }),
            ("at_target_high", "its upper end", |s| {
                fitted(s, |f| maybe(f.at_target_interval.map(|i| i.high)))
            }),
        ],
    )
}

fn fitted(report: &StaircaseReport, cell: fn(&FunctionReport) -> String) -> String {
    of(report.function.done(), cell)
}
