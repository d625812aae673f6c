//! Common logarithm that the compiler can run on several lanes at once.

/// log10 of 2, split so that the product with any binary exponent is exact in the high part.
const LOG10_2_HIGH: f64 = f64::from_bits(0x3FD3_4413_509F_6000);
const LOG10_2_LOW: f64 = 3.694_239_077_158_931e-13;

/// log10 of a positive normal number, to 2e-16 relative to the larger of 1 and the result.
///
/// Without a branch, a table or a library call, so that a loop over it is vectorized; the
/// bits of the result are the same on every instruction set. The argument is split into
/// `m * 2^e` with m in [sqrt(1/2), sqrt(2)), and `ln m = 2 atanh((m - 1) / (m + 1))` is
/// summed as its Taylor series. Zero, subnormal, negative and non-finite arguments give a
/// meaningless number.
#[inline(always)]
pub(crate) fn log10(x: f64) -> f64 {
    // Subtracting the bits of sqrt(1/2) moves the exponent's carry to where m crosses it.
    const SQRT_HALF: u64 = std::f64::consts::FRAC_1_SQRT_2.to_bits();
    let shifted = x.to_bits().wrapping_sub(SQRT_HALF);
    let exponent = f64::from((shifted as i64 >> 52) as i32);
    let m = f64::from_bits((shifted & ((1 << 52) - 1)).wrapping_add(SQRT_HALF));

    let s = (m - 1.0) / (m + 1.0);
    let t = s * s;
    // sum of t^i / (2i + 3), i = 0..=8: what is left out is below 1e-16
    let mut series = 1.0 / 19.0;
    for odd in [17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0] {
        series = series * t + 1.0 / odd;
    }
    let ln_m = 2.0 * (s + s * t * series);
    exponent * LOG10_2_HIGH + (exponent * LOG10_2_LOW + ln_m * std::f64::consts::LOG10_E)
}

#[cfg(test)]
mod tests {
    use super::log10;

    #[test]
    fn agrees_with_libm_over_the_whole_range() {
        let mut worst = 0.0f64;
        let mut x = 1e-300;
        while x < 1e300 {
            let expected = libm::log10(x);
            worst = worst.max((log10(x) - expected).abs() / expected.abs().max(1.0));
            x *= 1.000_37;
        }
        assert!(worst < 4e-16, "{worst:e}");
    }

    #[test]
    fn is_exact_at_one_and_close_around_it() {
        assert_eq!(log10(1.0), 0.0);
        for x in [1.0 + 1e-9, 1.0 - 1e-9, 0.5f64.sqrt(), 2f64.sqrt()] {
            let error = (log10(x) - libm::log10(x)).abs();
            assert!(error <= 2e-16 * libm::log10(x).abs().max(1e-9), "{x}: {error:e}");
        }
    }
}
