//! The tables of MUSHRA scores.

use super::mushra::{ListenerScores, MushraCondition, MushraDifference, MushraReport, Screening};
use super::report::Report;
use super::table::{Table, maybe, number, text};

pub(super) fn all(report: &Report) -> [Table; 4] {
    [conditions(report), differences(report), listeners(report), screening(report)]
}

/// A row of a block.
type Of<'a, T> = (&'a MushraReport, &'a T);

fn conditions(report: &Report) -> Table {
    let rows = report.mushra.iter().flat_map(|m| m.conditions.iter().map(move |c| (m, c)));
    Table::of::<Of<MushraCondition>>(
        "mushra.csv",
        rows,
        &[
            ("block", "name of the block", |(m, _)| text(&m.block)),
            ("condition", "reference (hidden), anchor35, anchor70 or a system", |(_, c)| {
                text(&c.condition)
            }),
            ("listeners", "listeners who passed the post-screening, with scores", |(_, c)| {
                c.listeners.to_string()
            }),
            ("pages", "pages with scores", |(_, c)| c.pages.to_string()),
            ("scores", "scores", |(_, c)| c.scores.to_string()),
            ("median", "median score", |(_, c)| number(c.median)),
            ("quartile_low", "lower quartile", |(_, c)| number(c.quartiles.low)),
            ("quartile_high", "upper quartile", |(_, c)| number(c.quartiles.high)),
            ("whisker_low", "lowest score within 1.5 interquartile ranges", |(_, c)| {
                number(c.whiskers.low)
            }),
            ("whisker_high", "highest score within 1.5 interquartile ranges", |(_, c)| {
                number(c.whiskers.high)
            }),
            ("outliers", "scores beyond the whiskers", |(_, c)| c.outliers.len().to_string()),
            ("mean", "mean score", |(_, c)| number(c.mean)),
            ("mean_low", "interval of the mean, listeners and pages resampled", |(_, c)| {
                maybe(c.interval.map(|i| i.low))
            }),
            ("mean_high", "its upper end", |(_, c)| maybe(c.interval.map(|i| i.high))),
        ],
    )
}

fn differences(report: &Report) -> Table {
    let rows = report.mushra.iter().flat_map(|m| m.differences.iter().map(move |d| (m, d)));
    Table::of::<Of<MushraDifference>>(
        "mushra_differences.csv",
        rows,
        &[
            ("block", "name of the block", |(m, _)| text(&m.block)),
            ("first", "condition", |(_, d)| text(&d.first)),
            ("second", "condition", |(_, d)| text(&d.second)),
            ("listeners", "listeners who scored both on a page", |(_, d)| d.listeners.to_string()),
            ("difference", "mean of first score less second", |(_, d)| number(d.difference)),
            ("low", "its interval, listeners and pages resampled", |(_, d)| {
                maybe(d.interval.map(|i| i.low))
            }),
            ("high", "its upper end", |(_, d)| maybe(d.interval.map(|i| i.high))),
            (
                "p",
                "Wilcoxon signed-rank p of the listeners' mean differences, two-sided",
                |(_, d)| maybe(d.p),
            ),
            ("p_holm", "p adjusted by Holm for the block", |(_, d)| maybe(d.p_holm)),
        ],
    )
}

fn listeners(report: &Report) -> Table {
    let rows = report.mushra.iter().flat_map(|m| {
        let conditions = m.conditions.iter();
        conditions.flat_map(move |c| c.by_listener.iter().map(move |l| (m, c, l)))
    });
    Table::of::<(&MushraReport, &MushraCondition, &ListenerScores)>(
        "mushra_listeners.csv",
        rows,
        &[
            ("block", "name of the block", |(m, _, _)| text(&m.block)),
            ("participant", "code; sim-... is a simulated listener", |(_, _, l)| {
                text(&l.participant)
            }),
            ("condition", "condition of the scores", |(_, c, _)| text(&c.condition)),
            ("scores", "scores", |(_, _, l)| l.scores.to_string()),
            ("median", "median score", |(_, _, l)| number(l.median)),
            ("mean", "mean score", |(_, _, l)| number(l.mean)),
        ],
    )
}

fn screening(report: &Report) -> Table {
    let rows = report.mushra.iter().flat_map(|m| m.screening.iter().map(move |s| (m, s)));
    Table::of::<Of<Screening>>(
        "mushra_screening.csv",
        rows,
        &[
            ("block", "name of the block", |(m, _)| text(&m.block)),
            ("participant", "code; sim-... is a simulated listener", |(_, s)| text(&s.participant)),
            ("pages", "pages on which the hidden reference was scored", |(_, s)| {
                s.pages.to_string()
            }),
            ("low_references", "of these, scored below 90", |(_, s)| s.low_references.to_string()),
            ("anchor_pages", "pages on which the mid-range anchor counts", |(_, s)| {
                s.anchor_pages.to_string()
            }),
            ("high_anchors", "of these, scored above 90", |(_, s)| s.high_anchors.to_string()),
            ("out", "true if more than 15 % of either", |(_, s)| s.out.to_string()),
        ],
    )
}
