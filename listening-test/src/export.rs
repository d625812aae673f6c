//! From the database to the answers table, with the exclusions fixed in advance.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::Connection;
use serde::Serialize;

use crate::access_log;
use crate::answer::StepAnswer;
use crate::answer_key::{Item, Role};
pub use crate::answer_times::Times;
use crate::answer_times::intervals;
use crate::answers::{AnswerRow, CODEBOOK, csv_of, write_csv};
use crate::consent_record;
use crate::error::{Error, Result};
pub use crate::participant::{Headphones, Participant};
use crate::participants_table::{codebook, participants_csv};
use crate::plan::Step;
use crate::refusal::Refusal;
use crate::rejection_log::{self, Rejection};
use crate::session::{HeadphoneResult, Sessions, answers_of};
use crate::store;
use crate::study::{Conduct, Exclusions, Policy};
use crate::study_folder::StudyFolder;
use crate::unfold::right_interval;

/// Why simulated listeners are out where people took part.
pub(crate) const SIMULATED: &str = "simulated";

/// Everything of a study's database.
#[derive(Debug, Clone, Serialize)]
pub struct Export {
    /// SHA-256 of the study's manifest.
    pub study_sha256: String,
    /// Whether synthetic material was used.
    pub synthetic: bool,
    /// How often results were looked at.
    pub looks: u32,
    /// Looks that further answers followed. Stopping a study by its results biases them.
    pub early_looks: u32,
    /// What was agreed to, by version of the consent: title, consent and questions as JSON, of which
    /// the version is the beginning of the SHA-256.
    pub consents: BTreeMap<String, String>,
    /// Participants in order of consent.
    pub participants: Vec<Participant>,
    /// The answers table.
    pub answers: Vec<AnswerRow>,
    /// Requests that the server refused.
    pub refusals: Vec<Rejection>,
}

/// Reads the database of a study, also while it is served; it counts as a look at results.
///
/// # Errors
/// [`Error::Store`], or [`trompe_base::Error::Request`] if there is no such database.
pub fn export(study: &Path, database: &Path) -> Result<Export> {
    store::must_exist(database)?;
    let sessions = Sessions::new(StudyFolder::open(study)?);
    let connection = store::connect(database)?;
    store::prepare(&connection, database, &sessions.folder.sha256)?;
    access_log::record(&connection, "export")?;
    export_from(&sessions, &connection).map_err(|refusal| match refusal {
        Refusal::Storage(what) => Error::bad_file(database, what, "restore it from a copy"),
        other => Error::bad_file(database, other.word(), "give the database of this study"),
    })
}

impl Export {
    /// An answers table as an export of the study, whatever it was recorded with: without
    /// participants' steps, looks not counted.
    ///
    /// # Errors
    /// [`trompe_base::Error::Request`] for an answer to something that is no item of the study.
    pub fn from_table(folder: &StudyFolder, answers: Vec<AnswerRow>) -> Result<Self> {
        for row in &answers {
            let same = |(item, condition): (&Item, String)| {
                // which interval of a track was right differs from person to person
                let truth = item.strengths.is_empty().then_some(&item.truth);
                let same_truth = truth.is_none_or(|truth| *truth == row.truth);
                (&item.block, &condition) == (&row.block, &row.condition) && same_truth
            };
            if !folder.row_item(&row.item).is_some_and(same) {
                return Err(Error::request(
                    format!(
                        "{} ({}, {}) is no item of this study",
                        row.item, row.block, row.condition
                    ),
                    "give the table of this study, as `export` or `import` wrote it",
                ));
            }
        }
        Ok(Self {
            study_sha256: folder.sha256.clone(),
            synthetic: folder.study.synthetic,
            looks: 0,
            early_looks: 0,
            consents: BTreeMap::new(),
            participants: Vec::new(),
            answers,
            refusals: Vec::new(),
        })
    }
}

/// Writes `answers.csv`, `answers.json`, `participants.csv`, `refusals.csv` and `codebook.csv`
/// to `out`.
///
/// # Errors
/// [`trompe_base::Error::Io`].
pub fn write_export(export: &Export, out: &Path) -> Result<()> {
    std::fs::create_dir_all(out).map_err(|source| Error::io(out, source))?;
    let mut answers = Vec::new();
    write_csv(&export.answers, &mut answers)?;
    trompe_base::files::write_atomically(&out.join("answers.csv"), &answers)?;
    let json = serde_json::to_vec_pretty(export)
        .map_err(|error| Error::request(error.to_string(), "report this as a defect"))?;
    trompe_base::files::write_atomically(&out.join("answers.json"), &json)?;
    trompe_base::files::write_atomically(
        &out.join("participants.csv"),
        &participants_csv(&export.participants)?,
    )?;
    trompe_base::files::write_atomically(&out.join("refusals.csv"), &refusals_csv(export)?)?;
    trompe_base::files::write_atomically(&out.join("codebook.csv"), &codebook_csv(export)?)?;
    Ok(())
}

