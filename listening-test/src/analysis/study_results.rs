//! From a study folder and its database to everything that is reported of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::bs1116_page;
use super::charts;
use super::exclusions;
use super::flow_chart::flow_chart;
use super::fooling_sets::{AGREEMENT_FILE, HumanAgreement, human_agreement};
use super::model_comparison::ItemRow;
use super::mushra_page;
use super::plan::AnalysisPlan;
use super::preregistration::Preregistration;
use super::report::{Report, analyze_with};
use super::result_folder::ResultFolder;
use super::staircase_page;
use super::study_facts::StudyFacts;
use super::study_plan::plan_of;
use crate::answers::AnswerRow;
use crate::error::{Error, Result};
use crate::export::{Export, SIMULATED};
use crate::study::Policy;
use crate::study_folder::StudyFolder;

/// Whose answers are analyzed: those of people and of programs are never put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// People.
    People,
    /// Simulated listeners, to try the analysis out; everything is labelled so.
    Simulated,
}

/// What a study says.
#[derive(Debug, Clone, PartialEq)]
pub struct StudyResults {
    /// The report: page, numbers, tables.
    pub report: Report,
    /// Human agreement with each fooling set.
    pub agreement: HumanAgreement,
    /// All answers; those left out say why in `excluded`.
    pub answers: Vec<AnswerRow>,
}

/// Analyzes the answers of a study by the plan in its `study.toml`.
///
/// # Errors
/// [`trompe_base::Error::Request`] if there are no such answers; those of [`analyze_with`].
pub fn analyze_study(folder: &StudyFolder, export: &Export, who: Who) -> Result<StudyResults> {
    let simulated = |row: &&AnswerRow| row.participant.starts_with("sim-");
    let wanted = who == Who::Simulated;
    let mut answers: Vec<AnswerRow> =
        export.answers.iter().filter(|row| simulated(row) == wanted).cloned().collect();
    if wanted {
        // out of a study of people, but not of their own
        answers.iter_mut().for_each(|row| {
            row.excluded.take_if(|reason| reason == SIMULATED);
        });
    }
    if answers.is_empty() {
        let (whose, remedy) = match who {
            Who::People => ("people", "wait for answers, or ask for those of simulated listeners"),
            Who::Simulated => ("simulated listeners", "run `trompe listen simulate` first"),
        };
        return Err(Error::request(format!("there are no answers of {whose}"), remedy));
    }
    let plan = plan_of(folder);
    let mut report = analyze_with(&answers, &items(folder), &passed_check(folder, export), &plan)?;
    count_all(&mut report, export, wanted);
    report.study = Some(StudyFacts::of(folder, export, &report.participants));
    if let Some(registered) = Preregistration::read(&folder.root)? {
        let analyzed = report.counts.participants_analyzed;
        report.deviations = Some(registered.deviations(folder, &plan, analyzed));
    }
    if folder.study.synthetic {
        report.warnings.insert(0, "This study uses synthetic material".to_owned());
    }
    if export.early_looks > 0 {
        report.warnings.push(format!(
            "results were looked at {} time(s) before the last answer came in",
            export.early_looks
        ));
    }
    let agreement = human_agreement(folder, &answers, &report);
    mark_excluded(&mut answers, &plan);
    Ok(StudyResults { report, agreement, answers })
}

/// Who passed the headphone check, where it is a covariate.
fn passed_check<'a>(folder: &StudyFolder, export: &'a Export) -> BTreeMap<&'a str, bool> {
    let people = export.participants.iter();
    let people = people.filter(|_| folder.study.headphones.policy == Policy::Covariate);
    people.filter_map(|person| Some((&*person.participant, person.headphones?.passed))).collect()
}

/// Adds to the counts those who came in and left, or were screened out, before the first trial.
fn count_all(report: &mut Report, export: &Export, simulated: bool) {
    let answered: BTreeSet<&str> =
        export.answers.iter().map(|row| row.participant.as_str()).collect();
    let whose = export.participants.iter().filter(|person| person.simulated == simulated);
    for person in whose.filter(|person| !answered.contains(person.participant.as_str())) {
        let reason = person.excluded.as_deref().filter(|reason| *reason != SIMULATED);
        report.counts.add_without_answers(reason.unwrap_or("no answer to a trial"));
        report.simulated_participants += usize::from(simulated);
    }
}

