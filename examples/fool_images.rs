//! Fools your own classifier of images: put it in the closure.
//!
//! ```text
//! cargo run --example fool_images -- OUT
//! ```
//!
//! `OUT` is a new folder for the fooling set.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use trompe::corpora::{Image, ImageShape};
use trompe::exhibits::companions::Companions;
use trompe::exhibits::{self, Delivery, Manifest, Origin, Picture};
use trompe::image::{Cppn, PngCodec, cppn};
use trompe::problem::{Closure, Problem, Space};
use trompe::report::fooling_set_page;
use trompe::search::{Search, SearchSettings};

fn main() -> Result<()> {
    let out: PathBuf = std::env::args_os().nth(1).context("usage: fool_images OUT")?.into();

    // The classifier to fool: one log-odds per class for one image of 8-bit pixels, row by row.
    let victim = Closure::new(["left", "right", "even"], |image: &Image| {
        let width = image.shape.width;
        let half = |from: usize, to: usize| -> f64 {
            let lines = image.pixels.chunks_exact(width);
            lines.flat_map(|line| &line[from..to]).map(|&value| f64::from(value)).sum()
        };
        let (left, right) = (half(0, width / 2), half(width / 2, width));
        let lean = 20.0 * (right - left) / (left + right).max(1.0);
        Ok::<_, std::io::Error>(vec![-lean, lean, 9.0 - 9.0 * lean.abs()])
    })
    .with_fingerprint("brighter half, version 1");

    // Images drawn by small networks (Nguyen, Yosinski & Clune 2015).
    let space = Cppn::new(ImageShape::grey(32, 32), &cppn::CppnSettings::default());
    let problem = Problem::new(space, victim)?;
    let settings = SearchSettings { budget: 5_000, exhibits: 1, ..SearchSettings::default() };
    let mut search = Search::new(problem.by_ref(), &settings)?;
    while search.finished().is_none() {
        search.step()?;
    }

    let delivery =
        Delivery { space: problem.space(), victim: problem.victim(), codec: &PngCodec, stop: None };
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
