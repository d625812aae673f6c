//! Who gets which items in which order: seeded plans, balanced over participants.
//!
//! *Which*: a balanced incomplete block design built step by step. A plan takes the class it
//! has least of, then the item used least so far, then the item that has met the plan's
//! others least. *Order*: rows of a Williams square over the classes, so that over as many
//! plans as there are rows every class stands equally often at every place and after every
//! other class. Blocks are ordered by a Williams square of their own.

use std::collections::BTreeMap;

use rand::Rng;
use serde::{Deserialize, Serialize};
use trompe_base::random::shuffle;

use crate::answer_key::{Item, Role};
use crate::places::{Placed, Places};
use crate::random::{Purpose, stream};
use crate::study::{Block, Policy, Task};
use crate::study_folder::StudyFolder;
use crate::williams::williams;

/// One thing a participant does. Each is answered once, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Step {
    /// The questionnaire.
    Questionnaire,
    /// Sets the level, or one trial of a check.
    Check {
        /// Name of the item.
        item: String,
    },
    /// Says what the block is about.
    Intro {
        /// Name of the block.
        block: String,
    },
    /// An item with feedback.
    Practice {
        /// Name of the item.
        item: String,
    },
    /// A trial, catch or gold item.
    Trial {
        /// Name of the item.
        item: String,
        /// Number among the trials, from 0.
        position: u32,
        /// Which of the item's stimuli is shown at each place; empty for one stimulus.
        order: Vec<usize>,
    },
    /// An adaptive track; its trials follow from the answers to them.
    Track {
        /// Name of the item.
        item: String,
    },
    /// A rest.
    Break,
    /// Room for remarks.
    Remarks,
}

impl Step {
    /// Name of the item it presents.
    pub fn item(&self) -> Option<&str> {
        match self {
            Self::Check { item }
            | Self::Practice { item }
            | Self::Trial { item, .. }
            | Self::Track { item } => Some(item),
            _ => None,
        }
    }
}

/// The steps of one participant.
pub type ParticipantPlan = Vec<Step>;

/// All plans of a study, the same for the same folder on every machine.
pub fn plans(folder: &StudyFolder) -> Vec<ParticipantPlan> {
    let study = &folder.study;
    let orders: Vec<Vec<Vec<Placed>>> = study
        .blocks
        .iter()
        .enumerate()
        .map(|(index, block)| block_orders(folder, index, block))
        .collect();
    let block_rows = williams(study.blocks.len());
    (0..study.plan.count as usize)
        .map(|number| {
            let mut plan = vec![Step::Questionnaire];
            plan.extend(checks(folder, number));
            let mut position = 0;
            for &block in &block_rows[number % block_rows.len()] {
                let name = &study.blocks[block].name;
                plan.push(Step::Intro { block: name.clone() });
                let practice = folder.items(Role::Practice, name);
                let practice = practice.take(study.blocks[block].practice as usize);
                plan.extend(practice.map(|item| Step::Practice { item: item.name.clone() }));
                let trials = &orders[block][number];
                for (index, trial) in trials.iter().enumerate() {
                    let every = study.plan.break_every as usize;
                    // a track is long: there is a break before each but the first
                    let track = study.blocks[block].task == Task::Staircase;
                    let due = track || index % every.max(1) == 0 && trials.len() - index > 3;
                    if every > 0 && index > 0 && due {
                        plan.push(Step::Break);
                    }
                    if track {
                        plan.push(Step::Track { item: trial.item.clone() });
                        continue;
                    }
                    let (item, order) = (trial.item.clone(), trial.order.clone());
                    plan.push(Step::Trial { item, position, order });
                    position += 1;
                }
            }
            plan.push(Step::Remarks);
            plan
        })
        .collect()
}

/// The plan for the next participant: the one that fewest completed or live participants
/// have; the first of equals.
pub fn least_filled(filled: &BTreeMap<u32, u32>, plans: u32) -> u32 {
    (0..plans).min_by_key(|plan| filled.get(plan).copied().unwrap_or(0)).unwrap_or(0)
}

