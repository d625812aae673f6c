//! The steps of one participant as far as the answers decide them.
//!
//! A plan names an adaptive track as one step; its trials follow from the answers to them. Unfolding
//! puts these trials in the place of the track: those that are answered, and the one that is due.
//! It depends on the plan, the participant and the stored answers alone, so that whoever comes back
//! goes on where the track stood, and an export names the trials that were given.

use std::borrow::Cow;

use sha2::{Digest, Sha256};
use trompe_base::encoding::hex;

use crate::answer::StepAnswer;
use crate::answer_key::Item;
use crate::plan::{ParticipantPlan, Step};
use crate::staircase::{Staircase, Track};
use crate::study_folder::StudyFolder;

/// Steps that are known, and an estimate of those that are not.
pub(crate) struct Unfolded<'a> {
    /// The known steps: the one that is due always, later ones as if each track ended with its next trial.
    pub(crate) steps: Cow<'a, [Step]>,
    /// Trials that are likely to come on top.
    pub(crate) likely_more: u32,
}

/// Whether a plan has steps that depend on answers.
pub(crate) fn is_adaptive(plan: &[Step]) -> bool {
    plan.iter().any(|step| matches!(step, Step::Track { .. }))
}

/// What a participant's draws and names are keyed by: whoever starts over must not meet the same
/// intervals again, having been told which were right.
pub(crate) fn draw_key(participant: &str, attempt: u32) -> String {
    match attempt {
        0 => participant.to_owned(),
        attempt => format!("{participant}/{attempt}"),
    }
}

/// Unfolds the tracks of a plan for the participant with this [`draw_key`].
pub(crate) fn unfold<'a>(
    folder: &StudyFolder,
    plan: &'a ParticipantPlan,
    participant: &str,
    answers: &[StepAnswer],
) -> Unfolded<'a> {
    if !is_adaptive(plan) {
        return Unfolded { steps: Cow::Borrowed(plan), likely_more: 0 };
    }
    let mut steps = Vec::new();
    let (mut trials, mut likely_more) = (0, 0);
    for step in plan {
        match step {
            Step::Track { item } => {
                let Some((item, settings)) = track_of(folder, item) else { continue };
                let mut track = Track::new(settings, &item.strengths);
                for number in 0.. {
                    let Some(place) = track.due() else { break };
                    let order = intervals(item, settings, participant, number, place);
                    let answer = answers.get(steps.len());
                    let right = answer.map(|answer| answer.choice == right_interval(&order));
                    steps.push(Step::Trial { item: item.name.clone(), position: trials, order });
                    trials += 1;
                    let Some(right) = right else {
                        likely_more += track.likely_left().saturating_sub(1);
                        break;
                    };
                    track.note(right);
                }
            }
            Step::Trial { item, order, .. } => {
                let (item, order) = (item.clone(), order.clone());
                steps.push(Step::Trial { item, position: trials, order });
                trials += 1;
            }
            other => steps.push(other.clone()),
        }
    }
    Unfolded { steps: Cow::Owned(steps), likely_more }
}

/// The item of this name with the settings of its block, if it is a track.
pub(crate) fn track_of<'a>(
    folder: &'a StudyFolder,
    item: &str,
) -> Option<(&'a Item, &'a Staircase)> {
    let item = folder.item(item)?;
    Some((item, folder.study.block(&item.block)?.staircase.as_ref()?))
}

/// What is heard in each interval of a trial: the reference, and in one interval, drawn for this
/// participant and trial, the stimulus at `place` among the strengths. The draw is keyed by the names of
/// the track's files, which no participant learns: what a page knows would not tell it.
fn intervals(
    item: &Item,
    settings: &Staircase,
    participant: &str,
    number: u32,
    place: usize,
) -> Vec<usize> {
    let files = item.stimuli.join("/");
    let digest = Sha256::digest(format!("{files}/{participant}/{number}"));
    let draw = digest.iter().take(8).fold(0, |sum, &byte| sum << 8 | u64::from(byte));
    let target = (draw % u64::from(settings.intervals)) as usize;
    (0..settings.intervals as usize).map(|at| if at == target { place + 1 } else { 0 }).collect()
}

/// The number of the interval that does not hold the reference, as an answer gives it.
pub(crate) fn right_interval(order: &[usize]) -> Option<String> {
    order.iter().position(|&stimulus| stimulus != 0).map(|place| (place + 1).to_string())
}

/// The name under which a participant (by [`draw_key`]) gets one interval of a trial. The references of a track come
/// again and again, so that the names of their files would tell them; this one is used once.
pub(crate) fn alias(stimulus: &str, participant: &str, step: u32, place: usize) -> String {
    let digest = Sha256::digest(format!("{stimulus}/{participant}/{step}/{place}"));
    format!("{}.wav", &hex(&digest)[..16])
}

/// The file behind an interval of a step, by its [`alias`].
pub(crate) fn behind<'a>(
    item: &'a Item,
    order: &[usize],
    participant: &str,
    step: u32,
    name: &str,
) -> Option<&'a str> {
    let mut files = order
        .iter()
        .enumerate()
        .filter_map(|(place, &stimulus)| Some((place, item.stimuli.get(stimulus)?.as_str())));
    files.find(|&(place, file)| alias(file, participant, step, place) == name).map(|(_, file)| file)
}
