//! How the numbers of a comparison are written.

use crate::report::numbers::{censored, count, percent};
use crate::results::comparison::{Coverage, MedianTime, Ratio};
use crate::results::intervals::Share;

/// `62.0 %`
pub(in crate::report) fn share(share: &Share) -> String {
    percent(share.share)
}

/// `(48.2–74.1 %)`
pub(in crate::report) fn share_interval(share: &Share) -> String {
    let low = percent(share.low);
    format!("({}–{})", low.trim_end_matches(['%', '\u{202f}']), percent(share.high))
}

/// `1 234`, or `> 10 000` where most searches ended without it.
pub(in crate::report) fn time(time: &MedianTime) -> String {
    censored(time.median, time.end)
}

/// `(980–1 520)`, or `(980–∞)`; nothing of a single seed.
pub(in crate::report) fn time_interval(time: &MedianTime) -> String {
    let bound = |bound: Option<u64>| bound.map_or_else(|| "∞".to_owned(), count);
    match time.interval {
        None => String::new(),
        Some((None, _)) => "(beyond)".to_owned(),
        Some((low, high)) => format!("({}–{})", bound(low), bound(high)),
    }
}

/// `12.3`, `≥ 12.3`, `≤ 0.1`, or `–` where nothing is known.
pub(in crate::report) fn ratio(ratio: &Ratio) -> String {
    match ratio.high {
        Some(high) if ratio.low == high => factor(high),
        Some(high) => format!("≤ {}", factor(high)),
        None if ratio.low > 0.0 => format!("≥ {}", factor(ratio.low)),
        None => "–".to_owned(),
    }
}

/// `(8.1–16.4)`, or `(8.1–∞)`.
pub(in crate::report) fn ratio_interval(interval: Option<Ratio>) -> String {
    match interval {
        None => String::new(),
        Some(Ratio { low, high }) => {
            let high = high.map_or_else(|| "∞".to_owned(), factor);
            format!("({}–{high})", factor(low))
        }
    }
}

/// Two digits after the point below 1, one up to 100, none above.
fn factor(value: f64) -> String {
    if value < 1.0 {
        format!("{value:.2}")
    } else if value < 100.0 {
        format!("{value:.1}")
    } else {
        count(libm::round(value) as u64)
    }
}

/// `0.0079`, `< 0.0001`.
pub(in crate::report) fn p_value(p: Option<f64>) -> String {
    match p {
        None => "–".to_owned(),
        Some(p) if p < 0.0001 => "< 0.0001".to_owned(),
        Some(p) if p < 0.1 => format!("{p:.4}"),
        Some(p) => format!("{p:.2}"),
    }
}

/// `46 of 50`
pub(in crate::report) fn coverage(coverage: &Coverage) -> String {
    format!("{} of {}", coverage.count(), coverage.pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_not_written_as_a_number() {
        let known = |low, high| ratio(&Ratio { low, high });
        assert_eq!(known(12.34, Some(12.34)), "12.3");
        assert_eq!(known(12.34, None), "≥ 12.3");
        assert_eq!(known(0.0, Some(0.05)), "≤ 0.05");
        assert_eq!(known(0.0, None), "–");
        assert_eq!(ratio_interval(Some(Ratio { low: 8.0, high: None })), "(8.0–∞)");
        let median = MedianTime {
            median: None,
            interval: Some((Some(1200), None)),
            reached: 1,
            of: 5,
            end: 5000,
        };
        assert_eq!(time(&median), "> 5\u{2009}000");
        assert_eq!(time_interval(&median), "(1\u{2009}200–∞)");
        assert_eq!(
            time_interval(&MedianTime { interval: Some((None, None)), ..median }),
            "(beyond)"
        );
        assert_eq!(p_value(Some(0.00793)), "0.0079");
        assert_eq!(p_value(Some(1e-9)), "< 0.0001");
        let half = Share { count: 1, of: 2, share: 0.5, low: 0.0945, high: 0.9055 };
        assert_eq!(share_interval(&half), "(9.4–90.5\u{202f}%)");
    }
}
