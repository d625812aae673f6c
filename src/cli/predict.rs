//! `trompe predict`: what does the model call my files?

use std::path::PathBuf;

use trompe_base::files::write_atomically;
use trompe_base::words::counted;

use super::common::{Common, Outcome, print, print_json};
use super::overwrite::Overwrite;
use super::progress::Bars;
use crate::error::{Error, Result};
use crate::exhibits::names::truncated;
use crate::pipeline::open;
use crate::pipeline::predict::{Predictions, predict};
use crate::report::terminal;

/// What a model calls files: label, posterior, calibrated posterior, and level
///
/// The level tells where the label's score stands among genuine items of the class: 0.5 is above half
/// of them. It needs a genuine reference, which models from `trompe train` have. Sound is taken as
/// excerpts are delivered, so that levels compare: its first 30 s, at 16 bits.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    trompe predict model.safetensors run/fooling-set\n  \
    trompe predict model.safetensors run/fooling-set --csv predictions.csv --json")]
pub(super) struct Arguments {
    /// The model: a file from `trompe train`, an ONNX file with its description beside it, or a
    /// model's name from `trompe corpus list`
    model: PathBuf,
    /// Files, or folders of them
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Also write one row a file, with one posterior a class
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    #[command(flatten)]
    overwrite: Overwrite,
    /// Take sound as a whole and unrounded
    #[arg(long)]
    whole: bool,
}

pub(super) fn run(arguments: &Arguments, common: &Common) -> Result<Outcome> {
    if let Some(path) = &arguments.csv {
        arguments.overwrite.check_file(path, "--csv")?;
    }
    let bars = Bars::new(common);
    let model = open::model(&arguments.model, &bars)?;
    if arguments.whole && model.audio_model().is_none() {
        return Err(Error::request(
            "--whole works for sound only, and the model judges images",
            "leave it out",
        ));
    }
    let found = predict(&model, &arguments.files, arguments.whole, &bars)?;
    bars.clear();
    for (file, why) in &found.not_read {
        eprintln!("not read: {}: {why}", file.display());
    }
    if let Some(path) = &arguments.csv {
        let table = table(&found, model.classes())
            .map_err(|error| Error::bad_file(path, error.to_string(), "report this as a fault"))?;
        write_atomically(path, &table)?;
    }
    if common.json {
        print_json(&found.files);
        return Ok(Outcome::Done);
    }
    let head = ["file", "label", "posterior", "calibrated", "level"].map(str::to_owned).to_vec();
    let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |p| truncated(p, 4));
    let rows = found.files.iter().map(|of| {
        vec![
            of.file.display().to_string(),
            of.answer.label.clone().unwrap_or_else(|| "none (a tie)".to_owned()),
            truncated(of.answer.posterior, 4),
            number(of.answer.calibrated),
            terminal::level_of(&of.answer),
        ]
    });
    print(&terminal::table(&std::iter::once(head).chain(rows).collect::<Vec<_>>()));
    if !found.not_read.is_empty() {
        print(&format!("{} not read", counted(found.not_read.len(), "file")));
    }
    if model.reference().is_none() {
        print(
            "the model has no genuine reference: `trompe reference MODEL --genuine CORPUS` adds one",
        );
    }
    Ok(Outcome::Done)
}

/// One row a file: label, its numbers, and one posterior a class.
fn table(found: &Predictions, classes: &[String]) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let fixed = ["file", "label", "posterior", "calibrated_posterior", "level"];
    let per_class = classes.iter().map(|class| format!("posterior of {class}"));
    writer.write_record(fixed.map(str::to_owned).into_iter().chain(per_class))?;
    let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    for of in &found.files {
        let posterior = |class: &String| of.answer.classes[class]["posterior"].to_string();
        let fixed = [
            of.file.display().to_string(),
            of.answer.label.clone().unwrap_or_default(),
            of.answer.posterior.to_string(),
            number(of.answer.calibrated),
            number(of.answer.level),
        ];
        writer.write_record(fixed.into_iter().chain(classes.iter().map(posterior)))?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}
