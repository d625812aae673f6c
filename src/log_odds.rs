//! Log-odds and posteriors: the search works on the former, people read the latter.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// What kind of number a victim's posterior is; shown wherever one is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PosteriorKind {
    /// 1 / (1 + exp(-2 F)) of a class' vote F: one per class, does not sum to 1
    /// (AdaBoost.MH).
    LogisticOfVote,
    /// The same of votes divided by the sum of their weights.
    LogisticOfNormalizedVote,
    /// Share of exp(logit) among all classes: sums to 1.
    Softmax,
    /// How much nearer than the worst class a class' part of a sparse code comes to the
    /// input, as a share of all classes': sums to 1, 0 for the worst (sparse representation).
    ResidualConfidence,
    /// 1 / (1 + exp(-x)) of the log-odds x that the victim states itself.
    Stated,
    /// 1 / (1 + exp(-x)) of the logit x of a tag, whatever the other tags are: several tags may hold of
    /// one input (nets that end in sigmoids).
    Sigmoid,
}

/// How many classes a victim may name for one input.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Labelling {
    /// One, its label: the class of the highest log-odds. An exact tie is none.
    #[default]
    Single,
    /// Every class (tag) whose log-odds are at its threshold, whatever the others are.
    Multi,
}

impl Labelling {
    /// Whether it is [`Labelling::Single`], as of most victims.
    pub fn is_single(&self) -> bool {
        *self == Self::Single
    }

    /// How far an input with these log-odds is from losing `class` to another one: its [`lead`];
    /// infinite where classes do not exclude each other.
    pub fn lead(self, log_odds: &[f64], class: usize) -> f64 {
        match self {
            Self::Single => lead(log_odds, class),
            Self::Multi => f64::INFINITY,
        }
    }
}

impl PosteriorKind {
    /// Default of the posterior that an exhibit must reach.
    ///
    /// 0.999 is Sturm's (2012) for votes. A residual confidence shares 1 among all classes,
    /// and comes near to it only where all but one are equally bad, as for a copy of a
    /// training excerpt. What Sturm asked of that system is not known; 0.5 is our choice:
    /// more confidence than all other classes together.
    pub fn default_threshold(self) -> f64 {
        match self {
            Self::LogisticOfVote
            | Self::LogisticOfNormalizedVote
            | Self::Softmax
            | Self::Stated
            | Self::Sigmoid => 0.999,
            Self::ResidualConfidence => 0.5,
        }
    }

    /// How many classes such a victim may name for one input.
    pub fn labelling(self) -> Labelling {
        match self {
            Self::Sigmoid => Labelling::Multi,
            _ => Labelling::Single,
        }
    }
}

/// Posterior of a log-odds: 1 / (1 + exp(-log_odds)), in [0, 1].
pub fn posterior_from_log_odds(log_odds: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-log_odds))
}

/// Log-odds of a posterior in (0, 1): ln(p / (1 - p)).
pub fn log_odds_from_posterior(posterior: f64) -> f64 {
    libm::log(posterior / (1.0 - posterior))
}

/// Class of the highest log-odds; `None` where two are exactly the highest, or there is none.
pub fn label(log_odds: &[f64]) -> Option<usize> {
    let (top, _) = log_odds.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1))?;
    (lead(log_odds, top) > 0.0).then_some(top)
}

/// How far the log-odds of `class` lie above the highest of the other classes: positive where
/// `class` is the [`label`], negative where it is not, 0 in a tie; infinite for a single class.
pub fn lead(log_odds: &[f64], class: usize) -> f64 {
    let others = log_odds.iter().enumerate().filter(|&(other, _)| other != class);
    let next = others.map(|(_, &value)| value).fold(f64::NEG_INFINITY, f64::max);
    log_odds[class] - next
}

/// Rejects levels outside (0, 1).
///
/// # Errors
/// [`Error::Request`] outside (0, 1).
pub fn check_level(level: f64) -> Result<()> {
    if level > 0.0 && level < 1.0 {
        return Ok(());
    }
    Err(Error::request(
        format!("level = {level}"),
        "give a level between 0 and 1, such as 0.5: above half of the genuine items of the class",
    ))
}

/// Rejects thresholds outside (0, 1).
///
/// # Errors
/// [`Error::Request`] outside (0, 1).
pub fn check_threshold(posterior: f64) -> Result<()> {
    if posterior > 0.0 && posterior < 1.0 {
        return Ok(());
    }
    Err(Error::request(
        format!("threshold = {posterior}"),
        "give a posterior between 0 and 1, such as 0.999",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_label_is_the_class_of_the_highest_score_and_a_tie_is_none() {
        assert_eq!(label(&[0.5, 2.0, -1.0]), Some(1));
        assert_eq!(label(&[2.0, 2.0, -1.0]), None);
        assert_eq!(label(&[2.0, 2.0, 3.0]), Some(2));
        assert_eq!(label(&[-4.0]), Some(0));
        assert_eq!(label(&[]), None);
        assert_eq!(label(&[f64::NAN, f64::NAN]), None);
        assert_eq!(lead(&[0.5, 2.0, -1.0], 1), 1.5);
        assert_eq!(lead(&[0.5, 2.0, -1.0], 2), -3.0);
    }

    #[test]
    fn each_undoes_the_other() {
        for posterior in [1e-9, 0.1, 0.5, 0.999, 0.9999] {
            let back = posterior_from_log_odds(log_odds_from_posterior(posterior));
            approx::assert_relative_eq!(back, posterior, max_relative = 1e-12);
        }
        // 0.999 in log-odds: 2 f at the vote f = ln(999) / 2 that a summed vote must reach.
        approx::assert_relative_eq!(
            log_odds_from_posterior(0.999),
            999.0_f64.ln(),
            max_relative = 1e-12
        );
    }
}
