//! Every format against a known tone, and every way in which a file can be bad.

use std::path::PathBuf;

use super::*;
use crate::signal::{level_at, rms, sine};
use crate::wav;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formats").join(name)
}

/// A folder of its own for each test, with a file in it.
struct Scratch {
    folder: tempfile::TempDir,
}

impl Scratch {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

fn wav_bytes(spec: hound::WavSpec, samples: &[f32]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = hound::WavWriter::new(std::io::Cursor::new(&mut bytes), spec).unwrap();
    for &sample in samples {
        match spec.sample_format {
            hound::SampleFormat::Float => writer.write_sample(sample).unwrap(),
            hound::SampleFormat::Int => {
                let scale = f64::from(1u32 << (spec.bits_per_sample - 1));
                writer.write_sample((f64::from(sample) * scale).round() as i32).unwrap();
            }
        }
    }
    writer.finalize().unwrap();
    bytes
}

fn float_spec(channels: u16, sample_rate: u32) -> hound::WavSpec {
    hound::WavSpec {
        channels,
        sample_rate,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    }
}

fn tone_wav(rate: u32, seconds: f64) -> Vec<u8> {
    wav::encode(&wav::quantize(&sine(rate, 1000.0, 0.25, seconds)), rate).unwrap()
}

/// The bytes of an `.au` file.
fn au_bytes(encoding: u32, size: u32, rate: u32, channels: u32, data: &[u8]) -> Vec<u8> {
    let mut bytes = b".snd".to_vec();
    for word in [32, size, encoding, rate, channels] {
        bytes.extend(u32::to_be_bytes(word));
    }
    bytes.extend(b"comment\0");
    bytes.extend(data);
    bytes
}

/// The bytes of a 16-bit mono AIFF file.
fn aiff_bytes(rate: u32, samples: &[i16]) -> Vec<u8> {
    // The sample rate is an 80-bit float: exponent, then the mantissa with its leading bit.
    let shift = rate.leading_zeros();
    let exponent = 16_383 + 31 - shift as u16;
    let mantissa = (u64::from(rate) << 32) << shift;
    let mut common = vec![0, 1];
    common.extend((samples.len() as u32).to_be_bytes());
    common.extend(16u16.to_be_bytes());
    common.extend(exponent.to_be_bytes());
    common.extend(mantissa.to_be_bytes());
    let mut sound = vec![0; 8];
    sound.extend(samples.iter().flat_map(|sample| sample.to_be_bytes()));
    let mut body = b"AIFF".to_vec();
    for (tag, chunk) in [(b"COMM", &common), (b"SSND", &sound)] {
        body.extend(tag);
        body.extend((chunk.len() as u32).to_be_bytes());
        body.extend(chunk.iter());
    }
    let mut bytes = b"FORM".to_vec();
    bytes.extend((body.len() as u32).to_be_bytes());
    bytes.extend(body);
    bytes
}

fn decode_ok(path: &Path) -> Audio {
    decode(path, &Limits::default()).unwrap()
}

/// The message of the [`Error::BadFile`] that decoding must give; it must name the file and
/// say what to do.
fn refusal(path: &Path) -> String {
    refusal_within(path, &Limits::default())
}

fn refusal_within(path: &Path, limits: &Limits) -> String {
    let error = decode(path, limits).unwrap_err();
    let Error::BadFile { path: named, what, remedy } = error else {
        panic!("{error} is no bad file");
    };
    assert_eq!(named, path);
    assert!(!remedy.is_empty());
    what
}

#[track_caller]
fn assert_says(message: &str, words: &[&str]) {
    for word in words {
        assert!(message.contains(word), "{message:?} does not say {word:?}");
    }
}

/// The signal of `tests/formats/make.sh`.
fn fixture_signal(rate: u32, seconds: f64) -> Vec<f32> {
    let mut signal = sine(rate, 1000.0, 0.25, seconds);
    let second = sine(rate, 3000.0, 0.125, seconds);
    for (x, y) in signal.iter_mut().zip(second).skip(rate as usize) {
        *x += y;
    }
    signal
}

#[test]
fn compressed_formats_give_the_tone_at_its_level_frequency_and_place() {
    // The gain of the encoder (LAME scales by 0.95 at low bit rates), the largest deviation from
    // the signal as a share of its level, and in length.
    for (name, rate, seconds, gain, tolerance, slack) in [
        ("tone.flac", 8000, 1.2, 1.0, 2e-4, 0),
        ("tone.mp3", 22_050, 2.0, 0.95, 0.1, 0),
        ("tone.ogg", 22_050, 2.0, 1.0, 0.1, 0),
        ("tone.m4a", 22_050, 2.0, 1.0, 0.25, 0),
        ("tone.opus", 48_000, 1.2, 1.0, 0.25, 0),
        ("tone.webm", 48_000, 1.2, 1.0, 0.25, 0),
        ("tone.mka", 22_050, 1.2, 1.0, 0.1, 512),
    ] {
        let audio = decode_ok(&fixture(name));
        assert_eq!(audio.sample_rate, rate, "{name}");
        let expected = fixture_signal(rate, seconds);
        let excess = audio.samples.len().abs_diff(expected.len());
        assert!(excess <= slack, "{name}: {} for {}", audio.samples.len(), expected.len());
        let early = &audio.samples[(rate / 10) as usize..(9 * rate / 10) as usize];
        let level = level_at(early, rate, 1000.0);
        assert!((level - 0.25 * gain).abs() < 0.01, "{name}: {level}");
        let late = &audio.samples[(21 * rate / 20) as usize..(23 * rate / 20) as usize];
        let level = level_at(late, rate, 3000.0);
        assert!((level - 0.125 * gain).abs() < 0.01, "{name}: {level}");
        if slack == 0 {
            let difference: Vec<f32> =
                audio.samples.iter().zip(&expected).map(|(x, y)| x - gain as f32 * y).collect();
            let off = rms(&difference) / rms(&expected);
            assert!(off < tolerance, "{name}: off by {off}");
        }
    }
}

#[test]
fn a_stretch_equals_that_stretch_of_the_whole_bit_for_bit() {
    let scratch = Scratch::new();
    let plain = tone_wav(22_050, 2.0);
    let au: Vec<u8> = wav::quantize(&fixture_signal(22_050, 2.0))
        .iter()
        .flat_map(|sample| sample.to_be_bytes())
        .collect();
    for path in [
        fixture("tone.flac"),
        fixture("tone.mp3"),
        fixture("tone.ogg"),
        fixture("tone.m4a"),
        fixture("stereo.ogg"),
        fixture("tone.opus"),
        fixture("tone.webm"),
        fixture("tone.mka"),
        scratch.file("tone.wav", &plain),
        scratch.file("tone.au", &au_bytes(3, au.len() as u32, 22_050, 1, &au)),
        scratch
            .file("tone.aiff", &aiff_bytes(22_050, &wav::quantize(&sine(22_050, 700.0, 0.5, 2.0)))),
    ] {
        let whole = decode_ok(&path);
        let rate = f64::from(whole.sample_rate);
        for (start, end) in [(0.0, 0.3), (0.2, 0.45), (0.71, 0.9), (0.83, 0.97)] {
            let got = decode_range(&path, start, Some(end), &Limits::default()).unwrap();
            let range = (start * rate).round() as usize..(end * rate).round() as usize;
            assert!(got.samples == whole.samples[range], "{}: {start} to {end}", path.display());
        }
        let got = decode_range(&path, 0.8, None, &Limits::default()).unwrap();
        assert!(
            got.samples == whole.samples[(0.8 * rate).round() as usize..],
            "{}",
            path.display()
        );
    }
}

#[test]
fn channels_are_mixed_down_by_their_mean() {
    let mono = decode_ok(&fixture("stereo.ogg"));
    let level = level_at(&mono.samples[4410..39_690], 44_100, 1000.0);
    assert!((level - 0.125).abs() < 0.005, "{level}");

    let scratch = Scratch::new();
    let six: Vec<f32> = (0..60).map(|i| (i % 6) as f32 / 8.0).collect();
    let path = scratch.file("six.wav", &wav_bytes(float_spec(6, 48_000), &six));
    let audio = decode_ok(&path);
    assert_eq!(audio.samples.len(), 10);
    assert!(audio.samples.iter().all(|x| (x - 2.5 / 8.0).abs() < 1e-6));
}

#[test]
fn sixteen_bit_samples_are_the_integer_over_32768() {
    let integers = [0, 1, -1, 12_345, -12_345, i16::MAX, i16::MIN];
    let exact: Vec<f32> = integers.iter().map(|&i| f32::from(i) / 32_768.0).collect();
    let scratch = Scratch::new();
    let big: Vec<u8> = integers.iter().flat_map(|i| i.to_be_bytes()).collect();
    for path in [
        scratch.file("a.wav", &wav::encode(&integers, 22_050).unwrap()),
        scratch.file("a.aiff", &aiff_bytes(22_050, &integers)),
        scratch.file("a.au", &au_bytes(3, big.len() as u32, 22_050, 1, &big)),
    ] {
        let audio = decode_ok(&path);
        assert_eq!((audio.samples, audio.sample_rate), (exact.clone(), 22_050));
    }
}

#[test]
fn wav_of_other_depths_is_read() {
    let scratch = Scratch::new();
    let signal = sine(22_050, 1000.0, 0.25, 0.2);
    for bits in [8, 24, 32] {
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: 22_050,
            bits_per_sample: bits,
            sample_format: hound::SampleFormat::Int,
        };
        let audio = decode_ok(&scratch.file("x.wav", &wav_bytes(spec, &signal)));
        let step = 1.0 / f32::from(1u16 << (bits.min(16) - 1));
        let close = audio.samples.iter().zip(&signal).all(|(x, y)| (x - y).abs() <= step);
        assert!(close && audio.samples.len() == signal.len(), "{bits} bits");
    }
    let audio = decode_ok(&scratch.file("f.wav", &wav_bytes(float_spec(1, 22_050), &signal)));
    assert_eq!(audio.samples, signal);
}

