//! The trials of another tool's experiment, in blocks of their own.

use super::gather::{Gathered, block, deal, pair_in_order, trial};
use crate::import_formats::{Design, DesignTrial};
use crate::random::{Purpose, stream};
use crate::study::{Medium, Task};

impl Gathered {
    /// The trials of another tool's experiment, in blocks after those that are here.
    pub(super) fn add_design(&mut self, seed: u64, design: &Design) {
        for (index, asked) in design.blocks.iter().enumerate() {
            let word = match asked.task {
                Task::Abx => "abx",
                Task::Ab => "ab",
                _ => "likert",
            };
            let name = self.free_name(word);
            let mut stream = stream(seed, Purpose::Design, index as u64, 0);
            let orders = deal(asked.trials.len(), &mut stream);
            for (DesignTrial { condition, files }, (place, x)) in asked.trials.iter().zip(orders) {
                let (contents, truth) = match files.as_slice() {
                    [first, second] => {
                        // the first of an ABX is its reference, which X is
                        let pair = [first.clone(), second.clone()];
                        let x = if asked.task == Task::Abx { 0 } else { x };
                        pair_in_order(asked.task, condition, &pair, place, x)
                    }
                    files => (files.to_vec(), String::new()),
                };
                self.drafts.push(trial(&name, Medium::Audio, contents, condition, truth));
            }
            let mut block = block(&name, asked.task, Medium::Audio, Vec::new());
            if asked.task == Task::Likert {
                block.scale = asked.scale;
            }
            if !asked.question.is_empty() {
                block.question.insert(design.language.clone(), asked.question.clone());
            }
            self.blocks.push(block);
        }
        self.warnings.extend(design.warnings.iter().cloned());
    }

    /// `word`, or `word-2` and so on: a name that no block has yet.
    fn free_name(&self, word: &str) -> String {
        let taken = |name: &String| self.blocks.iter().any(|block| &block.name == name);
        let numbered = (2..).map(|number| format!("{word}-{number}"));
        std::iter::once(word.to_owned())
            .chain(numbered)
            .find(|name| !taken(name))
            .unwrap_or_default()
    }
}
