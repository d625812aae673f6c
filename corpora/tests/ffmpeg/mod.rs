//! What ffmpeg decodes, for comparisons with the own decoders.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

/// Decodes the first audio stream of a file with ffmpeg. Its channels are mixed by their mean, as
/// the own decoders mix them.
///
/// # Errors
/// What ffmpeg writes to stderr if it fails, or why it cannot be run.
pub(crate) fn decoded_by_ffmpeg(
    path: &Path,
    codec: &str,
    channels: usize,
) -> Result<Vec<f32>, String> {
    let mut command = Command::new("ffmpeg");
    command.args(["-y", "-hide_banner", "-loglevel", "error", "-bitexact"]);
    if codec == "opus" {
        // ffmpeg's own decoder differs from libopus by up to 16 steps of 16 bits.
        command.args(["-request_sample_fmt", "flt", "-c:a", "libopus"]);
    }
    command.arg("-i").arg(path).args(["-map", "0:a:0", "-f", "f64le", "-"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("ffmpeg cannot be run: {error}"))?;
    let mut errors = child.stderr.take().ok_or("ffmpeg has no stderr")?;
    let errors = std::thread::spawn(move || {
        let mut text = String::new();
        errors.read_to_string(&mut text).map(|_| text)
    });
    let mut samples = Vec::new();
    let mut output = child.stdout.take().ok_or("ffmpeg has no stdout")?;
    // Whole frames at a time: an hour of stereo is 2.5 GB in this form.
    let mut block = vec![0; 8 * channels * 4096];
    loop {
        let filled = fill(&mut output, &mut block).map_err(|error| error.to_string())?;
        for frame in block[..filled].chunks_exact(8 * channels) {
            let values = frame.as_chunks().0.iter().map(|&bytes| f64::from_le_bytes(bytes));
            samples.push((values.sum::<f64>() / channels as f64) as f32);
        }
        if filled < block.len() {
            break;
        }
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    match (status.success(), errors.join()) {
        (true, _) => Ok(samples),
        (false, Ok(Ok(text))) => Err(text.trim().to_owned()),
        (false, _) => Err("ffmpeg failed".to_owned()),
    }
}

/// Reads until `block` is full or the stream ends.
fn fill(from: &mut impl Read, block: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < block.len() {
        match from.read(&mut block[filled..])? {
            0 => break,
            count => filled += count,
        }
    }
    Ok(filled)
}
