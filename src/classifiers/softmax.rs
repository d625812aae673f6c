//! Log-odds of a softmax, without the saturation of the posterior itself.

/// Writes ln(p / (1 - p)) of every class' softmax posterior p to `out`: the class' logit less
/// the log-sum-exp of all others. Two classes at least; finite for finite logits.
///
/// # Panics
/// If the slices differ in length.
pub fn softmax_log_odds(logits: &[f32], out: &mut [f64]) {
    assert_eq!(logits.len(), out.len());
    let top = (0..logits.len()).fold(0, |top, i| if logits[i] > logits[top] { i } else { top });
    let others = || (0..logits.len()).filter(|&i| i != top);
    let peak = f64::from(logits[top]);
    let second = others().map(|i| f64::from(logits[i])).fold(f64::NEG_INFINITY, f64::max);
    let sum_of_others: f64 = others().map(|i| libm::exp(f64::from(logits[i]) - second)).sum();
    // Every other class' rest holds the top class, so subtracting its own share cancels little.
    let sum: f64 = 1.0 + libm::exp(second - peak) * sum_of_others;
    for (i, (&logit, out)) in logits.iter().zip(out).enumerate() {
        let logit = f64::from(logit);
        *out = if i == top {
            peak - second - libm::log(sum_of_others)
        } else {
            logit - peak - libm::log(sum - libm::exp(logit - peak))
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_definition() {
        let logits = [1.0_f32, -2.0, 0.5, 3.0];
        let mut out = [0.0; 4];
        softmax_log_odds(&logits, &mut out);
        let sum: f64 = logits.iter().map(|&z| libm::exp(z.into())).sum();
        for (&z, &found) in logits.iter().zip(&out) {
            let p = libm::exp(z.into()) / sum;
            approx::assert_relative_eq!(found, libm::log(p / (1.0 - p)), max_relative = 1e-12);
        }
    }

    #[test]
    fn stays_exact_where_the_posterior_is_one() {
        let mut out = [0.0; 3];
        softmax_log_odds(&[500.0, 1.0, 0.0], &mut out);
        approx::assert_relative_eq!(out[0], 499.0 - libm::log1p(libm::exp(-1.0)), epsilon = 1e-12);
        approx::assert_relative_eq!(out[1], -499.0, epsilon = 1e-12);
        // Equal logits of two classes are even odds.
        let mut even = [1.0; 2];
        softmax_log_odds(&[-7.5, -7.5], &mut even);
        assert_eq!(even, [0.0, 0.0]);
        // Ties at the top among many.
        let mut tied = [0.0; 10];
        softmax_log_odds(&[80.0; 10], &mut tied);
        for log_odds in tied {
            approx::assert_relative_eq!(log_odds, -libm::log(9.0), max_relative = 1e-12);
        }
    }
}
