//! Times the AdaBFFs features of one clip: `time_adabffs CLIP REPEATS`, where CLIP is raw
//! little-endian f32 mono at 22,050 Hz. Prints the milliseconds of each repeat as one JSON
//! object a line.

use std::time::Instant;

use trompe_features::{AdaBffs, FeatureSettings};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(path), Some(repeats)) = (arguments.next(), arguments.next()) else {
        return Err("usage: time_adabffs CLIP REPEATS".into());
    };
    let bytes = std::fs::read(path)?;
    let clip: Vec<f32> = bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
    let mut extractor = FeatureSettings::AdaBffs(AdaBffs::default()).extractor()?;
    let mut vectors = Vec::new();
    for _ in 0..repeats.parse::<usize>()? {
        vectors.clear();
        let start = Instant::now();
        let count = extractor.extract(&clip, &mut vectors)?;
        let ms = 1e3 * start.elapsed().as_secs_f64();
        println!("{}", serde_json::json!({ "ms": ms, "vectors": count }));
    }
    Ok(())
}
