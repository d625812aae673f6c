//! Adaptive tracks for a threshold: m intervals, forced choice, transformed up-down rules (H. Levitt
//! 1971, "Transformed up-down methods in psychoacoustics", J. Acoust. Soc. Am. 49, 467-477).
//!
//! One interval of a trial holds a stimulus of some strength, the others hold the reference. After so
//! many right answers in a row the next stimulus is harder to tell, after a wrong one easier. The
//! track hovers where harder and easier are equally likely: under 1-up-2-down where a right answer has
//! the probability sqrt(0.5) = 70.7 %, under 1-up-3-down 79.4 %. A *reversal* is a trial after which
//! the track turns; the threshold of a track is the mean strength of its last reversals.

use serde::{Deserialize, Serialize};

/// The first word of the condition of a track, `staircase:<name>`.
pub(crate) const STAIRCASE: &str = "staircase";

/// Name of the reference among the files of a track.
pub(crate) const REFERENCE: &str = "reference.wav";

/// Most intervals of a trial.
const MOST_INTERVALS: u32 = 4;

/// Most right answers in a row that a rule may ask for: 1-up-4-down has its target at 84.1 %.
const LONGEST_RUN: u32 = 4;

/// How the tracks of a block run: `[blocks.staircase]` of `study.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Staircase {
    /// Intervals of a trial, 2 to 4.
    pub intervals: u32,
    /// When the strength changes, such as `1-up-2-down`.
    pub rule: Rule,
    /// Unit of the strengths, for axes and tables.
    pub unit: String,
    /// Which strengths are easier to tell from the reference; not stated, the higher ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub easier: Option<Easier>,
    /// Strength of the first trial; not stated, the easiest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<f64>,
    /// What steps are counted in.
    pub steps: Steps,
    /// Step until [`Self::coarse_reversals`].
    pub coarse: f64,
    /// Step after that.
    pub fine: f64,
    /// Reversals after which steps are fine; they are never averaged.
    pub coarse_reversals: u32,
    /// Reversals that end a track; not stated, only [`Self::trials`] does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reversals: Option<u32>,
    /// Trials that end a track, whatever its reversals.
    pub trials: u32,
    /// How many of the last reversals are averaged: an even number, so that turns from harder to
    /// easier and back count alike. A track that has fewer averages the largest even number it has.
    pub average: u32,
    /// Whether listeners are told after each answer if it was right.
    pub feedback: bool,
}

impl Default for Staircase {
    /// Our choice, within what the field does: 3 intervals, 1-up-2-down, two coarse reversals, then the
    /// mean of eight.
    fn default() -> Self {
        Self {
            intervals: 3,
            rule: Rule { down: 2 },
            unit: String::new(),
            easier: None,
            start: None,
            steps: Steps::Index,
            coarse: 2.0,
            fine: 1.0,
            coarse_reversals: 2,
            reversals: Some(10),
            trials: 80,
            average: 8,
            feedback: true,
        }
    }
}

/// Which end of the strengths is easier to tell from the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Easier {
    /// As of an amount of distortion.
    Higher,
    /// As of a signal-to-noise ratio, where the noise is to be heard.
    Lower,
}

/// What steps are counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Steps {
    /// Places in the list of strengths.
    Index,
    /// The unit of the strengths; the nearest strength in that direction is taken.
    Unit,
}

/// A rule with one wrong answer up (easier) and so many right ones in a row down (harder).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rule {
    /// Right answers in a row that make the next trial harder.
    pub down: u32,
}

impl Rule {
    /// Probability of a right answer at which the track hovers: p^down = 1/2.
    pub fn target(self) -> f64 {
        libm::pow(0.5, 1.0 / f64::from(self.down))
    }
}

impl From<Rule> for String {
    fn from(rule: Rule) -> Self {
        format!("1-up-{}-down", rule.down)
    }
}

impl TryFrom<String> for Rule {
    type Error = String;

    /// Reads `1-up-2-down`, `2-down-1-up`, `1 up / 2 down`, `1u2d` and the like.
    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || {
            format!(
                "rule {text:?} is none of 1-up-1-down to 1-up-{LONGEST_RUN}-down (or 2-down-1-up and so on)"
            )
        };
        let lower = text.to_lowercase();
        let known = |c: char| c.is_ascii_digit() || " -_/,updown".contains(c);
        let mut numbers =
            lower.split(|c: char| !c.is_ascii_digit()).filter(|word| !word.is_empty());
        let words: Vec<&str> = lower
            .split(|c: char| !c.is_ascii_lowercase())
            .filter(|word| !word.is_empty())
            .collect();
        let digits_first = lower.trim_start().starts_with(|c: char| c.is_ascii_digit());
        let (Some(first), Some(second), None) = (numbers.next(), numbers.next(), numbers.next())
        else {
            return Err(wrong());
        };
        let (up, down) = match words.as_slice() {
            ["up" | "u", "down" | "d"] => (first, second),
            ["down" | "d", "up" | "u"] => (second, first),
            _ => return Err(wrong()),
        };
        match (up, down.parse()) {
            ("1", Ok(down))
                if (1..=LONGEST_RUN).contains(&down)
                    && digits_first
                    && lower.chars().all(known) =>
            {
                Ok(Self { down })
            }
            _ => Err(wrong()),
        }
    }
}

