//! Rank statistics.

use libm::sqrt;

use crate::Undefined;
use crate::special::{normal_cdf, student_sf};

/// Ranks from 1; tied values share their mean rank. Also the tie term: sum of t^3 - t.
fn ranks(values: &[f64]) -> (Vec<f64>, f64) {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut ties = 0.0;
    let mut start = 0;
    for tied in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let size = tied.len() as f64;
        for &place in tied {
            ranks[place] = start as f64 + 0.5 * (size + 1.0);
        }
        ties += size * size * size - size;
        start += tied.len();
    }
    (ranks, ties)
}

/// What the Mann-Whitney test found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MannWhitney {
    /// Pairs in which the first sample is larger; ties count half.
    pub u: f64,
    /// Two-sided p-value.
    pub p: f64,
}

/// Mann-Whitney U of two independent samples, two-sided. Exact if a sample has 8 values or
/// fewer and nothing is tied, else the normal approximation with tie and continuity
/// correction (the rule of SciPy).
///
/// # Errors
/// [`Undefined`] if a sample is empty or holds NaN.
pub fn mann_whitney(first: &[f64], second: &[f64]) -> Result<MannWhitney, Undefined> {
    if first.is_empty() || second.is_empty() {
        return Err(Undefined("a sample is empty"));
    }
    let all = [first, second].concat();
    if all.iter().any(|value| value.is_nan()) {
        return Err(Undefined("a value is not a number"));
    }
    let (ranks, ties) = ranks(&all);
    let (n1, n2) = (first.len() as f64, second.len() as f64);
    let u = ranks[..first.len()].iter().sum::<f64>() - 0.5 * n1 * (n1 + 1.0);
    let larger = u.max(n1 * n2 - u);
    let p = if first.len().min(second.len()) <= 8 && ties == 0.0 {
        2.0 * exact_tail(first.len(), second.len(), larger as usize)
    } else {
        let n = n1 + n2;
        let variance = n1 * n2 / 12.0 * (n + 1.0 - ties / (n * (n - 1.0)));
        if variance <= 0.0 {
            return Ok(MannWhitney { u, p: 1.0 });
        }
        2.0 * normal_cdf(-(larger - 0.5 * n1 * n2 - 0.5) / sqrt(variance))
    };
    Ok(MannWhitney { u, p: p.min(1.0) })
}

/// P(U >= u) without ties, by counting arrangements: the generating function is the
/// Gaussian binomial coefficient, built one factor (1 - q^(b+i)) / (1 - q^i) at a time.
fn exact_tail(n1: usize, n2: usize, u: usize) -> f64 {
    let (few, many) = (n1.min(n2), n1.max(n2));
    let size = n1 * n2 + 1;
    let mut counts = vec![0.0; size];
    counts[0] = 1.0;
    for i in 1..=few {
        for k in (many + i..size).rev() {
            counts[k] -= counts[k - many - i];
        }
        for k in i..size {
            counts[k] += counts[k - i];
        }
    }
    let total: f64 = counts.iter().sum();
    counts[u.min(size)..].iter().sum::<f64>() / total
}

/// Differences up to which Wilcoxon's test counts every choice of signs (our choice).
const EXACT_SIGNS: usize = 200;

/// What Wilcoxon's signed-rank test found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SignedRank {
    /// Sum of the ranks of positive differences.
    pub w: f64,
    /// Two-sided p-value.
    pub p: f64,
}

/// Wilcoxon's signed-rank test of paired differences, two-sided. Zeros are left out
/// (Wilcoxon's own way) and ties share their mean rank. Up to 200 differences the p-value is
/// exact given the ranks, ties or not; beyond, the normal approximation with tie correction.
///
/// # Errors
/// [`Undefined`] without differences, or for NaN.
pub fn wilcoxon(differences: &[f64]) -> Result<SignedRank, Undefined> {
    if differences.is_empty() {
        return Err(Undefined("there are no pairs"));
    }
    if differences.iter().any(|value| value.is_nan()) {
        return Err(Undefined("a value is not a number"));
    }
    let differences: Vec<f64> = differences.iter().copied().filter(|&d| d != 0.0).collect();
    let sizes: Vec<f64> = differences.iter().map(|difference| difference.abs()).collect();
    let (ranks, ties) = ranks(&sizes);
    let positive = differences.iter().zip(&ranks).filter(|(difference, _)| **difference > 0.0);
    let w: f64 = positive.map(|(_, rank)| rank).sum();
    let p = if differences.len() <= EXACT_SIGNS {
        exact_signs(&ranks, w)
    } else {
        let n = differences.len() as f64;
        let variance = (n * (n + 1.0) * (2.0 * n + 1.0) - 0.5 * ties) / 24.0;
        2.0 * normal_cdf(-(w - 0.25 * n * (n + 1.0)).abs() / sqrt(variance))
    };
    Ok(SignedRank { w, p: p.min(1.0) })
}