fn checks(folder: &StudyFolder, number: usize) -> Vec<Step> {
    if folder.study.headphones.policy == Policy::Off {
        return Vec::new();
    }
    let mut steps = Vec::new();
    for (index, role) in
        [Role::Level, Role::LeftRight, Role::Huggins, Role::Antiphase].into_iter().enumerate()
    {
        let mut items: Vec<_> = folder.items(role, "").map(|item| item.name.clone()).collect();
        let mut stream =
            stream(folder.study.seed, Purpose::Order, number as u64, 1000 + index as u64);
        shuffle(&mut items, &mut stream);
        if matches!(role, Role::Huggins | Role::Antiphase) {
            items.truncate(folder.study.headphones.trials as usize);
        }
        steps.extend(items.into_iter().map(|item| Step::Check { item }));
    }
    steps
}

/// For every plan, the items of one block in order.
fn block_orders(folder: &StudyFolder, index: usize, block: &Block) -> Vec<Vec<Placed>> {
    let study = &folder.study;
    let mut selector = Selector::new(folder, block);
    let mut places = Places::new(folder, index, block);
    let block_orders = williams(study.blocks.len()).len().max(1);
    (0..study.plan.count as usize)
        .map(|number| {
            let mut random = stream(study.seed, Purpose::Selection, index as u64, number as u64);
            let chosen = selector.next(&mut random);
            // block order takes number % block_orders, so the two balances cross
            let row = number / block_orders;
            let mut order = williams_order(block, chosen, row);
            limit_runs(&mut order, study.plan.longest_run as usize);
            let mut names: Vec<String> = order.iter().map(|item| item.name.clone()).collect();
            insert_checks(folder, block, Role::Gold, number, &mut names, &mut random);
            insert_checks(folder, block, Role::Catch, number, &mut names, &mut random);
            places.of(number, names)
        })
        .collect()
}

/// What an item is balanced by: its class in choice blocks, itself elsewhere.
fn group<'a>(block: &Block, item: &'a Item) -> &'a str {
    if block.task == Task::Choice { &item.truth } else { &item.name }
}

/// Chooses each plan's items so that use stays even.
struct Selector<'a> {
    block: &'a Block,
    items: Vec<&'a Item>,
    used: Vec<u32>,
    met: Vec<Vec<u32>>,
}

impl<'a> Selector<'a> {
    fn new(folder: &'a StudyFolder, block: &'a Block) -> Self {
        let items: Vec<_> = folder.items(Role::Trial, &block.name).collect();
        let count = items.len();
        Self { block, items, used: vec![0; count], met: vec![vec![0; count]; count] }
    }

    fn next(&mut self, random: &mut impl Rng) -> Vec<&'a Item> {
        let mut chosen: Vec<usize> = Vec::new();
        for (condition, &count) in &self.block.items {
            let mut of_group: BTreeMap<&str, u32> = BTreeMap::new();
            for _ in 0..count {
                let free = (0..self.items.len()).filter(|index| {
                    &self.items[*index].condition == condition && !chosen.contains(index)
                });
                let best = free.min_by_key(|&index| {
                    let group = group(self.block, self.items[index]);
                    let met: u32 = chosen.iter().map(|&other| self.met[index][other]).sum();
                    let held = of_group.get(group).copied().unwrap_or(0);
                    (held, self.used[index], met, random.next_u64())
                });
                let Some(best) = best else { break };
                *of_group.entry(group(self.block, self.items[best])).or_default() += 1;
                chosen.push(best);
            }
        }
        for &index in &chosen {
            self.used[index] += 1;
            for &other in &chosen {
                self.met[index][other] += 1;
            }
        }
        let mut items: Vec<_> = chosen.into_iter().map(|index| self.items[index]).collect();
        shuffle_with(&mut items, random);
        items
    }
}

fn shuffle_with<T>(items: &mut [T], random: &mut impl Rng) {
    use rand::SeedableRng;
    shuffle(items, &mut rand::rngs::ChaCha8Rng::seed_from_u64(random.next_u64()));
}

