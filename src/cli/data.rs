//! Arguments that `train` and `evaluate` share: which data, which classifier.

use std::path::Path;

use clap::ValueEnum;
use trompe_corpora::recipes::Options;
use trompe_corpora::{GroupKind, Split};

use super::srcam::SrcamArguments;
use crate::classifiers::adaboost::{Votes, WeakLearner};
use crate::classifiers::convolutional::TrainingSettings;
use crate::classifiers::{AdaBoostParams, Aggregation, LogisticParams};
use crate::dataset::extract::BadClips;
use crate::error::{Error, Result};
use crate::pipeline::open;
use crate::pipeline::train::{Data, Training};
use crate::pipeline::train_images::{ImageData, ImageTraining};

#[derive(Debug, clap::Args)]
pub(super) struct DataArguments {
    /// A name from `trompe corpus list`, the path of a corpus, or a features file (.npz, or a table with the
    /// columns filename and label)
    corpus: String,
    /// Clips of each class, for a corpus that is rendered [default: the recipe's own]
    #[arg(long, value_name = "N", hide_short_help = true)]
    clips: Option<usize>,
    /// Only this part of the corpus' fixed partition
    #[arg(long, value_name = "PART")]
    split: Option<Part>,
    /// Kind of group that is kept together
    ///
    /// Folds and calibration do so, of a corpus that states several kinds [default: its own groups,
    /// else artist, album, track, source]
    #[arg(long, value_name = "KIND")]
    group_by: Option<GroupBy>,
    /// Leave out clips that cannot be read, and say which
    #[arg(long)]
    skip_bad: bool,
    /// Read frames of clips that are damaged or missing as silence, and say where
    #[arg(long, hide_short_help = true)]
    conceal: bool,
    /// Seed of rendering and of the division into folds
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,
}

impl DataArguments {
    /// A corpus as it is, with no other choice than what is done with bad and damaged clips.
    pub(super) fn of_corpus(name: &str, skip_bad: bool, conceal: bool) -> Self {
        Self {
            corpus: name.to_owned(),
            clips: None,
            split: None,
            skip_bad,
            conceal,
            group_by: None,
            seed: open::CORPUS_SEED,
        }
    }

    pub(super) fn data(&self) -> Data {
        Data {
            name: self.corpus.clone(),
            options: self.options(),
            split: self.split(),
            bad: if self.skip_bad { BadClips::Skip } else { BadClips::Refuse },
            conceal: self.conceal,
        }
    }

    /// The same, as images.
    ///
    /// # Errors
    /// [`Error::Request`] if bad ones are to be left out: images are read all or none.
    pub(super) fn images(&self) -> Result<ImageData> {
        let clips_only = [("--skip-bad", self.skip_bad), ("--conceal", self.conceal)];
        if let Some((option, _)) = clips_only.iter().find(|(_, given)| *given) {
            return Err(Error::request(
                format!("{option} works for clips only, and this is a classifier of images"),
                "remove the bad images from the corpus",
            ));
        }
        Ok(ImageData { name: self.corpus.clone(), options: self.options() })
    }

    pub(super) fn split(&self) -> Option<Split> {
        self.split.map(|part| match part {
            Part::Train => Split::Train,
            Part::Valid => Split::Valid,
            Part::Test => Split::Test,
        })
    }

    fn options(&self) -> Options {
        let group_by = self.group_by.map(GroupBy::kind);
        Options { seed: self.seed, clips_per_class: self.clips, group_by, ..Options::default() }
    }

