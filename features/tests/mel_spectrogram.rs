//! Mel spectrograms against librosa, torchaudio, torchvggish and published formulas
//! (`fixtures/make_mel.py`), and their settings.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use trompe_features::mel_spectrogram::{
    Compression, Highest, Layout, Logarithm, Padding, Reference, Tail, Window,
};
use trompe_features::{Error, MelSettings, MelSpectrogram, PRESETS, preset_rate};

#[derive(Deserialize)]
struct Fixture {
    presets: BTreeMap<String, BTreeMap<String, Signal>>,
}

#[derive(Deserialize)]
struct Signal {
    frames: usize,
    range: [f64; 2],
    rows: Vec<usize>,
    patches: [usize; 3],
    means: Vec<f64>,
    squares: Vec<f64>,
    last: f64,
}

fn read(name: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    std::fs::read(folder.join(name)).unwrap()
}

fn sound(name: &str) -> Vec<f32> {
    let bytes = read(&format!("{name}.i16"));
    bytes.as_chunks::<2>().0.iter().map(|b| f32::from(i16::from_le_bytes(*b)) / 32_768.0).collect()
}

fn preset(name: &str) -> (MelSettings, u32) {
    (MelSettings::preset(name).unwrap(), preset_rate(name).unwrap())
}

fn plan(name: &str) -> MelSpectrogram {
    let (settings, rate) = preset(name);
    MelSpectrogram::new(&settings, rate).unwrap()
}

/// Small settings, so that shapes are easy to see.
fn small() -> MelSettings {
    let mut settings = preset("musicnn").0;
    (settings.frame, settings.hop) = (256, 100);
    (settings.mel.bands, settings.mel.low, settings.mel.high) = (12, 100.0, None);
    settings.patch = 4;
    settings
}

fn noise(samples: usize) -> Vec<f32> {
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state as f32 / 2f32.powi(31) - 1.0
    };
    (0..samples).map(|_| 0.3 * next()).collect()
}

#[test]
fn presets_agree_with_their_references_within_a_millionth_of_the_range() {
    let fixture: Fixture = serde_json::from_slice(&read("mel.json")).unwrap();
    let bytes = read("mel.f32");
    let mut kept = bytes.as_chunks::<4>().0.iter().map(|b| f64::from(f32::from_le_bytes(*b)));
    // In the order of the script, which is that of PRESETS.
    for name in PRESETS {
        let mel = plan(name);
        assert_eq!(fixture.presets[name].len(), 9);
        for (signal, expected) in &fixture.presets[name] {
            let ours = mel.spectrogram(&sound(signal)).unwrap();
            assert_eq!(ours.nrows(), expected.frames, "{name}, {signal}");
            let range = expected.range[1] - expected.range[0];
            let close = |what: &str, ours: f64, reference: f64| {
                let error = (ours - reference).abs() / range;
                assert!(error <= 1e-6, "{name}, {signal}, {what}: {ours} for {reference}");
            };
            for row in &expected.rows {
                for ours in ours.row(*row) {
                    close("spectrogram", f64::from(*ours), kept.next().unwrap());
                }
            }
            let (values, shape) = mel.patches(&sound(signal)).unwrap();
            let [count, frames, bands] = expected.patches;
            assert_eq!(shape[0], count, "{name}, {signal}");
            assert_eq!(shape[1..].iter().product::<usize>(), frames * bands, "{name}, {signal}");
            assert_eq!(values.len(), count * frames * bands);
            let references = expected.means.iter().zip(&expected.squares);
            for (patch, (average, square)) in values.chunks(frames * bands).zip(references) {
                close("mean", mean(patch, |x| x), *average);
                let typical = square.sqrt().max(f64::MIN_POSITIVE);
                close("size", mean(patch, |x| x * x).sqrt(), typical);
            }
            close("last row", mean(&values[values.len() - bands..], |x| x), expected.last);
        }
    }
    assert!(kept.next().is_none());
}

fn mean(values: &[f32], map: impl Fn(f64) -> f64) -> f64 {
    values.iter().map(|x| map(f64::from(*x))).sum::<f64>() / values.len() as f64
}

