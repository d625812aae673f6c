//! Scores of pages of several stimuli (MUSHRA), with the post-screening of listeners by
//! ITU-R BS.1534-3 (4.1.2) and its descriptive statistics: medians, quartiles, box plots.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use trompe_statistics::bootstrap::{Clusters, Value, quantile, two_way_mean_interval};
use trompe_statistics::multiple::holm;
use trompe_statistics::{Interval, ranks};

use super::plan::AnalysisPlan;
use crate::answers::AnswerRow;
use crate::mushra::{Anchor, HIGHEST, REFERENCE};

/// A hidden reference below this score was not found, a mid-range anchor above it was taken for
/// the reference (BS.1534-3).
const LIMIT: f64 = 90.0;

/// A listener is out who misses more than this share of the pages (BS.1534-3).
const MISSES: f64 = 0.15;

/// Where more than this share of the listeners score the mid-range anchor above the limit, the
/// page is to blame and counts against nobody (BS.1534-3).
const EXCUSED: f64 = 0.25;

/// The scores of one block.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MushraReport {
    /// Name of the block.
    pub block: String,
    /// What the post-screening found of each listener.
    pub screening: Vec<Screening>,
    /// Pages whose mid-range anchor was scored above 90 by more than a quarter of the listeners:
    /// they count against nobody.
    pub excused_pages: Vec<String>,
    /// One report a condition, of the listeners who passed; empty if nobody did.
    pub conditions: Vec<MushraCondition>,
    /// Differences between every two conditions that are no anchors.
    pub differences: Vec<MushraDifference>,
}

/// What the post-screening found of one listener.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Screening {
    /// Code of the participant.
    pub participant: String,
    /// Pages on which the listener scored the hidden reference.
    pub pages: usize,
    /// Of these, pages on which it got less than 90.
    pub low_references: usize,
    /// Pages on which the listener scored the mid-range anchor, excused pages left out.
    pub anchor_pages: usize,
    /// Of these, pages on which it got more than 90.
    pub high_anchors: usize,
    /// Whether the listener is out.
    pub out: bool,
}

/// The scores of one condition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MushraCondition {
    /// Its name: `reference`, `anchor35`, `anchor70` or that of a system.
    pub condition: String,
    /// Listeners with scores.
    pub listeners: usize,
    /// Pages with scores.
    pub pages: usize,
    /// Scores.
    pub scores: usize,
    /// Median score.
    pub median: f64,
    /// Lower and upper quartile.
    pub quartiles: Interval,
    /// The lowest and highest score within 1.5 interquartile ranges of the quartiles (Tukey).
    pub whiskers: Interval,
    /// Scores beyond the whiskers, ascending.
    pub outliers: Vec<f64>,
    /// Mean score.
    pub mean: f64,
    /// Interval of the mean from resampling listeners and pages.
    pub interval: Option<Interval>,
    /// Scores by listener.
    pub by_listener: Vec<ListenerScores>,
}

/// The scores that one listener gave one condition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ListenerScores {
    /// Code of the participant.
    pub participant: String,
    /// Scores.
    pub scores: usize,
    /// Median score.
    pub median: f64,
    /// Mean score.
    pub mean: f64,
}

/// One condition against another, on the pages that a listener scored for both.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MushraDifference {
    /// The first condition.
    pub first: String,
    /// The second condition.
    pub second: String,
    /// Listeners who scored both on a page.
    pub listeners: usize,
    /// Mean of first score less second.
    pub difference: f64,
    /// Its interval from resampling listeners and pages.
    pub interval: Option<Interval>,
    /// Two-sided p of Wilcoxon's signed-rank test of the listeners' mean differences. It speaks of
    /// other listeners and these pages.
    pub p: Option<f64>,
    /// `p` adjusted by Holm for all differences of the block.
    pub p_holm: Option<f64>,
}

/// One score.
#[derive(Debug, Clone, Copy)]
struct Score<'a> {
    listener: &'a str,
    page: &'a str,
    condition: &'a str,
    score: f64,
}

/// The scores in the rows of one block.
///
/// # Errors
/// The row that holds no score of a stimulus of a page.
fn scores<'a>(rows: &[&'a AnswerRow]) -> Result<Vec<Score<'a>>, String> {
    let score = |row: &&'a AnswerRow| {
        let page = row.item.split_once('/').map(|(page, _)| page);
        let condition = row.condition.split_once(':').map(|(_, name)| name);
        let score = row.rating.filter(|score| (0.0..=f64::from(HIGHEST)).contains(score));
        match (page, condition, score) {
            (Some(page), Some(condition), Some(score)) => {
                Ok(Score { listener: &row.participant, page, condition, score })
            }
            _ => Err(format!(
                "item {} of {} has the score {:?}, not 0 to {HIGHEST}",
                row.item, row.participant, row.rating
            )),
        }
    };
    rows.iter().map(score).collect()
}

