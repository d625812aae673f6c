//! What posteriors are worth on genuine items, before and after calibration.

use serde::{Deserialize, Serialize};
use trompe_base::random::{stream, uniform};
use trompe_statistics::Interval;
use trompe_statistics::bootstrap::percentile_interval;
use trompe_statistics::groups::resampled_interval;

use super::map_choice::MapChoice;
use super::scored_items::Item;
use super::share::{CONFIDENCE, RESAMPLES, SEED};
use super::{CalibrationMap, MapComparison, ScoredItems, Temperature, VectorScaling};
use crate::log_odds::{label, posterior_from_log_odds};

/// Bins of equal width of the expected calibration error (Guo et al. 2017).
const BINS: usize = 15;
/// Simulations of perfect calibration.
const SIMULATIONS: u64 = 999;
/// Key of their random streams.
const STREAM: u64 = 0x6361_6c69;
/// Least posterior in a logarithm: a raw posterior can round to 0.
const LEAST: f64 = 1e-300;

/// Posteriors against what happened, each item's map fitted on other groups.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CalibrationReport {
    /// Temperature of all items, as delivered; `None` where vector scaling is delivered, and for
    /// posteriors without a map.
    pub temperature: Option<Temperature>,
    /// Vector scaling of all items, where it is delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vector_scaling: Option<VectorScaling>,
    /// Vector scaling against one temperature; `None` where vector scaling was not tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparison: Option<MapComparison>,
    /// Items.
    pub items: usize,
    /// Mean negative log-likelihood of raw posteriors, divided by their sum.
    pub nll_raw: f64,
    /// Its 95 % interval by resampling groups, as of the others.
    pub nll_raw_interval: Option<Interval>,
    /// Of calibrated posteriors.
    pub nll: Option<f64>,
    /// Its interval.
    pub nll_interval: Option<Interval>,
    /// Of a classifier that knows nothing: the logarithm of the number of classes.
    pub nll_uniform: f64,
    /// Expected calibration error of the highest raw posterior, divided by the sum.
    pub ece_raw: f64,
    /// Its interval.
    pub ece_raw_interval: Option<Interval>,
    /// Of the highest calibrated posterior.
    pub ece: Option<f64>,
    /// Its interval.
    pub ece_interval: Option<Interval>,
    /// 95 % of perfectly calibrated classifiers with these posteriors and this number of items lie
    /// in here: an ECE is never 0.
    pub ece_band: Option<Interval>,
    /// The reliability diagram of raw posteriors.
    pub bins_raw: Vec<Bin>,
    /// Of calibrated ones.
    pub bins: Vec<Bin>,
}

/// Items whose highest posterior lies in one bin.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    /// Their number.
    pub items: usize,
    /// Mean of their highest posteriors.
    pub posterior: f64,
    /// Share whose label is right.
    pub right: f64,
}

/// What is known of one item.
#[derive(Clone, Copy)]
struct Claim {
    /// Negative log-likelihood of its class.
    loss: f64,
    /// The highest posterior.
    top: f64,
    right: bool,
    group: usize,
}

impl CalibrationReport {
    /// Of items that the classifier did not see in training, with the map that they choose.
    pub fn of(scored: &ScoredItems<'_>) -> Self {
        Self::with(scored, MapChoice::of(scored))
    }

    /// The same with a map that was chosen before.
    pub fn delivering(scored: &ScoredItems<'_>, map: Option<&CalibrationMap>) -> Self {
        let choice = MapChoice::of(scored);
        Self::with(scored, choice.zip(map).map(|(choice, map)| choice.delivering(scored, map)))
    }

    /// The map that is delivered.
    pub fn map(&self) -> Option<CalibrationMap> {
        CalibrationMap::of_fields(self.temperature, self.vector_scaling.clone())
    }

    fn with(scored: &ScoredItems<'_>, choice: Option<MapChoice>) -> Self {
        let raw: Vec<Claim> = scored.grouped().map(raw_claim).collect();
        let calibrated = choice.as_ref().and_then(|choice| calibrated(scored, choice));
        let groups = scored.groups.count();
        let interval = |claims: &[Claim], statistic: fn(&[Claim], &[f64]) -> Option<f64>| {
            let strata = [(0..groups).collect()];
            resampled_interval(&strata, CONFIDENCE, RESAMPLES, SEED, |w| statistic(claims, w))
        };
        let alike = vec![1.0; groups];
        let of = |claims: &[Claim], statistic: fn(&[Claim], &[f64]) -> Option<f64>| {
            statistic(claims, &alike).unwrap_or(f64::NAN)
        };
        let after = calibrated.as_deref();
        let map = choice.as_ref().map(|choice| &choice.map);
        Self {
            temperature: map.and_then(CalibrationMap::temperature).copied(),
            vector_scaling: map.and_then(CalibrationMap::vector_scaling).cloned(),
            comparison: choice.as_ref().and_then(|choice| choice.comparison),
            items: raw.len(),
            nll_raw: of(&raw, mean_loss),
            nll_raw_interval: interval(&raw, mean_loss),
            nll: after.map(|claims| of(claims, mean_loss)),
            nll_interval: after.and_then(|claims| interval(claims, mean_loss)),
            nll_uniform: libm::log(scored.classes as f64),
            ece_raw: of(&raw, calibration_error),
            ece_raw_interval: interval(&raw, calibration_error),
            ece: after.map(|claims| of(claims, calibration_error)),
            ece_interval: after.and_then(|claims| interval(claims, calibration_error)),
            ece_band: after.and_then(perfect_band),
            bins_raw: bins(&raw),
            bins: after.map_or_else(Vec::new, bins),
        }
    }
}

