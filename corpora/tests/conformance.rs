//! Every format that is read, as ffmpeg encodes and decodes it. Needs ffmpeg, so it is run by
//! `cargo test -p trompe-corpora --test conformance -- --ignored --nocapture`.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::Command;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use trompe_corpora::decode::decode;
use trompe_corpora::limits::Limits;

mod ffmpeg;

/// Extension, encoder options, and the greatest difference of a sample that is allowed: none
/// where decoding is defined to the bit, half a step of 16 bits
/// for MP3 and Vorbis, four for AAC, where the two decoders differ by up to 2.4.
const LOSSLESS: f32 = 0.0;
const LOSSY: f32 = 0.5 / 32_768.0;
const AAC: f32 = 4.0 / 32_768.0;
const ENCODINGS: &[(&str, &str, f32)] = &[
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
    ("wav", "-c:a pcm_s16le -rf64 always", LOSSLESS),
    ("wav", "-c:a libmp3lame -b:a 96k", LOSSY),
    ("w64", "-c:a pcm_s24le", LOSSLESS),
    ("au", "-c:a pcm_f32be", LOSSLESS),
    ("aiff", "-c:a pcm_s16le", LOSSLESS),
    ("aiff", "-c:a pcm_f32be", LOSSLESS),
    ("aiff", "-c:a pcm_f64be", LOSSLESS),
    ("aiff", "-c:a pcm_alaw", LOSSLESS),
    ("aiff", "-c:a pcm_mulaw", LOSSLESS),
    ("aiff", "-c:a pcm_s32be", LOSSLESS),
    ("caf", "-c:a pcm_s16be", LOSSLESS),
    ("caf", "-c:a pcm_f32le", LOSSLESS),
    ("caf", "-c:a pcm_s24le", LOSSLESS),
    ("caf", "-c:a pcm_mulaw", LOSSLESS),
    ("caf", "-c:a alac -sample_fmt s16p", LOSSLESS),
    ("mka", "-c:a pcm_s16le", LOSSLESS),
    ("mka", "-c:a pcm_f32le", LOSSLESS),
    ("mka", "-c:a flac -sample_fmt s16", LOSSLESS),
    ("mka", "-c:a libvorbis -q:a 4", LOSSY),
    ("mka", "-c:a libmp3lame -b:a 96k", LOSSY),
    ("mka", "-c:a alac -sample_fmt s16p", LOSSLESS),
    ("webm", "-c:a libopus -b:a 64k", LOSSY),
    ("mp4", "-strict -2 -c:a libopus -b:a 64k", LOSSY),
    ("opus", "-c:a libopus -b:a 24k", LOSSY),
    ("opus", "-c:a libopus -b:a 96k", LOSSY),
    ("opus", "-c:a libopus -b:a 16k -application voip", LOSSY),
    ("ogg", "-c:a flac -sample_fmt s16", LOSSLESS),
    ("mp3", "-c:a libmp3lame -q:a 5 -write_xing 0", LOSSY),
];

/// Encodings whose end an edit list tells. ffmpeg 5.1 leaves out what lies before the sound but not
/// what lies behind it; later versions end at the edit list's millisecond. We end with the sound.
const EDITED: [&str; 2] = ["-c:a aac", "-strict -2 -c:a libopus"];

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

/// What ffmpeg decodes; the codec is told by the extension.
fn decoded_by_ffmpeg(path: &Path, channels: usize) -> Vec<f32> {
    let is_opus =
        path.extension().is_some_and(|end| ["opus", "webm", "mp4"].iter().any(|opus| end == *opus));
    ffmpeg::decoded_by_ffmpeg(path, if is_opus { "opus" } else { "" }, channels).unwrap()
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
        for &(extension, options, allowed) in ENCODINGS {
            let path = folder.path().join("encoded").with_extension(extension);
            let (rate_text, channels_text) = (rate.to_string(), channels.to_string());
            let mut arguments = vec!["-f", "f32le", "-ar", &rate_text, "-ac", &channels_text];
            arguments.extend(["-i", raw.to_str().unwrap()]);
            arguments.extend(options.split(' '));
            arguments.push(path.to_str().unwrap());
            ffmpeg(&arguments);
            let theirs = decoded_by_ffmpeg(&path, channels);
            let name = format!("{extension} {options}, {rate} Hz, {channels} channels");
            let ours = match decode(&path, &Limits::default()) {
                Ok(audio) => audio.samples,
                Err(error) => {
                    wrong.push(format!("{name}: {error}"));
                    continue;
                }
            };
            let pairs = ours.iter().zip(&theirs);
            let worst = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            println!("{name}: {} and {} samples, {worst:.1e} apart", ours.len(), theirs.len());
            let is_edited = EDITED.iter().any(|edited| options.starts_with(edited));
            // Opus is always of 48,000 Hz.
            let sound = 3 * if extension == "mp4" { 48_000 } else { rate as usize } / 2;
            let as_long = match is_edited {
                true => ours.len() == sound && theirs.len() + 48 >= sound,
                false => ours.len() == theirs.len(),
            };
            if !as_long || worst > allowed {
                wrong.push(name);
            }
        }
    }
    assert!(wrong.is_empty(), "not as ffmpeg: {wrong:#?}");
}