#[test]
fn au_of_every_encoding_is_read() {
    let scratch = Scratch::new();
    let signal = [0.0f32, 0.25, -0.25, 0.5, -0.75];
    let int = |bytes: usize| -> Vec<u8> {
        let scale = f64::from(1u32 << (8 * bytes - 1));
        let word = |x: f32| ((f64::from(x) * scale) as i32).to_be_bytes();
        signal.iter().flat_map(|&x| word(x)[4 - bytes..].to_vec()).collect()
    };
    let float: Vec<u8> = signal.iter().flat_map(|x| x.to_be_bytes()).collect();
    let double: Vec<u8> = signal.iter().flat_map(|&x| f64::from(x).to_be_bytes()).collect();
    for (encoding, data) in
        [(2, int(1)), (3, int(2)), (4, int(3)), (5, int(4)), (6, float), (7, double)]
    {
        let size = data.len() as u32;
        let path = scratch.file("x.au", &au_bytes(encoding, size, 22_050, 1, &data));
        assert_eq!(decode_ok(&path).samples, signal, "encoding {encoding}");
    }
    // G.711: mu-law 0xff and 0x7f are zero, 0x80 and 0x00 its extremes 32,124 of 32,768; A-law
    // 0xd5 is its smallest step 8, 0xaa its largest 32,256.
    for (encoding, bytes, expected) in [
        (1, [0xff, 0x7f, 0x80, 0x00], [0, 0, 32_124, -32_124]),
        (27, [0xd5, 0x55, 0xaa, 0x2a], [8, -8, 32_256, -32_256]),
    ] {
        let path = scratch.file("x.au", &au_bytes(encoding, 4, 22_050, 1, &bytes));
        assert_eq!(decode_ok(&path).samples, wav::dequantize(&expected), "encoding {encoding}");
    }
}

