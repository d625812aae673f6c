//! Generated data for tests: one Gaussian cloud a class.

use ndarray::Array2;
use rand::Rng;
use trompe_base::random::{Stream, stream};
use trompe_corpora::Provenance;

use super::{Dataset, Excerpt, Source};

/// A number in [0, 1), from the upper 53 bits of the stream.
pub(crate) fn uniform(rng: &mut Stream) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

/// Nearly normal, mean 0, variance 1: the sum of twelve uniform numbers, less six.
pub(crate) fn normal(rng: &mut Stream) -> f64 {
    (0..12).map(|_| uniform(rng)).sum::<f64>() - 6.0
}

/// `classes` clouds of `excerpts` excerpts with `vectors` vectors each, centres `distance`
/// standard deviations from the origin in every dimension. Two excerpts share a group.
pub(crate) fn gaussians(
    classes: usize,
    excerpts: usize,
    vectors: usize,
    dimensions: usize,
    distance: f64,
    seed: u64,
) -> Dataset {
    let mut rng = stream(seed, 0, 0, 0);
    let centres = Array2::from_shape_simple_fn((classes, dimensions), || {
        if rng.next_u64() & 1 == 0 { distance } else { -distance }
    });
    let total = classes * excerpts;
    // Classes take turns, so that neighbouring excerpts differ.
    let excerpt_of: Vec<usize> = (0..total * vectors).map(|row| row / vectors).collect();
    let values = Array2::from_shape_fn((total * vectors, dimensions), |(row, column)| {
        let class = excerpt_of[row] % classes;
        (centres[[class, column]] + normal(&mut rng)) as f32
    });
    Dataset {
        vectors: values,
        excerpt_of,
        excerpts: (0..total)
            .map(|i| Excerpt {
                id: format!("excerpt {i}"),
                class: i % classes,
                group: Some(format!("group {}", i / (2 * classes))),
                split: None,
                fold: None,
            })
            .collect(),
        classes: (0..classes).map(|class| format!("class {class}")).collect(),
        feature_names: (0..dimensions).map(|column| format!("f{column}")).collect(),
        settings: None,
        source: Source {
            name: "gaussians".into(),
            provenance: Some(Provenance::Synthetic),
            known_as: None,
        },
    }
}