#[test]
fn presets_survive_json_and_unknown_keys_do_not() {
    for name in PRESETS {
        let (settings, _) = preset(name);
        let text = serde_json::to_string(&settings).unwrap();
        assert_eq!(serde_json::from_str::<MelSettings>(&text).unwrap(), settings, "{name}");
        for (from, to) in
            [("\"hop\"", "\"hopp\""), ("\"bands\"", "\"band\""), ("\"kind\"", "\"base\"")]
        {
            let wrong = text.replace(from, to);
            assert_ne!(wrong, text);
            let error = serde_json::from_str::<MelSettings>(&wrong).unwrap_err().to_string();
            assert!(error.contains(&to[1..to.len() - 1]), "{error}");
        }
    }
    assert_eq!(MelSettings::preset("wav2vec"), None);
    assert_eq!(preset_rate("wav2vec"), None);
}

#[test]
fn settings_read_as_descriptions_write_them() {
    let text = r#"{"frame": 512, "hop": 256, "pad": "zero",
        "mel": {"bands": 96, "scale": "slaney", "norm": "slaney", "high": 8000},
        "log": {"kind": "log10", "multiply": 10000, "add": 1}, "patch": 187}"#;
    assert_eq!(serde_json::from_str::<MelSettings>(text).unwrap(), preset("musicnn").0);
    let log = r#"{"kind": "db", "floor": 1e-10, "reference": "max", "top_db": 80}"#;
    let log: Compression = serde_json::from_str(log).unwrap();
    assert_eq!(log.reference, Some(Reference::Highest(Highest::Max)));
    let number: Compression = serde_json::from_str(r#"{"kind": "db", "reference": 1}"#).unwrap();
    assert_eq!(number.reference, Some(Reference::Value(1.0)));
    let wrong = serde_json::from_str::<Compression>(r#"{"kind": "db", "reference": "min"}"#);
    assert!(wrong.unwrap_err().to_string().contains("a number or \"max\""));
}

#[test]
fn every_setting_out_of_range_is_named() {
    type Change = fn(&mut MelSettings);
    let cases: &[(&str, Change)] = &[
        ("frame", |s| s.frame = 1),
        ("frame", |s| s.frame = usize::MAX),
        ("fft", |s| s.fft = Some(511)),
        ("fft", |s| s.fft = Some(1 << 17)),
        ("fft", |s| s.frame = 401),
        ("hop", |s| s.hop = 0),
        ("preemphasis", |s| s.preemphasis = 1.5),
        ("preemphasis", |s| s.preemphasis = f64::NAN),
        ("scale", |s| s.scale = 0.0),
        ("scale", |s| s.scale = f64::INFINITY),
        ("power", |s| s.power = 3),
        ("mel.bands", |s| s.mel.bands = 0),
        ("mel.bands", |s| s.mel.bands = 200),
        ("mel.high", |s| s.mel.high = Some(8_000.1)),
        ("mel.high", |s| s.mel.high = Some(f64::NAN)),
        ("mel.low", |s| s.mel.low = 8_000.0),
        ("mel.low", |s| s.mel.low = -1.0),
        ("log.multiply", |s| s.log.multiply = 0.0),
        ("log.add", |s| s.log.add = f64::INFINITY),
        ("log.floor", |s| s.log.add = 0.0),
        ("log.floor", |s| s.log.floor = -1.0),
        ("log.floor", |s| (s.log.kind, s.log.floor) = (Logarithm::None, 1.0)),
        ("log.top_db", |s| s.log.top_db = Some(80.0)),
        ("log.top_db", |s| (s.log.kind, s.log.top_db) = (Logarithm::Db, Some(0.0))),
        ("log.reference", |s| s.log.reference = Some(Reference::Value(1.0))),
        ("log.reference", |s| {
            (s.log.kind, s.log.reference) = (Logarithm::Db, Some(Reference::Value(0.0)));
        }),
        ("mean", |s| s.mean = f64::NAN),
        ("deviation", |s| s.deviation = 0.0),
        ("patch", |s| s.patch = 0),
        ("patch", |s| s.patch = 1 << 20),
        ("patch_hop", |s| s.patch_hop = Some(0)),
        ("layout", |s| s.layout = Layout::Nt),
    ];
    let (base, rate) = preset("musicnn");
    assert_eq!(base.check(rate), Ok(()));
    for (name, change) in cases {
        let mut settings = base.clone();
        change(&mut settings);
        match MelSpectrogram::new(&settings, rate).map(|_| ()) {
            Err(Error::Setting { name: told, .. }) => assert_eq!(told, *name),
            other => panic!("{name}: {other:?}"),
        }
    }
    assert!(matches!(base.check(10), Err(Error::Setting { name: "rate", .. })));
    // A band without a bin is an error that says which, unless it is said to be meant.
    let (mut ast, rate) = preset("ast");
    ast.mel.empty = false;
    let error = ast.check(rate).unwrap_err().to_string();
    assert!(error.contains("bands hold no bin") && error.contains("mel.empty"), "{error}");
}

#[test]
fn silence_is_the_floor_everywhere() {
    for (name, expected) in [
        ("musicnn", 0.0),
        ("vggish", 0.01f64.ln()),
        ("yamnet", 0.001f64.ln()),
        ("panns", -100.0),
        ("ast", (f64::from(f32::EPSILON).ln() + 4.267_739_3) / 9.137_994_8),
        ("clap", -100.0),
    ] {
        let spectrogram = plan(name).spectrogram(&[0.0; 20_000]).unwrap();
        for value in &spectrogram {
            assert!((f64::from(*value) - expected).abs() < 1e-5, "{name}: {value}");
        }
    }
}

#[test]
fn sound_that_is_too_short_or_none_is_refused() {
    for name in PRESETS {
        let mel = plan(name);
        let fewest = mel.fewest_samples();
        let (_, shape) = mel.patches(&noise(fewest)).unwrap();
        assert_eq!(shape[0], 1, "{name}");
        let short = mel.patches(&noise(fewest - 1));
        assert_eq!(short, Err(Error::TooShort { samples: fewest - 1, needed: fewest }), "{name}");
        assert!(matches!(mel.spectrogram(&[]), Err(Error::TooShort { .. })), "{name}");
        let mut bad = noise(50_000);
        bad[17] = f32::NAN;
        assert_eq!(mel.spectrogram(&bad).unwrap_err(), Error::NotFinite { index: 17 });
        assert_eq!(mel.patches(&bad).unwrap_err(), Error::NotFinite { index: 17 }, "{name}");
        bad[17] = 1e12;
        assert!(matches!(mel.patches(&bad), Err(Error::TooLoud { index: 17, .. })), "{name}");
    }
    let fewest = PRESETS.map(|name| plan(name).fewest_samples());
    assert_eq!(fewest, [186 * 256, 95 * 160 + 400, 1, 1, 400, 1]);
}

#[test]
fn values_beyond_f32_are_an_error() {
    let mut settings = small();
    settings.scale = 1e9;
    settings.log = Compression { kind: Logarithm::None, ..settings.log };
    let mel = MelSpectrogram::new(&settings, 16_000).unwrap();
    let loud = vec![4e9; 1_000];
    assert_eq!(mel.spectrogram(&loud).unwrap_err(), Error::Overflow);
}

#[test]
fn layouts_hold_the_same_values() {
    let clip = noise(2_000);
    let patches = |layout| {
        let settings = MelSettings { layout, patch_hop: Some(3), ..small() };
        MelSpectrogram::new(&settings, 16_000).unwrap().patches(&clip).unwrap()
    };
    let (plain, shape) = patches(Layout::Ntm);
    assert_eq!(shape, [6, 4, 12]);
    assert_eq!(patches(Layout::N1tm), (plain.clone(), vec![6, 1, 4, 12]));
    assert_eq!(patches(Layout::Ntm1), (plain.clone(), vec![6, 4, 12, 1]));
    let (turned, shape) = patches(Layout::N1mt);
    assert_eq!(shape, [6, 1, 12, 4]);
    for (n, t, m) in (0..6).flat_map(|n| (0..4).flat_map(move |t| (0..12).map(move |m| (n, t, m))))
    {
        assert_eq!(plain[(n * 4 + t) * 12 + m], turned[(n * 12 + m) * 4 + t]);
    }
    let rows = MelSpectrogram::new(&small(), 16_000).unwrap().spectrogram(&clip).unwrap();
    for (n, patch) in plain.chunks(48).enumerate() {
        let rows: Vec<f32> =
            rows.rows().into_iter().skip(3 * n).take(4).flatten().copied().collect();
        assert_eq!(patch, rows);
    }
}

#[test]
fn tails_fill_the_last_patch_as_they_say() {
    let settings = MelSettings { pad: Padding::None, mean: 0.5, deviation: 2.0, ..small() };
    // One patch of 4 frames takes 556 samples, two take 956.
    let clip = noise(800);
    let patches = |tail, clip: &[f32]| {
        let settings = MelSettings { tail, ..settings.clone() };
        MelSpectrogram::new(&settings, 16_000).unwrap().patches(clip).unwrap()
    };
    let (dropped, shape) = patches(Tail::Drop, &clip);
    assert_eq!(shape, [1, 4, 12]);
    let (zeros, shape) = patches(Tail::Zero, &clip);
    assert_eq!(shape, [2, 4, 12]);
    assert_eq!(zeros[..48], dropped);
    // Six frames lie in the sound, the rest is 0 before mean and deviation.
    assert!(zeros[6 * 12..].iter().all(|value| *value == -0.25));
    assert!(zeros[..6 * 12].iter().all(|value| *value > -0.25));
    for (tail, filled) in [
        (Tail::Silence, [clip.clone(), vec![0.0; 156]].concat()),
        (Tail::Repeat, [&clip[..], &clip[..156]].concat()),
        (Tail::RepeatWhole, [clip.clone(), vec![0.0; 156]].concat()),
    ] {
        assert_eq!(patches(tail, &clip), patches(Tail::Drop, &filled), "{tail:?}");
    }
    let short = &clip[..300];
    let thrice = [short, &short[..256]].concat();
    assert_eq!(patches(Tail::Repeat, short), patches(Tail::Drop, &thrice));
    let once = [short, &[0.0; 256]].concat();
    assert_eq!(patches(Tail::RepeatWhole, short), patches(Tail::Drop, &once));
}

#[test]
fn references_and_ranges_are_of_the_whole_sound() {
    let clip = [noise(2_000), vec![0.0; 2_000]].concat();
    let decibels = |reference, top_db| {
        let log = Compression {
            kind: Logarithm::Db,
            multiply: 1.0,
            add: 0.0,
            floor: 1e-10,
            reference,
            top_db,
        };
        MelSpectrogram::new(&MelSettings { log, ..small() }, 16_000)
            .unwrap()
            .spectrogram(&clip)
            .unwrap()
    };
    let plain = decibels(None, None);
    let highest = plain.iter().copied().fold(f32::MIN, f32::max);
    assert!(plain.iter().any(|value| *value == -100.0));
    assert_eq!(decibels(Some(Reference::Value(1.0)), None), plain);
    let relative = decibels(Some(Reference::Highest(Highest::Max)), None);
    let moved = decibels(Some(Reference::Value(1e-3)), None);
    let limited = decibels(Some(Reference::Highest(Highest::Max)), Some(30.0));
    for (((plain, relative), moved), limited) in
        plain.iter().zip(&relative).zip(&moved).zip(&limited)
    {
        assert!((relative - (plain - highest)).abs() < 1e-4);
        assert!((moved - (plain + 30.0)).abs() < 1e-4);
        assert_eq!(*limited, relative.max(-30.0));
    }
}

#[test]
fn frames_are_shaped_as_kaldi_shapes_them() {
    // A constant has no power once its mean is gone; without that, pre-emphasis leaves
    // (1 - c) of it, the first sample included.
    let shaped = |frame, remove_dc, preemphasis| {
        let log = Compression { kind: Logarithm::None, ..small().log };
        let mut settings = MelSettings { remove_dc, preemphasis, log, ..small() };
        (settings.pad, settings.window) = (Padding::None, Window::HannSymmetric);
        (settings.log.multiply, settings.log.add) = (1.0, 0.0);
        settings.mel.low = 0.0;
        (settings.frame, settings.fft) = (frame, Some(256));
        MelSpectrogram::new(&settings, 16_000).unwrap().spectrogram(&[0.5; 1_000]).unwrap()
    };
    for frame in [255, 256] {
        let plain = shaped(frame, false, 0.0);
        assert!(shaped(frame, true, 0.0).iter().all(|value| *value < 1e-20));
        assert!(plain.iter().any(|value| *value > 1e-3));
        for (plain, less) in plain.iter().zip(&shaped(frame, false, 0.75)) {
            assert!((less - plain / 16.0).abs() <= 1e-6 * plain.abs(), "{less} {plain}");
        }
    }
}

#[test]
fn all_threads_and_neighbours_give_the_same_bits() {
    let mel = plan("clap");
    let clip = noise(60_000);
    let expected = mel.spectrogram(&clip).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(mel.spectrogram(&clip).unwrap(), expected));
        }
    });
    // A frame alone has the bits it has among others.
    let settings = MelSettings { pad: Padding::None, ..small() };
    let mel = MelSpectrogram::new(&settings, 16_000).unwrap();
    let all = mel.spectrogram(&clip[..5_000]).unwrap();
    for (i, row) in all.rows().into_iter().enumerate() {
        let alone = mel.spectrogram(&clip[100 * i..100 * i + 256]).unwrap();
        assert_eq!(alone.row(0), row, "frame {i}");
    }
}
