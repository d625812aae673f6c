//! Deflation and inflation of a figure of merit (Sturm, *A simple method to determine if a
//! music information retrieval system is a horse*, IEEE Trans. Multimedia 16(6), 2014):
//! random filters that change nothing a listener would call genre are drawn for every clip
//! until its label is wrong, or until it is right. A system that recognizes genre moves
//! little. How the filters were drawn there is not known in detail; these are the smooth
//! gains of [`EqualizedClip`].

use serde::Serialize;
use trompe_base::random::stream;
use trompe_corpora::Progress;

use super::recordings::Recordings;
use crate::audio::EqualizedClip;
use crate::classifiers::{Classifier, Listener, Model};
use crate::error::{Error, Result};
use crate::log_odds::label;
use crate::problem::{Problem, Space, Victim};
use trompe_base::random::Stream;

/// Key of the random streams of filters.
const STREAM: u64 = 0x6465_666c;

/// Accuracy within reach of a number of random filters.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct WithinDraws {
    /// Filters drawn; 0 is the clips as they are.
    pub draws: usize,
    /// Accuracy if for every clip the filter is chosen that is worst for the system.
    pub deflated: f64,
    /// Accuracy if for every clip the filter is chosen that is best for it.
    pub inflated: f64,
}

/// What random filters do to an accuracy.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Deflation {
    /// Greatest gain in decibels.
    pub severity_db: f64,
    /// Labelled clips.
    pub clips: usize,
    /// Accuracy of guessing.
    pub chance: f64,
    /// At 0, 1, 2, 5, 10, … and all draws.
    pub within: Vec<WithinDraws>,
    /// Lowest accuracy under one filter for all clips.
    pub lowest_by_one_filter: f64,
    /// Highest accuracy under one filter for all clips.
    pub highest_by_one_filter: f64,
}

/// Draws the same `draws` random filters within +-`severity` decibels for every labelled
/// recording, and tells what choosing among them does to the model's accuracy.
///
/// # Errors
/// [`Error::Request`] without draws or labelled recordings; as [`EqualizedClip::new`].
pub fn deflate(
    model: &Model,
    recordings: &Recordings,
    severity: f64,
    draws: usize,
    seed: u64,
    progress: &dyn Progress,
) -> Result<Deflation> {
    if draws == 0 {
        return Err(Error::request("0 random filters", "ask for at least 1"));
    }
    let listener = Listener::of_model(model)?;
    recordings.check(&listener)?;
    let labelled = recordings.all.iter().filter_map(|r| Some((r, r.class?)));
    let total = labelled.clone().count();
    if total == 0 {
        return Err(Error::request(
            "no clip has a label of the model's classes",
            "deflation needs a labelled corpus of the same classes",
        ));
    }
    // For every clip, whether the label is right as it is and under each filter.
    let mut right: Vec<Vec<bool>> = Vec::new();
    for (number, (recording, class)) in labelled.enumerate() {
        progress.report(&format!("random filters +-{severity} dB"), number as u64, total as u64);
        let clip = EqualizedClip::new(&recording.name, recording.audio.clone(), severity)?;
        let as_it_is = listener.scores(std::slice::from_ref(&recording.audio))?;
        let draw = |draw| clip.sample(&mut filter_stream(seed, draw));
        let filters: Vec<_> = (0..draws).map(draw).collect();
        let scores = Problem::new(clip, &listener)?.scores(&filters)?;
        let all = [as_it_is, scores].concat();
        right.push(
            all.chunks_exact(model.classes().len()).map(|row| label(row) == Some(class)).collect(),
        );
    }
    Ok(summary(&right, severity, 1.0 / model.classes().len() as f64))
}

/// The same filters for every clip.
fn filter_stream(seed: u64, draw: usize) -> Stream {
    stream(seed, STREAM, 0, draw as u64)
}

/// `right[clip][filter]`, filter 0 being none.
fn summary(right: &[Vec<bool>], severity_db: f64, chance: f64) -> Deflation {
    let clips = right.len();
    let draws = right.first().map_or(0, |row| row.len() - 1);
    let share = |holds: &dyn Fn(&Vec<bool>) -> bool| {
        right.iter().filter(|row| holds(row)).count() as f64 / clips as f64
    };
    let within = checkpoints(draws).into_iter().map(|draws| WithinDraws {
        draws,
        deflated: share(&|row| row[..=draws].iter().all(|&right| right)),
        inflated: share(&|row| row[..=draws].contains(&true)),
    });
    let of_filter: Vec<f64> = (1..=draws).map(|filter| share(&|row| row[filter])).collect();
    Deflation {
        severity_db,
        clips,
        chance,
        within: within.collect(),
        lowest_by_one_filter: of_filter.iter().copied().fold(1.0, f64::min),
        highest_by_one_filter: of_filter.iter().copied().fold(0.0, f64::max),
    }
}

/// 0, 1, 2, 5, 10, 20, 50, … up to `draws`, which is the last.
fn checkpoints(draws: usize) -> Vec<usize> {
    let decades = std::iter::successors(Some(1usize), |decade| decade.checked_mul(10));
    let mut points = vec![0];
    points.extend(
        decades
            .take_while(|&decade| decade < draws)
            .flat_map(|decade| [1, 2, 5].map(|n| n * decade)),
    );
    points.retain(|&point| point < draws);
    points.push(draws);
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_and_the_best_filter_of_every_clip_are_chosen() {
        let right = [
            vec![true, true, false],
            vec![true, true, true],
            vec![false, false, true],
            vec![false; 3],
        ];
        let found = summary(&right, 6.0, 0.25);
        let within: Vec<_> =
            found.within.iter().map(|w| (w.draws, w.deflated, w.inflated)).collect();
        assert_eq!(within, [(0, 0.5, 0.5), (1, 0.5, 0.5), (2, 0.25, 0.75)]);
        assert_eq!((found.lowest_by_one_filter, found.highest_by_one_filter), (0.5, 0.5));
    }

    #[test]
    fn checkpoints_end_with_all_draws() {
        assert_eq!(checkpoints(1), [0, 1]);
        assert_eq!(checkpoints(30), [0, 1, 2, 5, 10, 20, 30]);
    }
}