/// Rounds of one item per class, each in the order of one row of the square.
fn williams_order<'a>(block: &Block, items: Vec<&'a Item>, plan: usize) -> Vec<&'a Item> {
    let mut by_group: BTreeMap<&str, Vec<&'a Item>> = BTreeMap::new();
    for item in items {
        by_group.entry(group(block, item)).or_default().push(item);
    }
    let mut groups: Vec<Vec<&'a Item>> = by_group.into_values().collect();
    let square = williams(groups.len());
    let rounds = groups.iter().map(Vec::len).max().unwrap_or(0);
    let mut order = Vec::new();
    for round in 0..rounds {
        for &group in &square[(plan + round) % square.len()] {
            order.extend(groups[group].pop());
        }
    }
    order
}

/// Moves items so that no true class stands more than `longest` times in a row, as far as
/// the items allow: an item too many goes behind the next of another class or, if there is
/// none, to the first earlier place that takes it.
fn limit_runs(order: &mut Vec<&Item>, longest: usize) {
    for index in 0..order.len() {
        if !ends_long_run(order, index, longest) {
            continue;
        }
        let truth = &order[index].truth;
        if let Some(other) = (index + 1..order.len()).find(|&other| &order[other].truth != truth) {
            order[index..=other].rotate_right(1);
            continue;
        }
        let item = order.remove(index);
        let fits = |at: &usize| {
            let mut tried = order.clone();
            tried.insert(*at, item);
            (0..=index).all(|end| !ends_long_run(&tried, end, longest))
        };
        let at = (0..index).find(fits).unwrap_or(index);
        order.insert(at, item);
    }
}

fn ends_long_run(order: &[&Item], index: usize, longest: usize) -> bool {
    let truth = &order[index].truth;
    !truth.is_empty()
        && index >= longest
        && order[index - longest..index].iter().all(|item| &item.truth == truth)
}

