//! How far an input lies from genuine items, by the distance of Mahalanobis to the nearest class: classes
//! are Gaussians of one covariance in the space of a victim's embeddings (Lee, Lee, Lee & Shin, *A simple
//! unified framework for detecting out-of-distribution samples and adversarial attacks*, NeurIPS 2018).
//!
//! Lee et al. fit the Gaussians to the training items. Here they are fitted to the genuine items of a
//! reference, and a genuine item's own distance is by those of other groups (our choice), so that nothing of
//! the training need be kept. The covariance is of values divided by their standard deviation within
//! classes, and shrunk towards the identity (Ledoit & Wolf, *A well-conditioned estimator for
//! large-dimensional covariance matrices*, Journal of Multivariate Analysis, 2004).

use ndarray::{Array2, ArrayView1};
use rayon::prelude::*;
use trompe_statistics::groups::Groups;

use super::folds::{FOLDS, dealt};

/// Longest embedding that a covariance is made of (our choice).
pub const MOST_DIMENSIONS: usize = 1_024;

/// Least standard deviation within classes, as a share of the mean one: of values that hardly vary among
/// genuine items (our choice).
const LEAST_DEVIATION: f64 = 1e-3;

/// Gaussians of classes, and how far genuine items lie from them.
#[derive(Debug, Clone, PartialEq)]
pub struct Mahalanobis {
    gaussians: Gaussians,
    genuine: Vec<f64>,
}

/// Gaussians of one covariance.
#[derive(Debug, Clone, PartialEq)]
struct Gaussians {
    /// Mean of each class, a row each; not a number for a class without items.
    means: Array2<f32>,
    /// The lower triangle that makes the covariance the identity.
    whitening: Array2<f32>,
    /// The known means times the triangle.
    whitened: Vec<Vec<f64>>,
}

impl Mahalanobis {
    /// Of items with these embeddings, classes and groups; an empty embedding is none, and lies infinitely
    /// far. `None` if there are none, if they are longer than [`MOST_DIMENSIONS`], or all of one group.
    pub(super) fn fit(
        embeddings: &[Vec<f32>],
        classes: &[usize],
        count: usize,
        groups: &Groups,
    ) -> Option<Self> {
        let dimensions = embeddings.iter().map(Vec::len).max()?;
        let whole = |embedding: &&Vec<f32>| embedding.len() == dimensions;
        if !(1..=MOST_DIMENSIONS).contains(&dimensions) {
            return None;
        }
        let pairs = classes.iter().copied().zip(groups.of_item().iter().copied());
        let folds = dealt(pairs, count);
        let fold = |item: usize| folds[groups.of_item()[item]];
        let sums: Vec<Sums> = (0..FOLDS)
            .into_par_iter()
            .map(|number| {
                let mut sums = Sums::new(count, dimensions);
                let own = embeddings.iter().enumerate().filter(|(item, _)| fold(*item) == number);
                own.filter(|(_, embedding)| whole(embedding))
                    .for_each(|(item, embedding)| sums.add(classes[item], embedding));
                sums
            })
            .collect();
        let items = || {
            let pairs = embeddings.iter().zip(classes).enumerate();
            pairs.filter(|(_, (embedding, _))| whole(embedding))
        };
        let fitted = |without: Option<usize>| {
            let mut all = Sums::new(count, dimensions);
            let kept = sums.iter().enumerate().filter(|(number, _)| Some(*number) != without);
            kept.for_each(|(_, sums)| all.merge(sums));
            let used = items().filter(|(item, _)| Some(fold(*item)) != without);
            all.gaussians(used.map(|(_, (embedding, &class))| (embedding.as_slice(), class)))
        };
        let gaussians = fitted(None)?;
        let others: Option<Vec<Gaussians>> =
            (0..FOLDS).into_par_iter().map(|number| fitted(Some(number))).collect();
        let others = others?;
        let distance = |(item, embedding): (usize, &Vec<f32>)| match whole(&embedding) {
            true => others[fold(item)].distance(embedding),
            false => f64::INFINITY,
        };
        let genuine = embeddings.par_iter().enumerate().map(distance).collect();
        Some(Self { gaussians, genuine })
    }

