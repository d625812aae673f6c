//! Simulated answers of listeners to items.

use trompe_base::random::{normal, shuffle, uniform};

use super::Answers;
use super::accuracy::intercept_of;
use crate::special::expit;
use crate::stream::{Purpose, stream};

/// How many listeners answer how many items, and how right they are.
#[derive(Debug, Clone, PartialEq)]
pub struct CrossedDesign {
    /// Participants.
    pub participants: usize,
    /// Items.
    pub items: usize,
    /// Items that each participant answers; `None` is all. Fewer are dealt so that every item gets equally
    /// many answers, within one.
    pub items_per_participant: Option<usize>,
    /// True accuracy of the average listener on the average item, in (0, 1).
    pub accuracy: f64,
    /// Standard deviation of listeners on the logit scale.
    pub participant_sd: f64,
    /// Standard deviation of items on the logit scale.
    pub item_sd: f64,
}

impl Default for CrossedDesign {
    /// 40 listeners and 40 items. The standard deviations of comparable tests are rarely known, so 0.5 and 1
    /// are our choice.
    fn default() -> Self {
        Self {
            participants: 40,
            items: 40,
            items_per_participant: None,
            accuracy: 0.1,
            participant_sd: 0.5,
            item_sd: 1.0,
        }
    }
}

/// Study number `place` of `seed`: listeners and items are normal on the logit scale. The design must be in
/// range.
pub fn simulate(design: &CrossedDesign, seed: u64, place: u64) -> Answers {
    let mut stream = stream(seed, Purpose::Study, place);
    let variance = design.participant_sd * design.participant_sd + design.item_sd * design.item_sd;
    let intercept = intercept_of(design.accuracy, variance);
    let mut draw = |count: usize, sd: f64| -> Vec<f64> {
        (0..count).map(|_| sd * normal(&mut stream)).collect()
    };
    let people = draw(design.participants, design.participant_sd);
    let items = draw(design.items, design.item_sd);
    let each = design.items_per_participant.unwrap_or(design.items);
    let mut answers = Answers::default();
    // Participants draw their items from a deck, which is shuffled again whenever it is used up.
    let mut deck: Vec<usize> = Vec::new();
    for (participant, person) in people.iter().enumerate() {
        let mut hand: Vec<usize> = Vec::with_capacity(each);
        while hand.len() < each {
            if deck.is_empty() {
                deck = (0..design.items).collect();
                shuffle(&mut deck, &mut stream);
                // Items that this participant already has go to the bottom.
                deck.sort_by_key(|item| !hand.contains(item));
            }
            hand.extend(deck.pop());
        }
        for item in hand {
            let hit = uniform(&mut stream) < expit(intercept + person + items[item]);
            answers.push(participant, item, f64::from(u8::from(hit)));
        }
    }
    answers
}