#[test]
fn au_sizes_may_be_unknown_or_followed_by_more_but_not_too_large() {
    let scratch = Scratch::new();
    let data: Vec<u8> = wav::quantize(&sine(22_050, 440.0, 0.5, 0.5))
        .iter()
        .flat_map(|sample| sample.to_be_bytes())
        .collect();
    let unknown = scratch.file("u.au", &au_bytes(3, u32::MAX, 22_050, 1, &data));
    assert_eq!(decode_ok(&unknown).samples.len(), data.len() / 2);
    let followed = scratch.file("f.au", &au_bytes(3, 2000, 22_050, 1, &data));
    assert_eq!(decode_ok(&followed).samples.len(), 1000);
    let cut = scratch.file("c.au", &au_bytes(3, data.len() as u32 * 2, 22_050, 1, &data));
    assert_says(&refusal(&cut), &["truncated", "1.000 s", "0.500 s"]);
    for (what, bytes) in [
        ("encoding", au_bytes(23, 4, 22_050, 1, &[0; 4])),
        ("channels", au_bytes(3, 4, 22_050, 0, &[0; 4])),
        ("channels", au_bytes(3, 4, 22_050, 40, &[0; 4])),
        ("truncated", au_bytes(3, 4, 22_050, 1, &[0; 4])[..20].to_vec()),
        ("no samples", au_bytes(3, u32::MAX, 22_050, 1, &[])),
    ] {
        assert_says(&refusal(&scratch.file("b.au", &bytes)), &[what]);
    }
}

