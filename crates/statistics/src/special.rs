//! Distribution functions and their inverses, on `libm` so that every machine agrees.

use libm::{erfc, exp, lgamma, log, log1p, sqrt};

/// Inverse of [`logit`], in (0, 1), without overflow.
pub fn expit(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + exp(-x))
    } else {
        let e = exp(x);
        e / (1.0 + e)
    }
}

/// Log-odds of a probability in (0, 1).
pub fn logit(p: f64) -> f64 {
    log(p) - log1p(-p)
}

/// Logarithm of the beta function, for positive arguments.
pub fn ln_beta(a: f64, b: f64) -> f64 {
    lgamma(a) + lgamma(b) - lgamma(a + b)
}

/// Regularized incomplete beta function `I_x(a, b)`, the distribution function of
/// Beta(a, b): continued fraction by the modified Lentz method (Press et al., Numerical
/// Recipes, 6.4). `a` and `b` positive; `x` is clamped to [0, 1].
pub fn beta_cdf(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let front = exp(a * log(x) + b * log1p(-x) - ln_beta(a, b));
    if x < (a + 1.0) / (a + b + 2.0) {
        front * beta_fraction(a, b, x) / a
    } else {
        1.0 - front * beta_fraction(b, a, 1.0 - x) / b
    }
}

fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    // The fraction needs of the order of sqrt(max(a, b)) terms: enough for 1e8 answers.
    const TERMS: u32 = 100_000;
    let guard = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / guard(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    for m in 1..TERMS {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut factor = 1.0;
        for term in [even, odd] {
            d = 1.0 / guard(1.0 + term * d);
            c = guard(1.0 + term / c);
            factor = d * c;
            fraction *= factor;
        }
        if (factor - 1.0).abs() < 1e-16 {
            break;
        }
    }
    fraction
}

/// Quantile of Beta(a, b): Newton steps kept inside a shrinking bracket.
pub fn beta_quantile(a: f64, b: f64, p: f64) -> f64 {
    if p <= 0.0 {
        return 0.0;
    }
    if p >= 1.0 {
        return 1.0;
    }
    let (mut low, mut high) = (0.0, 1.0);
    let mut x = a / (a + b);
    for _ in 0..200 {
        let excess = beta_cdf(a, b, x) - p;
        if excess > 0.0 {
            high = x;
        } else {
            low = x;
        }
        let density = exp((a - 1.0) * log(x) + (b - 1.0) * log1p(-x) - ln_beta(a, b));
        let newton = x - excess / density;
        let next = if newton > low && newton < high { newton } else { 0.5 * (low + high) };
        if (next - x).abs() <= 1e-16 * x {
            return next;
        }
        x = next;
    }
    x
}

/// P(Z <= z) of the standard normal.
pub fn normal_cdf(z: f64) -> f64 {
    0.5 * erfc(-z / std::f64::consts::SQRT_2)
}

/// Quantile of the standard normal: the rational start of Hastings (Abramowitz and Stegun
/// 26.2.23), polished by Halley steps. Infinite at 0 and 1.
pub fn normal_quantile(p: f64) -> f64 {
    if p <= 0.0 {
        return f64::NEG_INFINITY;
    }
    if p >= 1.0 {
        return f64::INFINITY;
    }
    let tail = p.min(1.0 - p);
    let t = sqrt(-2.0 * log(tail));
    let mut z = (2.515517 + t * (0.802853 + t * 0.010328))
        / (1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308)))
        - t;
    for _ in 0..3 {
        let density = exp(-0.5 * z * z) / sqrt(2.0 * std::f64::consts::PI);
        let step = (normal_cdf(z) - tail) / density;
        z -= step / (1.0 + 0.5 * z * step);
    }
    if p < 0.5 { z } else { -z }
}

/// P(T > t) of Student's t with `df` degrees of freedom (any positive real).
pub fn student_sf(t: f64, df: f64) -> f64 {
    // From 1e7 degrees of freedom on, the difference to the normal is below 1e-8.
    if df > 1e7 {
        return normal_cdf(-t);
    }
    let tail = 0.5 * beta_cdf(0.5 * df, 0.5, df / (df + t * t));
    if t >= 0.0 { tail } else { 1.0 - tail }
}

/// Quantile of Student's t with `df` degrees of freedom.
pub fn student_quantile(p: f64, df: f64) -> f64 {
    if df > 1e7 {
        return normal_quantile(p);
    }
    let inside = beta_quantile(0.5, 0.5 * df, (2.0 * p - 1.0).abs());
    let t = sqrt(df * inside / (1.0 - inside));
    if p < 0.5 { -t } else { t }
}

/// P(X > x) of chi-square with `df` = 1 or 2, or any other positive integer by the
/// two-step recurrence.
pub fn chi_square_sf(x: f64, df: u32) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    let half = 0.5 * x;
    let (mut tail, mut k) =
        if df.is_multiple_of(2) { (exp(-half), 2) } else { (erfc(sqrt(half)), 1) };
    while k < df {
        let shape = 0.5 * f64::from(k);
        tail += exp(shape * log(half) - half - lgamma(shape + 1.0));
        k += 2;
    }
    tail
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_undo_distribution_functions() {
        for p in [1e-12, 1e-4, 0.025, 0.3, 0.5, 0.8, 0.999] {
            assert!((normal_cdf(normal_quantile(p)) - p).abs() < 1e-14 * p.max(1e-2));
            for (a, b) in [(0.5, 0.5), (1.0, 1.0), (3.0, 40.0), (900.0, 100.0), (2e4, 3e5)] {
                let error = (beta_cdf(a, b, beta_quantile(a, b, p)) - p).abs();
                assert!(error < 1e-10, "{a} {b} {p}: {error:e}");
            }
            for df in [1.0, 3.7, 19.0, 1e4, 1e8] {
                let error = (1.0 - student_sf(student_quantile(p, df), df) - p).abs();
                assert!(error < 1e-10, "{df} {p}: {error:e}");
            }
        }
        for x in [-30.0, -1.0, 0.0, 2.0, 30.0] {
            assert!((logit(expit(x)) - x).abs() < 1e-2 * f64::from(x > 20.0) + 1e-12);
        }
    }
}
