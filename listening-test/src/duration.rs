//! How long a participation takes, as the consent page states it.

use crate::answer_key::Item;
use crate::plan::{ParticipantPlan, Step};
use crate::study::Task;
use crate::study_folder::StudyFolder;
use crate::unfold::track_of;

/// Seconds of reading and answering, beside listening (our choice).
const QUESTIONS: f64 = 90.0;
const READING: f64 = 25.0;
const ANSWERING: f64 = 7.0;
const SCORING: f64 = 12.0;
/// The gaps between the intervals of a track, and choosing one.
const CHOOSING: f64 = 3.0;

/// Longest time that people hear of one sound before they answer, in seconds (our choice).
const HEARD: f64 = 12.0;

/// Minutes that a participation takes: what the study states, or an estimate from its longest
/// plan, rounded up to whole minutes, from ten on to five.
pub(crate) fn minutes(folder: &StudyFolder, plans: &[ParticipantPlan]) -> u32 {
    let stated = folder.study.recruitment.minutes;
    if stated > 0 {
        return stated;
    }
    let longest = plans.iter().map(|plan| seconds(folder, plan)).fold(0.0, f64::max);
    let minutes = (longest / 60.0).ceil().max(1.0) as u32;
    if minutes < 10 { minutes } else { minutes.div_ceil(5) * 5 }
}

fn seconds(folder: &StudyFolder, plan: &ParticipantPlan) -> f64 {
    let step = |step: &Step| match step {
        Step::Questionnaire => QUESTIONS,
        Step::Intro { .. } | Step::Break | Step::Remarks => READING,
        Step::Track { item } => track_of(folder, item).map_or(0.0, |(item, settings)| {
            let heard = f64::from(settings.intervals) * item.seconds.unwrap_or(0.0);
            f64::from(settings.likely_trials()) * (heard + CHOOSING)
        }),
        Step::Check { item } | Step::Practice { item } | Step::Trial { item, .. } => {
            folder.item(item).map_or(0.0, |item| answered(folder, item))
        }
    };
    plan.iter().map(step).sum()
}

fn answered(folder: &StudyFolder, item: &Item) -> f64 {
    let task = folder.study.block(&item.block).map(|block| block.task);
    let heard = item.seconds.unwrap_or(0.0).min(HEARD) * item.stimuli.len() as f64;
    let scored = match task {
        Some(Task::Mushra | Task::Bs1116) => SCORING * item.conditions.len() as f64,
        _ => ANSWERING,
    };
    heard + scored
}
