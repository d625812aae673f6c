//! Psychometric functions: the probability of a right answer as a function of a stimulus' strength.
//!
//! p(x) = guess + (1 - guess - lapse) / (1 + exp(-slope (x - threshold))), fitted by maximum likelihood
//! with the guess rate known, the lapse rate between 0 and [`MOST_LAPSES`] (Wichmann & Hill 2001,
//! Perception & Psychophysics 63, 1293-1313), and a slope above 0.

use libm::{exp, log, log1p};

use crate::Undefined;
use crate::special::{expit, logit};

/// Highest lapse rate that a fit takes, as Wichmann & Hill propose.
pub const MOST_LAPSES: f64 = 0.06;

/// Slopes that a fit takes, over the range of the strengths: at the lowest, the function rises through
/// nine such ranges; at the highest, within a ninetieth of one.
const SLOPES: (f64, f64) = (0.5, 400.0);

/// By how much of the range of the strengths a threshold may lie beyond them.
const BEYOND: f64 = 0.5;

/// Evaluations of the likelihood that one descent may take.
const LONGEST_DESCENT: usize = 400;

/// Answers to stimuli of one strength.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    /// The strength; more is easier.
    pub strength: f64,
    /// Right answers.
    pub right: f64,
    /// All answers.
    pub answers: f64,
}

/// A fitted function.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Psychometric {
    /// Probability of a right answer by guessing.
    pub guess: f64,
    /// Strength half-way between guessing and the best.
    pub threshold: f64,
    /// Steepness in log-odds per unit of strength.
    pub slope: f64,
    /// Share of answers that are wrong, but for lucky guesses, however strong the stimulus.
    pub lapse: f64,
    /// Logarithm of the likelihood.
    pub log_likelihood: f64,
}

impl Psychometric {
    /// Probability of a right answer.
    pub fn right(&self, strength: f64) -> f64 {
        self.guess
            + (1.0 - self.guess - self.lapse) * expit(self.slope * (strength - self.threshold))
    }

    /// The strength at which a right answer has this probability, if there is one.
    pub fn strength_at(&self, right: f64) -> Option<f64> {
        let share = (right - self.guess) / (1.0 - self.guess - self.lapse);
        (share > 0.0 && share < 1.0).then(|| self.threshold + logit(share) / self.slope)
    }
}

/// The function that makes the answers most likely.
///
/// # Errors
/// [`Undefined`] for answers to fewer than two strengths, and for answers that no threshold and slope
/// within reach explain best: those that do not get better with the strength.
pub fn fit(levels: &[Level], guess: f64) -> Result<Psychometric, Undefined> {
    let problem = Problem::of(levels, guess)?;
    let mut best: Option<(f64, [f64; 3])> = None;
    for place in 0..24 {
        for steepness in 0..12 {
            for lapse in [0.0, 0.5] {
                let share = f64::from(place) / 23.0;
                let point = [
                    problem.low + problem.range * (share * (1.0 + 2.0 * BEYOND) - BEYOND),
                    problem.slopes.0
                        + (problem.slopes.1 - problem.slopes.0) * f64::from(steepness) / 11.0,
                    lapse,
                ];
                let value = problem.cost(&point);
                if best.is_none_or(|(least, _)| value < least) {
                    best = Some((value, point));
                }
            }
        }
    }
    let Some((_, start)) = best else { return Err(Undefined("there are no answers")) };
    problem.descend(start)
}

/// The same from where another fit ended, as for resamples of the same answers.
///
/// # Errors
/// Those of [`fit`].
pub fn refit(levels: &[Level], from: &Psychometric) -> Result<Psychometric, Undefined> {
    let problem = Problem::of(levels, from.guess)?;
    problem.descend([from.threshold, log(from.slope), from.lapse / MOST_LAPSES])
}

/// Data of a fit and the bounds of its parameters: threshold, logarithm of the slope, and share of
/// [`MOST_LAPSES`].
struct Problem<'a> {
    levels: &'a [Level],
    guess: f64,
    low: f64,
    range: f64,
    slopes: (f64, f64),
}