    /// From parts as they are kept in a file; an error says what is wrong.
    pub(super) fn from_parts(
        means: Array2<f32>,
        whitening: Array2<f32>,
        genuine: Vec<f64>,
    ) -> Result<Self, String> {
        let dimensions = means.ncols();
        if !(1..=MOST_DIMENSIONS).contains(&dimensions)
            || whitening.dim() != (dimensions, dimensions)
            || !whitening.iter().all(|value| value.is_finite())
            || genuine.iter().any(|distance| distance.is_nan())
        {
            return Err("its Gaussians are damaged".to_owned());
        }
        Ok(Self { gaussians: Gaussians::new(means, whitening), genuine })
    }

    /// Mean of each class, whitening, and the distances of genuine items.
    pub(super) fn parts(&self) -> (&Array2<f32>, &Array2<f32>, &[f64]) {
        (&self.gaussians.means, &self.gaussians.whitening, &self.genuine)
    }

    /// The squared distance of an embedding to the nearest class; infinite where there is no embedding.
    pub fn distance(&self, embedding: &[f32]) -> f64 {
        match embedding.len() == self.gaussians.means.ncols() {
            true => self.gaussians.distance(embedding),
            false => f64::INFINITY,
        }
    }

    /// The squared distances of the genuine items, each from the Gaussians of other groups.
    pub fn genuine(&self) -> &[f64] {
        &self.genuine
    }
}

impl Gaussians {
    /// From parts that are rounded as files keep them.
    fn new(means: Array2<f32>, whitening: Array2<f32>) -> Self {
        let known = means.outer_iter().filter(|mean| mean.iter().all(|value| value.is_finite()));
        let whitened = known.map(|mean| whiten(&whitening, mean.iter().copied())).collect();
        Self { means, whitening, whitened }
    }

    fn distance(&self, embedding: &[f32]) -> f64 {
        let embedding = whiten(&self.whitening, embedding.iter().copied());
        let distance = |mean: &Vec<f64>| {
            embedding.iter().zip(mean).map(|(x, m)| (x - m) * (x - m)).sum::<f64>()
        };
        self.whitened.iter().map(distance).fold(f64::INFINITY, f64::min)
    }
}

/// The product of a lower triangle and values.
fn whiten(whitening: &Array2<f32>, values: impl Iterator<Item = f32>) -> Vec<f64> {
    let values: Vec<f64> = values.map(f64::from).collect();
    let row = |(row, weights): (usize, ArrayView1<'_, f32>)| {
        weights.iter().zip(&values[..=row]).map(|(&weight, value)| f64::from(weight) * value).sum()
    };
    whitening.outer_iter().enumerate().map(row).collect()
}

/// Sums over items, from which means and the scatter within classes follow.
struct Sums {
    counts: Vec<f64>,
    /// Of the values of each class, a row each.
    values: Array2<f64>,
    /// Of products of two values: the lower triangle.
    products: Array2<f64>,
}

impl Sums {
    fn new(classes: usize, dimensions: usize) -> Self {
        Self {
            counts: vec![0.0; classes],
            values: Array2::zeros((classes, dimensions)),
            products: Array2::zeros((dimensions, dimensions)),
        }
    }

    fn add(&mut self, class: usize, embedding: &[f32]) {
        self.counts[class] += 1.0;
        let values: Vec<f64> = embedding.iter().map(|&value| f64::from(value)).collect();
        for (sum, value) in self.values.row_mut(class).iter_mut().zip(&values) {
            *sum += value;
        }
        for (row, mut products) in self.products.outer_iter_mut().enumerate() {
            for (product, value) in products.iter_mut().zip(&values[..=row]) {
                *product += values[row] * value;
            }
        }
    }

    fn merge(&mut self, other: &Self) {
        self.counts.iter_mut().zip(&other.counts).for_each(|(own, other)| *own += other);
        self.values += &other.values;
        self.products += &other.products;
    }