/// The report on the rows of one block.
///
/// # Errors
/// Those of [`scores`].
pub(super) fn report(
    block: &str,
    rows: &[&AnswerRow],
    plan: &AnalysisPlan,
) -> Result<MushraReport, String> {
    let all = scores(rows)?;
    let (screening, excused_pages) = screen(&all);
    let out: BTreeSet<&str> =
        screening.iter().filter(|s| s.out).map(|s| s.participant.as_str()).collect();
    let kept: Vec<Score> = all.into_iter().filter(|score| !out.contains(score.listener)).collect();
    let names: BTreeSet<&str> = kept.iter().map(|score| score.condition).collect();
    let mut names: Vec<&str> = names.into_iter().collect();
    names.sort_by_key(|name| (rank(name), *name));
    let conditions = names.iter().filter_map(|name| condition(name, &kept, plan)).collect();
    Ok(MushraReport {
        block: block.to_owned(),
        conditions,
        differences: differences(&names, &kept, plan),
        screening,
        excused_pages,
    })
}

impl MushraReport {
    /// Whether the post-screening keeps this participant.
    pub(super) fn keeps(&self, participant: &str) -> bool {
        !self.screening.iter().any(|listener| listener.out && listener.participant == participant)
    }
}

/// Reference first, anchors next, systems last.
fn rank(condition: &str) -> usize {
    let anchors = Anchor::ALL.map(Anchor::name);
    match condition {
        REFERENCE => 0,
        name if anchors.contains(&name) => 1,
        _ => 2,
    }
}