/// One catch or gold item in each of as many stretches of the block, never first.
fn insert_checks(
    folder: &StudyFolder,
    block: &Block,
    role: Role,
    number: usize,
    names: &mut Vec<String>,
    random: &mut impl Rng,
) {
    let items: Vec<_> = folder.items(role, &block.name).collect();
    let count = if role == Role::Gold { block.gold } else { block.catch } as usize;
    if count == 0 || names.is_empty() {
        return;
    }
    let stretch = names.len() as u64 / count as u64;
    for check in (0..count).rev() {
        let offset = 1 + random.next_u64() % stretch.max(1);
        let at = (check as u64 * stretch + offset).min(names.len() as u64) as usize;
        let item = items[(number * count + check) % items.len()];
        names.insert(at, item.name.clone());
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::study::{Medium, Study};

    fn folder(classes: u32, per_class: u32, text: &str) -> StudyFolder {
        let mut study: Study = toml::from_str(crate::study::tests::SMALL).unwrap();
        let edit: toml::Table = toml::from_str(text).unwrap();
        let block = &mut study.blocks[0];
        block.classes = (0..classes).map(|class| format!("c{class}")).collect();
        block.items = edit["items"].clone().try_into().unwrap();
        study.plan.count = edit["plans"].as_integer().unwrap() as u32;
        let mut items = Vec::new();
        let conditions =
            [("real", Role::Trial), ("fooling:toy", Role::Trial), ("catch", Role::Catch)];
        for (condition, role) in conditions {
            for number in 0..classes * per_class {
                items.push(Item {
                    name: format!("{condition}-{number:03}"),
                    role,
                    block: "music".into(),
                    medium: Medium::Audio,
                    stimuli: vec![],
                    condition: condition.into(),
                    truth: format!("c{}", number % classes),
                    source: String::new(),
                    source_sha256: String::new(),
                    fooling_set: None,
                    posterior: None,
                    seconds: Some(10.0),
                    conditions: Vec::new(),
                    strengths: Vec::new(),
                });
            }
        }
        StudyFolder::for_tests(study, items)
    }

    fn trials<'a>(folder: &'a StudyFolder, plan: &'a ParticipantPlan) -> Vec<&'a Item> {
        let names = plan.iter().filter(|step| matches!(step, Step::Trial { .. }));
        names.filter_map(|step| folder.item(step.item().unwrap())).collect()
    }

    #[test]
    fn items_are_used_evenly_and_classes_stand_everywhere_equally() {
        let folder = folder(10, 6, "plans = 120\nitems = { real = 10, 'fooling:toy' = 30 }");
        let plans = plans(&folder);
        let mut used: BTreeMap<&str, u32> = BTreeMap::new();
        let mut places = vec![BTreeMap::<&str, u32>::new(); 40];
        for plan in &plans {
            let all = trials(&folder, plan);
            let main: Vec<_> = all.iter().filter(|item| item.role == Role::Trial).collect();
            assert_eq!((main.len(), all.len()), (40, 41));
            assert_ne!(all[0].role, Role::Catch);
            for (place, item) in main.iter().enumerate() {
                *used.entry(&item.name).or_default() += 1;
                *places[place].entry(&item.truth).or_default() += 1;
            }
            for run in main.windows(3) {
                assert!(run.iter().any(|item| item.truth != run[0].truth));
            }
        }
        for condition in ["real", "fooling"] {
            let counts: Vec<u32> = used
                .iter()
                .filter(|(name, _)| name.starts_with(condition))
                .map(|(_, &count)| count)
                .collect();
            assert_eq!(counts.len(), 60);
            assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1, "{counts:?}");
        }
        for place in &places {
            assert!(place.len() == 10 && place.values().all(|&count| count == 12), "{place:?}");
        }
        assert_eq!(super::plans(&folder), plans);
    }

    /// Three blocks of four classes: every order of the blocks meets every order of the classes.
    #[test]
    fn the_order_of_blocks_does_not_tell_that_of_classes() {
        let one = folder(4, 2, "plans = 24\nitems = { real = 4, 'fooling:toy' = 0 }");
        let mut study = one.study.clone();
        study.blocks[0].catch = 0;
        study.blocks = ["a", "b", "c"]
            .map(|name| Block { name: name.into(), ..study.blocks[0].clone() })
            .into();
        let items = study.blocks.iter().flat_map(|block| {
            let real = one.answer_key.items.iter().filter(|item| item.condition == "real");
            real.map(|item| Item {
                name: format!("{}-{}", block.name, item.name),
                block: block.name.clone(),
                ..item.clone()
            })
        });
        let folder = StudyFolder::for_tests(study.clone(), items.collect());
        let mut met: BTreeMap<(Vec<&str>, &str), u32> = BTreeMap::new();
        let plans = plans(&folder);
        for plan in &plans {
            let blocks = plan.iter().filter_map(|step| match step {
                Step::Intro { block } => Some(block.as_str()),
                _ => None,
            });
            let of_a = trials(&folder, plan).into_iter().find(|item| item.block == "a").unwrap();
            let first = folder.item(&of_a.name).unwrap().truth.as_str();
            *met.entry((blocks.collect(), first)).or_default() += 1;
        }
        assert_eq!(met.len(), 6 * 4);
    }

    #[test]
    fn uneven_material_still_keeps_runs_short() {
        let folder = folder(3, 8, "plans = 30\nitems = { real = 7, 'fooling:toy' = 10 }");
        for plan in plans(&folder) {
            let main = trials(&folder, &plan);
            let main: Vec<_> = main.iter().filter(|item| item.role == Role::Trial).collect();
            assert_eq!(main.len(), 17);
            for run in main.windows(3) {
                assert!(run.iter().any(|item| item.truth != run[0].truth));
            }
        }
    }

    /// 10,000 arrivals of which 30 % drop out: places of dropouts are given out again.
    #[test]
    fn completed_participants_stay_balanced_under_dropouts() {
        let mut random = stream(1, Purpose::Listener, 0, 0);
        let plans = 120;
        let mut completed: BTreeMap<u32, u32> = BTreeMap::new();
        let mut live: std::collections::VecDeque<(u32, bool)> = Default::default();
        for _ in 0..10_000 {
            let mut filled = completed.clone();
            for (plan, _) in &live {
                *filled.entry(*plan).or_default() += 1;
            }
            let plan = least_filled(&filled, plans);
            live.push_back((plan, random.next_u64() % 10 < 3));
            if live.len() > 20 {
                let (plan, dropped) = live.pop_front().unwrap();
                if !dropped {
                    *completed.entry(plan).or_default() += 1;
                }
            }
        }
        let most = completed.values().max().unwrap();
        let least =
            (0..plans).map(|plan| completed.get(&plan).copied().unwrap_or(0)).min().unwrap();
        assert!(most - least <= 1, "{least}..{most}");
    }
}
