//! The modulation features of sound whose modulation is known, and of sound that is none.

use trompe_features::modulations::{
    CHANNELS, DIMENSIONS, FrontEnd, Measure, Modulations, ModulationsExtractor, RATES,
};
use trompe_features::{Error, Extractor, FeatureSettings};

const RATE: f64 = 22_050.0;

fn settings(front_end: FrontEnd) -> Modulations {
    Modulations { front_end, ..Modulations::default() }
}

fn vector(settings: Modulations, samples: &[f32]) -> Vec<f32> {
    let mut out = Vec::new();
    let mut extractor = ModulationsExtractor::new(settings).unwrap();
    assert_eq!(extractor.extract(samples, &mut out).unwrap(), 1);
    assert_eq!(out.len(), DIMENSIONS);
    out
}

/// A tone at `carrier` Hz whose amplitude swings by `depth` at `rate` Hz.
fn modulated(carrier: f64, rate: f64, depth: f64, seconds: f64) -> Vec<f32> {
    (0..(seconds * RATE) as usize)
        .map(|n| {
            let t = std::f64::consts::TAU * n as f64 / RATE;
            (0.3 * (1.0 + depth * libm::sin(rate * t)) * libm::sin(carrier * t)) as f32
        })
        .collect()
}

fn largest(values: &[f32]) -> usize {
    (0..values.len()).max_by(|&a, &b| values[a].total_cmp(&values[b])).unwrap()
}

#[test]
fn a_modulated_tone_peaks_at_its_channel_and_rate() {
    for front_end in [FrontEnd::Gammatone, FrontEnd::ConstantQ] {
        for channel in [12, 48, 90] {
            let settings = settings(front_end);
            let carrier = settings.centre(channel);
            for (i, rate) in RATES.iter().enumerate() {
                // The side bands must pass the channel's filter for it to hold the peak.
                let bandwidth = match front_end {
                    FrontEnd::Gammatone => trompe_features::modulations::erb(carrier),
                    _ => carrier / settings.q,
                };
                if *rate > 0.3 * bandwidth {
                    continue;
                }
                let vector = vector(settings.clone(), &modulated(carrier, *rate, 0.8, 6.0));
                let peak = largest(&vector);
                let (found, at) = (peak / RATES.len(), peak % RATES.len());
                assert_eq!(at, i, "{front_end:?}, {carrier} Hz at {rate} Hz: rate");
                assert!(found.abs_diff(channel) <= 1, "{front_end:?}, {carrier} Hz: {found}");
            }
        }
    }
}

#[test]
fn the_energy_of_a_modulated_tone_is_that_of_its_envelope() {
    // Variance of a (1 + m sin) carrier: a^2 / 2 (1 + m^2 / 2); envelope's swing: a m sin,
    // mean square a^2 m^2 / 2
    let depth = 0.5;
    let expected = depth * depth / (1.0 + depth * depth / 2.0);
    for front_end in [FrontEnd::Gammatone, FrontEnd::ConstantQ] {
        let settings = settings(front_end);
        let channel = 60;
        let clip = modulated(settings.centre(channel), 4.0, depth, 30.0);
        let energy = f64::from(vector(settings.clone(), &clip)[channel * RATES.len() + 1]);
        assert!((energy / expected - 1.0).abs() < 0.01, "{front_end:?}: {energy} for {expected}");
        let magnitude = Modulations { measure: Measure::Magnitude, ..settings.clone() };
        let root = f64::from(vector(magnitude, &clip)[channel * RATES.len() + 1]);
        assert!((root * root / energy - 1.0).abs() < 1e-5);
        let log = Modulations { log: true, ..settings };
        let logarithm = f64::from(vector(log, &clip)[channel * RATES.len() + 1]);
        assert!((logarithm - libm::log10(energy)).abs() < 1e-5);
    }
}

#[test]
fn a_steady_tone_hardly_throbs() {
    let settings = settings(FrontEnd::Gammatone);
    let channel = 48;
    let steady = vector(settings.clone(), &modulated(settings.centre(channel), 4.0, 0.0, 10.0));
    let swinging = vector(settings.clone(), &modulated(settings.centre(channel), 4.0, 0.8, 10.0));
    let peak = swinging[largest(&swinging)];
    // What is left is the filters' swinging in and out at the ends of the clip.
    assert!(steady.iter().all(|&energy| energy < 0.01 * peak), "{}", steady[largest(&steady)]);
}

