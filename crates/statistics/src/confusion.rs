//! What was shown against what was answered.

use serde::{Deserialize, Serialize};

/// Counts of answers: row = label, column = answer. The last column may be "don't know".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Confusion {
    /// `counts[label][answer]`; all rows have one length, not below the number of rows.
    pub counts: Vec<Vec<u64>>,
}

impl Confusion {
    /// An empty matrix of `labels` rows and `answers` columns.
    pub fn new(labels: usize, answers: usize) -> Self {
        Self { counts: vec![vec![0; answers.max(labels)]; labels] }
    }

    /// Answers to items of this label.
    pub fn shown(&self, label: usize) -> u64 {
        self.counts[label].iter().sum()
    }

    /// How often this answer was given.
    pub fn answered(&self, answer: usize) -> u64 {
        self.counts.iter().map(|row| row[answer]).sum()
    }

    /// All answers.
    pub fn total(&self) -> u64 {
        self.counts.iter().flatten().sum()
    }

    /// Share of items of this label that got it as answer; `None` if never shown.
    pub fn hit_rate(&self, label: usize) -> Option<f64> {
        let shown = self.shown(label);
        (shown > 0).then(|| self.counts[label][label] as f64 / shown as f64)
    }

    /// The unbiased hit rate of Wagner (1993): hit rate times the share of this answer that
    /// was right. Who answers "rock" to everything has a hit rate of 1 for rock, but an
    /// unbiased one of its share. `None` if never shown; 0 if shown and never answered.
    pub fn unbiased_hit_rate(&self, label: usize) -> Option<f64> {
        let hits = self.counts[label][label] as f64;
        let answered = self.answered(label).max(1);
        self.hit_rate(label).map(|rate| rate * hits / answered as f64)
    }

    /// The unbiased hit rate that answers without any knowledge would reach: the product of
    /// the shares of this label and of this answer (Wagner 1993).
    pub fn unbiased_by_chance(&self, label: usize) -> Option<f64> {
        let total = self.total() as f64;
        (total > 0.0)
            .then(|| self.shown(label) as f64 / total * self.answered(label) as f64 / total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bias_is_not_skill() {
        // "Rock" to everything, two labels.
        let always = Confusion { counts: vec![vec![10, 0], vec![10, 0]] };
        assert_eq!(always.hit_rate(0), Some(1.0));
        assert_eq!(always.unbiased_hit_rate(0), Some(0.5));
        assert_eq!(always.unbiased_by_chance(0), Some(0.5));
        assert_eq!(always.unbiased_hit_rate(1), Some(0.0));
        assert_eq!(Confusion::new(2, 3).unbiased_by_chance(0), None);
        assert_eq!(Confusion::new(2, 3).unbiased_hit_rate(0), None);
    }

    #[test]
    fn wagner_by_hand() {
        let matrix = Confusion { counts: vec![vec![6, 2, 2], vec![3, 6, 1]] };
        assert!((matrix.unbiased_hit_rate(0).unwrap_or(0.0) - 36.0 / (10.0 * 9.0)).abs() < 1e-15);
        assert!((matrix.unbiased_hit_rate(1).unwrap_or(0.0) - 36.0 / (10.0 * 8.0)).abs() < 1e-15);
        // half of all labels times 9/20 and 8/20 of all answers
        assert!((matrix.unbiased_by_chance(0).unwrap_or(0.0) - 0.225).abs() < 1e-15);
        assert!((matrix.unbiased_by_chance(1).unwrap_or(0.0) - 0.2).abs() < 1e-15);
    }
}