/// Where a track goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Easier,
    Harder,
}

impl Staircase {
    /// Checks that the settings make sense together.
    ///
    /// # Errors
    /// A description of the first problem.
    pub fn check(&self) -> Result<(), String> {
        if !(2..=MOST_INTERVALS).contains(&self.intervals) {
            return Err(format!("staircase.intervals is 2 to {MOST_INTERVALS}"));
        }
        let (target, chance) = (self.rule.target(), self.chance());
        if target <= chance {
            return Err(format!(
                "staircase.rule {:?} hovers at {:.1} % right answers, which guessing reaches with {} \
                 intervals: ask for more right answers in a row, or for more intervals",
                String::from(self.rule),
                100.0 * target,
                self.intervals
            ));
        }
        for (name, step) in [("coarse", self.coarse), ("fine", self.fine)] {
            if !(step.is_finite() && step > 0.0) {
                return Err(format!("staircase.{name} is {step}, not a step above 0"));
            }
            if self.steps == Steps::Index && step.fract() != 0.0 {
                return Err(format!(
                    "staircase.{name} is {step}: steps of the index are whole numbers"
                ));
            }
        }
        if self.fine > self.coarse {
            return Err("staircase.fine is larger than staircase.coarse".into());
        }
        if self.trials == 0 {
            return Err("staircase.trials starts at 1".into());
        }
        if self.average < 2 || !self.average.is_multiple_of(2) {
            return Err("staircase.average is an even number of reversals from 2 on".into());
        }
        if let Some(reversals) = self.reversals {
            let needed = self.coarse_reversals + self.average;
            if reversals < needed {
                return Err(format!(
                    "staircase.reversals is {reversals}, but {} coarse ones and {} to average are {needed}",
                    self.coarse_reversals, self.average
                ));
            }
        }
        Ok(())
    }

    /// Checks that a list of strengths fits the settings.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn check_strengths(&self, strengths: &[f64]) -> Result<(), String> {
        if strengths.len() < 2 {
            return Err("a track needs two strengths or more".into());
        }
        if !strengths.iter().all(|strength| strength.is_finite()) {
            return Err("a strength is not a number".into());
        }
        if let Some(pair) = strengths.windows(2).find(|pair| pair[0] >= pair[1]) {
            return Err(format!("the strengths {} and {} are not ascending", pair[0], pair[1]));
        }
        match self.start {
            Some(start) if !strengths.contains(&start) => {
                Err(format!("staircase.start {start} is none of the strengths"))
            }
            _ => Ok(()),
        }
    }

    /// How tracks run, for a methods section.
    pub(crate) fn in_words(&self) -> String {
        let unit = match (self.steps, self.unit.as_str()) {
            (Steps::Index, _) => " place(s) of the list of strengths".to_owned(),
            (Steps::Unit, "") => String::new(),
            (Steps::Unit, unit) => format!(" {unit}"),
        };
        let end = match self.reversals {
            Some(reversals) => format!("{reversals} reversals or {} trials", self.trials),
            None => format!("{} trials", self.trials),
        };
        format!(
            "{}-interval forced choice, {} rule, which hovers at {:.1} % right answers; steps of {}{unit} until reversal \
             {}, then of {}; a track ended after {end}, its last {} reversals are averaged; {} feedback",
            self.intervals,
            String::from(self.rule),
            100.0 * self.rule.target(),
            self.coarse,
            self.coarse_reversals,
            self.fine,
            self.average,
            if self.feedback { "with" } else { "without" }
        )
    }

    /// Probability of a right answer by guessing.
    pub fn chance(&self) -> f64 {
        1.0 / f64::from(self.intervals)
    }

    /// The end of the strengths that is easier to tell.
    pub fn easier(&self) -> Easier {
        self.easier.unwrap_or(Easier::Higher)
    }

    /// A strength on an axis on which more is easier.
    pub(crate) fn ease(&self, strength: f64) -> f64 {
        match self.easier() {
            Easier::Higher => strength,
            Easier::Lower => -strength,
        }
    }

    /// Trials that a track is likely to take, for estimates of time (our choice: a reversal every
    /// `down + 1` trials, and a few on the way from the start).
    pub(crate) fn likely_trials(&self) -> u32 {
        let run = self.rule.down + 1;
        self.reversals.map_or(self.trials, |reversals| self.trials.min(reversals * run + 2 * run))
    }

    /// Of the strengths at the reversals in order, those that are averaged.
    pub(crate) fn averaged<'a>(&self, reversals: &'a [f64]) -> &'a [f64] {
        let fine = reversals.len().saturating_sub(self.coarse_reversals as usize);
        let count = fine.min(self.average as usize) / 2 * 2;
        &reversals[reversals.len() - count..]
    }

    /// Place in the ascending `strengths` of the first trial.
    fn first(&self, strengths: &[f64]) -> usize {
        let easiest = match self.easier() {
            Easier::Higher => strengths.len().saturating_sub(1),
            Easier::Lower => 0,
        };
        let stated = self.start.and_then(|start| strengths.iter().position(|&s| s == start));
        stated.unwrap_or(easiest)
    }

    /// Place after a step from `at`; the ends hold.
    fn step(&self, strengths: &[f64], at: usize, direction: Direction, reversals: usize) -> usize {
        let coarse = reversals < self.coarse_reversals as usize;
        let size = if coarse { self.coarse } else { self.fine };
        let up = (direction == Direction::Easier) == (self.easier() == Easier::Higher);
        let last = strengths.len().saturating_sub(1);
        if self.steps == Steps::Index {
            let size = size as usize;
            return if up { (at + size).min(last) } else { at.saturating_sub(size) };
        }
        let wanted = strengths[at] + if up { size } else { -size };
        let distance = |&place: &usize| libm::fabs(strengths[place] - wanted);
        let others = if up { at + 1..strengths.len() } else { 0..at };
        others.min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap_or(at)
    }
}

