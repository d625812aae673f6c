//! `build`: arguments and printing.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use trompe_base::words::counted;

use super::output::{Output, warn};
use crate::build::{BuildArguments, Counts, build};
use crate::error::{Error, Result};
use crate::import_formats::read_design;
use crate::mushra::Anchor;
use crate::study::{Policy, Task};

pub(super) const EXAMPLE: &str = "Example:
  trompe listen build --out study --set run/fooling-set --contact Lab --retain-until 2030-12-31";

/// Arguments of `build`.
#[derive(Debug, Clone, Args)]
pub struct Build {
    /// Folder to write
    #[arg(long, short, value_name = "FOLDER")]
    pub out: PathBuf,
    /// Short name [default: study, or the experiment's]
    #[arg(long)]
    name: Option<String>,
    /// Title shown to participants [default: Which genre is this?, or the experiment's]
    #[arg(long)]
    title: Option<String>,
    /// Who answers for the study, such as an e-mail address
    #[arg(long)]
    contact: String,
    /// Day by which answers are erased, YYYY-MM-DD
    #[arg(long, value_name = "DAY")]
    retain_until: String,
    /// Seed of names, plans and controls
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Fooling set; repeat for several
    #[arg(long = "set", value_name = "FOLDER")]
    pub sets: Vec<PathBuf>,
    /// Real controls: WAV or PNG files, a folder per class; repeat for several
    #[arg(long, value_name = "CORPUS")]
    pub real: Vec<PathBuf>,
    /// Real controls to keep of each of these, drawn evenly over the classes
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub pool: usize,
    /// Gold items, which look like every other trial: WAV or PNG files that everybody is expected
    /// to name, a folder per class; repeat for several
    #[arg(long, value_name = "FOLDER", hide_short_help = true)]
    gold: Vec<PathBuf>,
    /// Gold items per participant and block
    #[arg(long, value_name = "N", default_value_t = 3, requires = "gold", hide_short_help = true)]
    gold_each: u32,
    /// Whether controls are synthetic, for callers that know.
    #[arg(skip)]
    pub synthetic: bool,
    /// Pairs for ABX or AB, a folder per pair
    #[arg(long, value_name = "FOLDER", hide_short_help = true)]
    pairs: Vec<PathBuf>,
    /// How pairs are compared
    #[arg(long, value_enum, default_value_t = PairTask::Abx, requires = "pairs", hide_short_help = true)]
    pair_task: PairTask,
    /// Files to rate on a Likert scale
    #[arg(long, value_name = "FOLDER", hide_short_help = true)]
    ratings: Vec<PathBuf>,
    /// Pages of several stimuli for MUSHRA (ITU-R BS.1534-3), a folder per page: reference.wav and
    /// a WAV file per system
    #[arg(long, value_name = "FOLDER", hide_short_help = true)]
    mushra: Vec<PathBuf>,
    /// Trials of small impairments (ITU-R BS.1116-3) from folders of the same form, one a system
    #[arg(long, value_name = "FOLDER", hide_short_help = true)]
    bs1116: Vec<PathBuf>,
    /// Low-pass anchors made of each reference, in kHz
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        default_value = "3.5,7",
        value_name = "LIST",
        hide_short_help = true
    )]
    anchors: Vec<AnchorName>,
    /// Adaptive tracks for thresholds (transformed up-down, 2 to 4 intervals): staircase.toml, and a folder per
    /// track with reference.wav and strengths.toml, or with reference.wav alone to add noise to
    #[arg(long, value_name = "FOLDER", hide_short_help = true)]
    staircase: Vec<PathBuf>,
    /// An experiment of webMUSHRA (YAML): its MUSHRA, ABX, preference and Likert pages
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    webmushra: Option<PathBuf>,
    /// Seconds to cut from the middle; whole excerpts without it
    #[arg(long, hide_short_help = true)]
    seconds: Option<f64>,
    /// Common loudness in LUFS
    #[arg(long, default_value_t = -23.0, allow_negative_numbers = true, hide_short_help = true)]
    lufs: f64,
    /// Fooling exhibits per participant and block
    #[arg(long, value_name = "N", default_value_t = 30)]
    fooling: u32,
    /// Real controls per participant and block
    #[arg(long, value_name = "N", default_value_t = 10)]
    controls: u32,
    /// Catch items per participant and block
    #[arg(long, value_name = "N", default_value_t = 3, hide_short_help = true)]
    catch: u32,
    /// Practice items per participant and block
    #[arg(long, value_name = "N", default_value_t = 2, hide_short_help = true)]
    practice: u32,
    /// What a failed headphone check means
    #[arg(long, value_enum, default_value_t = HeadphonePolicy::Covariate, hide_short_help = true)]
    headphones: HeadphonePolicy,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum PairTask {
    Abx,
    Ab,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum AnchorName {
    #[value(name = "3.5")]
    Low,
    #[value(name = "7")]
    Mid,
    None,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum HeadphonePolicy {
    Gate,
    Covariate,
    Off,
}

impl Build {
    fn anchors(&self) -> Result<Vec<Anchor>> {
        if self.anchors.contains(&AnchorName::None) && self.anchors.len() > 1 {
            return Err(Error::request(
                "--anchors names anchors and none",
                "give 3.5, 7, both, or none alone",
            ));
        }
        let named = |anchor: AnchorName| self.anchors.contains(&anchor);
        let anchors = [(AnchorName::Low, Anchor::Low), (AnchorName::Mid, Anchor::Mid)];
        Ok(anchors.into_iter().filter(|(name, _)| named(*name)).map(|(_, anchor)| anchor).collect())
    }

    /// Builds and prints what was built.
    ///
    /// # Errors
    /// Those of [`build`].
    pub fn run(&self, output: Output) -> Result<()> {
        let standard = BuildArguments::default();
        let design = self.webmushra.as_deref().map(read_design).transpose()?;
        let (name, title, languages) = match &design {
            Some(design) => {
                (design.name.clone(), design.title.clone(), vec![design.language.clone()])
            }
            None => (standard.name.clone(), standard.title.clone(), standard.languages.clone()),
        };
        let report = build(&BuildArguments {
            out: self.out.clone(),
            name: self.name.clone().unwrap_or(name),
            title: self.title.clone().unwrap_or(title),
            languages,
            design,
            contact: self.contact.clone(),
            retain_until: self.retain_until.clone(),
            seed: self.seed,
            fooling_sets: self.sets.clone(),
            real: self.real.clone(),
            pool: self.pool,
            gold: self.gold.clone(),
            gold_each: self.gold_each,
            synthetic: self.synthetic,
            pairs: self.pairs.clone(),
            pair_task: match self.pair_task {
                PairTask::Abx => Task::Abx,
                PairTask::Ab => Task::Ab,
            },
            ratings: self.ratings.clone(),
            mushra: self.mushra.clone(),
            bs1116: self.bs1116.clone(),
            anchors: self.anchors()?,
            staircases: self.staircase.clone(),
            seconds: self.seconds,
            target_lufs: self.lufs,
            counts: Counts {
                fooling: self.fooling,
                real: self.controls,
                catch: self.catch,
                practice: self.practice,
            },
            headphones: match self.headphones {
                HeadphonePolicy::Gate => Policy::Gate,
                HeadphonePolicy::Covariate => Policy::Covariate,
                HeadphonePolicy::Off => Policy::Off,
            },
            ..standard
        })?;
        warn(&report.warnings);
        output.show(&report, || {
            let mut text = String::new();
            for (condition, count) in &report.items {
                text += &format!("{count:5} {condition}\n");
            }
            if let Some(lufs) = report.common_lufs {
                text += &format!(
                    "loudness {lufs:.1} LUFS, worst distance {:.2} LU, highest true peak {:.1} dBTP\n",
                    report.worst_distance_lu, report.highest_peak
                );
            }
            text += &format!("a participation takes about {}\n", counted(report.minutes, "minute"));
            text
        });
        Ok(())
    }
}
