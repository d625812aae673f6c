//! The AdaBFFs features against an independent f64 computation by numpy, scipy and librosa
//! (`fixtures/make_adabffs.py`), and on sound that is none.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use trompe_features::adabffs::{AdaBffs, AdaBffsExtractor, DIMENSIONS, FRAME_FEATURES};
use trompe_features::{Error, Extractor, FeatureSettings};

#[derive(Deserialize)]
struct Fixture {
    names: Vec<String>,
    vectors: BTreeMap<String, Vec<Vec<f64>>>,
    lpc_errors: BTreeMap<String, Vec<f64>>,
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn fixture() -> Fixture {
    serde_json::from_slice(&std::fs::read(path("adabffs.json")).unwrap()).unwrap()
}

fn signal(name: &str) -> Vec<f32> {
    let bytes = std::fs::read(path(&format!("{name}.i16"))).unwrap();
    bytes.as_chunks::<2>().0.iter().map(|b| f32::from(i16::from_le_bytes(*b)) / 32_768.0).collect()
}

fn extractor() -> AdaBffsExtractor {
    AdaBffsExtractor::new(AdaBffs::default()).unwrap()
}

fn vectors(samples: &[f32]) -> Vec<f32> {
    let mut out = Vec::new();
    let count = extractor().extract(samples, &mut out).unwrap();
    assert_eq!(out.len(), count * DIMENSIONS);
    out
}

/// Tolerance relative to the expected value, by name of the feature.
fn tolerance(name: &str) -> f64 {
    if name.starts_with("zero_crossings") {
        1e-7 // exact counts; their mean and variance are rounded to f32
    } else if name.starts_with("mfcc") || name.starts_with("lpc") {
        1e-3
    } else {
        1e-4
    }
}

#[test]
fn vectors_agree_with_the_independent_computation() {
    let fixture = fixture();
    assert_eq!(fixture.names, AdaBffs::names());
    assert_eq!(fixture.vectors.len(), 9);
    for (signal_name, expected) in &fixture.vectors {
        let ours = vectors(&signal(signal_name));
        assert_eq!(ours.len(), expected.len() * DIMENSIONS);
        for (row, expected) in ours.chunks(DIMENSIONS).zip(expected) {
            for ((name, ours), expected) in fixture.names.iter().zip(row).zip(expected) {
                let error = (f64::from(*ours) - expected).abs();
                // A coefficient that cancels to nothing is held to 1e-6 of the scale of the
                // log spectrum instead.
                let floor = if name.starts_with("mfcc") { 1e-6 } else { 0.0 };
                let allowed = tolerance(name) * expected.abs() + floor;
                assert!(error <= allowed, "{signal_name}, {name}: {ours} for {expected}");
            }
        }
    }
}

#[test]
fn the_predictor_error_agrees_on_every_frame() {
    let fixture = fixture();
    for (name, expected) in &fixture.lpc_errors {
        let frames = extractor().frames(&signal(name)).unwrap();
        assert_eq!(frames.len(), expected.len());
        for (i, (frame, expected)) in frames.iter().zip(expected).enumerate() {
            let ours = frame[FRAME_FEATURES - 1];
            assert!((ours - expected).abs() <= 1e-3 * expected, "{name}, frame {i}: {ours:e}");
        }
    }
}

#[test]
fn thirty_seconds_give_nine_vectors_and_the_rest_is_not_looked_at() {
    let noise = signal("noise");
    let clip: Vec<f32> = noise.iter().cycle().take(30 * 22_050).copied().collect();
    let whole = vectors(&clip);
    assert_eq!(whole.len(), 9 * 120);
    let used = 8 * 130 * 512 + AdaBffs::default().minimum_samples();
    assert_eq!(vectors(&clip[..used]), whole);
    assert_eq!(vectors(&clip[..used - 1]).len(), 8 * 120);
}

#[test]
fn a_fork_and_a_second_run_give_the_same_bits() {
    let mut first = FeatureSettings::AdaBffs(AdaBffs::default()).extractor().unwrap();
    let mut out = Vec::new();
    first.extract(&signal("clicks"), &mut out).unwrap();
    first.extract(&signal("chord"), &mut out).unwrap();
    let mut other = Vec::new();
    first.fork().extract(&signal("clicks"), &mut other).unwrap();
    first.fork().extract(&signal("chord"), &mut other).unwrap();
    assert_eq!(out, other);
}

#[test]
fn silence_direct_current_and_clipping_are_defined() {
    let length = AdaBffs::default().minimum_samples();
    let silence = vectors(&vec![0.0; length]);
    assert!((silence[0] + 63.245_55).abs() < 1e-4);
    // what is left of a constant spectrum in the other coefficients is rounding
    assert!(silence[1..].iter().all(|value| value.abs() < 1e-10), "{silence:?}");

    let direct = vectors(&vec![0.5; length]);
    assert!(direct.iter().all(|value| value.is_finite()));
    assert_eq!(direct[40], 0.0, "zero crossings");
    let bin = 22_050.0 / 1_024.0;
    // Hann turns a constant into magnitudes 1 and 1/2 at bins 0 and 1
    assert!((direct[41] - bin / 3.0).abs() < 1e-2, "centroid {}", direct[41]);
    assert!((direct[58] - bin).abs() < 1e-2, "last roll-off {}", direct[58]);

    let square: Vec<f32> = (0..length).map(|n| if n % 100 < 50 { 1.0 } else { -1.0 }).collect();
    let clipped = vectors(&square);
    assert!(clipped.iter().all(|value| value.is_finite()));
    assert!((clipped[40] - 20.46).abs() < 0.2, "crossings a frame {}", clipped[40]);
}

#[test]
fn extreme_levels_stay_finite() {
    let noise = signal("noise");
    for level in [1e-44, 1e-30, 1e-18, 1e-9, 1e9] {
        let scaled: Vec<f32> = noise.iter().map(|sample| sample * level).collect();
        let out = vectors(&scaled);
        assert!(out.iter().all(|value| value.is_finite()), "level {level:e}");
        assert!(out[59] >= 0.0 && out[119] >= 0.0);
    }
    // tones without any noise, whose predictor error is rounding
    for step in [0.01, 0.1, 1.0, 3.0] {
        let tone: Vec<f32> = (0..noise.len()).map(|n| libm::sinf(step * n as f32)).collect();
        assert!(vectors(&tone).iter().all(|value| value.is_finite()), "step {step}");
    }
}

#[test]
fn unusable_samples_are_refused_and_the_output_is_left_alone() {
    let mut out = vec![1.0];
    let needed = AdaBffs::default().minimum_samples();
    assert_eq!(needed, 67_072);
    for samples in [0, 1_024, needed - 1] {
        let error = extractor().extract(&vec![0.1; samples], &mut out).unwrap_err();
        assert_eq!(error, Error::TooShort { samples, needed });
    }
    let mut clip = vec![0.1; needed];
    clip[777] = f32::NAN;
    assert_eq!(extractor().extract(&clip, &mut out), Err(Error::NotFinite { index: 777 }));
    clip[3] = 1e20;
    assert_eq!(extractor().extract(&clip, &mut out), Err(Error::TooLoud { index: 3, value: 1e20 }));
    assert_eq!(out, [1.0]);
}

#[test]
fn settings_are_checked_and_travel_as_json() {
    let settings = FeatureSettings::AdaBffs(AdaBffs::default());
    let text = serde_json::to_string(&settings).unwrap();
    let expected = r#"{"set":"adabffs","sample_rate":22050,"frame":1024,"hop":512,"texture":130}"#;
    assert_eq!(text, expected);
    assert_eq!(serde_json::from_str::<FeatureSettings>(&text).unwrap(), settings);
    assert_eq!(serde_json::from_str::<FeatureSettings>(r#"{"set":"adabffs"}"#).unwrap(), settings);
    for wrong in [r#"{"set":"adabffs","hops":1}"#, r#"{"set":"mfcc"}"#, r#"{"hop":512}"#] {
        assert!(serde_json::from_str::<FeatureSettings>(wrong).is_err(), "{wrong}");
    }
    assert_eq!((settings.dimensions(), settings.names().len()), (120, 120));
    assert_eq!((settings.sample_rate(), settings.minimum_samples()), (22_050, 67_072));

    let base = AdaBffs::default();
    for (name, wrong) in [
        ("sample_rate", AdaBffs { sample_rate: 8_000, ..base.clone() }),
        ("sample_rate", AdaBffs { sample_rate: 400_000, ..base.clone() }),
        ("frame", AdaBffs { frame: 1_000, ..base.clone() }),
        ("frame", AdaBffs { frame: 0, ..base.clone() }),
        ("frame", AdaBffs { frame: 256, ..base.clone() }),
        ("hop", AdaBffs { hop: 0, ..base.clone() }),
        ("hop", AdaBffs { hop: 1_025, ..base.clone() }),
        ("texture", AdaBffs { texture: 1, ..base.clone() }),
    ] {
        match FeatureSettings::AdaBffs(wrong).extractor().map(|_| ()) {
            Err(Error::Setting { name: told, .. }) => assert_eq!(told, name),
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn other_settings_work_and_an_odd_texture_loses_no_frame() {
    let settings = AdaBffs { sample_rate: 44_100, frame: 2_048, hop: 300, texture: 7 };
    let needed = settings.minimum_samples();
    let noise = signal("noise");
    let mut extractor = AdaBffsExtractor::new(settings).unwrap();
    let frames = extractor.frames(&noise[..needed]).unwrap();
    assert_eq!(frames.len(), 7);
    // the last frame alone, as the first of a window that begins there
    let last = extractor.frames(&noise[6 * 300..][..needed]).unwrap()[0];
    for (i, (one, other)) in frames[6].iter().zip(last).enumerate() {
        assert!((one - other).abs() <= 1e-9 * other.abs().max(1e-6), "{i}: {one} {other}");
    }
}
