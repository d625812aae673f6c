//! Per class: confusion, rates, corrections for answer bias, agreement.

use serde::{Deserialize, Serialize};
use trompe_statistics::agreement::{fleiss_kappa, krippendorff_alpha, krippendorff_interval};
use trompe_statistics::confusion::Confusion;
use trompe_statistics::intervals::wilson;
use trompe_statistics::multiple::{benjamini_hochberg, holm};
use trompe_statistics::permutation::labels_over_items;
use trompe_statistics::{Interval, binomial};

use super::group::Group;
use super::plan::AnalysisPlan;

/// One class of one condition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassReport {
    /// The class.
    pub class: String,
    /// Items with this label.
    pub items: usize,
    /// Answers to them.
    pub shown: u64,
    /// How often this class was the answer, to any item.
    pub answered: u64,
    /// Answers of this class to items of this class.
    pub hits: u64,
    /// Share of hits; absent if never shown.
    pub hit_rate: Option<f64>,
    /// Wilson interval of the hit rate; assumes independent answers.
    pub wilson: Interval,
    /// Exact one-sided p against 1/k; assumes independent answers.
    pub p: f64,
    /// `p` adjusted for all classes by Holm.
    pub p_holm: f64,
    /// `p` adjusted for all classes by Benjamini and Hochberg.
    pub p_benjamini_hochberg: f64,
    /// Unbiased hit rate (Wagner 1993).
    pub unbiased_hit_rate: Option<f64>,
    /// The unbiased hit rate of answers without knowledge.
    pub unbiased_by_chance: Option<f64>,
    /// One-sided p that the class is answered to its own items more than labels dealt to
    /// the items at random explain: free of answer bias, and items stay whole.
    pub p_permuted: Option<f64>,
    /// `p_permuted` adjusted for all classes by Holm.
    pub p_permuted_holm: Option<f64>,
}

/// Accuracy expected from response bias alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Guessing {
    /// Expected accuracy of these answers if labels were dealt to the items at random.
    pub expected_accuracy: Option<f64>,
    /// One-sided p of the actual accuracy under that dealing.
    pub p: Option<f64>,
}

/// Agreement of listeners with each other, "don't know" left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// Krippendorff's alpha; 1 is perfect, 0 is chance.
    pub krippendorff_alpha: Option<f64>,
    /// Its bootstrap interval over items.
    pub interval: Option<Interval>,
    /// Fleiss' kappa, where every item has equally many answers.
    pub fleiss_kappa: Option<f64>,
    /// Mean share of the most frequent answer to an item.
    pub modal_share: Option<f64>,
}

fn class_of(group: &Group, class: &str) -> Option<usize> {
    group.classes.iter().position(|&name| name == class)
}

/// Labels by answers; the last column is "don't know". Answers outside the classes do not
/// occur: the report refuses them.
pub(super) fn confusion(group: &Group) -> Confusion {
    let k = group.classes.len();
    let mut matrix = Confusion::new(k, k + 1);
    for (_, _, row) in &group.rows {
        let answer = match &row.answer {
            None => Some(k),
            Some(answer) => class_of(group, answer),
        };
        if let (Some(label), Some(answer)) = (class_of(group, &row.truth), answer) {
            matrix.counts[label][answer] += 1;
        }
    }
    matrix
}

/// Answers by item and class, and the label of each item.
fn by_item(group: &Group) -> (Vec<Vec<u64>>, Vec<usize>) {
    let mut table = vec![vec![0; group.classes.len()]; group.items.len()];
    let mut labels = vec![0; group.items.len()];
    for &(_, item, row) in &group.rows {
        labels[item] = class_of(group, &row.truth).unwrap_or_default();
        if let Some(class) = row.answer.as_deref().and_then(|answer| class_of(group, answer)) {
            table[item][class] += 1;
        }
    }
    (table, labels)
}

pub(super) fn by_class(group: &Group, plan: &AnalysisPlan) -> Vec<ClassReport> {
    let matrix = confusion(group);
    let (table, labels) = by_item(group);
    // Only classes that were shown are tested: others would cost power for nothing.
    let shown: Vec<usize> =
        (0..group.classes.len()).filter(|&class| matrix.shown(class) > 0).collect();
    let exact: Vec<f64> = shown
        .iter()
        .map(|&class| {
            binomial::at_least(matrix.counts[class][class], matrix.shown(class), group.chance())
        })
        .collect();
    let permuted: Vec<Option<f64>> = shown
        .iter()
        .map(|&class| {
            let test = labels_over_items(&table, &labels, Some(class), plan.resamples, plan.seed);
            test.ok().map(|test| test.p_at_least)
        })
        .collect();
    let permuted_holm = holm(&permuted.iter().map(|p| p.unwrap_or(1.0)).collect::<Vec<_>>());
    let (exact_holm, exact_bh) = (holm(&exact), benjamini_hochberg(&exact));
    let report = |place: usize| {
        let class = shown[place];
        let hits = matrix.counts[class][class];
        ClassReport {
            class: group.classes[class].to_owned(),
            items: labels.iter().filter(|&&label| label == class).count(),
            shown: matrix.shown(class),
            answered: matrix.answered(class),
            hits,
            hit_rate: matrix.hit_rate(class),
            wilson: wilson(hits, matrix.shown(class), plan.level),
            p: exact[place],
            p_holm: exact_holm[place],
            p_benjamini_hochberg: exact_bh[place],
            unbiased_hit_rate: matrix.unbiased_hit_rate(class),
            unbiased_by_chance: matrix.unbiased_by_chance(class),
            p_permuted: permuted[place],
            p_permuted_holm: permuted[place].map(|_| permuted_holm[place]),
        }
    };
    (0..shown.len()).map(report).collect()
}

pub(super) fn guessing(group: &Group, plan: &AnalysisPlan) -> Guessing {
    let (table, labels) = by_item(group);
    let total = group.rows.len() as f64;
    match labels_over_items(&table, &labels, None, plan.resamples, plan.seed) {
        Ok(permuted) => Guessing {
            expected_accuracy: Some(permuted.expected_hits / total),
            p: Some(permuted.p_at_least),
        },
        Err(_) => Guessing { expected_accuracy: None, p: None },
    }
}

pub(super) fn agreement(group: &Group, plan: &AnalysisPlan) -> Agreement {
    let (table, _) = by_item(group);
    let shares: Vec<f64> = table
        .iter()
        .filter_map(|row| {
            let answers: u64 = row.iter().sum();
            let modal = row.iter().max()?;
            (answers > 0).then(|| *modal as f64 / answers as f64)
        })
        .collect();
    Agreement {
        krippendorff_alpha: krippendorff_alpha(&table).ok(),
        interval: krippendorff_interval(&table, plan.level, plan.resamples, plan.seed),
        fleiss_kappa: fleiss_kappa(&table).ok(),
        modal_share: (!shares.is_empty()).then(|| shares.iter().sum::<f64>() / shares.len() as f64),
    }
}
