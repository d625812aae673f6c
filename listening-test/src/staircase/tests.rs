use rand::RngExt;
use trompe_base::random::stream;
use trompe_statistics::special::{expit, logit};

use super::*;

fn rule(text: &str) -> Result<Rule, String> {
    Rule::try_from(text.to_owned())
}

#[test]
fn rules_are_read_as_the_field_writes_them() {
    for text in ["1-up-2-down", "2-down-1-up", "1 up / 2 down", "2-Down 1-Up", "1u2d", "2d1u"] {
        assert_eq!(rule(text), Ok(Rule { down: 2 }), "{text}");
    }
    assert_eq!(String::from(rule("3-down-1-up").unwrap()), "1-up-3-down");
    for text in
        ["", "2-up-1-down", "1-up", "1-up-9-down", "up-down", "1-up-2-left", "1-up-2-down-3"]
    {
        assert!(rule(text).is_err(), "{text}");
    }
    // Levitt 1971, table I
    for (down, target) in [(1, 0.5), (2, 0.707), (3, 0.794), (4, 0.841)] {
        assert!((Rule { down }.target() - target).abs() < 5e-4);
    }
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    Staircase::default().check().unwrap();
    let refused = |change: &dyn Fn(&mut Staircase), word: &str| {
        let mut wrong = Staircase::default();
        change(&mut wrong);
        let what = wrong.check().unwrap_err();
        assert!(what.contains(word), "{what}");
    };
    refused(&|s| s.intervals = 5, "intervals");
    refused(&|s| (s.rule, s.intervals) = (Rule { down: 1 }, 2), "guessing reaches");
    refused(&|s| s.fine = 0.5, "whole numbers");
    refused(&|s| s.coarse = f64::NAN, "coarse");
    refused(&|s| s.fine = 3.0, "larger");
    refused(&|s| s.trials = 0, "trials");
    refused(&|s| s.average = 5, "even");
    refused(&|s| s.reversals = Some(9), "2 coarse ones and 8 to average are 10");
    let settings = Staircase { start: Some(3.0), ..Staircase::default() };
    settings.check_strengths(&[1.0, 3.0]).unwrap();
    let wrong = |strengths: &[f64]| settings.check_strengths(strengths).unwrap_err();
    assert!(wrong(&[3.0]).contains("two"));
    assert!(wrong(&[1.0, 2.0]).contains("start 3"));
    assert!(wrong(&[3.0, 3.0]).contains("ascending"));
    let text = "rule = \"2-down-1-up\"\nintervals = 4\n";
    let read: Staircase = toml::from_str(text).unwrap();
    assert_eq!((read.rule, read.intervals), (Rule { down: 2 }, 4));
    let again: Staircase = toml::from_str(&toml::to_string(&read).unwrap()).unwrap();
    assert_eq!(again, read);
    assert!(toml::from_str::<Staircase>("rule = \"up\"").unwrap_err().to_string().contains("1-up"));
}

/// By hand, 1-up-2-down on ten strengths from the easiest (place 9), steps of 2 until the second
/// reversal, then of 1. `+` is right, `-` wrong.
#[test]
fn a_track_moves_turns_and_ends_as_computed_by_hand() {
    let strengths: Vec<f64> = (0..10).map(f64::from).collect();
    let settings = Staircase { reversals: Some(4), average: 2, ..Staircase::default() };
    let mut track = Track::new(&settings, &strengths);
    let mut places = Vec::new();
    for answer in "++++-+-++++-++".chars() {
        let Some(at) = track.due() else { break };
        places.push(at);
        track.note(answer == '+');
    }
    // 9 9 7 7 5 | turns at 5, up to 7 | one right, one wrong: up to 9, no turn | 9 9 turns: the second,
    // so fine steps: 8 8 | 7 turns up to 8 | 8 8 turns: the fourth
    assert_eq!(places, [9, 9, 7, 7, 5, 7, 7, 9, 9, 8, 8, 7, 8, 8]);
    assert_eq!(track.course.reversals, [4, 8, 11, 13]);
    assert_eq!(track.due(), None);
    let at: Vec<f64> = track.course.reversals.iter().map(|&n| places[n] as f64).collect();
    assert_eq!(settings.averaged(&at), [7.0, 8.0]);
    assert_eq!(settings.averaged(&at[..3]), [0.0; 0], "one fine reversal has no partner");
}

#[test]
fn steps_in_the_unit_take_the_nearest_strength_and_ends_hold() {
    let strengths = [-12.0, -6.0, -3.0, 0.0, 3.0, 12.0];
    let settings = Staircase {
        steps: Steps::Unit,
        coarse: 8.0,
        fine: 1.0,
        easier: Some(Easier::Lower),
        start: Some(0.0),
        ..Staircase::default()
    };
    let step = |at, direction, reversals| settings.step(&strengths, at, direction, reversals);
    assert_eq!(settings.first(&strengths), 3);
    assert_eq!(step(3, Direction::Easier, 0), 1, "-6 is nearest to -8");
    assert_eq!(step(3, Direction::Harder, 0), 5, "12 is nearer to 8 than 3 is");
    assert_eq!(step(3, Direction::Harder, 2), 4, "never no step at all");
    assert_eq!((step(0, Direction::Easier, 0), step(5, Direction::Harder, 0)), (0, 5));
    let start = Staircase { start: None, ..settings.clone() };
    assert_eq!(start.first(&strengths), 0, "the easiest");
}