/// What the columns of the tables of answers and participants hold.
fn codebook_csv(export: &Export) -> Result<Vec<u8>> {
    let row = |table: &str, column: &str, meaning: &str| {
        [table, column, meaning].map(str::to_owned).to_vec()
    };
    let answers = CODEBOOK.iter().map(|(column, meaning)| row("answers.csv", column, meaning));
    let people = codebook(&export.participants);
    let people = people.iter().map(|(column, meaning)| row("participants.csv", column, meaning));
    let head = std::iter::once(row("table", "column", "meaning"));
    csv_of(&head.chain(answers).chain(people).collect::<Vec<_>>())
}

/// No cell needs escaping: all are fixed words, route patterns and numbers, which cannot start a formula.
fn refusals_csv(export: &Export) -> Result<Vec<u8>> {
    let header = ["participant", "route", "status", "why", "first_at", "last_at", "times"];
    let mut rows = vec![header.map(String::from).to_vec()];
    for refused in &export.refusals {
        rows.push(vec![
            refused.participant.clone().unwrap_or_default(),
            refused.route.clone(),
            refused.status.to_string(),
            refused.why.clone(),
            refused.first_at.to_string(),
            refused.last_at.to_string(),
            refused.times.to_string(),
        ]);
    }
    csv_of(&rows)
}

/// The export of an open database.
pub(crate) fn export_from(sessions: &Sessions, connection: &Connection) -> Result<Export, Refusal> {
    let mut query = connection.prepare(
        "select id, participant, simulated, dry_run, plan, language, consent_version,
         finished_at is not null, screened_out, attempt,
         (select count(*) from interruptions where session = sessions.id)
         from sessions order by id",
    )?;
    let mut rows = query.query([])?;
    let mut participants = Vec::new();
    while let Some(row) = rows.next()? {
        let (session, attempt) = (row.get(0)?, row.get(9)?);
        let steps = answers_of(connection, session, attempt)?;
        let times = Times::of(connection, session, attempt, &steps)?;
        let plan: u32 = row.get(4)?;
        let mut person = Participant {
            participant: row.get(1)?,
            simulated: row.get(2)?,
            dry_run: row.get(3)?,
            attempt,
            plan,
            language: row.get(5)?,
            consent_version: row.get(6)?,
            finished: row.get(7)?,
            screened_out: row.get(8)?,
            interruptions: row.get(10)?,
            headphones: None,
            failed_catch: 0,
            failed_gold: 0,
            median_seconds: None,
            times,
            impossible_times: false,
            excluded: None,
            questionnaire: BTreeMap::new(),
            steps,
            server_ms: intervals(connection, session, attempt)?,
        };
        judge(sessions, &mut person)?;
        participants.push(person);
    }
    // Participants and simulated listeners are never analyzed together.
    if participants.iter().any(|person| !person.simulated) {
        for person in participants.iter_mut().filter(|person| person.simulated) {
            person.excluded.get_or_insert_with(|| SIMULATED.into());
        }
    }
    let looks = access_log::count(connection)?;
    let answers = participants.iter().flat_map(|person| answer_rows(sessions, person)).collect();
    Ok(Export {
        study_sha256: sessions.folder.sha256.clone(),
        synthetic: sessions.folder.study.synthetic,
        looks: looks.all,
        early_looks: looks.early,
        consents: consent_record::all(connection)?,
        participants,
        answers,
        refusals: rejection_log::read(connection)?,
    })
}

/// Fills in what the answers say about the participant, and the verdict of the rules.
fn judge(sessions: &Sessions, person: &mut Participant) -> Result<(), Refusal> {
    let plan = sessions.steps(person).ok_or(Refusal::NotFound)?;
    let study = &sessions.folder.study;
    person.failed_catch = sessions.failed_catch(&plan, &person.steps);
    person.failed_gold = sessions.failed(Role::Gold, &plan, &person.steps);
    let checks_done = person.steps.len()
        > plan
            .iter()
            .rposition(|step| matches!(step, Step::Check { .. }))
            .unwrap_or(usize::MAX - 1);
    if study.headphones.policy != Policy::Off && checks_done {
        let HeadphoneResult { ears, huggins, antiphase, passed } =
            sessions.headphones(&plan, &person.steps);
        person.headphones = Some(Headphones { ears, huggins, antiphase, passed });
    }
    if let Some(answers) = person.steps.iter().find_map(|answer| answer.answers.clone()) {
        person.questionnaire = answers;
    }
    let mut times: Vec<u64> = plan
        .iter()
        .zip(&person.steps)
        .filter(|(step, _)| matches!(step, Step::Trial { .. }))
        .map(|(_, answer)| answer.response_ms)
        .collect();
    times.sort_unstable();
    person.median_seconds = median(&times).map(|milliseconds| milliseconds / 1000.0);
    let rules = &study.exclusions;
    person.impossible_times = person.times.impossible(&plan, person.steps.len(), rules);
    person.excluded = verdict(&study.exclusions, person, !person.finished).map(str::to_owned);
    Ok(())
}

