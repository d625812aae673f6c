//! Times the mel spectrogram of one clip: `time_mel CLIP RATE SETTINGS REPEATS [OUT]`, where
//! CLIP is raw little-endian f32 mono and SETTINGS a JSON object. Prints the milliseconds of
//! each repeat as one JSON object a line, and writes the spectrogram to OUT as raw f32.

use std::time::Instant;

use trompe_features::{MelSettings, MelSpectrogram};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, rate, settings, repeats, out @ ..] = &arguments[..] else {
        return Err("usage: time_mel CLIP RATE SETTINGS REPEATS [OUT]".into());
    };
    let settings: MelSettings = serde_json::from_str(settings)?;
    let bytes = std::fs::read(path)?;
    let clip: Vec<f32> = bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
    let mel = MelSpectrogram::new(&settings, rate.parse()?)?;
    for _ in 0..repeats.parse::<usize>()? {
        let start = Instant::now();
        let frames = mel.spectrogram(&clip)?.nrows();
        let ms = 1e3 * start.elapsed().as_secs_f64();
        println!("{}", serde_json::json!({ "ms": ms, "frames": frames }));
    }
    if let Some(out) = out.first() {
        let values: Vec<u8> =
            mel.spectrogram(&clip)?.iter().flat_map(|x| x.to_le_bytes()).collect();
        std::fs::write(out, values)?;
    }
    Ok(())
}
