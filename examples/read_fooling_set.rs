//! Reads a fooling set that may come from anywhere, checks its files against their hashes, and
//! prints what each exhibit is.
//!
//! ```text
//! cargo run --example read_fooling_set -- SET
//! ```

use std::path::PathBuf;

use anyhow::{Context, Result};
use trompe::exhibits::load;
use trompe::problem::Medium;

fn main() -> Result<()> {
    let set: PathBuf = std::env::args_os().nth(1).context("usage: read_fooling_set SET")?.into();
    let manifest = load(&set)?;
    let origin = &manifest.origin;
    let medium = match origin.medium {
        Medium::Audio => "sound",
        Medium::Image => "images",
    };
    println!(
        "{} exhibits ({medium}) at a posterior of {}, made by {} on {}",
        manifest.exhibits.len(),
        origin.threshold,
        origin.generator.name,
        origin.classifier.kind
    );
    for exhibit in &manifest.exhibits {
        println!(
            "{}\t{}\t{:.6}\tevaluation {}",
            set.join(&exhibit.file).display(),
            exhibit.label,
            exhibit.posterior,
            exhibit.evaluation
        );
    }
    for class in &manifest.unreached {
        println!("no exhibit of {}", class.label);
    }
    Ok(())
}
