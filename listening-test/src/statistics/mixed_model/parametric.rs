//! Parametric bootstrap: the statistic's own distribution instead of Student's t.

use rayon::prelude::*;

use super::super::Undefined;
use super::super::special::expit;
use super::super::stream::{Purpose, normal, stream, uniform};
use super::Answers;
use super::accuracy::{AccuracyModel, intercept_of};

/// One-sided p-value of "the marginal accuracy is not below `accuracy`": the share, the
/// actual study included, of studies as low as this one among `studies` simulated at exactly
/// `accuracy`, with the same listeners answering the same items and the standard deviations
/// that are likeliest there. Where items differ much and accuracy is low, Student's t
/// rejects this a little too often (7 % for 5 % at 30 x 30 answers, accuracy .1 and an item
/// standard deviation of 1.5); this does not.
///
/// # Errors
/// [`Undefined`] where the model of `answers` is; simulated studies without a model count as
/// low ones, which is the safe side.
pub fn simulated_p_below(
    answers: &Answers,
    accuracy: f64,
    studies: usize,
    seed: u64,
) -> Result<f64, Undefined> {
    let mut model = AccuracyModel::fit(answers)?;
    let actual = model.statistic(accuracy)?;
    let (participant_sd, item_sd) = model.sds_at(accuracy)?;
    let variance = participant_sd * participant_sd + item_sd * item_sd;
    let intercept = intercept_of(accuracy, variance);
    let (participants, items) = (answers.participants(), answers.items());
    let low = |place: usize| -> bool {
        let mut stream = stream(seed, Purpose::Parametric, place as u64);
        let mut draw = |count: usize, sd: f64| -> Vec<f64> {
            (0..count).map(|_| sd * normal(&mut stream)).collect()
        };
        let (people, things) = (draw(participants, participant_sd), draw(items, item_sd));
        let mut study = Answers::default();
        for (&p, &i) in answers.participant.iter().zip(&answers.item) {
            let hit = uniform(&mut stream) < expit(intercept + people[p] + things[i]);
            study.push(p, i, f64::from(u8::from(hit)));
        }
        let statistic = AccuracyModel::fit(&study).and_then(|mut model| model.statistic(accuracy));
        statistic.is_ok_and(|t| t <= actual) || statistic.is_err()
    };
    let count = (0..studies).into_par_iter().filter(|&place| low(place)).count();
    Ok((count + 1) as f64 / (studies + 1) as f64)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn few_hits_are_low_and_many_are_not() {
        let study = |every: usize| {
            let mut answers = Answers::default();
            for n in 0..300 {
                answers.push(n / 20, n % 20, f64::from(u8::from((n * 7 + n / 20) % every == 0)));
            }
            answers
        };
        assert!(simulated_p_below(&study(20), 0.15, 99, 1).unwrap() < 0.03);
        assert!(simulated_p_below(&study(6), 0.15, 99, 1).unwrap() > 0.3);
        assert!(simulated_p_below(&Answers::default(), 0.15, 99, 1).is_err());
    }
}
