//! Simulating a design before anybody listens: how likely is each answer?

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use trompe_statistics::mixed_model::{self, AccuracyModel, Answers, CrossedDesign};
use trompe_statistics::{binomial, intervals};

use super::outcome::Outcome;
use crate::error::{Error, Result};

/// A design and a guess at the truth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Design {
    /// Participants.
    pub participants: usize,
    /// Items of the condition.
    pub items: usize,
    /// Items that each participant answers; `None` is all. Fewer are dealt so that every
    /// item gets equally many answers, within one.
    pub items_per_participant: Option<usize>,
    /// Number of classes: chance is one over it.
    pub classes: usize,
    /// True accuracy of the average listener on the average item.
    pub accuracy: f64,
    /// Standard deviation of listeners on the logit scale.
    pub participant_sd: f64,
    /// Standard deviation of items on the logit scale.
    pub item_sd: f64,
    /// Level of the two-sided interval: its lower end decides "better than chance".
    pub level: f64,
    /// Level of the one-sided upper bound, which decides "within the margin".
    pub alpha: f64,
    /// Margin of equivalence on the chance-corrected scale, (accuracy - chance) / (1 - chance).
    pub margin: f64,
    /// Studies to simulate.
    pub studies: usize,
    /// Seed of the simulation.
    pub seed: u64,
}

impl Default for Design {
    /// 40 listeners, 40 items, ten classes; standard deviations as measured in comparable
    /// tests are rarely known, so .5 and 1 are our choice.
    fn default() -> Self {
        Self {
            participants: 40,
            items: 40,
            items_per_participant: None,
            classes: 10,
            accuracy: 0.1,
            participant_sd: 0.5,
            item_sd: 1.0,
            level: 0.95,
            alpha: 0.05,
            margin: 0.1,
            studies: 1000,
            seed: 1,
        }
    }
}

/// A share of simulated studies.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// The share.
    pub share: f64,
    /// Its Wilson 95 % interval: Monte-Carlo error only.
    pub interval: intervals::Interval,
}

/// What the design can show, given genuine controls that suffice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Power {
    /// The design.
    pub design: Design,
    /// Answers in one study.
    pub answers: usize,
    /// Studies whose outcome is [`Outcome::Better`].
    pub better: Share,
    /// Studies whose outcome is [`Outcome::BetterButWithin`].
    pub better_but_within: Share,
    /// Studies whose outcome is [`Outcome::Within`].
    pub within: Share,
    /// Studies whose outcome is [`Outcome::Undecided`].
    pub undecided: Share,
    /// Studies in which the exact binomial test, which takes answers for independent, finds
    /// listeners better than chance: shown to warn, not to use.
    pub binomial_better_than_chance: Share,
    /// Studies without an answer from the model (nobody was ever right, say); they count as
    /// undecided.
    pub without_model: usize,
}

impl Power {
    /// Share of studies whose interval lies above chance. If the true accuracy is chance, this
    /// is the false-positive rate.
    pub fn above_chance(&self) -> f64 {
        self.better.share + self.better_but_within.share
    }
}

/// The outcome by the mixed model, if it is defined, and whether the exact test finds
/// listeners better than chance.
type Verdict = (Option<Outcome>, bool);

/// Simulates the design. The upper bound is Student's; the analysis of a real study
/// calibrates the bound by simulation, which costs about a point of this power.
///
/// # Errors
/// [`trompe_base::Error::Request`] naming the field that is out of range.
pub fn power(design: &Design) -> Result<Power> {
    check(design)?;
    let chance = 1.0 / design.classes as f64;
    let margin = chance + design.margin * (1.0 - chance);
    let study = |place: usize| {
        let answers = simulate(design, place as u64);
        let total = answers.len() as u64;
        let exact = binomial::at_least(answers.hits() as u64, total, chance) <= design.alpha;
        let model = || {
            let mut model = AccuracyModel::fit(&answers).ok()?;
            let test = model.test(chance).ok()?;
            // The ends of the intervals, by the tests that they invert.
            let above = test.t > 0.0 && test.p <= 1.0 - design.level;
            let below = model.test(margin).ok()?.p_below <= design.alpha;
            Some(match (above, below) {
                (true, false) => Outcome::Better,
                (true, true) => Outcome::BetterButWithin,
                (false, true) => Outcome::Within,
                (false, false) => Outcome::Undecided,
            })
        };
        (model(), exact)
    };
    let studies: Vec<Verdict> = (0..design.studies).into_par_iter().map(study).collect();
    let share = |of: &dyn Fn(&Verdict) -> bool| {
        let count = studies.iter().filter(|study| of(study)).count();
        Share {
            share: count as f64 / design.studies as f64,
            interval: intervals::wilson(count as u64, design.studies as u64, 0.95),
        }
    };
    let outcome = |outcome| share(&|study| study.0.unwrap_or(Outcome::Undecided) == outcome);
    Ok(Power {
        design: design.clone(),
        answers: design.participants * design.items_per_participant.unwrap_or(design.items),
        better: outcome(Outcome::Better),
        better_but_within: outcome(Outcome::BetterButWithin),
        within: outcome(Outcome::Within),
        undecided: outcome(Outcome::Undecided),
        binomial_better_than_chance: share(&|study| study.1),
        without_model: studies.iter().filter(|study| study.0.is_none()).count(),
    })
}