/// The verdict of the rules on a participant who counts as unfinished, or not.
fn verdict(rules: &Exclusions, person: &Participant, unfinished: bool) -> Option<&'static str> {
    match person {
        Participant { dry_run: true, .. } => Some("dry run"),
        Participant { screened_out: true, .. } => Some("screened out"),
        _ => rules.reason(&Conduct {
            unfinished,
            failed_catch: person.failed_catch,
            failed_gold: person.failed_gold,
            median_seconds: person.median_seconds,
            impossible_times: person.impossible_times,
            failed_headphones: person.headphones.is_some_and(|check| !check.passed),
        }),
    }
}

impl Participant {
    /// Whether more answers may come.
    pub(crate) fn under_way(&self) -> bool {
        !self.finished && !self.screened_out
    }

    /// Why the participant is out, or would be if nothing else went wrong until the end.
    pub(crate) fn out_so_far(&self, rules: &Exclusions) -> Option<String> {
        if self.under_way() {
            verdict(rules, self, false).map(str::to_owned)
        } else {
            self.excluded.clone()
        }
    }
}

/// Median of ascending numbers.
pub(crate) fn median(sorted: &[u64]) -> Option<f64> {
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)? as f64;
    match sorted.len() % 2 {
        1 => Some(upper),
        _ => Some((upper + *sorted.get(middle - 1)? as f64) / 2.0),
    }
}

fn answer_rows(sessions: &Sessions, person: &Participant) -> Vec<AnswerRow> {
    let Some(plan) = sessions.steps(person) else { return Vec::new() };
    let steps = plan.iter().zip(&person.steps).enumerate();
    let rows = |(index, (step, answer)): (usize, (&Step, &StepAnswer))| {
        let Step::Trial { item, position, order } = step else { return Vec::new() };
        let Some(item) = sessions.folder.item(item) else { return Vec::new() };
        let catch = item.role == Role::Catch;
        let row = AnswerRow {
            participant: person.participant.clone(),
            item: item.name.clone(),
            condition: if catch { "catch".into() } else { item.condition.clone() },
            medium: item.medium.name().into(),
            truth: item.truth.clone(),
            answer: answer.choice.clone(),
            rating: answer.rating.map(f64::from),
            response_ms: answer.response_ms,
            heard_ms: Some(answer.heard_ms),
            stalls: Some(answer.stalls),
            block: item.block.clone(),
            position: *position,
            excluded: person.excluded.clone(),
            order: None,
            server_ms: person.server_ms.get(index).copied().flatten(),
            strength: None,
        };
        if !item.strengths.is_empty() {
            return track_row(row, item, order).into_iter().collect();
        }
        if !item.conditions.is_empty() {
            let block = sessions.folder.study.block(&item.block);
            let unit = block.and_then(|block| block.task.scores()).map_or(1.0, |scores| scores.2);
            return page_rows(&row, (item, unit), order, answer);
        }
        match order.get(..2) {
            Some(pair) => vec![pair_row(row, pair == [1, 0])],
            None => vec![row],
        }
    };
    steps.flat_map(rows).collect()
}

/// The answer to a trial of a track: which interval was right, and how strong its stimulus was.
fn track_row(row: AnswerRow, track: &Item, order: &[usize]) -> Option<AnswerRow> {
    let stimulus = order.iter().copied().find(|&stimulus| stimulus != 0)?;
    Some(AnswerRow {
        item: format!("{}/{stimulus}", track.name),
        truth: right_interval(order)?,
        strength: Some(*track.strengths.get(stimulus - 1)?),
        ..row
    })
}

/// The answer to a pair, in the letters that the pair was built with.
fn pair_row(row: AnswerRow, swapped: bool) -> AnswerRow {
    let answer = match row.answer.as_deref() {
        Some("A") if swapped => Some("B".to_owned()),
        Some("B") if swapped => Some("A".to_owned()),
        _ => row.answer,
    };
    AnswerRow { answer, order: Some(if swapped { "BA" } else { "AB" }.to_owned()), ..row }
}

/// One row a stimulus of a page; the open reference has no score.
fn page_rows(
    row: &AnswerRow,
    (page, unit): (&Item, f64),
    order: &[usize],
    answer: &StepAnswer,
) -> Vec<AnswerRow> {
    let scores = answer.scores.iter().flatten();
    let row = |(&number, &score): (&usize, &u32)| {
        let condition = page.conditions.get(number.checked_sub(1)?)?;
        Some(AnswerRow {
            item: format!("{}/{number}", page.name),
            condition: format!("{}:{condition}", page.condition),
            rating: Some(f64::from(score) / unit),
            ..row.clone()
        })
    };
    order.iter().skip(1).zip(scores).filter_map(row).collect()
}