impl<'a> Problem<'a> {
    fn of(levels: &'a [Level], guess: f64) -> Result<Self, Undefined> {
        let heard = levels.iter().filter(|level| level.answers > 0.0);
        let (low, high) = heard.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), level| {
            (low.min(level.strength), high.max(level.strength))
        });
        let range = high - low;
        if !(range.is_finite() && range > 0.0) {
            return Err(Undefined("the answers are to fewer than two strengths"));
        }
        let slopes = (log(SLOPES.0 / range), log(SLOPES.1 / range));
        Ok(Self { levels, guess, low, range, slopes })
    }

    fn at(&self, [threshold, slope, lapse]: &[f64; 3]) -> Psychometric {
        let reach = BEYOND * self.range;
        Psychometric {
            guess: self.guess,
            threshold: threshold.clamp(self.low - reach, self.low + self.range + reach),
            slope: exp(slope.clamp(self.slopes.0, self.slopes.1)),
            lapse: MOST_LAPSES * lapse.clamp(0.0, 1.0),
            log_likelihood: 0.0,
        }
    }

    /// The negative log-likelihood, higher by what a point lies beyond the bounds.
    fn cost(&self, point: &[f64; 3]) -> f64 {
        let function = self.at(point);
        let likelihood: f64 = self
            .levels
            .iter()
            .filter(|level| level.answers > 0.0)
            .map(|level| {
                let right = function.right(level.strength).clamp(1e-12, 1.0 - 1e-12);
                level.right * log(right) + (level.answers - level.right) * log1p(-right)
            })
            .sum();
        let outside = libm::fabs(point[0] - function.threshold) / self.range
            + libm::fabs(point[1] - log(function.slope))
            + libm::fabs(point[2] - point[2].clamp(0.0, 1.0));
        outside - likelihood
    }

    /// Goes downhill from `start` by the simplex method of Nelder & Mead (1965), then once more from
    /// where that ended.
    fn descend(&self, start: [f64; 3]) -> Result<Psychometric, Undefined> {
        let steps = [0.1 * self.range, 0.5, 0.3];
        let first = simplex(start, steps, |point| self.cost(point));
        let last = simplex(first, steps.map(|step| 0.3 * step), |point| self.cost(point));
        // where a whole ridge is as likely, stay: as between two strengths of a very steep function
        let last = if self.cost(&start) < self.cost(&last) + 1e-6 { start } else { last };
        let function = self.at(&last);
        let reach = 0.999 * BEYOND * self.range;
        let log_likelihood = -self.cost(&last);
        // one probability for all strengths explains the answers as well
        let alike = log_likelihood < self.of_one_probability() + 1e-3;
        if alike || log(function.slope) < self.slopes.0 + 1e-3 {
            return Err(Undefined("the answers do not get better with the strength"));
        }
        if !(self.low - reach..=self.low + self.range + reach).contains(&function.threshold) {
            return Err(Undefined("the threshold lies far beyond the strengths that were heard"));
        }
        Ok(Psychometric { log_likelihood, ..function })
    }

    /// Log-likelihood of the best probability that does not depend on the strength.
    fn of_one_probability(&self) -> f64 {
        let (right, answers) = self.levels.iter().fold((0.0, 0.0), |(right, answers), level| {
            (right + level.right, answers + level.answers)
        });
        let share = (right / answers).clamp(1e-12, 1.0 - 1e-12);
        right * log(share) + (answers - right) * log1p(-share)
    }
}

