//! `--threshold` and `--level`: what a candidate or an exhibit must reach, the same in every verb.

use crate::reference::Criterion;

/// What must be reached
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct CriterionArguments {
    /// Posterior of the label that must be reached [default: 0.999; 0.5 for srcam]
    ///
    /// The confidences of srcam sum to 1.
    #[arg(long, value_name = "P")]
    threshold: Option<f64>,
    /// Level to reach instead, from 0 to 1
    ///
    /// 0.5 is above half of the genuine items of the class. The model must have a genuine reference (`trompe reference`).
    #[arg(long, value_name = "Q", conflicts_with = "threshold")]
    level: Option<f64>,
}

impl CriterionArguments {
    /// What was asked for, if anything.
    pub(super) fn criterion(self) -> Option<Criterion> {
        let posterior = self.threshold.map(Criterion::Posterior);
        self.level.map(Criterion::Level).or(posterior)
    }
}
