//! Kinds of simulated listeners. They read the key, as people cannot, to be right as often
//! as their kind says.

use clap::ValueEnum;
use rand::RngExt;
use trompe_base::random::Stream;
use trompe_statistics::special::expit;

use crate::answer::StepAnswer;
use crate::answer_key::{Item, Role};
use crate::mushra::{HIGHEST, REFERENCE};
use crate::session::View;
use crate::staircase::Staircase;
use crate::study::{Medium, Task};
use crate::study_folder::StudyFolder;
use crate::unfold::{alias, right_interval, track_of};

/// How a simulated listener answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ListenerKind {
    /// Every class equally likely, whatever is played.
    Chance,
    /// Names real music right 4 times of 5, fooling exhibits by chance; hears in adaptive tracks as
    /// stated.
    Skilled,
    /// Half of the answers are the block's first class.
    Biased,
    /// Answers at once, by chance, and fails catch items.
    Careless,
    /// Like chance, and leaves somewhere in the middle.
    Leaving,
}

/// What skilled listeners hear in adaptive tracks. With m intervals, a right answer has the probability
/// `1/m + (1 - 1/m - lapse) / (1 + exp(-slope * (strength - threshold)))`, the other way round where
/// lower strengths are easier.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Hearing {
    /// Strength at which half of the way from guessing to the best is reached; `None` takes the middle
    /// of each track's strengths.
    pub threshold: Option<f64>,
    /// Steepness in log-odds per unit of strength, above 0; `None` takes 10 over the range of each
    /// track's strengths.
    pub slope: Option<f64>,
    /// Share of answers that are wrong whatever is heard, but for lucky guesses.
    pub lapse: f64,
}

impl Hearing {
    /// Probability of a right answer to a stimulus of a track.
    fn right(&self, settings: &Staircase, strengths: &[f64], strength: f64) -> f64 {
        let (low, high) = match strengths {
            [low, .., high] => (*low, *high),
            _ => (strength, strength),
        };
        let threshold = self.threshold.unwrap_or(0.5 * (low + high));
        let slope = self.slope.unwrap_or(10.0 / (high - low).max(f64::MIN_POSITIVE));
        let above = settings.ease(strength) - settings.ease(threshold);
        let chance = settings.chance();
        chance + (1.0 - chance - self.lapse) * expit(slope * above)
    }
}

/// Fills in the answer of `kind` to a step of `participant`; `key` makes it unique.
pub(super) fn answer(
    folder: &StudyFolder,
    (kind, hearing): (ListenerKind, &Hearing),
    (participant, view): (&str, &View),
    random: &mut Stream,
) -> StepAnswer {
    let track = interval_of(folder, participant, view);
    let item = match &track {
        Some((item, _)) => Some(*item),
        None => view.stimuli.first().and_then(|stimulus| item_of(folder, stimulus)),
    };
    let mut answer = StepAnswer {
        step: view.index,
        key: format!("sim-{:016x}", random.random::<u64>()),
        response_ms: if kind == ListenerKind::Careless {
            300
        } else {
            random.random_range(2000..12_000)
        },
        ..StepAnswer::default()
    };
    let Some(item) = item else { return answer };
    answer.plays = 1;
    answer.heard_ms = match item.medium {
        Medium::Audio => (1000.0 * item.seconds.unwrap_or(10.0)) as u64,
        Medium::Image => answer.response_ms,
    };
    match folder.study.block(&item.block) {
        None => answer.choice = check_answer(kind, item, random),
        Some(block) => match block.task {
            Task::Choice => {
                let index = random.random_range(0..block.classes.len() as u64) as usize;
                let by_chance = block.classes.get(index).cloned();
                answer.choice = class_answer(kind, item, by_chance, block.classes.first(), random);
                answer.rating = Some(random.random_range(1..=5));
            }
            Task::Abx | Task::Ab => {
                answer.choice = Some(if random.random_bool(0.5) { "A" } else { "B" }.into());
            }
            Task::Likert => answer.rating = Some(random.random_range(1..=block.scale)),
            Task::Staircase => {
                let Some((item, order)) = &track else { return answer };
                answer.heard_ms *= view.stimuli.len() as u64;
                answer.choice =
                    interval(folder, (kind, hearing), (*item, order.as_slice()), random);
            }
            Task::Mushra => answer.scores = Some(scores(kind, item, &view.stimuli, random)),
            Task::Bs1116 => answer.scores = Some(grades(kind, item, &view.stimuli, random)),
        },
    }
    answer
}

