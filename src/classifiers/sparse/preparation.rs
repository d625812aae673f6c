//! A vector as the dictionary sees it: brought to one scale, then to fewer dimensions, then
//! to length 1, each if asked for.

use super::normalization::Normalizer;
use super::params::SparseParams;
use super::reduction::Reducer;

/// The map of a fit.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Preparation {
    normalizer: Normalizer,
    reducer: Reducer,
    unit_norm: bool,
}

impl Preparation {
    /// Of row-major training `vectors` of `features` values.
    pub(super) fn fit(params: &SparseParams, vectors: &[f32], features: usize) -> Self {
        let normalizer = Normalizer::fit(params.normalization, vectors, features);
        let normalized: Vec<f64> =
            vectors.chunks_exact(features).flat_map(|vector| normalizer.apply(vector)).collect();
        let reducer = Reducer::fit(params.reduction, &normalized, features);
        Self { normalizer, reducer, unit_norm: params.unit_norm }
    }

    /// A prepared vector. With unit norm, zero stays zero.
    pub(super) fn apply(&self, vector: &[f32]) -> Vec<f64> {
        let mut vector = self.reducer.apply(self.normalizer.apply(vector));
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
    use super::super::Reduction;
    use super::*;

    #[test]
    fn unit_norm_comes_last_and_keeps_zero() {
        let params = SparseParams {
            reduction: Reduction::Downsampling { factor: 2 },
            ..SparseParams::default()
        };
        let map = Preparation::fit(&params, &[0.0, 0.0, 0.0, 3.0, 4.0, 5.0], 3);
        assert_eq!(map.apply(&[0.0, 0.0, 0.0]), [0.0, 0.0]);
        let vector = map.apply(&[3.0, 4.0, 5.0]);
        assert_eq!(vector.len(), 2);
        assert!((vector[0] * vector[0] + vector[1] * vector[1] - 1.0).abs() < 1e-15);
    }
}
