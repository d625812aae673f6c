//! `trompe listen`: studies with people.

use std::path::Path;

use trompe_corpora::Provenance;
use trompe_listening_test::cli::{Build, Output, Simulate, Verb, run as run_verb};

use super::common::{Common, Outcome, print_next};
use super::progress::Bars;
use super::sets;
use crate::error::Result;
use crate::pipeline::controls::{Controls, Wanted, prepare};
use crate::pipeline::open::unambiguous;

/// Studies with people: build, serve, simulate, analyze
///
/// `build` takes real controls from any corpus: `--real` is a name from `trompe corpus list`,
/// the path of a corpus of clips, or a folder of PNG files with a folder per class.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  trompe listen power --listeners 20 --items 20 --studies 50")]
pub(super) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

pub(super) fn run(arguments: &Arguments, common: &Common) -> Result<Outcome> {
    let output = if common.json { Output::Json } else { Output::Text };
    match &arguments.verb {
        Verb::Build(build) => {
            let (build, _controls) = with_controls(build, common)?;
            build.run(output)?;
        }
        verb => run_verb(verb, output)?,
    }
    if !common.json {
        next(&arguments.verb);
    }
    Ok(Outcome::Done)
}

/// Prints what to do after a study is built, simulated or analyzed.
fn next(verb: &Verb) {
    match verb {
        Verb::Build(build) => {
            let study = &*build.out.to_string_lossy();
            let trial = ["--database", "trial.sqlite", "--listeners", "20"];
            print_next(&[&["listen", "simulate", study][..], &trial].concat());
            print_next(&["listen", "serve", study, "--database", "answers.sqlite"]);
        }
        Verb::Simulate(Simulate { study, database: Some(database), .. }) => {
            let (study, database) = (study.to_string_lossy(), database.to_string_lossy());
            let simulated = ["--database", &database, "--simulated", "--out", "trial"];
            print_next(&[&["listen", "analyze", &study][..], &simulated].concat());
        }
        Verb::Analyze(analyze) => print_next(&["open", &analyze.out.to_string_lossy()]),
        _ => {}
    }
}

/// The same arguments with each corpus of controls drawn from and written as files, which
/// live as long as what is returned beside them.
fn with_controls(build: &Build, common: &Common) -> Result<(Build, Vec<Controls>)> {
    let bars = Bars::new(common);
    let mut build = build.clone();
    build.sets = sets::of_all(&build.sets)?;
    for corpus in build.real.iter().filter_map(|real| real.to_str()) {
        unambiguous(corpus)?;
    }
    let mut all = Vec::new();
    for real in build.real.iter_mut().filter(|real| !is_plain_folder(real)) {
        let corpus = real.display().to_string();
        let wanted = Wanted { corpus, count: build.pool, seed: build.seed };
        let controls = prepare(&wanted, &build.sets, &bars)?;
        controls.path().clone_into(real);
        build.synthetic |= controls.provenance == Provenance::Synthetic;
        all.push(controls);
    }
    bars.clear();
    Ok((build, all))
}

/// Whether `path` is a folder with a folder per class that holds pictures.
fn is_plain_folder(path: &Path) -> bool {
    let png = |path: &Path| path.extension().is_some_and(|end| end.eq_ignore_ascii_case("png"));
    let entries = |path: &Path| std::fs::read_dir(path).into_iter().flatten().flatten();
    entries(path).any(|class| entries(&class.path()).any(|file| png(&file.path())))
}