    /// The Gaussians of these items, which are given again for the shrinkage; `None` of fewer than two.
    fn gaussians<'e>(
        mut self,
        items: impl Iterator<Item = (&'e [f32], usize)>,
    ) -> Option<Gaussians> {
        let count: f64 = self.counts.iter().sum();
        if count < 2.0 {
            return None;
        }
        let means = {
            let mut means = self.values.clone();
            for (mut mean, &of) in means.outer_iter_mut().zip(&self.counts) {
                mean /= of;
            }
            means
        };
        // The scatter around the means of classes, as a covariance.
        let dimensions = means.ncols();
        for (mean, &of) in means.outer_iter().zip(&self.counts).filter(|(_, of)| **of > 0.0) {
            for row in 0..dimensions {
                for column in 0..=row {
                    self.products[[row, column]] -= of * mean[row] * mean[column];
                }
            }
        }
        let mut covariance = self.products / count;
        let deviation: Vec<f64> =
            (0..dimensions).map(|at| libm::sqrt(covariance[[at, at]].max(0.0))).collect();
        let least = LEAST_DEVIATION * deviation.iter().sum::<f64>() / dimensions as f64;
        if least == 0.0 {
            return None;
        }
        for (at, &deviation) in deviation.iter().enumerate() {
            covariance[[at, at]] = deviation.max(least).powi(2);
        }
        let scale: Vec<f64> =
            deviation.iter().map(|&deviation| 1.0 / deviation.max(least)).collect();
        for row in 0..dimensions {
            for column in 0..=row {
                covariance[[row, column]] *= scale[row] * scale[column];
            }
        }
        let fourth = items.map(|(embedding, class)| {
            let apart = embedding.iter().zip(means.row(class)).zip(&scale);
            let square: f64 = apart
                .map(|((&x, mean), scale)| {
                    let value = (f64::from(x) - mean) * scale;
                    value * value
                })
                .sum();
            square * square
        });
        let fourth: f64 = fourth.sum();
        shrink(&mut covariance, fourth, count);
        let mut whitening = inverse(cholesky(covariance)?);
        for mut row in whitening.outer_iter_mut() {
            row.iter_mut().zip(&scale).for_each(|(value, scale)| *value *= scale);
        }
        let rounded = |values: Array2<f64>| values.mapv(|value| value as f32);
        Some(Gaussians::new(rounded(means), rounded(whitening)))
    }
}

/// Shrinks the lower triangle of a covariance of `count` items towards a multiple of the identity, by the
/// share of Ledoit & Wolf (2004, equations 10 to 14); `fourth` is the sum of fourth powers of the lengths
/// of the items.
fn shrink(covariance: &mut Array2<f64>, fourth: f64, count: f64) {
    let dimensions = covariance.nrows();
    let mean = (0..dimensions).map(|at| covariance[[at, at]]).sum::<f64>() / dimensions as f64;
    let mut squares = 0.0;
    for row in 0..dimensions {
        for column in 0..=row {
            let value = covariance[[row, column]];
            squares += value * value * if row == column { 1.0 } else { 2.0 };
        }
    }
    // What the sample's covariance differs from the identity's multiple, and what of that is noise.
    let spread = squares - dimensions as f64 * mean * mean;
    let noise = (fourth / count - squares) / count;
    let share = if spread > 0.0 { (noise / spread).clamp(0.0, 1.0) } else { 1.0 };
    for row in 0..dimensions {
        for column in 0..=row {
            covariance[[row, column]] *= 1.0 - share;
        }
        covariance[[row, row]] += share * mean;
    }
}

/// The lower triangle L with L Lᵀ = `matrix`, whose lower triangle is read; `None` if it is singular.
fn cholesky(mut matrix: Array2<f64>) -> Option<Array2<f64>> {
    let size = matrix.nrows();
    for row in 0..size {
        for column in 0..=row {
            let known: f64 = (0..column).map(|k| matrix[[row, k]] * matrix[[column, k]]).sum();
            let rest = matrix[[row, column]] - known;
            matrix[[row, column]] = match row == column {
                true if rest > 0.0 => libm::sqrt(rest),
                true => return None,
                false => rest / matrix[[column, column]],
            };
        }
        for column in row + 1..size {
            matrix[[row, column]] = 0.0;
        }
    }
    Some(matrix)
}

