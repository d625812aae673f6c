//! What answer rows add up to.

use crate::answers::AnswerRow;

/// Whether the answer equals the truth.
pub(super) fn hit(row: &AnswerRow) -> bool {
    row.answer.as_deref() == Some(&row.truth)
}

/// Hits and answers of some rows.
pub(super) fn tally<'a>(rows: impl Iterator<Item = &'a AnswerRow>) -> (u64, u64) {
    rows.fold((0, 0), |(hits, total), row| (hits + u64::from(hit(row)), total + 1))
}

/// Median of milliseconds, in seconds.
pub(super) fn median(ms: impl Iterator<Item = u64>) -> Option<f64> {
    let mut sorted: Vec<f64> = ms.map(|ms| ms as f64 / 1000.0).collect();
    sorted.sort_by(f64::total_cmp);
    trompe_statistics::bootstrap::quantile(&sorted, 0.5)
}
