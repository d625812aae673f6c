//! Fewer dimensions before coding, in the three ways that were tried with this classifier
//! (Panagakis, Kotropoulos & Arce 2009; Sturm, *On automatic music genre recognition by
//! sparse representation classification using auditory temporal modulations*, CMMR 2012).

use rand::Rng;
use serde::{Deserialize, Serialize};
use trompe_base::random::stream;

use super::dictionary::{gram, products};
use super::eigen::eigen;

/// Key of the random streams of projections.
const STREAM: u64 = 0x7072_6f6a;

/// Share of the greatest variance below which a direction is one of rounding.
const NO_VARIANCE: f64 = 1e-12;

/// How normalized vectors lose dimensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Reduction {
    /// Not at all.
    None,
    /// By projection on the directions of greatest variance of the training vectors. The
    /// mean is not taken away, as in Wright et al. (2009). Directions beyond those in which
    /// the training vectors differ give zeros.
    Pca {
        /// Number of directions.
        dimensions: usize,
    },
    /// By a random matrix of signs (Achlioptas 2003), scaled so that lengths stay about the
    /// same.
    RandomProjection {
        /// Number of directions.
        dimensions: usize,
        /// Seed of the matrix.
        seed: u64,
    },
    /// By the mean of every `factor` neighbouring values, in the order of the features
    /// (rates of one channel, then of the next): a low-pass and decimation.
    Downsampling {
        /// Values that become one; what is left at the end is a shorter group.
        factor: usize,
    },
}

impl Reduction {
    /// Checks the settings for vectors of this many `features`; says what is wrong.
    ///
    /// # Errors
    /// What is out of its range, in words.
    pub fn check(&self, features: usize) -> Result<(), String> {
        let (name, value) = match *self {
            Self::None => return Ok(()),
            Self::Pca { dimensions } => ("dimensions of PCA", dimensions),
            Self::RandomProjection { dimensions, .. } => ("random directions", dimensions),
            Self::Downsampling { factor } => ("values that become one by downsampling", factor),
        };
        if (1..=features).contains(&value) {
            return Ok(());
        }
        Err(format!("{value} {name}, must be 1 to the {features} features"))
    }
}

/// The map of a fit.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Reducer {
    Whole,
    /// Inner products with directions, row-major.
    Directions(Vec<f64>),
    Means(usize),
}

impl Reducer {
    /// Of row-major normalized training `vectors` of `features` values.
    pub(super) fn fit(reduction: Reduction, vectors: &[f64], features: usize) -> Self {
        match reduction {
            Reduction::None => Self::Whole,
            Reduction::Pca { dimensions } => {
                Self::Directions(principal(vectors, features, dimensions))
            }
            Reduction::RandomProjection { dimensions, seed } => {
                let scale = 1.0 / libm::sqrt(dimensions as f64);
                let mut rng = stream(seed, STREAM, 0, 0);
                let sign = |_| if rng.next_u64() >> 63 == 0 { scale } else { -scale };
                Self::Directions((0..dimensions * features).map(sign).collect())
            }
            Reduction::Downsampling { factor } => Self::Means(factor),
        }
    }

    pub(super) fn apply(&self, vector: Vec<f64>) -> Vec<f64> {
        match self {
            Self::Whole => vector,
            Self::Directions(directions) => products(directions, &vector),
            Self::Means(factor) => vector
                .chunks(*factor)
                .map(|group| group.iter().sum::<f64>() / group.len() as f64)
                .collect(),
        }
    }
}

/// The `count` directions of greatest variance, row-major; zeros where there are fewer.
fn principal(vectors: &[f64], features: usize, count: usize) -> Vec<f64> {
    let rows = vectors.len() / features;
    let mut centred = vectors.to_vec();
    for column in 0..features {
        let mean = vectors.iter().skip(column).step_by(features).sum::<f64>() / rows as f64;
        centred.iter_mut().skip(column).step_by(features).for_each(|value| *value -= mean);
    }
    // Through the smaller of the two products of the centred matrix with itself.
    let turned = rows > features;
    let (short, long) = if turned { (features, rows) } else { (rows, features) };
    if turned {
        centred =
            (0..rows * features).map(|at| centred[at % rows * features + at / rows]).collect();
    }
    let (values, vectors) = eigen(gram(&centred, long), short);
    let mut directions = vec![0.0; count * features];
    let greatest = values.first().copied().unwrap_or(0.0);
    let there =
        values.iter().zip(vectors).take_while(|(value, _)| **value > NO_VARIANCE * greatest);
    for (direction, (&value, vector)) in directions.chunks_exact_mut(features).zip(there) {
        if turned {
            direction.copy_from_slice(&vector);
            continue;
        }
        let scale = 1.0 / libm::sqrt(value);
        for (row, weight) in centred.chunks_exact(features).zip(vector) {
            direction.iter_mut().zip(row).for_each(|(sum, x)| *sum += scale * weight * x);
        }
    }
    directions
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::generated::normal;

    /// Points spread by 9 : 3 : 1 along three known directions, about a mean.
    fn spread(rows: usize, features: usize) -> Vec<f64> {
        let mut rng = stream(1, 1, 0, 0);
        let mut vectors = Vec::new();
        for _ in 0..rows {
            let mut vector: Vec<f64> = vec![5.0; features];
            for (axis, width) in [9.0, 3.0, 1.0].into_iter().enumerate() {
                vector[axis] += width * normal(&mut rng);
            }
            vectors.extend(vector);
        }
        vectors
    }

    #[test]
    fn principal_directions_are_those_of_greatest_variance_by_either_way() {
        for (rows, features) in [(300, 6), (40, 60)] {
            let directions = principal(&spread(rows, features), features, 5);
            for (axis, direction) in directions.chunks_exact(features).take(3).enumerate() {
                let length: f64 = direction.iter().map(|x| x * x).sum();
                assert!((length - 1.0).abs() < 1e-10, "{length}");
                assert!(direction[axis].abs() > 0.97, "{axis}: {direction:?}");
            }
            // The points differ in no fourth direction.
            assert!(directions[3 * features..].iter().all(|&x| x == 0.0));
        }
    }

    #[test]
    fn random_projections_keep_lengths_about_and_their_seed_decides_them() {
        let vector: Vec<f64> = (0..500).map(|i| f64::from(i % 7) - 3.0).collect();
        let reduce = |seed| {
            let reduction = Reduction::RandomProjection { dimensions: 200, seed };
            Reducer::fit(reduction, &vector, 500).apply(vector.clone())
        };
        let length = |vector: &[f64]| vector.iter().map(|x| x * x).sum::<f64>();
        assert!((length(&reduce(1)) / length(&vector) - 1.0).abs() < 0.3);
        assert_eq!(reduce(1), reduce(1));
        assert_ne!(reduce(1), reduce(2));
    }

    #[test]
    fn downsampling_takes_means_of_neighbours() {
        let reducer = Reducer::fit(Reduction::Downsampling { factor: 2 }, &[], 5);
        assert_eq!(reducer.apply(vec![1.0, 3.0, 5.0, 7.0, 9.0]), [2.0, 6.0, 9.0]);
    }

    #[test]
    fn more_dimensions_than_features_are_refused() {
        assert!(Reduction::Pca { dimensions: 769 }.check(768).is_err());
        assert!(Reduction::RandomProjection { dimensions: 0, seed: 1 }.check(768).is_err());
        assert!(Reduction::Downsampling { factor: 0 }.check(768).is_err());
        assert!(Reduction::Downsampling { factor: 4 }.check(768).is_ok());
        assert!(Reduction::None.check(768).is_ok());
    }
}