#[test]
fn level_and_offset_do_not_matter_and_forks_agree_to_the_bit() {
    let clip = modulated(700.0, 8.0, 0.9, 3.0);
    let mut extractor =
        FeatureSettings::Modulations(settings(FrontEnd::ConstantQ)).extractor().unwrap();
    let (mut plain, mut moved, mut again) = (Vec::new(), Vec::new(), Vec::new());
    extractor.extract(&clip, &mut plain).unwrap();
    let other: Vec<f32> = clip.iter().map(|x| 0.125 + 0.25 * x).collect();
    extractor.extract(&other, &mut moved).unwrap();
    for (a, b) in plain.iter().zip(&moved) {
        assert!((a - b).abs() <= 1e-4 * a.abs().max(1e-6), "{a} {b}");
    }
    // another length between, so that the plan is made anew
    extractor.extract(&modulated(700.0, 8.0, 0.9, 25.0), &mut Vec::new()).unwrap();
    extractor.extract(&clip, &mut again).unwrap();
    assert_eq!(plain, again);
    again.clear();
    extractor.fork().extract(&clip, &mut again).unwrap();
    assert_eq!(plain, again);
}

#[test]
fn unusable_clips_are_refused() {
    let base = Modulations::default();
    let needed = base.minimum_samples();
    assert!((1.5..1.7).contains(&(needed as f64 / RATE)), "{needed}");
    let mut extractor = ModulationsExtractor::new(base).unwrap();
    let mut out = vec![7.0];
    let short = extractor.extract(&vec![0.1; needed - 1], &mut out);
    assert_eq!(short, Err(Error::TooShort { samples: needed - 1, needed }));
    for level in [0.0, 0.3, 1.0] {
        assert_eq!(extractor.extract(&vec![level; needed], &mut out), Err(Error::Silent));
    }
    let mut clip = modulated(500.0, 4.0, 0.5, 2.0);
    clip[9] = f32::INFINITY;
    assert_eq!(extractor.extract(&clip, &mut out), Err(Error::NotFinite { index: 9 }));
    assert_eq!(out, [7.0]);
    let shortest = modulated(500.0, 4.0, 0.5, 2.0);
    assert_eq!(extractor.extract(&shortest[..needed], &mut out), Ok(1));
    assert_eq!(out.len(), 1 + DIMENSIONS);
    assert!(out.iter().all(|value| value.is_finite()));
    // one click in silence
    let mut click = vec![0.0; needed];
    click[needed / 2] = 1.0;
    out.clear();
    assert_eq!(extractor.extract(&click, &mut out), Ok(1));
    assert!(out.iter().all(|value| value.is_finite() && *value >= 0.0));
}

#[test]
fn settings_are_checked_and_travel_as_json() {
    let all = FeatureSettings::Modulations(Modulations::default());
    let text = serde_json::to_string(&all).unwrap();
    assert_eq!(
        text,
        r#"{"set":"modulations","sample_rate":22050,"front_end":"gammatone","lowest":180.0,"q":4.0,"rate_q":2.0,"measure":"energy","log":false}"#
    );
    assert_eq!(serde_json::from_str::<FeatureSettings>(&text).unwrap(), all);
    assert_eq!((all.dimensions(), all.names().len()), (768, 768));
    assert_eq!(all.names()[767], "channel_95_rate_256_hz");
    assert!(serde_json::from_str::<FeatureSettings>(r#"{"set":"modulations","Q":3}"#).is_err());

    let base = Modulations::default();
    for (name, wrong) in [
        ("sample_rate", Modulations { sample_rate: 4_000, ..base.clone() }),
        ("lowest", Modulations { lowest: 10.0, ..base.clone() }),
        ("lowest", Modulations { lowest: f64::NAN, ..base.clone() }),
        ("lowest", Modulations { lowest: 900.0, ..base.clone() }),
        ("q", Modulations { q: 34.0, ..base.clone() }),
        ("rate_q", Modulations { rate_q: 0.0, ..base.clone() }),
    ] {
        match FeatureSettings::Modulations(wrong).extractor().map(|_| ()) {
            Err(Error::Setting { name: told, .. }) => assert_eq!(told, name),
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn every_allowed_extreme_of_the_settings_works() {
    let clip = modulated(600.0, 16.0, 0.7, 4.0);
    let base = Modulations::default();
    for settings in [
        Modulations { q: 1.0, front_end: FrontEnd::ConstantQ, ..base.clone() },
        Modulations { q: 16.0, front_end: FrontEnd::ConstantQ, lowest: 50.0, ..base.clone() },
        Modulations { rate_q: 1.0, ..base.clone() },
        Modulations { rate_q: 4.0, lowest: 700.0, ..base.clone() },
        Modulations { sample_rate: 8_000, lowest: 50.0, ..base.clone() },
        Modulations { sample_rate: 48_000, lowest: 1_000.0, ..base.clone() },
    ] {
        let out = vector(settings.clone(), &clip);
        assert!(out.iter().all(|value| value.is_finite() && *value >= 0.0), "{settings:?}");
        assert!(out.iter().any(|&value| value > 1e-3), "{settings:?}");
        assert_eq!(out.len(), CHANNELS * RATES.len());
    }
}
