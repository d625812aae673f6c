//! `trompe probe`: what does the model call noise and silence?

use std::path::PathBuf;

use super::common::{Common, Outcome, print, print_json};
use super::progress::Bars;
use crate::error::Result;
use crate::pipeline::open;
use crate::pipeline::probe::probe;
use crate::report::terminal;

/// What a model calls sounds or images without content: silence, noise, a sine, flat grey
///
/// Also what it calls something genuine taken apart, shuffled, reversed or with random phases: the
/// given file, or the item of its genuine reference that `train` took apart.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  trompe probe model.safetensors")]
pub(super) struct Arguments {
    /// The model: a file from `trompe train`, an ONNX file with its description beside it, or a
    /// model's name from `trompe corpus list`
    model: PathBuf,
    /// A genuine file that is taken apart in place of the reference's item
    #[arg(long, value_name = "FILE")]
    genuine: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, common: &Common) -> Result<Outcome> {
    let bars = Bars::new(common);
    let model = open::model(&arguments.model, &bars)?;
    let probes = probe(&model, arguments.genuine.as_deref())?;
    bars.clear();
    if common.json {
        print_json(&probes);
    } else {
        print(&terminal::probes(&probes));
    }
    Ok(Outcome::Done)
}
