//! `preregister`: arguments and printing.

use std::path::PathBuf;

use clap::Args;

use super::output::Output;
use crate::analysis::{Expectation, preregister};
use crate::error::Result;

/// Arguments of `preregister`.
#[derive(Debug, Args)]
pub struct Preregister {
    /// Study folder; preregistration.md and preregistration.json are written into it
    study: PathBuf,
    /// People to be analyzed
    #[arg(long, value_name = "N")]
    listeners: usize,
    /// True accuracy of genuine controls that you expect
    #[arg(long, value_name = "SHARE", default_value_t = 0.6)]
    genuine: f64,
    /// True accuracy of everything else that you expect [default: chance]
    #[arg(long, value_name = "SHARE")]
    accuracy: Option<f64>,
    /// Standard deviation of listeners, logit scale
    #[arg(long, value_name = "SD", default_value_t = 0.5)]
    listener_sd: f64,
    /// Standard deviation of items, logit scale
    #[arg(long, value_name = "SD", default_value_t = 1.0)]
    item_sd: f64,
    /// Studies to simulate for each condition
    #[arg(long, value_name = "N", default_value_t = 1000)]
    studies: usize,
}

impl Preregister {
    pub(super) fn run(&self, output: Output) -> Result<()> {
        let registered = preregister(
            &self.study,
            &Expectation {
                listeners: self.listeners,
                genuine: self.genuine,
                accuracy: self.accuracy,
                listener_sd: self.listener_sd,
                item_sd: self.item_sd,
                studies: self.studies,
            },
        )?;
        output.show(&registered, || {
            let file = self.study.join("preregistration.md");
            format!("{} is written; complete the lines in brackets", file.display())
        });
        Ok(())
    }
}