/// Changes to a file that ffmpeg and we read alike: names, what is made, and how it is changed.
type Change = (&'static str, &'static str, &'static str, fn(Vec<u8>) -> Vec<u8>);

/// Replaces bytes at a place.
fn put(mut bytes: Vec<u8>, at: usize, with: &[u8]) -> Vec<u8> {
    bytes[at..at + with.len()].copy_from_slice(with);
    bytes
}

const CHANGES: &[Change] = &[
    ("data size 0", "wav", "-c:a pcm_s16le", |b| put(put(b, 40, &[0; 4]), 4, &[0; 4])),
    ("data size -1", "wav", "-c:a pcm_s16le", |b| put(put(b, 40, &[255; 4]), 4, &[255; 4])),
    ("sox to a pipe", "wav", "-c:a pcm_s16le", |b| {
        put(put(b, 40, &0x7fff_f000_u32.to_le_bytes()), 4, &0x7fff_f024_u32.to_le_bytes())
    }),
    ("RIFF size short", "wav", "-c:a pcm_s16le", |b| {
        let size = (b.len() as u32 - 16).to_le_bytes();
        put(b, 4, &size)
    }),
    ("12 bits", "wav", "-c:a pcm_s16le", |b| put(b, 34, &[12, 0])),
    ("20 bits", "wav", "-c:a pcm_s24le", |b| put(b, 34, &[20, 0])),
    ("format of 20 bytes", "wav", "-c:a pcm_s16le", |b| {
        let mut b = put(b, 16, &[20, 0, 0, 0]);
        b.splice(36..36, [2, 0, 0, 0]);
        b
    }),
    ("ID3v1 behind FLAC", "flac", "-c:a flac -sample_fmt s16", |mut b| {
        b.extend(b"TAG");
        b.extend([b' '; 125]);
        b
    }),
    ("zeros before MP3", "mp3", "-c:a libmp3lame -b:a 64k -write_xing 0 -id3v2_version 0", |b| {
        [vec![0; 8000], b].concat()
    }),
    ("MP3 twice", "mp3", "-c:a libmp3lame -b:a 64k -id3v2_version 0", |b| [b.clone(), b].concat()),
    ("MP3 twice, no tag", "mp3", "-c:a libmp3lame -q:a 6 -write_xing 0 -id3v2_version 0", |b| {
        [b.clone(), b].concat()
    }),
    ("Vorbis with counts that are off", "ogg", "-c:a libvorbis -q:a 3", |b| uncounted(&b)),
];

/// An Ogg file's pages, changed and with their checksums made right.
fn pages(bytes: &[u8], mut change: impl FnMut(usize, &mut [u8])) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let (mut at, mut number) = (0, 0);
    while at < bytes.len() {
        let segments = usize::from(bytes[at + 26]);
        let body: usize = bytes[at + 27..at + 27 + segments].iter().map(|&n| usize::from(n)).sum();
        let page = &mut bytes[at..at + 27 + segments + body];
        change(number, page);
        page[22..26].fill(0);
        let sum = page.iter().fold(0_u32, |sum, &byte| {
            (0..8).fold(sum ^ u32::from(byte) << 24, |sum, _| {
                if sum >> 31 == 1 { sum << 1 ^ 0x04c1_1db7 } else { sum << 1 }
            })
        });
        page[22..26].copy_from_slice(&sum.to_le_bytes());
        at += 27 + segments + body;
        number += 1;
    }
    bytes
}

fn renumbered(bytes: &[u8], serial: u32) -> Vec<u8> {
    pages(bytes, |_, page| page[14..18].copy_from_slice(&serial.to_le_bytes()))
}

/// The count of the third page, the first with sound, is 64 too low.
fn uncounted(bytes: &[u8]) -> Vec<u8> {
    pages(bytes, |number, page| {
        if number == 2 && page[5] & 4 == 0 {
            let count = u64::from_le_bytes(page[6..14].try_into().unwrap());
            page[6..14].copy_from_slice(&(count - 64).to_le_bytes());
        }
    })
}

