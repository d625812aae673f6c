//! A block of trials of one kind, and the kinds there are.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::mushra::HIGHEST;
use crate::staircase::Staircase;
use crate::texts::Texts;

/// Most steps of a rating scale.
pub const LONGEST_SCALE: u32 = 11;

/// What an item is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Medium {
    /// A sound file.
    Audio,
    /// A picture.
    Image,
}

impl Medium {
    /// The word used in files: `audio` or `image`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Audio => "audio",
            Self::Image => "image",
        }
    }
}

/// What is asked about an item of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// Name the class: forced choice among the block's classes.
    Choice,
    /// A, B, then X: which of the two is X?
    Abx,
    /// Which of A and B is preferred, by the block's question?
    Ab,
    /// Rate one item on a scale.
    Likert,
    /// Score several stimuli against a reference, 0 to 100 (ITU-R BS.1534-3).
    Mushra,
    /// Grade the hidden reference and an object against the reference, 1.0 to 5.0 (ITU-R BS.1116-3).
    Bs1116,
    /// Which interval differs from the others? The strength of the difference follows the answers.
    Staircase,
}

impl Task {
    /// Lowest and highest score of a page of several stimuli as answers hold it, and the number that
    /// makes it one of the scale: grades of BS.1116 are counted in tenths. `None` where there is none.
    pub(crate) fn scores(self) -> Option<(u32, u32, f64)> {
        match self {
            Self::Mushra => Some((0, HIGHEST, 1.0)),
            Self::Bs1116 => Some((10, 50, 10.0)),
            _ => None,
        }
    }
}

/// One block of trials of one kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Block {
    /// Name, the column of the export.
    pub name: String,
    /// What is asked.
    pub task: Task,
    /// What the items are made of.
    pub medium: Medium,
    /// Classes to choose from, in the order shown; empty for pairs and ratings.
    #[serde(default)]
    pub classes: Vec<String>,
    /// Names of classes as shown, per language, where the class name itself will not do.
    #[serde(default)]
    pub class_names: BTreeMap<String, Texts>,
    /// Wording of the question, per language; empty takes the page's own.
    #[serde(default)]
    pub question: Texts,
    /// Steps of the Likert scale, 2 to 11 (our choice: 7).
    #[serde(default = "default_scale")]
    pub scale: u32,
    /// Items per participant by condition, such as `"fooling:adabffs" = 20`.
    pub items: BTreeMap<String, u32>,
    /// Catch items per participant.
    #[serde(default)]
    pub catch: u32,
    /// Practice items with feedback per participant.
    #[serde(default)]
    pub practice: u32,
    /// Gold items per participant, which look like every other trial.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub gold: u32,
    /// How adaptive tracks run; stated for staircases alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staircase: Option<Staircase>,
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

fn default_scale() -> u32 {
    7
}

impl Block {
    pub(super) fn check(&self) -> Result<(), String> {
        let distinct: BTreeSet<_> = self.classes.iter().collect();
        if distinct.len() != self.classes.len() {
            return Err("a class is listed twice".into());
        }
        if self.task == Task::Choice && self.classes.len() < 2 {
            return Err("a choice needs two classes or more".into());
        }
        if self.task != Task::Choice && (self.catch > 0 || self.practice > 0 || self.gold > 0) {
            return Err("catch, practice and gold items belong to choice blocks".into());
        }
        if self.task.scores().is_some() && self.medium != Medium::Audio {
            return Err("pages of several stimuli are for sound".into());
        }
        match (&self.staircase, self.task == Task::Staircase) {
            (Some(settings), true) => settings.check()?,
            (None, false) => {}
            (None, true) => return Err("a staircase needs its table blocks.staircase".into()),
            (Some(_), false) => return Err("blocks.staircase belongs to staircases".into()),
        }
        if self.task == Task::Staircase && self.medium != Medium::Audio {
            return Err("staircases are for sound".into());
        }
        if !(2..=LONGEST_SCALE).contains(&self.scale) {
            return Err(format!("scale is 2 to {LONGEST_SCALE}"));
        }
        if self.items.values().all(|&count| count == 0) {
            return Err("nobody gets an item".into());
        }
        Ok(())
    }
}
