//! Formats numbers for people. Posteriors are truncated, so that none is rounded up to 1.

use trompe_base::words::plural;

use crate::exhibits::names::truncated;

/// A posterior with as many digits as its distance from 1 needs: 0.5312, 0.99970, 0.999983.
pub(super) fn posterior(value: f64) -> String {
    let rest = 1.0 - value;
    if !value.is_finite() {
        return "not a number".into();
    }
    if value > 0.0 && value < 0.0001 {
        return "< 0.0001".into();
    }
    if rest <= 0.0 {
        return "> 1 − 10⁻¹⁶".into();
    }
    // Show two significant digits of 1 - posterior, with 4 to 9 decimals.
    let digits = (1 - libm::floor(libm::log10(rest)) as i64).clamp(4, 9) as usize;
    if rest < 1e-9 { "> 1 − 10⁻⁹".into() } else { truncated(value, digits) }
}

/// A count with thin spaces between thousands: 12 345 678.
pub(super) fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push('\u{2009}');
        }
        text.push(digit);
    }
    text
}

/// A count with its noun, as [`trompe_base::words::counted`] has it.
pub(super) fn counted(value: u64, noun: &str) -> String {
    let noun = if value == 1 { noun.to_owned() } else { plural(noun) };
    format!("{} {noun}", count(value))
}

/// A share in percent with the digits a small one needs: 54.2 %, 0.31 %, 0.0012 %.
pub(super) fn percent(share: f64) -> String {
    let value = 100.0 * share;
    let digits = if value == 0.0 || value >= 10.0 {
        1
    } else {
        (1 - libm::floor(libm::log10(value)) as i64).clamp(1, 6) as usize
    };
    format!("{value:.digits$}\u{202f}%")
}

/// A count that may not have been reached: `1 234`, or `> 10 000` where the search ended.
pub(super) fn censored(reached: Option<u64>, end: u64) -> String {
    reached.map_or_else(|| format!("> {}", count(end)), count)
}

/// A threshold as it was given: 0.999.
pub(super) fn threshold(value: f64) -> String {
    value.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn posteriors_show_what_is_missing_to_certainty() {
        for (value, text) in [
            (0.53125, "0.5312"),
            (0.999, "0.9990"),
            (0.99979, "0.99979"),
            (0.9999837, "0.999983"),
            (0.00004, "< 0.0001"),
            (0.0, "0.0000"),
            (1.0, "> 1 − 10⁻¹⁶"),
            (1.0 - 1e-12, "> 1 − 10⁻⁹"),
            (f64::NAN, "not a number"),
        ] {
            assert_eq!(posterior(value), text);
        }
        assert!(posterior(0.99899999).as_str() < "0.999");
    }

    #[test]
    fn counts_and_shares_are_readable() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_234_567), "1\u{2009}234\u{2009}567");
        assert_eq!(censored(None, 1000), "> 1\u{2009}000");
        assert_eq!(percent(0.0), "0.0\u{202f}%");
        assert_eq!(percent(0.5417), "54.2\u{202f}%");
        assert_eq!(percent(0.0031), "0.31\u{202f}%");
        assert_eq!(percent(0.000012), "0.0012\u{202f}%");
        assert_eq!(percent(1.0), "100.0\u{202f}%");
    }
}