#[test]
#[ignore = "needs ffmpeg"]
fn odd_files_decode_as_ffmpeg_decodes_them() {
    let folder = tempfile::tempdir().unwrap();
    let raw = folder.path().join("raw");
    let mut wrong = Vec::new();
    for channels in [1, 2] {
        let bytes: Vec<u8> =
            signal(22_050, channels).iter().flat_map(|s| s.to_le_bytes()).collect();
        std::fs::write(&raw, [&bytes[..], &bytes, &bytes].concat()).unwrap();
        for (name, extension, options, change) in CHANGES {
            let path = folder.path().join("encoded").with_extension(extension);
            let channels_text = channels.to_string();
            let mut arguments = vec!["-f", "f32le", "-ar", "22050", "-ac", &channels_text];
            arguments.extend(["-i", raw.to_str().unwrap()]);
            arguments.extend(options.split(' '));
            // No chunk of metadata, so that places in headers are known.
            arguments.extend(["-fflags", "+bitexact", "-map_metadata", "-1"]);
            arguments.push(path.to_str().unwrap());
            ffmpeg(&arguments);
            std::fs::write(&path, change(std::fs::read(&path).unwrap())).unwrap();
            let theirs = decoded_by_ffmpeg(&path, channels);
            let ours = decode(&path, &Limits::default()).map(|audio| audio.samples);
            let ours = ours.unwrap_or_else(|error| {
                println!("{error}");
                Vec::new()
            });
            let pairs = ours.iter().zip(&theirs);
            let worst = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            println!("{name}, {channels}: {} and {}, {worst:.1e}", ours.len(), theirs.len());
            if ours.len() != theirs.len() || worst > LOSSY {
                wrong.push(*name);
            }
        }
    }
    assert!(wrong.is_empty(), "not as ffmpeg: {wrong:?}");
}

/// A chain is its links one after the other. ffmpeg 5.1 does not begin the second anew and gives
/// a few samples more; oggdec, which is built on the reference decoder, does as we do.
#[test]
#[ignore = "needs ffmpeg"]
fn chained_vorbis_decodes_as_its_links_do() {
    let folder = tempfile::tempdir().unwrap();
    let (raw, path) = (folder.path().join("raw"), folder.path().join("link.ogg"));
    let bytes: Vec<u8> = signal(22_050, 2).iter().flat_map(|s| s.to_le_bytes()).collect();
    std::fs::write(&raw, bytes).unwrap();
    let from = ["-f", "f32le", "-ar", "22050", "-ac", "2", "-i", raw.to_str().unwrap()];
    ffmpeg(&[&from[..], &["-c:a", "libvorbis", path.to_str().unwrap()]].concat());
    let link = std::fs::read(&path).unwrap();
    let once = decoded_by_ffmpeg(&path, 2);
    std::fs::write(&path, [link.clone(), renumbered(&link, 77)].concat()).unwrap();
    let ours = decode(&path, &Limits::default()).unwrap().samples;
    let theirs = [&once[..], &once].concat();
    assert_eq!(ours.len(), theirs.len());
    let worst = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    println!("{} samples, {worst:.1e} apart", ours.len());
    assert!(worst <= LOSSY);
}

/// A stream that changes between mono and stereo is one mean, as ffmpeg's two decoders give it.
#[test]
#[ignore = "needs ffmpeg"]
fn changes_of_channels_in_an_mp3_decode_as_ffmpeg_decodes_them() {
    let folder = tempfile::tempdir().unwrap();
    let mut parts = Vec::new();
    let mut lengths = Vec::new();
    for channels in [1, 2, 1] {
        let (raw, path) = (folder.path().join("raw"), folder.path().join("part.mp3"));
        let bytes: Vec<u8> =
            signal(22_050, channels).iter().flat_map(|s| s.to_le_bytes()).collect();
        std::fs::write(&raw, bytes).unwrap();
        let count = channels.to_string();
        let from = ["-f", "f32le", "-ar", "22050", "-ac", &count, "-i", raw.to_str().unwrap()];
        let to = ["-b:a", "64k", "-write_xing", "0", "-id3v2_version", "0", path.to_str().unwrap()];
        ffmpeg(&[&from[..], &to].concat());
        parts.extend(std::fs::read(&path).unwrap());
        lengths.push(decode(&path, &Limits::default()).unwrap().samples.len());
    }
    let path = folder.path().join("joined.mp3");
    std::fs::write(&path, parts).unwrap();
    // Two channels out: of a mono stretch, both are that one.
    let bytes = ffmpeg(&["-i", path.to_str().unwrap(), "-ac", "2", "-f", "f64le", "-"]);
    let values: Vec<f64> = bytes.as_chunks().0.iter().map(|&b| f64::from_le_bytes(b)).collect();
    let ours = decode(&path, &Limits::default()).unwrap().samples;
    println!("{} and {}", ours.len(), values.len() / 2);
    assert_eq!(ours.len(), values.len() / 2);
    // The stereo part passes through ffmpeg's mixer unchanged; it begins with what the mono part
    // left behind.
    let stereo = lengths[0]..lengths[0] + lengths[1];
    let worst = stereo.clone().map(|n| {
        let mean = (values[2 * n] + values[2 * n + 1]) / 2.0;
        (f64::from(ours[n]) - mean).abs()
    });
    let worst = worst.fold(0.0, f64::max);
    println!("{} samples of stereo, {worst:.1e} apart", stereo.len());
    assert!(worst <= f64::from(LOSSY));
}
