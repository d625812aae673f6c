//! Fools your own classifier of sound: put it in the closure.
//!
//! ```text
//! cargo run --example fool_sound -- OUT [BANK]
//! ```
//!
//! `OUT` is a new folder for the fooling set. `BANK` is a folder of loops; without it, excerpts are
//! composed from the built-in synthetic loops.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use trompe::audio::{self, Excerpts, WavCodec};
use trompe::corpora::{Audio, Bank, Limits, synthetic};
use trompe::exhibits::companions::Companions;
use trompe::exhibits::{self, Delivery, Manifest, Origin, Picture};
use trompe::problem::{Closure, Problem, Space};
use trompe::report::fooling_set_page;
use trompe::search::{Search, SearchSettings};

/// The sample rate that the classifier expects, in hertz.
const RATE: u32 = 22_050;

fn main() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let out = arguments.next().context("usage: fool_sound OUT [BANK]")?;
    let bank = match arguments.next() {
        Some(folder) => Bank::open(&folder, RATE, &Limits::default(), false)?.0,
        None => synthetic::bank(1),
    };

    // The classifier to fool: one log-odds per class for one excerpt. An error ends the search.
    let victim = Closure::new(["hiss", "hum"], |sound: &Audio| {
        let crossings = sound.samples.windows(2).filter(|pair| pair[0] * pair[1] < 0.0).count();
        let per_second = crossings as f64 / sound.seconds();
        let hiss = (per_second - 2_000.0) / 100.0;
        Ok::<_, std::io::Error>(vec![hiss, -hiss])
    })
    .with_fingerprint("zero crossings, version 1");

    // What is searched, and for what. Excerpts are of 3 s here, of 30 s by default.
    let composition =
        audio::CompositionSettings { seconds: 3.0, ..audio::CompositionSettings::default() };
    let problem = Problem::new(Excerpts::new(&bank, &composition)?, victim)?;
    let settings = SearchSettings { budget: 2_000, exhibits: 2, ..SearchSettings::default() };
    let mut search = Search::new(problem.by_ref(), &settings)?;
    while search.finished().is_none() {
        for better in search.step()? {
            let class = &problem.classes()[better.class];
            println!("evaluation {}: {class} {:.4}", better.evaluation, better.posterior);
        }
    }

    // Exhibits are written, read again and scored; what falls short as a file is left out.
    let codec = WavCodec { sample_rate: RATE };
    let delivery =
        Delivery { space: problem.space(), victim: problem.victim(), codec: &codec, stop: None };
    let generator = problem.space().describe();
    let origin = Origin::of(problem.victim(), generator, settings.seed, settings.criterion())?;
    let found = exhibits::candidates(&search.state().archive);
    let page = |_: &Path, manifest: &Manifest, pictures: &[Picture]| {
        Ok(fooling_set_page(manifest, pictures, &Companions::default()))
    };
    let written = exhibits::write(&out, origin, &found, settings.exhibits, &delivery, page)?;
    for exhibit in &written.manifest.exhibits {
        println!("{}: {} {:.4}", exhibit.file, exhibit.label, exhibit.posterior);
    }
    Ok(())
}
