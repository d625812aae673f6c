//! Numbers as the page shows them.

use trompe_statistics::Interval;

/// A share in percent.
pub(super) fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// An interval of a share in percent.
pub(super) fn range(interval: Interval) -> String {
    format!("{:.1} to {:.1} %", 100.0 * interval.low, 100.0 * interval.high)
}

/// A p-value with its name, as APA style writes it.
pub(super) fn p(value: f64) -> String {
    if value < 0.001 { "p < .001".to_owned() } else { format!("p = {}", p_value(value)) }
}

/// A p-value, as APA style writes it.
pub(super) fn p_value(value: f64) -> String {
    if value < 0.001 {
        return "< .001".to_owned();
    }
    format!("{value:.3}").trim_start_matches('0').to_owned()
}