/// One simulated study, number `place` of the design's seed. The design must be in range.
pub fn simulate(design: &Design, place: u64) -> Answers {
    let crossed = CrossedDesign {
        participants: design.participants,
        items: design.items,
        items_per_participant: design.items_per_participant,
        accuracy: design.accuracy,
        participant_sd: design.participant_sd,
        item_sd: design.item_sd,
    };
    mixed_model::simulate(&crossed, design.seed, place)
}

fn check(design: &Design) -> Result<()> {
    let wrong = |what: String, remedy: &str| Err(Error::request(what, remedy));
    if design.participants < 2 || design.items < 2 {
        return wrong(
            format!("{} participants and {} items", design.participants, design.items),
            "choose two or more of both",
        );
    }
    if let Some(each) = design.items_per_participant.filter(|&n| n == 0 || n > design.items) {
        return wrong(
            format!("{each} of {} items for each participant", design.items),
            "choose between 1 and the number of items",
        );
    }
    if design.classes < 2 {
        return wrong(format!("classes = {}", design.classes), "choose two or more");
    }
    if !(design.accuracy > 0.0 && design.accuracy < 1.0) {
        return wrong(format!("accuracy = {}", design.accuracy), "choose it between 0 and 1");
    }
    for (name, sd) in [("participant_sd", design.participant_sd), ("item_sd", design.item_sd)] {
        if !(0.0..=5.0).contains(&sd) {
            return wrong(format!("{name} = {sd}"), "choose it between 0 and 5 (logit scale)");
        }
    }
    if !(design.alpha > 0.0 && design.alpha < 0.5) {
        return wrong(format!("alpha = {}", design.alpha), "choose it between 0 and 0.5");
    }
    if !(design.level > 0.5 && design.level < 1.0) {
        return wrong(format!("level = {}", design.level), "choose it between 0.5 and 1");
    }
    if !(design.margin > 0.0 && design.margin < 1.0) {
        return wrong(
            format!("margin = {}", design.margin),
            "choose it between 0 (chance) and 1 (every answer right)",
        );
    }
    if design.studies == 0 {
        return wrong(
            "studies = 0".to_owned(),
            "choose one or more; 200 give a power to within .07",
        );
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn small() -> Design {
        Design { participants: 12, items: 16, studies: 60, ..Design::default() }
    }

    #[test]
    fn hands_are_dealt_evenly_and_without_repeats() {
        let design = Design { items_per_participant: Some(6), ..small() };
        let answers = simulate(&design, 0);
        assert_eq!(answers.len(), 72);
        let pairs: std::collections::BTreeSet<_> =
            answers.participant.iter().zip(&answers.item).collect();
        assert_eq!(pairs.len(), 72);
        let count = |item| answers.item.iter().filter(|&&other| other == item).count();
        assert!((0..16).all(|item| (4..=5).contains(&count(item))));
    }

    #[test]
    fn power_grows_with_accuracy_and_does_not_depend_on_threads() {
        let at = |accuracy| power(&Design { accuracy, ..small() }).unwrap();
        let (chance, better) = (at(0.1), at(0.35));
        assert!(chance.above_chance() < 0.25 && better.better.share > 0.9);
        assert!(chance.within.share > better.within.share);
        let all = [chance.better, chance.better_but_within, chance.within, chance.undecided];
        assert!((all.iter().map(|share| share.share).sum::<f64>() - 1.0).abs() < 1e-12);
        let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        assert_eq!(one.install(|| at(0.1)), chance);
    }

    #[test]
    fn bad_designs_are_named() {
        let complaint = |design: Design| power(&design).unwrap_err().to_string();
        assert!(complaint(Design { accuracy: 1.0, ..small() }).contains("accuracy = 1"));
        assert!(complaint(Design { items: 1, ..small() }).contains("1 items"));
        assert!(complaint(Design { items_per_participant: Some(17), ..small() }).contains("17"));
        assert!(complaint(Design { item_sd: f64::NAN, ..small() }).contains("item_sd"));
        assert!(complaint(Design { margin: 1.0, ..small() }).contains("margin"));
        assert!(complaint(Design { level: 95.0, ..small() }).contains("level"));
        assert!(complaint(Design { studies: 0, ..small() }).contains("studies"));
    }
}