/// The inverse of a lower triangle.
fn inverse(triangle: Array2<f64>) -> Array2<f64> {
    let size = triangle.nrows();
    let mut inverse = Array2::zeros((size, size));
    for column in 0..size {
        inverse[[column, column]] = 1.0 / triangle[[column, column]];
        for row in column + 1..size {
            let known: f64 = (column..row).map(|k| triangle[[row, k]] * inverse[[k, column]]).sum();
            inverse[[row, column]] = -known / triangle[[row, row]];
        }
    }
    inverse
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use trompe_base::random::{normal, stream};

    use super::*;

    /// Two classes of correlated values, ten items a group.
    fn items(count: usize) -> (Vec<Vec<f32>>, Vec<usize>, Groups) {
        let mut rng = stream(1, 0, 0, 0);
        let mut embeddings = Vec::new();
        for item in 0..count {
            let (a, b) = (normal(&mut rng), normal(&mut rng));
            let centre = if item % 2 == 0 { -4.0 } else { 4.0 };
            embeddings.push(vec![(centre + a) as f32, (100.0 * (a + b)) as f32, 7.0]);
        }
        let classes = (0..count).map(|item| item % 2).collect();
        let names: Vec<String> = (0..count).map(|item| (item / 10).to_string()).collect();
        (embeddings, classes, Groups::by_name(names.iter().map(|name| Some(name.as_str()))))
    }

    #[test]
    fn distances_of_genuine_items_are_those_of_their_dimensions() {
        let (embeddings, classes, groups) = items(2_000);
        let fit = Mahalanobis::fit(&embeddings, &classes, 2, &groups).unwrap();
        // Two values that vary and one that does not: on average a squared distance of 2.
        let mean = fit.genuine().iter().sum::<f64>() / 2_000.0;
        assert!((mean - 2.0).abs() < 0.05, "{mean}");
        // Where both values agree with a class, but not with one another.
        let against = fit.distance(&[4.0, 0.0, 7.0]);
        let along = fit.distance(&[5.0, 100.0, 7.0]);
        let across = fit.distance(&[5.0, -100.0, 7.0]);
        assert!(against < 0.1 && along < 1.2 && across > 4.5, "{against} {along} {across}");
        assert!(fit.distance(&[4.0, 0.0, 8.0]) > 100.0, "a value that never varied");
        assert_eq!(fit.distance(&[]), f64::INFINITY);
    }

    #[test]
    fn the_whitening_is_that_of_the_covariance() {
        let matrix = ndarray::arr2(&[[4.0, 0.0, 0.0], [2.0, 5.0, 0.0], [-1.0, 0.5, 3.0]]);
        let whitening = inverse(cholesky(matrix).unwrap());
        let full = ndarray::arr2(&[[4.0, 2.0, -1.0], [2.0, 5.0, 0.5], [-1.0, 0.5, 3.0]]);
        let identity = whitening.dot(&full).dot(&whitening.t());
        for ((row, column), value) in identity.indexed_iter() {
            let expected = f64::from(u8::from(row == column));
            assert!((value - expected).abs() < 1e-12, "{row} {column} {value}");
        }
        assert!(cholesky(ndarray::arr2(&[[1.0, 0.0], [2.0, 4.0]])).is_none());
    }

    #[test]
    fn fewer_items_than_dimensions_are_shrunk() {
        let mut rng = stream(2, 0, 0, 0);
        let draw = |rng: &mut _| (0..40).map(|_| normal(rng) as f32).collect::<Vec<f32>>();
        let embeddings: Vec<Vec<f32>> = (0..30).map(|_| draw(&mut rng)).collect();
        let groups = Groups::of_single_items(30);
        let fit = Mahalanobis::fit(&embeddings, &[0; 30], 1, &groups).unwrap();
        let others: Vec<f64> = (0..200).map(|_| fit.distance(&draw(&mut rng))).collect();
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let (genuine, others) = (mean(fit.genuine()), mean(&others));
        assert!((0.6..1.6).contains(&(genuine / others)), "{genuine} {others}");
        assert!(Mahalanobis::fit(&[Vec::new()], &[0], 1, &Groups::of_single_items(1)).is_none());
    }
}
