//! What may be said of a condition: one of four outcomes, read from one interval.

use serde::{Deserialize, Serialize};

/// The claim that a report makes of a condition. A condition has exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// The lower end of the interval lies above chance, and the upper bound reaches the margin.
    #[serde(rename = "better than chance")]
    Better,
    /// The lower end lies above chance, but the upper bound lies below the margin.
    #[serde(rename = "better than chance but within the margin")]
    BetterButWithin,
    /// The upper bound lies below the margin, and the lower end does not lie above chance.
    /// Accuracies below chance belong here.
    #[serde(rename = "within the margin")]
    Within,
    /// Neither is shown.
    #[serde(rename = "undecided")]
    Undecided,
}

impl Outcome {
    /// All outcomes.
    pub const ALL: [Self; 4] = [Self::Better, Self::BetterButWithin, Self::Within, Self::Undecided];

    /// Reads the outcome from the lower end of the two-sided interval and from the one-sided
    /// upper bound. `margin` is an accuracy, as the other numbers are.
    pub fn of(low: f64, upper_bound: f64, chance: f64, margin: f64) -> Self {
        match (low > chance, upper_bound < margin) {
            (true, false) => Self::Better,
            (true, true) => Self::BetterButWithin,
            (false, true) => Self::Within,
            (false, false) => Self::Undecided,
        }
    }

    /// Whether the outcome says that a difference of practical size is absent.
    pub fn claims_absence(self) -> bool {
        matches!(self, Self::Within | Self::BetterButWithin)
    }

    /// The outcome of a study that could not have shown a difference: what it says about
    /// absence is dropped.
    pub fn without_absence(self) -> Self {
        match self {
            Self::BetterButWithin => Self::Better,
            Self::Within => Self::Undecided,
            other => other,
        }
    }

    /// The words used on screen, on pages, and in files.
    pub fn words(self) -> &'static str {
        match self {
            Self::Better => "better than chance",
            Self::BetterButWithin => "better than chance but within the margin",
            Self::Within => "within the margin",
            Self::Undecided => "undecided",
        }
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.words())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_interval_has_exactly_one_outcome_and_files_use_its_words() {
        let of = |low, upper| Outcome::of(low, upper, 0.25, 0.325);
        assert_eq!(of(0.26, 0.33), Outcome::Better);
        assert_eq!(of(0.26, 0.32), Outcome::BetterButWithin);
        assert_eq!(of(0.24, 0.32), Outcome::Within);
        assert_eq!(of(0.10, 0.20), Outcome::Within, "below chance counts as within");
        assert_eq!(of(0.24, 0.33), Outcome::Undecided);
        assert_eq!(of(0.25, 0.325), Outcome::Undecided, "touching is not passing");
        for outcome in Outcome::ALL {
            let json = serde_json::to_string(&outcome).unwrap();
            assert_eq!(json, format!("{:?}", outcome.words()));
            assert!(!outcome.without_absence().claims_absence());
        }
    }
}
