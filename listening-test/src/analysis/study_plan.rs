//! The plan of a study's analysis.

use super::plan::AnalysisPlan;
use crate::study::Task;
use crate::study_folder::StudyFolder;

/// The study's plan, with the classes, scales and settings of tracks that its blocks have.
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
            Task::Staircase => {
                let settings = block.staircase.iter().cloned();
                plan.staircases.extend(settings.map(|settings| (block.name.clone(), settings)));
            }
            Task::Abx | Task::Ab | Task::Mushra | Task::Bs1116 => {}
        }
    }
    plan
}