#[test]
fn a_file_cut_anywhere_is_reported() {
    let scratch = Scratch::new();
    let wav = tone_wav(22_050, 1.0);
    let cut = scratch.file("cut.wav", &wav[..44 + 22_050]);
    assert_says(&refusal(&cut), &["truncated", "promises 1.000 s", "holds 0.500 s"]);
    let aiff = aiff_bytes(22_050, &wav::quantize(&sine(22_050, 440.0, 0.5, 1.0)));
    let mut all = vec![("x.wav", wav), ("x.aiff", aiff)];
    for name in ["tone.flac", "tone.mp3", "tone.ogg", "tone.m4a", "stereo.ogg"] {
        all.push((name, std::fs::read(fixture(name)).unwrap()));
    }
    for (name, bytes) in all {
        // M4A ends in an index that decoding the last packets does not need in full.
        for share in [0.01, 0.1, 0.3, 0.5, 0.7, 0.9] {
            let end = (bytes.len() as f64 * share) as usize;
            let path = scratch.file(name, &bytes[..end]);
            let what = refusal(&path);
            assert!(!what.is_empty(), "{name} cut at {share}");
        }
    }
}

#[test]
fn what_is_no_audio_is_refused() {
    let scratch = Scratch::new();
    assert_says(&refusal(&scratch.file("zero.wav", b"")), &["empty"]);
    let text = "This is not audio. ".repeat(500);
    assert_says(&refusal(&scratch.file("text.wav", text.as_bytes())), &["not audio"]);
    assert_says(&refusal(&scratch.file("text.mp3", text.as_bytes())), &["not audio"]);
    assert_says(&refusal(&scratch.file("short.flac", b"fL")), &["not audio"]);
    let samples = wav::encode(&[], 22_050).unwrap();
    assert_says(&refusal(&scratch.file("none.wav", &samples)), &["no samples"]);
    assert_says(&refusal(scratch.folder.path()), &["regular file"]);
    let missing = scratch.folder.path().join("missing.wav");
    let error = decode(&missing, &Limits::default()).unwrap_err();
    assert!(matches!(&error, Error::Io { path, .. } if *path == missing), "{error}");
}

#[test]
fn samples_that_are_not_finite_are_refused_with_their_time() {
    let scratch = Scratch::new();
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for channels in [1, 2] {
            let mut samples = vec![0.1; 2 * 22_050];
            samples[11_025 * usize::from(channels)] = value;
            let bytes = wav_bytes(float_spec(channels, 22_050), &samples);
            assert_says(&refusal(&scratch.file("nan.wav", &bytes)), &["not a finite", "0.500 s"]);
        }
    }
}

#[test]
fn limits_are_named_and_hold() {
    let scratch = Scratch::new();
    for rate in [8_000, 192_000] {
        assert_eq!(decode_ok(&scratch.file("x.wav", &tone_wav(rate, 0.1))).sample_rate, rate);
    }
    for rate in [7_999, 192_001] {
        let what = refusal(&scratch.file("x.wav", &tone_wav(rate, 0.1)));
        assert_says(&what, &["sample rate", &rate.to_string(), "8000 to 192000"]);
    }
    let nine = wav_bytes(float_spec(9, 22_050), &[0.0; 90]);
    assert_says(&refusal(&scratch.file("nine.wav", &nine)), &["9 channels", "1 to 8"]);

    let second = scratch.file("s.wav", &tone_wav(22_050, 1.0));
    let small = Limits { max_file_bytes: 1000, ..Limits::default() };
    assert_says(&refusal_within(&second, &small), &["bytes", "1000"]);
    let short = Limits { max_seconds: 0.5, ..Limits::default() };
    assert_says(&refusal_within(&second, &short), &["limit is 0.5 s"]);
    // Ogg promises no length: the limit is found while decoding.
    assert_says(&refusal_within(&fixture("tone.ogg"), &short), &["limit is 0.5 s"]);
    assert_eq!(decode_range(&second, 0.5, Some(1.0), &short).unwrap().samples.len(), 11_025);
}