/// Says in the table which rows the rules of the plan leave out, so that whoever reads it
/// analyzes the same ones.
fn mark_excluded(answers: &mut [AnswerRow], plan: &AnalysisPlan) {
    let (kept, ..) = exclusions::apply(answers, &plan.rules);
    // a track may present one stimulus many times
    let key = |row: &AnswerRow| (row.participant.clone(), row.item.clone(), row.position);
    let kept: BTreeSet<(String, String, u32)> = kept.into_iter().map(key).collect();
    for row in answers.iter_mut().filter(|row| row.excluded.is_none()) {
        if !kept.contains(&key(row)) {
            row.excluded = Some("a rule of the plan".to_owned());
        }
    }
}

fn items(folder: &StudyFolder) -> Vec<ItemRow> {
    let row = |item: &crate::answer_key::Item| ItemRow {
        item: item.name.clone(),
        posterior: item.posterior,
        classifier_label: None,
    };
    folder.answer_key.items.iter().map(row).collect()
}

impl StudyResults {
    /// Writes [`Self::files`] into the folder `out`, where they may replace those of an earlier analysis.
    ///
    /// # Errors
    /// Those of [`ResultFolder`].
    pub fn write(&self, out: &Path) -> Result<()> {
        ResultFolder::open(out, false)?.write(&self.files()?)
    }

    /// Names and contents: `report.html`, `report.json`, `manuscript.md` (methods and results of a paper), `flow.svg`,
    /// `agreement.json`, `answers.csv`, one CSV a table with its codebook, and `analysis.R`, which repeats the headline
    /// with lme4.
    ///
    /// # Errors
    /// [`trompe_base::Error::Request`] if a text cannot be assembled.
    pub fn files(&self) -> Result<Vec<(String, Vec<u8>)>> {
        let agreement = serde_json::to_string_pretty(&self.agreement)
            .map_err(|error| Error::request(error.to_string(), "report this as a fault"))?;
        let mut files: Vec<(String, Vec<u8>)> = Vec::new();
        let mut add = |name: &str, content: String| files.push((name.to_owned(), content.into()));
        for (name, table) in self.report.tables()? {
            add(&name, table);
        }
        add(AGREEMENT_FILE, agreement + "\n");
        if !self.report.conditions.is_empty() {
            add("analysis.R", include_str!("mixed_model.R").to_owned());
        }
        for found in self.report.mushra.iter().filter(|found| !found.conditions.is_empty()) {
            let drawing = charts::standalone(&mushra_page::boxplots(&found.conditions));
            add(&format!("boxplots-{}.svg", found.block), drawing);
        }
        for found in self.report.bs1116.iter().filter(|found| !found.conditions.is_empty()) {
            let drawing = charts::standalone(&bs1116_page::drawing(&found.conditions));
            add(&format!("diff-grades-{}.svg", found.block), drawing);
        }
        for (number, found) in self.report.staircases.iter().enumerate() {
            let drawing = charts::standalone(&staircase_page::drawing(found));
            add(&format!("staircase-{}-{}.svg", found.block, number + 1), drawing);
        }
        add("flow.svg", charts::standalone(&flow_chart(&self.report.counts)));
        add("manuscript.md", self.report.manuscript());
        add("report.json", self.report.json()?);
        add("report.html", self.report.html());
        let mut answers = Vec::new();
        crate::answers::write_csv(&self.answers, &mut answers)?;
        files.push(("answers.csv".to_owned(), answers));
        Ok(files)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::Rules;

    #[test]
    fn the_table_says_which_rows_the_plan_left_out() {
        let row = |item: &str, heard: u64, excluded: Option<&str>| AnswerRow {
            participant: "p".into(),
            item: item.into(),
            condition: "real".into(),
            medium: "audio".into(),
            truth: "rock".into(),
            answer: None,
            rating: None,
            response_ms: 2000,
            heard_ms: Some(heard),
            stalls: Some(0),
            block: "audio".into(),
            position: 0,
            excluded: excluded.map(str::to_owned),
            order: None,
            server_ms: None,
            strength: None,
        };
        let mut rows =
            [row("a", 900, None), row("b", 3000, None), row("c", 900, Some("unfinished"))];
        let rules = Rules { min_heard_ms: Some(1000), ..Rules::default() };
        mark_excluded(&mut rows, &AnalysisPlan { rules, ..AnalysisPlan::default() });
        let reasons = rows.map(|row| row.excluded.unwrap_or_default());
        assert_eq!(reasons, ["a rule of the plan", "", "unfinished"]);
    }
}
