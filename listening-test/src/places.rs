//! Which stimulus of an item is shown at which place. Nothing about a stimulus may follow from
//! its place, so places are balanced within each plan and over the plans.

use rand::Rng;
use trompe_base::random::shuffle;

use crate::answer_key::{Item, Role};
use crate::random::{Purpose, stream};
use crate::study::{Block, Task};
use crate::study_folder::StudyFolder;
use crate::williams::williams;

/// An item and the order of its stimuli.
#[derive(Debug)]
pub(crate) struct Placed {
    pub(crate) item: String,
    pub(crate) order: Vec<usize>,
}

/// Gives each plan of one block the order of stimuli of every item.
pub(crate) struct Places<'a> {
    folder: &'a StudyFolder,
    block: &'a Block,
    index: u64,
    /// Of each pair: in how many plans it was shown as built less those in which it was swapped.
    leaning: std::collections::BTreeMap<&'a str, i32>,
}

impl<'a> Places<'a> {
    pub(crate) fn new(folder: &'a StudyFolder, index: usize, block: &'a Block) -> Self {
        let items = folder.items(Role::Trial, &block.name);
        let leaning = items.map(|item| (item.name.as_str(), 0)).collect();
        Self { folder, block, index: index as u64, leaning }
    }

    /// The items of plan `number` with the orders of their stimuli.
    pub(crate) fn of(&mut self, number: usize, items: Vec<String>) -> Vec<Placed> {
        let swapped = match self.block.task {
            Task::Ab | Task::Abx if self.folder.study.plan.balance_pairs => {
                self.swapped(number, &items)
            }
            _ => Vec::new(),
        };
        let place = |item: String| {
            let order = match (self.block.task, self.folder.item(&item)) {
                (Task::Mushra | Task::Bs1116, Some(found)) => self.page(number, found),
                (Task::Ab | Task::Abx, Some(found)) => {
                    let mut order: Vec<usize> = (0..found.stimuli.len()).collect();
                    if swapped.contains(&item) && order.len() >= 2 {
                        order.swap(0, 1);
                    }
                    order
                }
                _ => Vec::new(),
            };
            Placed { item, order }
        };
        items.into_iter().map(place).collect()
    }

    /// Half of the plan's pairs, within one: those that were shown as built most often so far,
    /// and among equals any.
    fn swapped(&mut self, number: usize, items: &[String]) -> Vec<String> {
        let mut random = stream(self.folder.study.seed, Purpose::Places, self.index, number as u64);
        let mut pairs: Vec<(i32, u64, &String)> = items
            .iter()
            .map(|item| {
                let leaning = self.leaning.get(item.as_str()).copied().unwrap_or(0);
                (-leaning, random.next_u64(), item)
            })
            .collect();
        pairs.sort_unstable();
        // an odd number is rounded up in every other plan
        let half = (pairs.len() + number % 2) / 2;
        let swapped: Vec<String> =
            pairs.iter().take(half).map(|(_, _, item)| (*item).clone()).collect();
        for item in items {
            if let Some(leaning) = self.leaning.get_mut(item.as_str()) {
                *leaning += if swapped.contains(item) { -1 } else { 1 };
            }
        }
        swapped
    }

    /// The order of a page: the open reference first, then a row of a Williams square of the
    /// stimuli, so that over the rows each stands at every place and after every other.
    fn page(&self, number: usize, item: &Item) -> Vec<usize> {
        let seed = self.folder.study.seed;
        let place = self.folder.items(Role::Trial, &self.block.name);
        let place = place.take_while(|other| other.name != item.name).count() as u64;
        let mut random = stream(seed, Purpose::Places, self.index, (1 << 32) + place);
        let mut stimuli: Vec<usize> = (1..item.stimuli.len()).collect();
        shuffle(&mut stimuli, &mut random);
        let square = williams(stimuli.len());
        let first = random.next_u64() as usize % square.len().max(1);
        let row = square.get((first + number) % square.len().max(1));
        let shown = row.into_iter().flatten().filter_map(|&index| stimuli.get(index).copied());
        std::iter::once(0).chain(shown).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::plan::{Step, plans};
    use crate::study::{Medium, Study};

    fn folder(task: Task, stimuli: usize, items: u32, each: u32) -> StudyFolder {
        let mut study: Study = toml::from_str(crate::study::tests::SMALL).unwrap();
        study.plan.count = 24;
        study.plan.balance_pairs = true;
        let block = &mut study.blocks[0];
        (block.task, block.catch, block.practice) = (task, 0, 0);
        block.items = [("abx".to_owned(), each)].into();
        let item = |number: u32| Item {
            name: format!("i{number:02}"),
            role: Role::Trial,
            block: "music".into(),
            medium: Medium::Audio,
            stimuli: (0..stimuli).map(|n| format!("{number}-{n}.wav")).collect(),
            condition: "abx".into(),
            truth: String::new(),
            source: String::new(),
            source_sha256: String::new(),
            fooling_set: None,
            posterior: None,
            seconds: None,
            conditions: Vec::new(),
            strengths: Vec::new(),
        };
        StudyFolder::for_tests(study, (0..items).map(item).collect())
    }

    fn orders(folder: &StudyFolder) -> Vec<BTreeMap<String, Vec<usize>>> {
        let trial = |step: Step| match step {
            Step::Trial { item, order, .. } => Some((item, order)),
            _ => None,
        };
        plans(folder).into_iter().map(|plan| plan.into_iter().filter_map(trial).collect()).collect()
    }

    #[test]
    fn pairs_change_places_equally_often_within_and_between_people() {
        for (items, each) in [(12, 12), (7, 7), (12, 8)] {
            let plans = orders(&folder(Task::Abx, 3, items, each));
            let mut shown: BTreeMap<&str, [u32; 2]> = BTreeMap::new();
            for plan in &plans {
                let swapped = plan.values().filter(|order| order[0] == 1).count() as u32;
                assert!(swapped.abs_diff(each - swapped) <= 1, "{swapped} of {each}");
                for (item, order) in plan {
                    assert!(*order == [0, 1, 2] || *order == [1, 0, 2], "X stays the last");
                    shown.entry(item).or_default()[order[0]] += 1;
                }
            }
            for [as_built, swapped] in shown.values() {
                assert!(as_built.abs_diff(*swapped) <= 2, "{shown:?}");
            }
        }
    }

    #[test]
    fn pairs_of_a_study_of_before_stay_as_built() {
        let mut before = folder(Task::Ab, 2, 6, 6);
        before.study.plan.balance_pairs = false;
        assert!(orders(&before).iter().flat_map(BTreeMap::values).all(|order| *order == [0, 1]));
    }

    #[test]
    fn stimuli_of_a_page_stand_equally_often_at_every_place() {
        let plans = orders(&folder(Task::Mushra, 7, 3, 3));
        let mut at: BTreeMap<(&str, usize, usize), u32> = BTreeMap::new();
        for plan in &plans {
            for (item, order) in plan {
                assert_eq!((order.len(), order[0]), (7, 0));
                for (place, &stimulus) in order.iter().enumerate().skip(1) {
                    *at.entry((item, place, stimulus)).or_default() += 1;
                }
            }
        }
        assert!(at.len() == 3 * 36 && at.values().all(|&count| count == 4), "{at:?}");
    }
}
