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

/// Class of the highest log-odds; `None` where two are exactly the highest.
pub fn label(log_odds: &[f64]) -> Option<usize> {
    let highest = log_odds.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut at_the_top = (0..log_odds.len()).filter(|&class| log_odds[class] == highest);
    at_the_top.next().filter(|_| at_the_top.next().is_none())
}

/// Refuses a posterior that nothing can be held to.
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
    fn exactly_equal_top_scores_are_no_label() {
        assert_eq!(label(&[-3.0, 8.0, 7.999_999_999]), Some(1));
        assert_eq!(label(&[8.0, -3.0, 8.0]), None);
        assert_eq!(label(&[-3.0, -3.0, -2.0]), Some(2));
        assert_eq!(label(&[]), None);
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