    /// Refuses what data of this kind do not have.
    fn check(&self) -> Result<()> {
        open::unambiguous(&self.corpus)?;
        if self.clips.is_some() && Path::new(&self.corpus).exists() {
            return Err(Error::request(
                format!(
                    "--clips works for collections that are rendered, and {} is a path",
                    self.corpus
                ),
                "leave it out",
            ));
        }
        if self.group_by.is_some()
            && (self.data().is_features_file() || open::is_images(&self.corpus)?)
        {
            return Err(Error::request(
                format!("--group-by works for corpora of clips only, and {} is none", self.corpus),
                "leave it out",
            ));
        }
        Ok(())
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum GroupBy {
    Artist,
    Album,
    Track,
    Source,
}

impl GroupBy {
    fn kind(self) -> GroupKind {
        match self {
            Self::Artist => GroupKind::Artist,
            Self::Album => GroupKind::Album,
            Self::Track => GroupKind::Track,
            Self::Source => GroupKind::Source,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Part {
    Train,
    Valid,
    Test,
}

/// Heading of options that some kinds of classifiers have.
const CLASSIFIERS: &str = "Options of classifiers";

#[derive(Debug, clap::Args)]
pub(super) struct ClassifierArguments {
    /// Kind of classifier
    ///
    /// `trompe train --help` shows the options of all kinds.
    #[arg(long, value_name = "NAME", default_value = "adabffs")]
    classifier: Kind,
    /// Rounds of boosting (adabffs, adaboost-mh)
    #[arg(long, value_name = "N", default_value_t = AdaBoostParams::default().rounds, help_heading = CLASSIFIERS)]
    rounds: usize,
    /// What is boosted (adabffs, adaboost-mh)
    #[arg(long, value_name = "LEARNER", default_value = "stump", help_heading = CLASSIFIERS, hide_short_help = true)]
    learner: Learner,
    /// What the posterior is made of (adabffs, adaboost-mh)
    #[arg(long, value_name = "VOTES", default_value = "raw", help_heading = CLASSIFIERS, hide_short_help = true)]
    votes: Reading,
    /// Weight of the penalty (logistic)
    ///
    /// [default: 1 for sound, 100 for images]
    #[arg(long, value_name = "W", help_heading = CLASSIFIERS)]
    penalty: Option<f64>,
    /// Passes over the images (lenet, lenet-5) [default: 5]
    #[arg(long, value_name = "N", help_heading = CLASSIFIERS)]
    epochs: Option<usize>,
    /// How the scores of an excerpt's vectors are put together [default: mean, and sum for
    /// normalized votes]
    #[arg(long, value_name = "HOW", help_heading = CLASSIFIERS, hide_short_help = true)]
    aggregate: Option<Together>,
    #[command(flatten)]
    srcam: SrcamArguments,
}

impl Kind {
    /// Its name on the command line.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Adabffs => "adabffs",
            Self::AdaboostMh => "adaboost-mh",
            Self::Logistic => "logistic",
            Self::Srcam => "srcam",
            Self::Lenet => "lenet",
            Self::Lenet5 => "lenet-5",
        }
    }
}

impl ClassifierArguments {
    /// The kind that was asked for, with its settings, for what the corpus holds.
    ///
    /// # Errors
    /// [`Error::Corpora`] if the recipes cannot be listed.
    pub(super) fn choice(&self, data: &DataArguments) -> Result<Choice> {
        self.choice_of(self.classifier, data)
    }

    /// Another kind, with the settings that were given for it.
    ///
    /// # Errors
    /// As [`ClassifierArguments::choice`].
    pub(super) fn choice_of(&self, kind: Kind, data: &DataArguments) -> Result<Choice> {
        data.check()?;
        let aggregation = self.aggregate.map(|how| match how {
            Together::Sum => Aggregation::Sum,
            Together::Mean => Aggregation::Mean,
        });
        Ok(match kind {
            Kind::AdaboostMh if open::is_images(&data.corpus)? => {
                Choice::Image(ImageTraining::AdaBoost(self.boosting(aggregation)))
            }
            Kind::Adabffs | Kind::AdaboostMh => {
                Choice::Audio(Training::AdaBffs(self.boosting(aggregation)))
            }
            Kind::Logistic if open::is_images(&data.corpus)? => {
                let penalty = self.penalty.unwrap_or(ImageTraining::LOGISTIC_PENALTY);
                Choice::Image(ImageTraining::Logistic { penalty })
            }
            Kind::Logistic => {
                let default = LogisticParams::default();
                Choice::Audio(Training::Logistic(LogisticParams {
                    penalty: self.penalty.unwrap_or(default.penalty),
                    aggregation: aggregation.unwrap_or(default.aggregation),
                }))
            }
            Kind::Lenet => self.net("lenet", data.seed),
            Kind::Lenet5 => self.net("lenet-5", data.seed),
            Kind::Srcam => Choice::Audio(Training::Srcam(self.srcam.srcam()?)),
        })
    }

    /// Settings of AdaBoost.MH.
    fn boosting(&self, aggregation: Option<Aggregation>) -> AdaBoostParams {
        let (votes, usual) = match self.votes {
            Reading::Normalized => (Votes::Normalized, Aggregation::Sum),
            Reading::Raw => (Votes::Raw, Aggregation::Mean),
        };
        AdaBoostParams {
            rounds: self.rounds,
            learner: match self.learner {
                Learner::Stump => WeakLearner::Stump,
                Learner::TwoNodeTree => WeakLearner::TwoNodeTree,
            },
            votes,
            aggregation: aggregation.unwrap_or(usual),
        }
    }

    fn net(&self, architecture: &'static str, seed: u64) -> Choice {
        let default = TrainingSettings::default();
        let epochs = self.epochs.unwrap_or(default.epochs);
        let settings = TrainingSettings { epochs, seed, ..default };
        Choice::Image(ImageTraining::Net { architecture, settings })
    }
}

/// A kind of classifier with the settings of its fit, by what it judges.
pub(super) enum Choice {
    Audio(Training),
    Image(ImageTraining),
}

/// Kinds of classifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    /// AdaBoost.MH on bags of frames of features: Sturm's first system
    Adabffs,
    /// AdaBoost.MH, on the same features or on the pixels of images
    #[value(name = "adaboost-mh")]
    AdaboostMh,
    /// Multinomial logistic regression, on the same features or on the pixels of images
    Logistic,
    /// Sparse representation classification of auditory temporal modulations
    Srcam,
    /// Images: the convolutional net that Nguyen et al. fooled
    Lenet,
    /// Images: a smaller convolutional net
    #[value(name = "lenet-5")]
    Lenet5,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Learner {
    Stump,
    TwoNodeTree,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Reading {
    /// Votes as boosted: half the estimated log-odds
    Raw,
    /// Divided by the sum of the weights: in [-1, 1] a vector, as Sturm's papers define them
    Normalized,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Together {
    Sum,
    Mean,
}
