//! AdaBFFs features of a clip of 30 s, from memory, on one core.

use divan::{Bencher, black_box};
use trompe_features::{AdaBffs, FeatureSettings};

fn main() {
    divan::main();
}

/// A tone that sweeps over coloured noise: no part of the computation is skipped.
fn clip() -> Vec<f32> {
    let (mut state, mut low) = (1u32, 0.0f32);
    (0..30 * 22_050)
        .map(|n| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            low = 0.9 * low + 0.1 * (state as f32 / 2f32.powi(31) - 1.0);
            let t = n as f32 / 22_050.0;
            low + 0.3 * libm::sinf(400.0 * t * (1.0 + 0.1 * t))
        })
        .collect()
}

#[divan::bench(sample_count = 100, sample_size = 1)]
fn thirty_seconds(bencher: Bencher) {
    let clip = clip();
    let settings = FeatureSettings::AdaBffs(AdaBffs::default());
    let Ok(mut extractor) = settings.extractor() else { return };
    let mut vectors = Vec::new();
    bencher.bench_local(|| {
        vectors.clear();
        extractor.extract(black_box(&clip), &mut vectors).is_ok()
    });
}
