//! Humans beside the classifier, on the same items.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use trompe_statistics::bootstrap::{Value, percentile_interval, two_way, weighted_mean};
use trompe_statistics::{Interval, binomial, ranks};

use super::group::Group;
use super::plan::AnalysisPlan;
use super::rows::hit;

/// What is known of an item besides its answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ItemRow {
    /// Opaque name, as in the answers.
    pub item: String,
    /// The classifier's posterior of the item's label, in [0, 1].
    #[serde(default)]
    pub posterior: Option<f64>,
    /// The classifier's own answer, where it may differ from the label (real items).
    #[serde(default)]
    pub classifier_label: Option<String>,
}

/// Humans and classifier on the same items.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelComparison {
    /// Items with a posterior and answers.
    pub items: usize,
    /// Mean posterior of the items' labels, weighted by answers.
    pub mean_posterior: f64,
    /// Share of human answers equal to the label, "don't know" as the plan says.
    pub human_agreement: f64,
    /// Posterior less human agreement.
    pub gap: f64,
    /// Interval of the gap from resampling participants and items.
    pub gap_interval: Option<Interval>,
    /// Spearman's correlation over items of posterior and human agreement.
    pub spearman: Option<f64>,
    /// Its two-sided p-value.
    pub spearman_p: Option<f64>,
    /// Where the classifier's own answers are known: right answers of the classifier and of
    /// the human majority over items, and the exact McNemar test.
    pub majority: Option<Majority>,
}

/// Classifier against the most frequent human answer, item by item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Majority {
    /// Items compared.
    pub items: u64,
    /// Right by the classifier.
    pub classifier_right: u64,
    /// Right by the human majority; a tie at the top is wrong.
    pub majority_right: u64,
    /// Right by the classifier only.
    pub classifier_only: u64,
    /// Right by the majority only.
    pub majority_only: u64,
    /// Exact two-sided McNemar p-value.
    pub p: f64,
}

pub(super) fn beside(
    group: &Group,
    item_rows: &BTreeMap<&str, &ItemRow>,
    plan: &AnalysisPlan,
) -> Option<ModelComparison> {
    let posterior: Vec<Option<f64>> =
        group.items.iter().map(|item| item_rows.get(item).and_then(|row| row.posterior)).collect();
    let mut gaps = Vec::new();
    let mut per_item = vec![(0.0, 0.0); group.items.len()];
    let (mut posterior_sum, mut human_sum) = (0.0, 0.0);
    for &(participant, item, row) in &group.rows {
        let Some(posterior) = posterior[item] else { continue };
        let credit = group.credit(row, plan.dont_know);
        gaps.push(Value { participant, item, value: posterior - credit });
        posterior_sum += posterior;
        human_sum += credit;
        per_item[item].0 += credit;
        per_item[item].1 += 1.0;
    }
    if gaps.is_empty() {
        return None;
    }
    let n = gaps.len() as f64;
    let draws = two_way(&group.clusters(), plan.resamples, plan.seed, |weights| {
        weighted_mean(&gaps, weights)
    });
    let (x, y): (Vec<f64>, Vec<f64>) = posterior
        .iter()
        .zip(&per_item)
        .filter_map(|(posterior, &(credit, count))| Some(((*posterior)?, credit / count)))
        .unzip();
    let correlation = ranks::spearman(&x, &y).ok();
    Some(ModelComparison {
        items: x.len(),
        mean_posterior: posterior_sum / n,
        human_agreement: human_sum / n,
        gap: (posterior_sum - human_sum) / n,
        gap_interval: percentile_interval(draws, plan.level),
        spearman: correlation.map(|(rho, _)| rho),
        spearman_p: correlation.map(|(_, p)| p),
        majority: majority(group, item_rows),
    })
}

fn majority(group: &Group, item_rows: &BTreeMap<&str, &ItemRow>) -> Option<Majority> {
    let (mut both, mut classifier_only, mut majority_only, mut items) = (0, 0, 0, 0);
    for (place, name) in group.items.iter().enumerate() {
        let Some(label) = item_rows.get(name).and_then(|row| row.classifier_label.as_deref())
        else {
            continue;
        };
        let answers: Vec<_> =
            group.rows.iter().filter(|row| row.1 == place).map(|row| row.2).collect();
        let Some(truth) = answers.first().map(|row| row.truth.as_str()) else { continue };
        let hits = answers.iter().filter(|row| hit(row)).count();
        let most_others = group
            .classes
            .iter()
            .filter(|&&class| class != truth)
            .map(|&class| answers.iter().filter(|row| row.answer.as_deref() == Some(class)).count())
            .max()
            .unwrap_or(0);
        items += 1;
        match (label == truth, hits > most_others) {
            (true, true) => both += 1,
            (true, false) => classifier_only += 1,
            (false, true) => majority_only += 1,
            (false, false) => {}
        }
    }
    (items > 0).then(|| Majority {
        items,
        classifier_right: both + classifier_only,
        majority_right: both + majority_only,
        classifier_only,
        majority_only,
        p: binomial::mcnemar(classifier_only, majority_only),
    })
}
