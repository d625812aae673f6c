//! Arguments that `train` and `evaluate` share: which data, which classifier.

use clap::ValueEnum;
use trompe_corpora::Split;
use trompe_corpora::recipes::Options;

use crate::classifiers::adaboost::WeakLearner;
use crate::classifiers::{AdaBoostParams, Aggregation, LogisticParams};
use crate::dataset::extract::BadClips;
use crate::pipeline::train::{Data, Training};

#[derive(Debug, clap::Args)]
pub(super) struct DataArguments {
    /// A name from `trompe corpus list`, the path of a corpus, or a features file (.npz)
    corpus: String,
    /// Clips of each class, for a corpus that is rendered [default: the recipe's own]
    #[arg(long, value_name = "N")]
    clips: Option<usize>,
    /// Only this part of the corpus' fixed partition
    #[arg(long, value_name = "PART")]
    split: Option<Part>,
    /// Leave out clips that cannot be read, and say which
    #[arg(long)]
    skip_bad: bool,
    /// Seed of rendering and of the division into folds
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,
}

impl DataArguments {
    pub(super) fn data(&self) -> Data {
        Data {
            name: self.corpus.clone(),
            options: Options { seed: self.seed, clips_per_class: self.clips, ..Options::default() },
            split: self.split.map(|part| match part {
                Part::Train => Split::Train,
                Part::Valid => Split::Valid,
                Part::Test => Split::Test,
            }),
            bad: if self.skip_bad { BadClips::Skip } else { BadClips::Refuse },
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Part {
    Train,
    Valid,
    Test,
}

#[derive(Debug, clap::Args)]
pub(super) struct ClassifierArguments {
    /// Kind of classifier
    #[arg(long, value_name = "NAME", default_value = "adabffs")]
    classifier: Kind,
    /// Rounds of boosting (adabffs)
    #[arg(long, value_name = "N", default_value_t = AdaBoostParams::default().rounds)]
    rounds: usize,
    /// What is boosted (adabffs)
    #[arg(long, value_name = "LEARNER", default_value = "stump")]
    learner: Learner,
    /// Weight of the penalty (logistic)
    #[arg(long, value_name = "W", default_value_t = LogisticParams::default().penalty)]
    penalty: f64,
    /// How the scores of an excerpt's vectors are put together [default: sum for adabffs, mean
    /// for logistic]
    #[arg(long, value_name = "HOW")]
    aggregate: Option<Together>,
}

impl ClassifierArguments {
    pub(super) fn training(&self) -> Training {
        let aggregation = self.aggregate.map(|how| match how {
            Together::Sum => Aggregation::Sum,
            Together::Mean => Aggregation::Mean,
        });
        match self.classifier {
            Kind::Adabffs => {
                let default = AdaBoostParams::default();
                Training::AdaBffs(AdaBoostParams {
                    rounds: self.rounds,
                    learner: match self.learner {
                        Learner::Stump => WeakLearner::Stump,
                        Learner::TwoNodeTree => WeakLearner::TwoNodeTree,
                    },
                    aggregation: aggregation.unwrap_or(default.aggregation),
                })
            }
            Kind::Logistic => {
                let default = LogisticParams::default();
                Training::Logistic(LogisticParams {
                    penalty: self.penalty,
                    aggregation: aggregation.unwrap_or(default.aggregation),
                })
            }
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// AdaBoost.MH on bags of frames of features
    Adabffs,
    /// Multinomial logistic regression on the same features
    Logistic,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Learner {
    Stump,
    TwoNodeTree,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Together {
    Sum,
    Mean,
}
