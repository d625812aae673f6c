//! Log-odds and posteriors: the search works on the former, people read the latter.

use crate::error::{Error, Result};

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
