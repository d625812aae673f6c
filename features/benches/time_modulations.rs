//! Times the modulation features of one clip: `time_modulations CLIP REPEATS [SETTINGS]`,
//! where CLIP is raw little-endian f32 mono and SETTINGS a JSON object. Prints the
//! milliseconds of each repeat as one JSON object a line (the first makes the plan), then
//! the vector as one JSON array.

use std::time::Instant;

use trompe_features::{FeatureSettings, Modulations};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(path), Some(repeats)) = (arguments.next(), arguments.next()) else {
        return Err("usage: time_modulations CLIP REPEATS [SETTINGS]".into());
    };
    let settings: Modulations = serde_json::from_str(arguments.next().as_deref().unwrap_or("{}"))?;
    let bytes = std::fs::read(path)?;
    let clip: Vec<f32> = bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
    let mut extractor = FeatureSettings::Modulations(settings).extractor()?;
    let mut vector = Vec::new();
    for _ in 0..repeats.parse::<usize>()? {
        vector.clear();
        let start = Instant::now();
        extractor.extract(&clip, &mut vector)?;
        println!("{}", serde_json::json!({ "ms": 1e3 * start.elapsed().as_secs_f64() }));
    }
    println!("{}", serde_json::to_string(&vector)?);
    Ok(())
}
