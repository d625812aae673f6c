//! What a study is built from.

use std::path::PathBuf;

use crate::import_formats::Design;
use crate::mushra::Anchor;
use crate::study::{Policy, Task};

/// What a study is built from. Everything about its design can be changed in `study.toml`
/// afterwards (then [`reseal`](super::reseal)).
#[derive(Debug, Clone)]
pub struct BuildArguments {
    /// Folder to write; must not exist.
    pub out: PathBuf,
    /// Short name of the study.
    pub name: String,
    /// Title shown to participants, in English.
    pub title: String,
    /// Who answers for the study.
    pub contact: String,
    /// Day by which answers are erased, YYYY-MM-DD.
    pub retain_until: String,
    /// Seed of names, plans and synthesized sounds.
    pub seed: u64,
    /// Fooling sets; sets of one medium and the same classes share a block.
    pub fooling_sets: Vec<PathBuf>,
    /// Real controls: folders with one folder per class.
    pub real: Vec<PathBuf>,
    /// Real controls to keep of each of these folders and media, drawn evenly over the classes.
    pub pool: usize,
    /// Gold items: folders with one folder per class, of items that everybody is expected to name.
    pub gold: Vec<PathBuf>,
    /// Gold items per participant and block; lowered where there are fewer.
    pub gold_each: u32,
    /// Whether the caller knows that material is synthetic; fooling sets say so themselves.
    pub synthetic: bool,
    /// Folders with one folder per pair of files, compared by [`Self::pair_task`].
    /// Where the two have the same names in every folder, preferences are for one of these.
    pub pairs: Vec<PathBuf>,
    /// [`Task::Abx`] or [`Task::Ab`].
    pub pair_task: Task,
    /// Folders of files to be rated on a Likert scale; a folder in such a folder is a condition.
    pub ratings: Vec<PathBuf>,
    /// Folders of pages for MUSHRA: a folder per page with `reference.wav` and a file per system.
    pub mushra: Vec<PathBuf>,
    /// Folders of the same form for BS.1116: each system becomes a trial of its own.
    pub bs1116: Vec<PathBuf>,
    /// Anchors that are made for pages of MUSHRA.
    pub anchors: Vec<Anchor>,
    /// Folders of adaptive tracks: a folder per track with `reference.wav`, and `staircase.toml`.
    pub staircases: Vec<PathBuf>,
    /// An experiment of another tool, whose trials become blocks.
    pub design: Option<Design>,
    /// Seconds to cut from the middle of each excerpt; `None` keeps them whole, as the
    /// classifier judged them.
    pub seconds: Option<f64>,
    /// Common loudness in LUFS.
    pub target_lufs: f64,
    /// Highest true peak in dBTP.
    pub peak_limit: f64,
    /// Items per participant and block.
    pub counts: Counts,
    /// Languages offered.
    pub languages: Vec<String>,
    /// Headphone check.
    pub headphones: Policy,
}

/// Items per participant and block; lowered where there is less material.
#[derive(Debug, Clone, Copy)]
pub struct Counts {
    /// Fooling exhibits, shared evenly by the systems.
    pub fooling: u32,
    /// Real controls.
    pub real: u32,
    /// Catch items.
    pub catch: u32,
    /// Practice items, taken out of the real controls.
    pub practice: u32,
}

impl Default for BuildArguments {
    fn default() -> Self {
        Self {
            out: PathBuf::new(),
            name: "study".into(),
            title: "Which genre is this?".into(),
            contact: String::new(),
            retain_until: String::new(),
            seed: 1,
            fooling_sets: Vec::new(),
            real: Vec::new(),
            pool: 60,
            gold: Vec::new(),
            gold_each: 3,
            synthetic: false,
            pairs: Vec::new(),
            pair_task: Task::Abx,
            ratings: Vec::new(),
            mushra: Vec::new(),
            bs1116: Vec::new(),
            anchors: Anchor::ALL.into(),
            staircases: Vec::new(),
            design: None,
            seconds: None,
            target_lufs: -23.0,
            peak_limit: -1.0,
            counts: Counts { fooling: 30, real: 10, catch: 3, practice: 2 },
            languages: crate::study::LANGUAGES.map(String::from).into(),
            headphones: Policy::Covariate,
        }
    }
}
