//! Modulation features of a clip of 30 s, from memory, on one core.

use divan::{Bencher, black_box};
use trompe_features::FeatureSettings;
use trompe_features::modulations::{FrontEnd, Modulations};

fn main() {
    divan::main();
}

/// Noise: every channel is at work.
fn clip() -> Vec<f32> {
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state as f32 / 2f32.powi(31) - 1.0
    };
    (0..30 * 22_050).map(|_| next()).collect()
}

fn bench(bencher: Bencher, front_end: FrontEnd) {
    let clip = clip();
    let settings =
        FeatureSettings::Modulations(Modulations { front_end, ..Modulations::default() });
    let Ok(mut extractor) = settings.extractor() else { return };
    let mut vector = Vec::new();
    // the first clip of a length makes the plan
    let _ = extractor.extract(&clip, &mut vector);
    bencher.bench_local(|| {
        vector.clear();
        extractor.extract(black_box(&clip), &mut vector).is_ok()
    });
}

#[divan::bench(sample_count = 30, sample_size = 1)]
fn gammatone(bencher: Bencher) {
    bench(bencher, FrontEnd::Gammatone);
}

#[divan::bench(sample_count = 30, sample_size = 1)]
fn constant_q(bencher: Bencher) {
    bench(bencher, FrontEnd::ConstantQ);
}
