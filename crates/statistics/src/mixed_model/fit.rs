//! Fitting the model with any fixed effects, and comparing nested models.

use libm::sqrt;
use serde::{Deserialize, Serialize};

use super::Answers;
use super::laplace::Laplace;
use super::optimizer::{Summit, curvature_at, invert, maximize};
use crate::Undefined;
use crate::intervals::Interval;
use crate::special::{chi_square_sf, normal_cdf, normal_quantile};

/// Standard deviations below this are checked for being a saddle, and count as zero.
const SMALL_SD: f64 = 0.02;

/// A fitted model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fit {
    /// Fixed effects, on the logit scale, in the order of the design's columns.
    pub effects: Vec<FixedEffect>,
    /// Standard deviation of the participants' intercepts.
    pub participant_sd: f64,
    /// Standard deviation of the items' intercepts.
    pub item_sd: f64,
    /// Maximum of the Laplace-approximated log-likelihood.
    pub log_likelihood: f64,
}

/// One fixed effect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FixedEffect {
    /// Estimate on the logit scale.
    pub estimate: f64,
    /// Standard error from the curvature in all parameters at once.
    pub standard_error: f64,
    /// Wald interval.
    pub interval: Interval,
    /// Two-sided Wald p-value of "no effect".
    pub p: f64,
}

/// Maximizes over the fixed effects and both standard deviations.
pub(super) fn climb(model: &mut Laplace, beta: &[f64]) -> Option<Summit> {
    let n = beta.len();
    let mut evaluate = |at: &[f64]| {
        let value = model.value(at)?;
        Some((value, model.gradient(at)))
    };
    let start = |sds: [f64; 2]| [beta, &sds].concat();
    let mut summit = maximize(&start([0.5, 0.5]), &mut evaluate)?;
    // Zero is always level in a standard deviation: make sure that it is a summit.
    for side in n..n + 2 {
        if summit.at[side].abs() < SMALL_SD {
            let mut aside = summit.at.clone();
            aside[side] = 5.0 * SMALL_SD;
            if evaluate(&aside).is_some_and(|(value, _)| value > summit.value)
                && let Some(better) = maximize(&aside, &mut evaluate)
                && better.value > summit.value
            {
                summit = better;
            }
        }
    }
    for side in n..n + 2 {
        summit.at[side] = summit.at[side].abs();
    }
    Some(summit)
}

/// Fits the model by maximum likelihood. `design` holds one row an answer, every row with
/// the same number of columns; `level` is that of the Wald intervals.
///
/// # Errors
/// [`Undefined`] for too few levels, for answers that are all alike, for a design that does
/// not fit the answers, or where the likelihood has no maximum (a column that predicts
/// perfectly, columns that say the same).
pub fn fit(answers: &Answers, design: &[Vec<f64>], level: f64) -> Result<Fit, Undefined> {
    const NO_MAXIMUM: Undefined = Undefined("the likelihood of these effects has no maximum");
    answers.check()?;
    let columns = design.first().map_or(0, Vec::len);
    if design.len() != answers.len() || design.iter().any(|row| row.len() != columns) {
        return Err(Undefined("the design does not fit the answers"));
    }
    let mut model = Laplace::new(answers, design.concat(), columns);
    let summit = climb(&mut model, &vec![0.0; columns]).ok_or(NO_MAXIMUM)?;
    // At a zero standard deviation the likelihood is level and even: it has no part in the
    // errors of the others.
    let free: Vec<usize> =
        (0..columns + 2).filter(|&k| k < columns || summit.at[k] > SMALL_SD).collect();
    let start: Vec<f64> = free.iter().map(|&k| summit.at[k]).collect();
    let curvature = curvature_at(&start, |moved| {
        let mut at = summit.at.clone();
        for (&k, &value) in free.iter().zip(moved) {
            at[k] = value;
        }
        model.value(&at)?;
        let gradient = model.gradient(&at);
        Some(free.iter().map(|&k| gradient[k]).collect())
    });
    let covariance = curvature.and_then(invert).ok_or(NO_MAXIMUM)?;
    let z = normal_quantile(0.5 + 0.5 * level);
    let effect = |k: usize| {
        let (estimate, standard_error) = (summit.at[k], sqrt(covariance[k][k]));
        FixedEffect {
            estimate,
            standard_error,
            interval: Interval {
                low: estimate - z * standard_error,
                high: estimate + z * standard_error,
            },
            p: 2.0 * normal_cdf(-(estimate / standard_error).abs()),
        }
    };
    // Separation shows as an estimate that runs away until the likelihood is flat.
    if summit.at[..columns].iter().any(|beta| beta.abs() > 15.0) {
        return Err(NO_MAXIMUM);
    }
    Ok(Fit {
        effects: (0..columns).map(effect).collect(),
        participant_sd: summit.at[columns],
        item_sd: summit.at[columns + 1],
        log_likelihood: summit.value,
    })
}

/// A likelihood-ratio test of two nested models.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LikelihoodRatio {
    /// Twice the difference of the log-likelihoods, not below zero.
    pub statistic: f64,
    /// Fixed effects that the smaller model lacks.
    pub df: u32,
    /// p-value by chi-square.
    pub p: f64,
}

/// Tests the fixed effects that `large` has and `small` lacks.
pub fn likelihood_ratio(large: &Fit, small: &Fit) -> LikelihoodRatio {
    let statistic = (2.0 * (large.log_likelihood - small.log_likelihood)).max(0.0);
    let df = large.effects.len().saturating_sub(small.effects.len()) as u32;
    LikelihoodRatio { statistic, df, p: chi_square_sf(statistic, df.max(1)) }
}
