//! The trials of another tool's experiment, in blocks of their own.

use super::gather::{Gathered, block, deal, pair_in_order, trial};
use crate::import_formats::{Design, DesignBlock, DesignTrial};
use crate::mushra::MUSHRA;
use crate::random::{Purpose, stream};
use crate::study::{Medium, Task};

impl Gathered {
    /// The trials of another tool's experiment, in blocks after those that are here.
    pub(super) fn add_design(&mut self, seed: u64, design: &Design) {
        for (index, asked) in design.blocks.iter().enumerate() {
            let word = match asked.task {
                Task::Abx => "abx",
                Task::Ab => "ab",
                Task::Mushra => MUSHRA,
                _ => "likert",
            };
            let name = self.free_name(word);
            if asked.task == Task::Mushra {
                self.add_page_block(&name, &asked.pages);
                self.ask(asked, design);
                continue;
            }
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
            self.blocks.push(block);
            self.ask(asked, design);
        }
        self.warnings.extend(design.warnings.iter().cloned());
    }

    /// Gives the last block the question of the experiment.
    fn ask(&mut self, asked: &DesignBlock, design: &Design) {
        if let Some(block) = self.blocks.last_mut().filter(|_| !asked.question.is_empty()) {
            block.question.insert(design.language.clone(), asked.question.clone());
        }
    }

    /// `word`, or `word-2` and so on: a name that no block has yet.
    pub(super) fn free_name(&self, word: &str) -> String {
        let taken = |name: &String| self.blocks.iter().any(|block| &block.name == name);
        let numbered = (2..).map(|number| format!("{word}-{number}"));
        std::iter::once(word.to_owned())
            .chain(numbered)
            .find(|name| !taken(name))
            .unwrap_or_default()
    }
}
