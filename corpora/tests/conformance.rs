//! Every format that is read, as ffmpeg encodes and decodes it. Needs ffmpeg, so it is run by
//! `cargo test -p trompe-corpora --test conformance -- --ignored --nocapture`.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::Command;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use trompe_corpora::decode::decode;
use trompe_corpora::limits::Limits;

/// Extension, encoder options, and the greatest difference of a sample that is allowed: none
/// where decoding is defined to the bit, half a step of 16 bits
/// for MP3 and Vorbis, four for AAC, where the two decoders differ by up to 2.4.
const LOSSLESS: f32 = 0.0;
const LOSSY: f32 = 0.5 / 32_768.0;
const AAC: f32 = 4.0 / 32_768.0;
const ENCODINGS: [(&str, &str, f32); 24] = [
    ("wav", "-c:a pcm_u8", LOSSLESS),
    ("wav", "-c:a pcm_s16le", LOSSLESS),
    ("wav", "-c:a pcm_s24le", LOSSLESS),
    ("wav", "-c:a pcm_s32le", LOSSLESS),
    ("wav", "-c:a pcm_f32le", LOSSLESS),
    ("wav", "-c:a pcm_f64le", LOSSLESS),
    ("wav", "-c:a pcm_alaw", LOSSLESS),
    ("wav", "-c:a pcm_mulaw", LOSSLESS),
    ("wav", "-c:a adpcm_ms", LOSSLESS),
    ("wav", "-c:a adpcm_ima_wav", LOSSLESS),
    ("aiff", "-c:a pcm_s16be", LOSSLESS),
    ("aiff", "-c:a pcm_s24be", LOSSLESS),
    ("au", "-c:a pcm_s16be", LOSSLESS),
    ("au", "-c:a pcm_mulaw", LOSSLESS),
    ("flac", "-c:a flac -sample_fmt s16 -compression_level 0", LOSSLESS),
    ("flac", "-c:a flac -sample_fmt s16 -compression_level 12", LOSSLESS),
    ("flac", "-c:a flac -sample_fmt s32 -compression_level 8", LOSSLESS),
    ("m4a", "-c:a alac -sample_fmt s16p", LOSSLESS),
    ("mp3", "-c:a libmp3lame -b:a 64k", LOSSY),
    ("mp3", "-c:a libmp3lame -q:a 2", LOSSY),
    ("mp3", "-c:a libmp3lame -b:a 128k -joint_stereo 0", LOSSY),
    ("ogg", "-c:a libvorbis -q:a 3", LOSSY),
    ("ogg", "-c:a libvorbis -q:a 9", LOSSY),
    ("m4a", "-c:a aac -b:a 96k", AAC),
];

/// Samples with which an encoder of AAC begins before the sound does, as the file's edit list
/// says: ffmpeg leaves them out, symphonia does not read edit lists.
const AAC_PRIMING: usize = 1_024;

/// Two sines under noise whose level changes every tenth of a second.
fn signal(rate: u32, channels: usize) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(u64::from(rate) + channels as u64);
    let mut level = 0.0;
    let mut samples = Vec::new();
    for frame in 0..rate * 3 / 2 {
        if frame % (rate / 10) == 0 {
            level = rng.random_range(0.0..0.3);
        }
        for channel in 0..channels {
            let radians = f64::from(frame) / f64::from(rate) * 2.0 * std::f64::consts::PI;
            let sines = 0.3 * (440.0 * radians).sin() + 0.2 * (1_733.0 * radians).sin();
            let noise: f64 = rng.random_range(-level..=level);
            samples.push((if channel == 0 { sines } else { -0.5 * sines } + noise) as f32);
        }
    }
    samples
}

fn ffmpeg(arguments: &[&str]) -> Vec<u8> {
    let done = Command::new("ffmpeg")
        .args(["-y", "-hide_banner", "-loglevel", "error", "-bitexact"])
        .args(arguments)
        .output()
        .expect("ffmpeg is on this machine");
    assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    done.stdout
}

/// What ffmpeg decodes, its channels mixed by their mean as ours are.
fn decoded_by_ffmpeg(path: &Path, channels: usize) -> Vec<f32> {
    let bytes = ffmpeg(&["-i", path.to_str().unwrap(), "-f", "f64le", "-"]);
    let values: Vec<f64> =
        bytes.as_chunks().0.iter().map(|&bytes| f64::from_le_bytes(bytes)).collect();
    let mean = |frame: &[f64]| (frame.iter().sum::<f64>() / channels as f64) as f32;
    values.chunks_exact(channels).map(mean).collect()
}

#[test]
#[ignore = "needs ffmpeg"]
fn every_format_decodes_as_ffmpeg_does() {
    let folder = tempfile::tempdir().unwrap();
    let mut wrong = Vec::new();
    for (rate, channels) in [(22_050, 1), (22_050, 2), (44_100, 1), (44_100, 2), (48_000, 2)] {
        let raw = folder.path().join("raw");
        let bytes: Vec<u8> = signal(rate, channels).iter().flat_map(|s| s.to_le_bytes()).collect();
        std::fs::write(&raw, bytes).unwrap();
        for (extension, options, allowed) in ENCODINGS {
            let path = folder.path().join("encoded").with_extension(extension);
            let (rate_text, channels_text) = (rate.to_string(), channels.to_string());
            let mut arguments = vec!["-f", "f32le", "-ar", &rate_text, "-ac", &channels_text];
            arguments.extend(["-i", raw.to_str().unwrap()]);
            arguments.extend(options.split(' '));
            arguments.push(path.to_str().unwrap());
            ffmpeg(&arguments);
            let theirs = decoded_by_ffmpeg(&path, channels);
            let name = format!("{extension} {options}, {rate} Hz, {channels} channels");
            let mut ours = decode(&path, &Limits::default()).unwrap().samples;
            if options.contains("aac") {
                ours.drain(..AAC_PRIMING);
            }
            let pairs = ours.iter().zip(&theirs);
            let worst = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            println!("{name}: {} and {} samples, {worst:.1e} apart", ours.len(), theirs.len());
            if ours.len() != theirs.len() || worst > allowed {
                wrong.push(name);
            }
        }
    }
    assert!(wrong.is_empty(), "not as ffmpeg: {wrong:#?}");
}
