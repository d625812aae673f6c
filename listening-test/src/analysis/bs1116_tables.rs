//! The tables of grades of small impairments (BS.1116).

use super::bs1116::{Bs1116Condition, Bs1116Report, Expertise};
use super::report::Report;
use super::table::{Table, maybe, number, text};

pub(super) fn all(report: &Report) -> [Table; 2] {
    [conditions(report), screening(report)]
}

/// A row of a block.
type Of<'a, T> = (&'a Bs1116Report, &'a T);

fn conditions(report: &Report) -> Table {
    let rows = report.bs1116.iter().flat_map(|b| b.conditions.iter().map(move |c| (b, c)));
    Table::of::<Of<Bs1116Condition>>(
        "bs1116.csv",
        rows,
        &[
            ("block", "name of the block", |(b, _)| text(&b.block)),
            ("condition", "object under test", |(_, c)| text(&c.condition)),
            ("listeners", "listeners who passed the post-screening, with grades", |(_, c)| {
                c.listeners.to_string()
            }),
            ("trials", "trials with grades", |(_, c)| c.trials.to_string()),
            ("object", "mean grade of the object, 1.0 to 5.0", |(_, c)| number(c.object)),
            ("reference", "mean grade of the hidden reference beside it", |(_, c)| {
                number(c.reference)
            }),
            ("diff", "mean diff-grade: object less hidden reference", |(_, c)| number(c.diff)),
            ("sd", "standard deviation of the diff-grades", |(_, c)| number(c.sd)),
            ("low", "Student's interval of the mean over listeners", |(_, c)| {
                maybe(c.interval.map(|i| i.low))
            }),
            ("high", "its upper end", |(_, c)| maybe(c.interval.map(|i| i.high))),
        ],
    )
}

fn screening(report: &Report) -> Table {
    let rows = report.bs1116.iter().flat_map(|b| b.screening.iter().map(move |s| (b, s)));
    Table::of::<Of<Expertise>>(
        "bs1116_screening.csv",
        rows,
        &[
            ("block", "name of the block", |(b, _)| text(&b.block)),
            ("participant", "code; sim-... is a simulated listener", |(_, s)| text(&s.participant)),
            ("trials", "trials", |(_, s)| s.trials.to_string()),
            ("mean", "mean diff-grade", |(_, s)| number(s.mean)),
            ("t", "Student's t of the diff-grades", |(_, s)| maybe(s.t)),
            ("p", "one-sided p of a mean that is not below 0", |(_, s)| maybe(s.p)),
            ("out", "true if the listener does not tell objects from the reference", |(_, s)| {
                s.out.to_string()
            }),
        ],
    )
}
