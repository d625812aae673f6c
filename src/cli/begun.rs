//! A demo that finds its run begun goes on with it, unless it was begun with other settings.

use std::path::Path;

use crate::classifiers::{AdaBoostParams, Fitted, Model};
use crate::error::{Error, Result};
use crate::pipeline::fool::Configuration;
use crate::search::RunFolder;
use crate::victims::{AnyModel, AudioModel};
use trompe_base::words::counted;

/// The options of a demo that a begun run may contradict; `None` where the command line leaves them out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    pub(super) seed: Option<u64>,
    pub(super) budget: Option<u64>,
    /// Rounds of boosting; no demo of images has any.
    pub(super) rounds: Option<usize>,
}

impl Asked {
    pub(super) fn seed(self) -> u64 {
        self.seed.unwrap_or(1)
    }

    pub(super) fn rounds(self) -> usize {
        self.rounds.unwrap_or(AdaBoostParams::default().rounds)
    }

    pub(super) fn budget(self) -> u64 {
        self.budget.unwrap_or(20_000)
    }

    /// The settings of the run that was begun in `run`, if it is what was asked for.
    ///
    /// # Errors
    /// [`Error::Request`] if it is not; whatever reading its configuration meets.
    pub(super) fn check(self, run: &Path) -> Result<Configuration> {
        let began = Configuration::read(&RunFolder::configuration_path(run))?;
        let search = &began.search;
        for (name, asked, is) in
            [("seed", self.seed, search.seed), ("budget", self.budget, search.budget)]
        {
            if let Some(asked) = asked.filter(|asked| *asked != is) {
                return Err(refusal(run, format!("its {name} is {is}, not {asked}")));
            }
        }
        if let Some(asked) = self.rounds {
            let kept = AnyModel::kept(run).unwrap_or_else(|| began.model.clone());
            let model = AnyModel::load(&kept)?;
            let trained = model.audio_model().and_then(AudioModel::trained);
            if let Some(Fitted::AdaBoost(fitted)) = trained.map(Model::fitted)
                && fitted.params().rounds != asked
            {
                let rounds = fitted.params().rounds;
                return Err(refusal(
                    run,
                    format!("its model has {}, not {asked}", counted(rounds, "round")),
                ));
            }
        }
        Ok(began)
    }
}

/// That the run in `run` is another one than what was asked for.
pub(super) fn refusal(run: &Path, what: String) -> Error {
    Error::request(
        format!("{} was begun with other settings: {what}", run.display()),
        "give the same options again, or name another folder with --out",
    )
}