#[test]
fn a_header_that_promises_the_moon_costs_nothing() {
    let scratch = Scratch::new();
    let mut bytes = tone_wav(22_050, 0.1);
    bytes[4..8].copy_from_slice(&0xffff_fff0u32.to_le_bytes());
    bytes[40..44].copy_from_slice(&0xffff_ff00u32.to_le_bytes());
    assert_says(&refusal(&scratch.file("moon.wav", &bytes)), &["limit"]);
    let patient = Limits { max_seconds: 1e9, ..Limits::default() };
    let what = refusal_within(&scratch.file("moon.wav", &bytes), &patient);
    assert_says(&what, &["truncated", "holds 0.100 s"]);
}

#[test]
fn a_wav_of_unknown_length_ends_where_it_ends() {
    let scratch = Scratch::new();
    let mut bytes = tone_wav(22_050, 1.0);
    for at in [4, 40] {
        bytes[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    }
    assert_eq!(decode_ok(&scratch.file("pipe.wav", &bytes)).samples.len(), 22_050);
}

#[test]
fn stretches_must_be_intervals_within_the_file() {
    let scratch = Scratch::new();
    let path = scratch.file("s.wav", &tone_wav(22_050, 1.0));
    let limits = Limits::default();
    for (start, end) in [(-1.0, None), (f64::NAN, None), (0.5, Some(0.5)), (0.0, Some(f64::NAN))] {
        let error = decode_range(&path, start, end, &limits).unwrap_err();
        assert!(matches!(error, Error::Request { .. }), "{error}");
    }
    for (start, end) in
        [(0.0, Some(1.1)), (0.9, Some(1.5)), (1.0, None), (2.0, None), (2.0, Some(3.0))]
    {
        let error = decode_range(&path, start, end, &limits).unwrap_err();
        assert!(matches!(error, Error::BadFile { .. }), "{error}");
        assert_says(&error.to_string(), &["1.000 s"]);
    }
    let between = decode_range(&path, 0.5, Some(0.500_001), &limits).unwrap_err();
    assert_says(&between.to_string(), &["no samples where"]);
    // Ends between two samples, at the end of a packet and elsewhere.
    for frames in [1152, 1000, 2304] {
        let end = (f64::from(frames) + 0.3) / 22_050.0;
        let got = decode_range(&path, 0.0, Some(end), &limits).unwrap();
        assert_eq!(got.samples.len(), frames as usize);
    }
    assert_eq!(decode_range(&path, 0.5, Some(1.005), &limits).unwrap().samples.len(), 11_025);
}

#[test]
fn no_damage_to_a_file_panics_or_passes_for_endless() {
    let scratch = Scratch::new();
    let mut originals = vec![("x.wav", tone_wav(8_000, 0.2))];
    let added = ["tone.opus", "tone.webm", "tone.mka", "tone.caf", "stereo.mp3", "mono.mp3"];
    for name in ["tone.flac", "tone.mp3", "tone.ogg", "tone.m4a"].into_iter().chain(added) {
        originals.push((name, std::fs::read(fixture(name)).unwrap()));
    }
    originals.push(("x.au", au_bytes(3, 2000, 8000, 1, &[7; 2000])));
    originals.push(("x.aiff", aiff_bytes(8000, &[7; 1000])));
    // A fixed multiplicative generator: the damage is the same in every run.
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        ((state >> 33) as usize) % below
    };
    let mut refused = 0;
    for round in 0..60 {
        for (name, original) in &originals {
            let mut bytes = original.clone();
            for _ in 0..1 + next(6) {
                // Mostly the header, where damage does most.
                let reach = if next(4) == 0 { bytes.len() } else { bytes.len().min(128) };
                bytes[next(reach)] = [0, 0xff, 0x7f, 0x80, next(256) as u8][next(5)];
            }
            let path = scratch.file(name, &bytes);
            match decode(&path, &Limits::default()) {
                Ok(audio) => assert!(audio.samples.iter().all(|x| x.is_finite())),
                Err(Error::BadFile { .. }) => refused += 1,
                Err(other) => panic!("{name}, round {round}: {other}"),
            }
        }
    }
    assert!(refused > 200, "only {refused} of 780 damaged files were noticed");
}

mod concealed;
mod edited;
mod odd;
