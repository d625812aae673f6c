//! Features brought to one scale, by what the training vectors show.

use serde::{Deserialize, Serialize};

/// How features are brought to one scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Normalization {
    /// To [0, 1] over the training vectors (Sturm's "normalized" features). Other vectors
    /// may leave that range.
    MinMax,
    /// To mean 0 and variance 1 over the training vectors (his "standardized" features).
    Standardize,
}

/// The map of a fit: (x - offset) * scale. A feature that is constant in training becomes 0.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Normalizer {
    offsets: Vec<f64>,
    scales: Vec<f64>,
}

impl Normalizer {
    /// Of row-major training `vectors`.
    pub(super) fn fit(normalization: Normalization, vectors: &[f32], dimensions: usize) -> Self {
        let rows = (vectors.len() / dimensions) as f64;
        let (offsets, scales) = (0..dimensions)
            .map(|column| {
                let values =
                    || vectors.iter().skip(column).step_by(dimensions).map(|&v| f64::from(v));
                let least = values().fold(f64::INFINITY, f64::min);
                let most = values().fold(f64::NEG_INFINITY, f64::max);
                let (offset, width) = match normalization {
                    Normalization::MinMax => (least, most - least),
                    Normalization::Standardize => {
                        let mean = values().sum::<f64>() / rows;
                        let squares: f64 = values().map(|v| (v - mean) * (v - mean)).sum();
                        (mean, (squares / rows).sqrt())
                    }
                };
                (offset, if most > least { 1.0 / width } else { 0.0 })
            })
            .unzip();
        Self { offsets, scales }
    }

    /// A normalized vector.
    pub(super) fn apply(&self, vector: &[f32]) -> Vec<f64> {
        let scaled = vector.iter().zip(&self.offsets).zip(&self.scales);
        scaled.map(|((&value, offset), scale)| (f64::from(value) - offset) * scale).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn training_vectors_fill_the_range_or_have_mean_0_and_variance_1() {
        let vectors = [1.0f32, 5.0, 9.0, 2.0, 5.0, 7.0, 4.0, 5.0, 5.0];
        let map = Normalizer::fit(Normalization::MinMax, &vectors, 3);
        assert_eq!(map.apply(&vectors[..3]), [0.0, 0.0, 1.0]);
        assert_eq!(map.apply(&[7.0, 6.0, 3.0]), [2.0, 0.0, -0.5]);
        let map = Normalizer::fit(Normalization::Standardize, &vectors, 3);
        let first: Vec<f64> = vectors.chunks(3).map(|row| map.apply(row)[0]).collect();
        assert!(first.iter().sum::<f64>().abs() < 1e-12);
        assert!((first.iter().map(|v| v * v).sum::<f64>() - 3.0).abs() < 1e-12);
    }
}