/// Who is out, in order of name, and the pages that are excused.
fn screen(scores: &[Score]) -> (Vec<Screening>, Vec<String>) {
    let mid = Anchor::Mid.name();
    let mut of_page: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for score in scores.iter().filter(|score| score.condition == mid) {
        let (high, listeners) = of_page.entry(score.page).or_default();
        *high += usize::from(score.score > LIMIT);
        *listeners += 1;
    }
    let excused: BTreeSet<&str> = of_page
        .into_iter()
        .filter(|(_, (high, listeners))| *high as f64 > EXCUSED * *listeners as f64)
        .map(|(page, _)| page)
        .collect();
    let mut people: BTreeMap<&str, Screening> = BTreeMap::new();
    for score in scores {
        let found = people.entry(score.listener).or_insert_with(|| Screening {
            participant: score.listener.to_owned(),
            pages: 0,
            low_references: 0,
            anchor_pages: 0,
            high_anchors: 0,
            out: false,
        });
        if score.condition == REFERENCE {
            found.pages += 1;
            found.low_references += usize::from(score.score < LIMIT);
        } else if score.condition == mid && !excused.contains(score.page) {
            found.anchor_pages += 1;
            found.high_anchors += usize::from(score.score > LIMIT);
        }
    }
    let misses = |missed: usize, pages: usize| missed as f64 > MISSES * pages as f64;
    let mut screening: Vec<Screening> = people.into_values().collect();
    for found in &mut screening {
        found.out = misses(found.low_references, found.pages)
            || misses(found.high_anchors, found.anchor_pages);
    }
    (screening, excused.into_iter().map(str::to_owned).collect())
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// Numbers with their listener and page, numbered for resampling, and the interval of their mean.
fn interval_of(values: &[(&str, &str, f64)], plan: &AnalysisPlan) -> Option<Interval> {
    let listeners: BTreeSet<&str> = values.iter().map(|value| value.0).collect();
    let pages: BTreeSet<&str> = values.iter().map(|value| value.1).collect();
    let (listeners, pages): (Vec<&str>, Vec<&str>) =
        (listeners.into_iter().collect(), pages.into_iter().collect());
    let place = |names: &[&str], name: &str| names.binary_search(&name).unwrap_or_default();
    let numbered: Vec<Value> = values
        .iter()
        .map(|&(listener, page, value)| Value {
            participant: place(&listeners, listener),
            item: place(&pages, page),
            value,
        })
        .collect();
    let clusters =
        Clusters { participants: listeners.len(), item_strata: vec![(0..pages.len()).collect()] };
    two_way_mean_interval(&numbered, &clusters, plan.level, plan.resamples, plan.seed)
}

fn condition(name: &str, scores: &[Score], plan: &AnalysisPlan) -> Option<MushraCondition> {
    let own: Vec<&Score> = scores.iter().filter(|score| score.condition == name).collect();
    let ascending = sorted(own.iter().map(|score| score.score));
    let at = |p| quantile(&ascending, p);
    let quartiles = Interval { low: at(0.25)?, high: at(0.75)? };
    let reach = 1.5 * (quartiles.high - quartiles.low);
    let within = |score: &&f64| (quartiles.low - reach..=quartiles.high + reach).contains(*score);
    let whiskers =
        Interval { low: *ascending.iter().find(within)?, high: *ascending.iter().rfind(within)? };
    let values: Vec<(&str, &str, f64)> =
        own.iter().map(|score| (score.listener, score.page, score.score)).collect();
    let listeners: BTreeSet<&str> = own.iter().map(|score| score.listener).collect();
    let pages: BTreeSet<&str> = own.iter().map(|score| score.page).collect();
    let of_listener = |listener: &&str| {
        let own = own.iter().filter(|score| score.listener == *listener);
        let ascending = sorted(own.map(|score| score.score));
        Some(ListenerScores {
            participant: (*listener).to_owned(),
            scores: ascending.len(),
            median: quantile(&ascending, 0.5)?,
            mean: mean(&ascending),
        })
    };
    Some(MushraCondition {
        condition: name.to_owned(),
        listeners: listeners.len(),
        pages: pages.len(),
        scores: ascending.len(),
        median: at(0.5)?,
        quartiles,
        outliers: ascending.iter().filter(|score| !within(score)).copied().collect(),
        whiskers,
        mean: mean(&ascending),
        interval: interval_of(&values, plan),
        by_listener: listeners.iter().filter_map(of_listener).collect(),
    })
}

fn differences(names: &[&str], scores: &[Score], plan: &AnalysisPlan) -> Vec<MushraDifference> {
    let compared: Vec<&str> = names.iter().copied().filter(|name| rank(name) != 1).collect();
    let mut found = Vec::new();
    for (place, first) in compared.iter().enumerate() {
        for second in &compared[place + 1..] {
            found.extend(difference(first, second, scores, plan));
        }
    }
    let p: Vec<f64> = found.iter().filter_map(|difference| difference.p).collect();
    let mut adjusted = holm(&p).into_iter();
    for difference in found.iter_mut().filter(|difference| difference.p.is_some()) {
        difference.p_holm = adjusted.next();
    }
    found
}

fn difference(
    first: &str,
    second: &str,
    scores: &[Score],
    plan: &AnalysisPlan,
) -> Option<MushraDifference> {
    let of = |condition: &str| -> BTreeMap<(String, String), f64> {
        let own = scores.iter().filter(|score| score.condition == condition);
        own.map(|s| ((s.listener.to_owned(), s.page.to_owned()), s.score)).collect()
    };
    let (a, b) = (of(first), of(second));
    let values: Vec<(&str, &str, f64)> = a
        .iter()
        .filter_map(|(key, score)| Some((key.0.as_str(), key.1.as_str(), score - b.get(key)?)))
        .collect();
    let mut by_listener: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for &(listener, _, difference) in &values {
        by_listener.entry(listener).or_default().push(difference);
    }
    let means: Vec<f64> = by_listener.values().map(|own| mean(own)).collect();
    let all: Vec<f64> = values.iter().map(|value| value.2).collect();
    (!values.is_empty()).then(|| MushraDifference {
        first: first.to_owned(),
        second: second.to_owned(),
        listeners: means.len(),
        difference: mean(&all),
        interval: interval_of(&values, plan),
        p: ranks::wilcoxon(&means).ok().map(|test| test.p),
        p_holm: None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Scores of one listener, one a page.
    fn of<'a>(
        listener: &'a str,
        condition: &'a str,
        pages: &'a [String],
        scores: &[f64],
    ) -> Vec<Score<'a>> {
        let page = |(page, &score): (&'a String, &f64)| Score { listener, page, condition, score };
        pages.iter().zip(scores).map(page).collect()
    }

    fn pages(count: usize) -> Vec<String> {
        (0..count).map(|page| format!("p{page:02}")).collect()
    }

    fn out(scores: &[Score]) -> Vec<String> {
        let (screening, _) = screen(scores);
        screening.into_iter().filter(|s| s.out).map(|s| s.participant).collect()
    }

    /// Of 20 pages 15 % are 3: three misses pass, the fourth does not. A score of 90 is no miss.
    #[test]
    fn whoever_misses_the_reference_on_more_than_15_percent_of_the_pages_is_out() {
        let pages = pages(20);
        let missed = |count: usize, score: f64| -> Vec<f64> {
            (0..20).map(|page| if page < count { score } else { 100.0 }).collect()
        };
        let mut scores = of("three", REFERENCE, &pages, &missed(3, 0.0));
        scores.extend(of("four", REFERENCE, &pages, &missed(4, 89.0)));
        scores.extend(of("exact", REFERENCE, &pages, &missed(20, 90.0)));
        // one of six is 16.7 %, one of seven 14.3 %
        scores.extend(of("six", REFERENCE, &pages[..6], &missed(1, 50.0)));
        scores.extend(of("seven", REFERENCE, &pages[..7], &missed(1, 50.0)));
        assert_eq!(out(&scores), ["four", "six"]);
    }

    /// Eight listeners, ten pages. On page 0 three of eight (37.5 %) score the mid anchor above 90:
    /// it counts against nobody. On page 1 two of eight are 25 %, not more: it counts.
    #[test]
    fn a_mid_anchor_above_90_counts_unless_a_quarter_of_the_listeners_agree() {
        let (pages, names) = (pages(10), ["a", "b", "c", "d", "e", "f", "g", "h"]);
        let mut scores = Vec::new();
        for (listener, name) in names.iter().enumerate() {
            scores.extend(of(name, REFERENCE, &pages, &[100.0; 10]));
            let mut anchor = [60.0; 10];
            anchor[0] = if listener < 3 { 95.0 } else { 90.0 };
            anchor[1] = if listener < 2 { 91.0 } else { 60.0 };
            // 2 of the 9 pages that count are 22 % for a; 1 of 9 is 11 % for b
            anchor[2] = if listener == 0 { 91.0 } else { 60.0 };
            scores.extend(of(name, "anchor70", &pages, &anchor));
            // the low anchor is nobody's test
            scores.extend(of(name, "anchor35", &pages, &[95.0; 10]));
        }
        let (screening, excused) = screen(&scores);
        assert_eq!(excused, ["p00"]);
        assert_eq!(out(&scores), ["a"]);
        let counts = |place: usize| (screening[place].anchor_pages, screening[place].high_anchors);
        assert_eq!((counts(0), counts(1), counts(2)), ((9, 2), (9, 1), (9, 0)));
    }

    /// By hand: 0, 40, 50, 60, 70, 80, 90 have quartiles 45 and 75 (type 7). Whiskers may reach 1.5 x
    /// 30 beyond them, to 0 and 120, so no score is an outlier.
    #[test]
    fn boxes_are_those_of_tukey() {
        let pages = pages(8);
        let plan = AnalysisPlan { resamples: 200, ..AnalysisPlan::default() };
        let box_of = |values: &[f64]| condition("x", &of("l", "x", &pages, values), &plan).unwrap();
        let calm = box_of(&[0.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0]);
        assert_eq!((calm.median, calm.quartiles.low, calm.quartiles.high), (60.0, 45.0, 75.0));
        assert_eq!((calm.whiskers.low, calm.whiskers.high), (0.0, 90.0));
        assert!(calm.outliers.is_empty());
        // quartiles 58.75 and 61.25, so that 55 to 65 are within 1.5 x 2.5
        let tight = box_of(&[10.0, 58.0, 59.0, 60.0, 60.0, 61.0, 62.0, 90.0]);
        assert_eq!((tight.quartiles.low, tight.quartiles.high), (58.75, 61.25));
        assert_eq!((tight.whiskers.low, tight.whiskers.high), (58.0, 62.0));
        assert_eq!(tight.outliers, [10.0, 90.0]);
    }

    /// Three listeners, two pages: system a is 10 above b everywhere.
    #[test]
    fn differences_are_paired_by_listener_and_page() {
        let pages = pages(2);
        let mut scores = Vec::new();
        for (place, name) in ["l", "m", "n"].iter().enumerate() {
            let base = 20.0 * place as f64;
            scores.extend(of(name, REFERENCE, &pages, &[100.0, 100.0]));
            scores.extend(of(name, "a", &pages, &[base + 10.0, base + 40.0]));
            scores.extend(of(name, "b", &pages, &[base, base + 30.0]));
            scores.extend(of(name, "anchor35", &pages, &[0.0, 0.0]));
        }
        let plan = AnalysisPlan { resamples: 200, ..AnalysisPlan::default() };
        let found = differences(&["reference", "anchor35", "a", "b"], &scores, &plan);
        let names: Vec<_> = found.iter().map(|d| (d.first.as_str(), d.second.as_str())).collect();
        assert_eq!(names, [("reference", "a"), ("reference", "b"), ("a", "b")]);
        assert_eq!((found[2].difference, found[2].listeners), (10.0, 3));
        assert!(found[2].interval.is_none(), "nothing differs, so nothing tells how sure that is");
        let interval = found[0].interval.unwrap();
        assert!(interval.low < found[0].difference && found[0].difference < interval.high);
    }
}
