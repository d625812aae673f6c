//! Softmax regression on pixels: the linear victim, as a net of one layer.

use ndarray::Array2;
use trompe_corpora::ImageCorpus;

use super::architecture::PIXEL_SCALE;
use super::training::{labels_of_every_class, mean_image};
use super::{Architecture, ConvolutionalNet, Method, TrainingRecord};
use crate::classifiers::softmax_regression::SoftmaxRegression;
use crate::error::{Error, Result};

/// Fits multinomial logistic regression to the images `indices` of `corpus`, seen as a net
/// sees them: less their mean and divided by 256. `penalty` weighs half the squared weights
/// beside the summed cross-entropy.
///
/// # Errors
/// [`Error::Request`] without images of every class or for a penalty that is not positive;
/// [`Error::Numeric`] if the fit does not converge.
pub fn fit_softmax_regression(
    corpus: &ImageCorpus,
    indices: &[usize],
    penalty: f64,
) -> Result<ConvolutionalNet> {
    if !(penalty > 0.0 && penalty < 1e12) {
        return Err(Error::request(format!("penalty = {penalty}"), "give a positive number"));
    }
    let labels = labels_of_every_class(corpus, indices)?;
    let mean = mean_image(corpus, indices);
    let mut x = Array2::zeros((indices.len(), mean.len()));
    for (mut row, &index) in x.outer_iter_mut().zip(indices) {
        for ((value, &pixel), &mean) in row.iter_mut().zip(corpus.image(index)).zip(&mean) {
            *value = f64::from((f32::from(pixel) - mean) * PIXEL_SCALE);
        }
    }
    let fitted = SoftmaxRegression::fit(&x, &labels, corpus.classes.len(), penalty)?;
    // A layer keeps one row of weights per input; the regression one per class.
    let weights = fitted.weights.t().iter().map(|&weight| weight as f32).collect::<Vec<_>>();
    let biases = fitted.intercepts.iter().map(|&intercept| intercept as f32);
    ConvolutionalNet::new(
        Architecture::logistic(corpus.shape, corpus.classes.len()),
        corpus.classes.clone(),
        mean,
        weights.into_iter().chain(biases).collect(),
        TrainingRecord::new(corpus, indices, Method::SoftmaxRegression { penalty }),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use trompe_corpora::Split;
    use trompe_corpora::images::synthetic_digits;

    use super::*;
    use crate::classifiers::image_classifier::error_rate;

    #[test]
    fn it_tells_drawn_digits_apart() {
        let corpus = synthetic_digits(300, 100, 1);
        let train = corpus.split(Split::Train);
        let net = fit_softmax_regression(&corpus, &train, 1.0).unwrap();
        assert!(error_rate(&net, &corpus, &train).unwrap() < 0.01);
        assert!(error_rate(&net, &corpus, &corpus.split(Split::Test)).unwrap() < 0.25);
        assert!(fit_softmax_regression(&corpus, &train, 0.0).is_err());
        assert!(fit_softmax_regression(&corpus, &train[..9], 1.0).is_err(), "no nine");
    }
}
