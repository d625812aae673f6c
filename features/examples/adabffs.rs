//! Prints the AdaBFFs features of one clip: `adabffs CLIP [--frames]`, where CLIP is raw
//! little-endian f32 mono at 22,050 Hz. One JSON array a line: the vectors of the texture
//! windows, or with `--frames` the features of every frame in them.

use trompe_features::adabffs::{AdaBffs, AdaBffsExtractor, DIMENSIONS};
use trompe_features::{Extractor, Result};

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(path) = arguments.first() else { return Err("usage: adabffs CLIP [--frames]".into()) };
    let bytes = std::fs::read(path)?;
    let clip: Vec<f32> = bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
    let rows = if arguments.get(1).is_some_and(|argument| argument == "--frames") {
        frames(&clip)?
    } else {
        vectors(&clip)?
    };
    for row in rows {
        println!("{}", serde_json::to_string(&row)?);
    }
    Ok(())
}

fn frames(clip: &[f32]) -> Result<Vec<Vec<f64>>> {
    let frames = AdaBffsExtractor::new(AdaBffs::default())?.frames(clip)?;
    Ok(frames.into_iter().map(Vec::from).collect())
}

fn vectors(clip: &[f32]) -> Result<Vec<Vec<f64>>> {
    let mut out = Vec::new();
    AdaBffsExtractor::new(AdaBffs::default())?.extract(clip, &mut out)?;
    Ok(out
        .chunks(DIMENSIONS)
        .map(|row| row.iter().map(|&value| f64::from(value)).collect())
        .collect())
}
