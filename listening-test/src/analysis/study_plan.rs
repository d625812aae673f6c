//! The plan of a study's analysis.

use super::plan::AnalysisPlan;
use crate::study::Task;
use crate::study_folder::StudyFolder;

/// The study's plan, with the classes and scales that its blocks offer.
pub(super) fn plan_of(folder: &StudyFolder) -> AnalysisPlan {
    let mut plan = folder.study.analysis.clone();
    for block in &folder.study.blocks {
        match block.task {
            Task::Choice => {
                plan.classes.insert(block.name.clone(), block.classes.clone());
            }
            Task::Likert => {
                plan.scales.insert(block.name.clone(), block.scale);
            }
            Task::Abx | Task::Ab | Task::Mushra => {}
        }
    }
    plan
}