/// The track of a step, and which of its stimuli is in which interval.
fn interval_of<'a>(
    folder: &'a StudyFolder,
    participant: &str,
    view: &View,
) -> Option<(&'a Item, Vec<usize>)> {
    folder.answer_key.items.iter().filter(|item| !item.strengths.is_empty()).find_map(|item| {
        let stimulus = |(place, name): (usize, &String)| {
            let step = view.index;
            item.stimuli.iter().position(|file| alias(file, participant, step, place) == *name)
        };
        let order: Option<Vec<usize>> = view.stimuli.iter().enumerate().map(stimulus).collect();
        order.filter(|order| !order.is_empty()).map(|order| (item, order))
    })
}

/// The interval that a listener names. Skilled ones hear as stated, all others guess.
fn interval(
    folder: &StudyFolder,
    (kind, hearing): (ListenerKind, &Hearing),
    (item, order): (&Item, &[usize]),
    random: &mut Stream,
) -> Option<String> {
    let (_, settings) = track_of(folder, &item.name)?;
    let right = right_interval(order)?;
    let chance = settings.chance();
    let probability = match kind {
        ListenerKind::Skilled => {
            let stimulus = order.iter().copied().find(|&stimulus| stimulus != 0)?;
            let strength = *item.strengths.get(stimulus - 1)?;
            hearing.right(settings, &item.strengths, strength)
        }
        _ => chance,
    };
    if random.random_bool(probability.clamp(0.0, 1.0)) {
        return Some(right);
    }
    let mut wrong = (1..=settings.intervals).map(|n| n.to_string()).filter(|n| *n != right);
    wrong.nth(random.random_range(0..u64::from(settings.intervals - 1)) as usize)
}

/// Grades of BS.1116 in tenths. Skilled listeners hear an impairment in three trials of four; nobody
/// else hears any.
fn grades(kind: ListenerKind, item: &Item, shown: &[String], random: &mut Stream) -> Vec<u32> {
    let hears = kind == ListenerKind::Skilled && random.random_bool(0.75);
    let mut grade = |stimulus: &String| match condition_of(item, stimulus) {
        Some(REFERENCE) if hears => 50,
        _ if hears => random.random_range(20..=45),
        _ => random.random_range(40..=50),
    };
    shown.iter().skip(1).map(&mut grade).collect()
}

/// What a stimulus to score is.
fn condition_of<'a>(item: &'a Item, stimulus: &String) -> Option<&'a str> {
    let number = item.stimuli.iter().position(|other| other == stimulus)?.checked_sub(1)?;
    item.conditions.get(number).map(String::as_str)
}

/// Scores of the stimuli that are shown after the reference. Skilled listeners tell reference and
/// anchors; what they think of systems is not known, and nobody else hears anything.
fn scores(kind: ListenerKind, item: &Item, shown: &[String], random: &mut Stream) -> Vec<u32> {
    let mut score = |stimulus: &String| match (kind, condition_of(item, stimulus)) {
        (ListenerKind::Skilled, Some(REFERENCE)) => random.random_range(95..=HIGHEST),
        (ListenerKind::Skilled, Some("anchor35")) => random.random_range(5..=30),
        (ListenerKind::Skilled, Some("anchor70")) => random.random_range(30..=60),
        (ListenerKind::Skilled, _) => random.random_range(50..=95),
        _ => random.random_range(0..=HIGHEST),
    };
    shown.iter().skip(1).map(&mut score).collect()
}

fn class_answer(
    kind: ListenerKind,
    item: &Item,
    by_chance: Option<String>,
    first: Option<&String>,
    random: &mut Stream,
) -> Option<String> {
    let attentive = kind != ListenerKind::Careless;
    if item.role == Role::Catch && attentive {
        return Some(item.truth.clone());
    }
    match kind {
        ListenerKind::Skilled
            if ["real", "gold"].contains(&item.condition.as_str()) && random.random_bool(0.8) =>
        {
            Some(item.truth.clone())
        }
        ListenerKind::Biased if random.random_bool(0.5) => first.cloned(),
        ListenerKind::Skilled if random.random_bool(0.05) => None, // honest enough not to know
        _ => by_chance,
    }
}

fn check_answer(kind: ListenerKind, item: &Item, random: &mut Stream) -> Option<String> {
    let right = kind != ListenerKind::Careless && random.random_bool(0.95);
    match item.role {
        Role::Level => None,
        _ if right => Some(item.truth.clone()),
        Role::LeftRight => Some("left".into()),
        _ => Some(random.random_range(1..=3u32).to_string()),
    }
}

fn item_of<'a>(folder: &'a StudyFolder, stimulus: &str) -> Option<&'a Item> {
    folder.answer_key.items.iter().find(|item| item.stimuli.iter().any(|file| file == stimulus))
}