/// A minimum of `cost` near `start`.
fn simplex(start: [f64; 3], steps: [f64; 3], cost: impl Fn(&[f64; 3]) -> f64) -> [f64; 3] {
    let mut corners: Vec<(f64, [f64; 3])> = vec![(cost(&start), start)];
    for (place, step) in steps.into_iter().enumerate() {
        let mut corner = start;
        corner[place] += step;
        corners.push((cost(&corner), corner));
    }
    for _ in 0..LONGEST_DESCENT {
        corners.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (least, second, worst) = (corners[0].0, corners[2].0, corners[3]);
        if worst.0 - least < 1e-9 * (1.0 + libm::fabs(least)) {
            break;
        }
        let mut centre = [0.0; 3];
        for (_, corner) in &corners[..3] {
            for (sum, value) in centre.iter_mut().zip(corner) {
                *sum += value / 3.0;
            }
        }
        let along = |by: f64| {
            let mut point = centre;
            for (value, from) in point.iter_mut().zip(&worst.1) {
                *value += by * (*value - from);
            }
            (cost(&point), point)
        };
        let reflected = along(1.0);
        corners[3] = if reflected.0 < least {
            let expanded = along(2.0);
            if expanded.0 < reflected.0 { expanded } else { reflected }
        } else if reflected.0 < second {
            reflected
        } else {
            let contracted = along(if reflected.0 < worst.0 { 0.5 } else { -0.5 });
            if contracted.0 < worst.0.min(reflected.0) {
                contracted
            } else {
                let best = corners[0].1;
                for corner in &mut corners[1..] {
                    for (value, to) in corner.1.iter_mut().zip(&best) {
                        *value = 0.5 * (*value + to);
                    }
                    corner.0 = cost(&corner.1);
                }
                continue;
            }
        };
    }
    corners.sort_by(|a, b| a.0.total_cmp(&b.0));
    corners[0].1
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use rand::RngExt;

    use super::*;
    use crate::stream::{Purpose, stream};

    fn levels(function: &Psychometric, answers: f64) -> Vec<Level> {
        let level = |strength: i32| {
            let strength = f64::from(strength);
            Level { strength, right: answers * function.right(strength), answers }
        };
        (-8..=8).map(level).collect()
    }

    /// Shares that are exactly those of a function are most likely under that function.
    #[test]
    fn exact_shares_give_the_function_back() {
        for guess in [0.25, 1.0 / 3.0, 0.5] {
            for (threshold, slope, lapse) in [(0.0, 1.0, 0.02), (-3.3, 0.6, 0.0), (2.5, 3.0, 0.05)]
            {
                let truth = Psychometric { guess, threshold, slope, lapse, log_likelihood: 0.0 };
                let found = fit(&levels(&truth, 1000.0), guess).unwrap();
                assert!((found.threshold - threshold).abs() < 0.02, "{found:?} of {truth:?}");
                assert!((found.slope / slope - 1.0).abs() < 0.03, "{found:?} of {truth:?}");
                assert!((found.lapse - lapse).abs() < 0.005, "{found:?} of {truth:?}");
                let again = refit(&levels(&truth, 1000.0), &found).unwrap();
                assert!((again.threshold - found.threshold).abs() < 1e-3);
                let at = found.strength_at(0.75).unwrap();
                assert!((found.right(at) - 0.75).abs() < 1e-12);
                assert_eq!((found.strength_at(1.0), found.strength_at(0.2)), (None, None));
            }
        }
    }

    #[test]
    fn no_other_point_nearby_is_more_likely() {
        let truth = Psychometric {
            guess: 0.5,
            threshold: 1.0,
            slope: 0.8,
            lapse: 0.02,
            log_likelihood: 0.0,
        };
        let mut random = stream(3, Purpose::Study, 0);
        let mut noisy = levels(&truth, 30.0);
        for level in &mut noisy {
            let right = truth.right(level.strength);
            level.right = f64::from((0..30).filter(|_| random.random_bool(right)).count() as u32);
        }
        let found = fit(&noisy, 0.5).unwrap();
        let problem = Problem::of(&noisy, 0.5).unwrap();
        for threshold in [-0.3, -0.05, 0.0, 0.05, 0.3] {
            for slope in [0.8, 0.95, 1.0, 1.05, 1.2] {
                for lapse in [0.0, 0.01, 0.03, 0.059] {
                    let other = Psychometric {
                        threshold: found.threshold + threshold,
                        slope: found.slope * slope,
                        lapse,
                        ..found
                    };
                    let share = other.lapse / MOST_LAPSES;
                    let point = [other.threshold, log(other.slope), share];
                    assert!(-problem.cost(&point) <= found.log_likelihood + 1e-3, "{other:?}");
                }
            }
        }
    }

    /// All answers below the threshold wrong beyond chance, all above right: any threshold between two
    /// strengths is as likely, and the same answers must give the same one.
    #[test]
    fn a_fit_of_the_same_answers_stays_where_it_was() {
        let level = |strength: f64, right: f64| Level { strength, right, answers: 10.0 };
        let steps = [level(0.0, 3.0), level(1.0, 3.0), level(2.0, 10.0), level(3.0, 10.0)];
        let found = fit(&steps, 0.3).unwrap();
        assert!((1.0..=2.0).contains(&found.threshold), "{found:?}");
        let again = refit(&steps, &found).unwrap();
        assert!((again.threshold - found.threshold).abs() < 1e-9, "{again:?} of {found:?}");
    }

    #[test]
    fn answers_without_a_threshold_are_named() {
        let level = |strength: f64, right: f64| Level { strength, right, answers: 20.0 };
        let one = fit(&[level(1.0, 15.0)], 0.5).unwrap_err();
        assert!(one.0.contains("two strengths"), "{one}");
        let falling = [level(0.0, 20.0), level(1.0, 15.0), level(2.0, 11.0), level(3.0, 10.0)];
        assert!(fit(&falling, 0.5).is_err());
        let flat = [level(0.0, 10.0), level(1.0, 10.0), level(2.0, 10.0)];
        assert!(fit(&flat, 0.5).is_err());
        assert!(fit(&[], 0.5).is_err());
    }
}
