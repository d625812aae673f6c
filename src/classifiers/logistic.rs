//! Multinomial logistic regression on standardized features: the baseline classifier.
use serde::{Deserialize, Serialize};

use super::softmax_regression::{SoftmaxRegression, log_odds_from_logits};
use super::{Aggregation, Classifier, PosteriorKind};
use crate::dataset::Dataset;
use crate::error::{Error, Result};

/// Settings of a fit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct LogisticParams {
    /// Weight of |W|^2 / 2 against the summed loss, above 0; 1 by default (our choice, and
    /// linfa's).
    pub penalty: f64,
    /// How the logits of an excerpt's vectors become the excerpt's. The mean by default: the
    /// posterior is then that of a typical vector, whatever the length.
    pub aggregation: Aggregation,
}

impl Default for LogisticParams {
    fn default() -> Self {
        Self { penalty: 1.0, aggregation: Aggregation::Mean }
    }
}

impl LogisticParams {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`Error::Request`] when the penalty is not a positive number.
    pub fn check(&self) -> Result<()> {
        if !(self.penalty > 0.0 && self.penalty.is_finite()) {
            let what = format!("logistic regression with penalty {}", self.penalty);
            return Err(Error::request(what, "give a number above 0"));
        }
        Ok(())
    }

    /// Fits every vector of `dataset`.
    ///
    /// # Errors
    /// What [`LogisticParams::check`] and [`Dataset::check`] find; [`Error::Numeric`] when
    /// no minimum was found.
    pub fn fit(&self, dataset: &Dataset) -> Result<Logistic> {
        self.check()?;
        dataset.check()?;
        let vectors = dataset.vectors.mapv(f64::from);
        let classes = dataset.classes.len();
        let linear = SoftmaxRegression::fit_standardized(
            &vectors,
            &dataset.labels(),
            classes,
            self.penalty,
        )?;
        Ok(Logistic::new(self.clone(), dataset.classes.clone(), linear))
    }
}

/// A fitted logistic regression.
#[derive(Debug, Clone, PartialEq)]
pub struct Logistic {
    params: LogisticParams,
    classes: Vec<String>,
    linear: SoftmaxRegression,
}

impl Logistic {
    pub(crate) fn new(
        params: LogisticParams,
        classes: Vec<String>,
        linear: SoftmaxRegression,
    ) -> Self {
        Self { params, classes, linear }
    }

    /// Settings of the fit.
    pub fn params(&self) -> &LogisticParams {
        &self.params
    }

    pub(crate) fn linear(&self) -> &SoftmaxRegression {
        &self.linear
    }

    /// The same classifier, putting the logits of vectors together in another way.
    pub fn aggregating(mut self, aggregation: Aggregation) -> Self {
        self.params.aggregation = aggregation;
        self
    }
}

impl Classifier for Logistic {
    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn posterior_kind(&self) -> PosteriorKind {
        PosteriorKind::Softmax
    }

    fn dimensions(&self) -> usize {
        self.linear.weights.ncols()
    }

    fn log_odds(&self, vectors: &[f32], out: &mut [f64]) {
        let dimensions = self.dimensions();
        let factor = self.params.aggregation.factor(vectors.len() / dimensions);
        let mut logits = vec![0.0; out.len()];
        out.fill(0.0);
        for vector in vectors.chunks_exact(dimensions) {
            self.linear.logits(vector.iter().map(|&value| f64::from(value)), &mut logits);
            for (sum, logit) in out.iter_mut().zip(&logits) {
                *sum += logit * factor;
            }
        }
        log_odds_from_logits(out);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::classifiers::{posterior_from_log_odds, top_class};
    use crate::dataset::generated::gaussians;

    #[test]
    fn separate_clouds_are_told_apart_and_posteriors_sum_to_one() {
        let all = gaussians(4, 60, 3, 6, 0.6, 1);
        let train = all.subset(&(0..120).collect::<Vec<_>>());
        let model = LogisticParams::default().fit(&train).unwrap();
        let starts = all.excerpt_starts();
        let mut odds = [0.0; 4];
        let mut right = 0;
        for excerpt in 120..240 {
            let vectors: Vec<f32> = all.vectors_of(&starts, excerpt).iter().copied().collect();
            model.log_odds(&vectors, &mut odds);
            right += usize::from(top_class(&odds) == all.excerpts[excerpt].class);
            let sum: f64 = odds.iter().map(|&odds| posterior_from_log_odds(odds)).sum();
            assert!((sum - 1.0).abs() < 1e-12);
        }
        assert!(right > 100, "{right} of 120");
    }

    #[test]
    fn units_of_features_do_not_matter_and_constant_columns_say_nothing() {
        let data = gaussians(3, 30, 1, 4, 0.5, 2);
        let mut scaled = data.clone();
        scaled.vectors.column_mut(1).mapv_inplace(|value| 4096.0 * value - 1024.0);
        let mut constant = data.clone();
        constant.vectors.column_mut(3).fill(7.0);
        let fit = |data: &Dataset| LogisticParams::default().fit(data).unwrap();
        let (mut a, mut b) = ([0.0; 3], [0.0; 3]);
        fit(&data).log_odds(&data.vectors.row(0).to_vec(), &mut a);
        fit(&scaled).log_odds(&scaled.vectors.row(0).to_vec(), &mut b);
        assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-3), "{a:?} {b:?}");
        let model = fit(&constant);
        assert!(model.linear().weights.column(3).iter().all(|&weight| weight == 0.0));
    }

    #[test]
    fn the_sum_of_vectors_counts_each_and_the_mean_one() {
        let data = gaussians(3, 10, 2, 4, 0.5, 2);
        let mean = LogisticParams::default().fit(&data).unwrap();
        let sum = mean.clone().aggregating(Aggregation::Sum);
        let vector = data.vectors.row(0).to_vec();
        let twice = [vector.clone(), vector.clone()].concat();
        let odds = |model: &Logistic, vectors: &[f32]| {
            let mut odds = [0.0; 3];
            model.log_odds(vectors, &mut odds);
            odds
        };
        assert_eq!(odds(&mean, &vector), odds(&sum, &vector));
        assert_eq!(odds(&mean, &twice), odds(&mean, &vector));
        let top = top_class(&odds(&sum, &vector));
        assert!(odds(&sum, &twice)[top] > odds(&sum, &vector)[top]);
    }

    #[test]
    fn a_penalty_that_is_no_positive_number_is_refused() {
        for penalty in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let params = LogisticParams { penalty, ..LogisticParams::default() };
            let error = params.fit(&gaussians(2, 3, 1, 2, 1.0, 1)).unwrap_err();
            assert!(error.to_string().contains("above 0"));
        }
    }
}
