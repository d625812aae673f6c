//! Features brought to one scale, by what the training vectors show.

use serde::{Deserialize, Serialize};

use super::SparseParams;

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

/// The map of a fit: (x - offset) * scale, then unit length if asked for. A feature that is
/// constant in training becomes 0.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Normalizer {
    offsets: Vec<f64>,
    scales: Vec<f64>,
    unit_norm: bool,
}

impl Normalizer {
    /// Of row-major training `vectors`.
    pub(super) fn fit(params: &SparseParams, vectors: &[f32], dimensions: usize) -> Self {
        let rows = (vectors.len() / dimensions) as f64;
        let (offsets, scales) = (0..dimensions)
            .map(|column| {
                let values =
                    || vectors.iter().skip(column).step_by(dimensions).map(|&v| f64::from(v));
                let least = values().fold(f64::INFINITY, f64::min);
                let most = values().fold(f64::NEG_INFINITY, f64::max);
                let (offset, width) = match params.normalization {
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
        Self { offsets, scales, unit_norm: params.unit_norm }
    }

    /// A normalized vector. Zero stays zero.
    pub(super) fn apply(&self, vector: &[f32]) -> Vec<f64> {
        let scaled = vector.iter().zip(&self.offsets).zip(&self.scales);
        let mut vector: Vec<f64> =
            scaled.map(|((&value, offset), scale)| (f64::from(value) - offset) * scale).collect();
        let length = vector.iter().map(|value| value * value).sum::<f64>().sqrt();
        if self.unit_norm && length > 0.0 {
            for value in &mut vector {
                *value /= length;
            }
        }
        vector
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn training_vectors_fill_the_range_or_have_mean_0_and_variance_1() {
        let vectors = [1.0f32, 5.0, 9.0, 2.0, 5.0, 7.0, 4.0, 5.0, 5.0];
        let mut params = SparseParams { unit_norm: false, ..SparseParams::default() };
        let map = Normalizer::fit(&params, &vectors, 3);
        assert_eq!(map.apply(&vectors[..3]), [0.0, 0.0, 1.0]);
        assert_eq!(map.apply(&[7.0, 6.0, 3.0]), [2.0, 0.0, -0.5]);
        params.normalization = Normalization::Standardize;
        let map = Normalizer::fit(&params, &vectors, 3);
        let first: Vec<f64> = vectors.chunks(3).map(|row| map.apply(row)[0]).collect();
        assert!(first.iter().sum::<f64>().abs() < 1e-12);
        assert!((first.iter().map(|v| v * v).sum::<f64>() - 3.0).abs() < 1e-12);
    }

    #[test]
    fn unit_norm_keeps_zero() {
        let map = Normalizer::fit(&SparseParams::default(), &[0.0, 0.0, 3.0, 4.0], 2);
        assert_eq!(map.apply(&[0.0, 0.0]), [0.0, 0.0]);
        let vector = map.apply(&[3.0, 4.0]);
        assert!((vector[0] * vector[0] + vector[1] * vector[1] - 1.0).abs() < 1e-15);
    }
}