/// A track as far as its answers go: when it moves, turns and ends. Strengths do not matter to it, so
/// that the analysis can follow a track from a table of answers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Course {
    /// Right answers since the last move.
    run: u32,
    direction: Option<Direction>,
    trials: u32,
    /// Numbers of the trials, from 0, after which the track turned.
    pub(crate) reversals: Vec<usize>,
}

impl Course {
    /// Takes the next answer and says where the track goes; `None` repeats the strength.
    pub(crate) fn note(&mut self, rule: Rule, right: bool) -> Option<Direction> {
        self.trials += 1;
        self.run = if right { self.run + 1 } else { 0 };
        let direction = match right {
            false => Direction::Easier,
            true if self.run >= rule.down => Direction::Harder,
            true => return None,
        };
        self.run = 0;
        if self.direction.is_some_and(|before| before != direction) {
            self.reversals.push(self.trials as usize - 1);
        }
        self.direction = Some(direction);
        Some(direction)
    }

    /// Whether the track has ended.
    pub(crate) fn over(&self, settings: &Staircase) -> bool {
        let turned = settings.reversals.is_some_and(|most| self.reversals.len() >= most as usize);
        turned || self.trials >= settings.trials
    }
}

/// A track with its strengths: which one comes next.
#[derive(Debug)]
pub(crate) struct Track<'a> {
    settings: &'a Staircase,
    strengths: &'a [f64],
    at: usize,
    course: Course,
}

impl<'a> Track<'a> {
    /// The beginning of a track over ascending `strengths`.
    pub(crate) fn new(settings: &'a Staircase, strengths: &'a [f64]) -> Self {
        Self { settings, strengths, at: settings.first(strengths), course: Course::default() }
    }

    /// Place of the strength of the next trial, or nothing if the track is over.
    pub(crate) fn due(&self) -> Option<usize> {
        (!self.course.over(self.settings)).then_some(self.at)
    }

    /// Takes the answer to the trial that was due.
    pub(crate) fn note(&mut self, right: bool) {
        if let Some(direction) = self.course.note(self.settings.rule, right) {
            let reversals = self.course.reversals.len();
            self.at = self.settings.step(self.strengths, self.at, direction, reversals);
        }
    }

    /// Trials that are likely to follow, the one that is due included.
    pub(crate) fn likely_left(&self) -> u32 {
        let Course { trials, reversals, .. } = &self.course;
        let left = self.settings.trials.saturating_sub(*trials);
        let Some(most) = self.settings.reversals else { return left };
        let run = self.settings.rule.down + 1;
        let start = if reversals.is_empty() { 2 * run } else { 0 };
        left.min(most.saturating_sub(reversals.len() as u32) * run + start)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