/// The label is the victim's own: posteriors can round to the same number, and a tie is no label.
fn raw_claim((log_odds, class, group): Item<'_>) -> Claim {
    let posteriors = raw_posteriors(log_odds);
    let loss = -libm::log(posteriors[class].max(LEAST));
    Claim { loss, top: highest(&posteriors), right: label(log_odds) == Some(class), group }
}

fn highest(posteriors: &[f64]) -> f64 {
    posteriors.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

/// Posteriors divided by their sum.
fn raw_posteriors(log_odds: &[f64]) -> Vec<f64> {
    let mut posteriors: Vec<f64> = log_odds.iter().map(|&x| posterior_from_log_odds(x)).collect();
    let sum: f64 = posteriors.iter().sum();
    match sum > 0.0 {
        true => posteriors.iter_mut().for_each(|posterior| *posterior /= sum),
        false => posteriors.fill(1.0 / log_odds.len() as f64),
    }
    posteriors
}

/// Each item by the map of the other folds' groups.
fn calibrated(scored: &ScoredItems<'_>, choice: &MapChoice) -> Option<Vec<Claim>> {
    let claim = |(log_odds, class, group): Item<'_>| {
        let map = choice.held_out(group)?;
        Some(Claim {
            loss: map.loss(log_odds, class)?,
            top: highest(&map.posteriors(log_odds)),
            right: map.label(log_odds) == Some(class),
            group,
        })
    };
    scored.grouped().map(claim).collect()
}

fn mean_loss(claims: &[Claim], weights: &[f64]) -> Option<f64> {
    let total: f64 = claims.iter().map(|claim| weights[claim.group]).sum();
    let loss: f64 = claims.iter().map(|claim| weights[claim.group] * claim.loss).sum();
    (total > 0.0).then_some(loss / total)
}

/// Expected calibration error: mean over bins, weighted by their items, of how far the share that
/// is right lies from the mean posterior.
fn calibration_error(claims: &[Claim], weights: &[f64]) -> Option<f64> {
    let mut gaps = [0.0; BINS];
    let mut total = 0.0;
    for claim in claims {
        let weight = weights[claim.group];
        gaps[bin(claim.top)] += weight * (f64::from(u8::from(claim.right)) - claim.top);
        total += weight;
    }
    (total > 0.0).then(|| gaps.iter().map(|gap| gap.abs()).sum::<f64>() / total)
}

fn bin(posterior: f64) -> usize {
    ((posterior * BINS as f64) as usize).min(BINS - 1)
}

/// Where the ECE of a perfectly calibrated classifier with these posteriors lies.
fn perfect_band(claims: &[Claim]) -> Option<Interval> {
    let simulated = |simulation| {
        let mut rng = stream(SEED, STREAM, simulation, 0);
        let draw =
            |claim: &Claim| Claim { right: uniform(&mut rng) < claim.top, group: 0, ..*claim };
        let drawn: Vec<Claim> = claims.iter().map(draw).collect();
        calibration_error(&drawn, &[1.0])
    };
    percentile_interval((0..SIMULATIONS).filter_map(simulated).collect(), CONFIDENCE)
}

fn bins(claims: &[Claim]) -> Vec<Bin> {
    let mut bins = vec![Bin { items: 0, posterior: 0.0, right: 0.0 }; BINS];
    for claim in claims {
        let bin = &mut bins[bin(claim.top)];
        bin.items += 1;
        bin.posterior += claim.top;
        bin.right += f64::from(u8::from(claim.right));
    }
    for bin in &mut bins {
        let items = bin.items.max(1) as f64;
        (bin.posterior, bin.right) = (bin.posterior / items, bin.right / items);
    }
    bins
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use trompe_base::random::normal;

    use super::super::tests::{item, reference};
    use super::*;

    #[test]
    fn overconfidence_is_seen_and_removed() {
        let mut rng = stream(3, 0, 0, 0);
        let items = (0..3_000)
            .map(|n| {
                let t = 1.5 * normal(&mut rng);
                let class = usize::from(uniform(&mut rng) < posterior_from_log_odds(t));
                item(class, Some(&format!("{}", n / 2)), &[-8.0 * t, 8.0 * t])
            })
            .collect();
        let report = reference(2, items).calibration();
        assert!(report.nll_raw > report.nll_uniform, "{report:?}");
        assert!(report.nll.unwrap() < report.nll_uniform);
        assert!(report.ece_raw > 0.1);
        let band = report.ece_band.unwrap();
        assert!(band.low > 0.0 && report.ece.unwrap() < 1.5 * band.high, "{report:?}");
        assert!(report.nll_interval.unwrap().contains(report.nll.unwrap()));
        assert_eq!(report.bins.iter().map(|bin| bin.items).sum::<usize>(), 3_000);
    }

    #[test]
    fn counted_by_hand() {
        // Two items claim 0.9 and 0.7; the first is right: gaps of 0.1 and 0.7, halved.
        let claims = [(0.9, true), (0.7, false)].map(|(top, right)| Claim {
            loss: 1.0,
            top,
            right,
            group: 0,
        });
        assert!((calibration_error(&claims, &[1.0]).unwrap() - 0.4).abs() < 1e-12);
        let raw = raw_posteriors(&[0.0, 0.0, 0.0]);
        assert!(raw.iter().all(|posterior| (posterior - 1.0 / 3.0).abs() < 1e-12));
    }
}