/// Twice the smaller tail of the rank sum when every sign is a fair coin. Ranks are
/// multiples of one half, so doubled they count steps.
fn exact_signs(ranks: &[f64], w: f64) -> f64 {
    let steps: Vec<usize> = ranks.iter().map(|rank| (2.0 * rank) as usize).collect();
    let mut chances = vec![0.0; steps.iter().sum::<usize>() + 1];
    chances[0] = 1.0;
    for step in steps {
        for sum in (0..chances.len()).rev() {
            let from = if sum >= step { chances[sum - step] } else { 0.0 };
            chances[sum] = 0.5 * (chances[sum] + from);
        }
    }
    let place = ((2.0 * w) as usize).min(chances.len() - 1);
    let below: f64 = chances[..=place].iter().sum();
    let above: f64 = chances[place..].iter().sum();
    2.0 * below.min(above)
}

/// Spearman's rank correlation and its two-sided p-value (t approximation).
///
/// # Errors
/// [`Undefined`] for fewer than three pairs, NaN, or a constant side.
pub fn spearman(x: &[f64], y: &[f64]) -> Result<(f64, f64), Undefined> {
    let n = x.len().min(y.len());
    if n < 3 {
        return Err(Undefined("a rank correlation needs three pairs"));
    }
    if x.iter().chain(y).any(|value| value.is_nan()) {
        return Err(Undefined("a value is not a number"));
    }
    let (rx, ry) = (ranks(&x[..n]).0, ranks(&y[..n]).0);
    let mean = 0.5 * (n as f64 + 1.0);
    let product = |a: &[f64], b: &[f64]| -> f64 {
        a.iter().zip(b).map(|(a, b)| (a - mean) * (b - mean)).sum()
    };
    let spread = product(&rx, &rx) * product(&ry, &ry);
    if spread <= 0.0 {
        return Err(Undefined("all values of one side are equal"));
    }
    let rho = (product(&rx, &ry) / sqrt(spread)).clamp(-1.0, 1.0);
    let df = n as f64 - 2.0;
    let rest = 1.0 - rho * rho;
    let p = if rest <= 0.0 { 0.0 } else { 2.0 * student_sf(rho.abs() * sqrt(df / rest), df) };
    Ok((rho, p))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn exact_counts_by_hand() {
        // Two against two: the six orders give U = 0, 1, 2, 2, 3, 4.
        assert_eq!(exact_tail(2, 2, 0), 1.0);
        assert_eq!(exact_tail(2, 2, 2), 4.0 / 6.0);
        assert_eq!(exact_tail(2, 2, 4), 1.0 / 6.0);
        let test = mann_whitney(&[3.0, 4.0], &[1.0, 2.0]).unwrap();
        assert_eq!((test.u, test.p), (4.0, 1.0 / 3.0));
        assert_eq!(mann_whitney(&[1.0; 3], &[1.0; 3]).unwrap().p, 1.0);
        assert!(mann_whitney(&[], &[1.0]).is_err());
        assert!(mann_whitney(&[f64::NAN], &[1.0]).is_err());
    }

    #[test]
    fn signs_counted_by_hand() {
        // Three differences of one sign: 2 of the 8 ways to choose the signs are as extreme.
        assert_eq!(wilcoxon(&[1.0, 2.0, 3.0]).unwrap(), SignedRank { w: 6.0, p: 0.25 });
        // Zeros tell nothing; of two tied differences of both signs, no way is less extreme.
        assert_eq!(wilcoxon(&[0.0, 1.0, -1.0]).unwrap(), SignedRank { w: 1.5, p: 1.0 });
        assert_eq!(wilcoxon(&[0.0; 4]).unwrap().p, 1.0);
        assert!(wilcoxon(&[]).is_err() && wilcoxon(&[f64::NAN]).is_err());
    }

    #[test]
    fn spearman_knows_monotone_and_constant() {
        assert_eq!(spearman(&[1.0, 2.0, 9.0], &[1.0, 4.0, 5.0]).unwrap().0, 1.0);
        assert!(spearman(&[1.0, 1.0, 1.0], &[1.0, 4.0, 5.0]).is_err());
        assert!(spearman(&[1.0, 2.0], &[1.0, 2.0]).is_err());
    }
}