#[test]
fn tracks_without_a_number_of_reversals_end_by_trials() {
    let strengths = [1.0, 2.0, 3.0];
    let settings = Staircase { reversals: None, trials: 7, ..Staircase::default() };
    let mut track = Track::new(&settings, &strengths);
    let mut taken = 0;
    while track.due().is_some() {
        assert_eq!(track.likely_left(), 7 - taken);
        track.note(taken % 3 == 0);
        taken += 1;
    }
    assert_eq!(taken, 7);
}

/// Probability of a right answer at a place: a logistic function of known threshold and slope.
struct Hearing {
    threshold: f64,
    slope: f64,
    chance: f64,
}

impl Hearing {
    fn right(&self, strength: f64) -> f64 {
        self.chance + (1.0 - self.chance) * expit(self.slope * (strength - self.threshold))
    }

    /// Where the probability is `target`.
    fn at(&self, target: f64) -> f64 {
        self.threshold + logit((target - self.chance) / (1.0 - self.chance)) / self.slope
    }
}

/// Expected mean of the averaged reversals of a track, exactly: the track is a Markov chain whose state is
/// place, run of right answers, direction and number of reversals, and its probabilities are followed from
/// the first trial until no track is under way. Steps, start and ends of the list are all in it.
fn expected(settings: &Staircase, strengths: &[f64], hearing: &Hearing) -> f64 {
    let (places, down) = (strengths.len(), settings.rule.down as usize);
    let most = settings.reversals.unwrap() as usize;
    let state = |place: usize, run: usize, direction: usize, turns: usize| {
        ((turns * 3 + direction) * down + run) * places + place
    };
    let mut mass = vec![0.0; places * down * 3 * most];
    mass[state(settings.first(strengths), 0, 0, 0)] = 1.0;
    let mut sum = 0.0;
    for _ in 0..settings.trials {
        let mut next = vec![0.0; mass.len()];
        for turns in 0..most {
            for direction in 0..3 {
                for run in 0..down {
                    for place in 0..places {
                        let own = mass[state(place, run, direction, turns)];
                        if own < 1e-15 {
                            continue;
                        }
                        let right = hearing.right(strengths[place]);
                        if run + 1 < down {
                            next[state(place, run + 1, direction, turns)] += own * right;
                        }
                        for (probability, to) in [(1.0 - right, 1), (right, 2)] {
                            if to == 2 && run + 1 < down {
                                continue;
                            }
                            let turned = turns + usize::from(direction != 0 && direction != to);
                            if turned > turns && turned > most - settings.average as usize {
                                sum += own * probability * strengths[place];
                            }
                            if turned == most {
                                continue;
                            }
                            let way = [Direction::Easier, Direction::Harder][to - 1];
                            let there = settings.step(strengths, place, way, turned);
                            next[state(there, 0, to, turned)] += own * probability;
                        }
                    }
                }
            }
        }
        mass = next;
    }
    assert!(mass.iter().sum::<f64>() < 1e-9, "every track has ended");
    sum / f64::from(settings.average)
}

/// Listeners of a known threshold give it back. Theory says how far the mean of the reversals lies from
/// the strength at the rule's target probability: it is computed for the very track, and simulated tracks
/// must agree with it within their standard error.
#[test]
fn simulated_listeners_with_a_known_threshold_give_it_back() {
    let strengths: Vec<f64> = (0..=40).map(f64::from).collect();
    for (down, intervals) in [(2, 2), (2, 3), (2, 4), (3, 2), (3, 3), (3, 4)] {
        let settings = Staircase {
            intervals,
            rule: Rule { down },
            coarse: 4.0,
            coarse_reversals: 4,
            reversals: Some(24),
            trials: 600,
            average: 20,
            ..Staircase::default()
        };
        settings.check().unwrap();
        let hearing = Hearing { threshold: 20.3, slope: 0.5, chance: settings.chance() };
        let wanted = hearing.at(settings.rule.target());
        let theory = expected(&settings, &strengths, &hearing);
        let bias = theory - wanted;
        assert!(bias.abs() < 0.25, "{down} down, {intervals} intervals: bias {bias}");
        let mut random = stream(7, u64::from(down), u64::from(intervals), 0);
        let mut means = Vec::new();
        for _ in 0..2000 {
            let mut track = Track::new(&settings, &strengths);
            let mut heard = Vec::new();
            while let Some(at) = track.due() {
                heard.push(strengths[at]);
                track.note(random.random_bool(hearing.right(strengths[at])));
            }
            let turned: Vec<f64> = track.course.reversals.iter().map(|&n| heard[n]).collect();
            let averaged = settings.averaged(&turned);
            assert_eq!(averaged.len(), 20);
            means.push(averaged.iter().sum::<f64>() / 20.0);
        }
        let count = means.len() as f64;
        let mean = means.iter().sum::<f64>() / count;
        let variance = means.iter().map(|m| (m - mean) * (m - mean)).sum::<f64>() / (count - 1.0);
        let error = libm::sqrt(variance / count);
        println!(
            "1-up-{down}-down, {intervals} intervals: {wanted:.2} at the target, bias of theory {bias:+.3}, \
             mean of {count} tracks {mean:.3} (sd {:.2}), {:+.3} from theory (se {error:.3})",
            libm::sqrt(variance),
            mean - theory
        );
        assert!((mean - theory).abs() < 4.0 * error, "{mean} and {theory}");
    }
}
