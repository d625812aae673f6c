//! Sessions of participants: next step, answers, resuming, withdrawal. Enrolment is in `enrolment`. All rules
//! about who may do what are here; the server only transports requests.

use std::borrow::Cow;

use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::answer::StepAnswer;
use crate::answer_key::{Item, Role};
use crate::answer_times::Times;
use crate::consent_record;
use crate::participant::Participant;
use crate::plan::{ParticipantPlan, Step, plans};
use crate::refusal::Refusal;
use crate::study::{Policy, ResumePolicy};
use crate::study_folder::StudyFolder;
use crate::unfold::{
    Unfolded, alias, behind, draw_key, is_adaptive, right_interval, track_of, unfold,
};

/// The sessions of one study.
#[derive(Debug)]
pub(crate) struct Sessions {
    pub(crate) folder: StudyFolder,
    pub(crate) plans: Vec<ParticipantPlan>,
}

/// The progress of a participant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) participant: String,
    /// Number of steps answered.
    pub(crate) answered: u32,
    /// Number of steps in all.
    pub(crate) steps: u32,
    /// Number of trials in all.
    pub(crate) trials: u32,
    /// The step to take now.
    pub(crate) step: Option<View>,
    /// The one after, to be loaded in advance.
    pub(crate) next: Option<View>,
    pub(crate) end: Option<End>,
}

/// What a participant may see of a step.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct View {
    pub(crate) index: u32,
    pub(crate) kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) block: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) stimuli: Vec<String>,
    /// For catch items: the answer asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) told: Option<String>,
    /// For trials: number from 1. For checks: number among those of its kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) number: Option<u32>,
    /// For checks: how many there are of its kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) of: Option<u32>,
}

/// The end of a participation, given only when everything is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct End {
    /// `complete` or `screened-out`.
    pub(crate) outcome: String,
    /// Completion code; empty if there is none to claim.
    pub(crate) code: String,
    /// Where to go, or empty.
    pub(crate) url: String,
}

/// The response to a stored answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Acknowledged {
    /// For practice: the right answer.
    pub(crate) feedback: Option<String>,
    pub(crate) state: State,
}

/// A participant's row.
#[derive(Debug, Clone)]
struct Session {
    id: i64,
    participant: String,
    plan: u32,
    attempt: u32,
    last_seen: i64,
    finished: bool,
    screened_out: bool,
    completion_code: String,
}

impl Session {
    fn draw_key(&self) -> String {
        draw_key(&self.participant, self.attempt)
    }
}

impl Sessions {
    pub(crate) fn new(folder: StudyFolder) -> Self {
        let plans = plans(&folder);
        Self { folder, plans }
    }

    /// The progress of the participant with this code.
    pub(crate) fn state(&self, connection: &Connection, code: &str) -> Result<State, Refusal> {
        let session = find(connection, code)?;
        self.state_of(connection, &session)
    }

    fn state_of(&self, connection: &Connection, session: &Session) -> Result<State, Refusal> {
        let Unfolded { steps: plan, likely_more } = self.unfolded(connection, session)?;
        let answered = count_answers(connection, session)?;
        let end = (session.finished || session.screened_out)
            .then(|| self.end(connection, session, &plan))
            .transpose()?;
        let view = |index: u32| self.view(&plan, index, &session.draw_key());
        let present = plan.get(answered as usize);
        // what follows a trial of a track follows from its answer
        let decided = !present.is_some_and(|step| self.is_of_track(step));
        let trials = plan.iter().filter(|step| matches!(step, Step::Trial { .. })).count() as u32;
        Ok(State {
            participant: session.participant.clone(),
            answered,
            steps: plan.len() as u32 + likely_more,
            trials: trials + likely_more,
            step: if end.is_some() { None } else { view(answered) },
            next: if end.is_some() || !decided { None } else { view(answered + 1) },
            end,
        })
    }

    /// The participant's steps, as far as the stored answers decide them.
    fn unfolded(
        &self,
        connection: &Connection,
        session: &Session,
    ) -> Result<Unfolded<'_>, Refusal> {
        let plan = self.plan(session)?;
        let answers = match is_adaptive(plan) {
            true => answers_of(connection, session.id, session.attempt)?,
            false => Vec::new(),
        };
        Ok(unfold(&self.folder, plan, &session.draw_key(), &answers))
    }

    /// The steps that a participant's answers belong to; nothing for a plan that does not exist.
    pub(crate) fn steps(&self, person: &Participant) -> Option<Cow<'_, [Step]>> {
        let plan = self.plans.get(person.plan as usize)?;
        let key = draw_key(&person.participant, person.attempt);
        Some(unfold(&self.folder, plan, &key, &person.steps).steps)
    }

    /// Whether a step is a trial of an adaptive track.
    fn is_of_track(&self, step: &Step) -> bool {
        matches!(step, Step::Trial { item, .. } if track_of(&self.folder, item).is_some())
    }

    fn plan(&self, session: &Session) -> Result<&ParticipantPlan, Refusal> {
        self.plans.get(session.plan as usize).ok_or(Refusal::NotFound)
    }

    /// The public part of a step of a plan. It has no label, except the announced answer of a catch
    /// item.
    pub(crate) fn view(&self, plan: &[Step], index: u32, participant: &str) -> Option<View> {
        let step = plan.get(index as usize)?;
        let item = step.item().and_then(|name| self.folder.item(name));
        let kind = match step {
            Step::Questionnaire => "questionnaire",
            Step::Intro { .. } => "intro",
            Step::Break => "break",
            Step::Remarks => "remarks",
            Step::Practice { .. } => "practice",
            Step::Trial { .. } | Step::Track { .. } => "trial",
            Step::Check { .. } => match item.map(|item| item.role) {
                Some(Role::Level) => "level",
                Some(Role::LeftRight) => "ears",
                Some(Role::Huggins) => "huggins",
                _ => "antiphase",
            },
        };
        let block = match step {
            Step::Intro { block } => Some(block.clone()),
            _ => item.map(|item| item.block.clone()).filter(|block| !block.is_empty()),
        };
        let (number, of) = match step {
            Step::Trial { position, .. } => (Some(position + 1), None),
            Step::Check { .. } => {
                let role = item.map(|item| item.role);
                let alike = |step: &&Step| matches!(step, Step::Check { item } if self.folder.item(item).map(|item| item.role) == role);
                let count = |steps: &[Step]| Some(steps.iter().filter(alike).count() as u32);
                (count(&plan[..=index as usize]), count(plan))
            }
            _ => (None, None),
        };
        Some(View {
            index,
            kind: kind.into(),
            block,
            stimuli: match item {
                Some(item) if self.is_of_track(step) => aliases(step, item, participant, index),
                Some(item) => shown(step, item),
                None => Vec::new(),
            },
            told: item.filter(|item| item.role == Role::Catch).map(|item| item.truth.clone()),
            number,
            of,
        })
    }

    /// Stores an answer that arrives at `now_ms`, or recognizes one that is stored already.
    pub(crate) fn answer(
        &self,
        connection: &Connection,
        code: &str,
        answer: &StepAnswer,
        now_ms: i64,
    ) -> Result<Acknowledged, Refusal> {
        let now = now_ms / 1000;
        let mut session = find(connection, code)?;
        let plan = self.unfolded(connection, &session)?.steps;
        let content = serde_json::to_string(answer).map_err(|_| Refusal::Invalid("answer"))?;
        let step = plan.get(answer.step as usize).ok_or(Refusal::Invalid("step"))?;
        let stored: Option<(u32, String)> = connection
            .query_row(
                "select attempt, content from answers where session = ?1 and key = ?2",
                params![session.id, answer.key],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()?;
        match stored {
            Some((attempt, stored)) if stored == content && attempt == session.attempt => {}
            Some(_) => return Err(Refusal::Conflict("key-used")),
            None => {
                self.may_go_on(&session, now)?;
                if answer.step != count_answers(connection, &session)? {
                    return Err(Refusal::Conflict("out-of-order"));
                }
                answer.check(&self.folder, step).map_err(Refusal::Invalid)?;
                connection.execute(
                    "insert into answers (session, attempt, step, key, content, received_at, received_ms)
                     values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                    params![
                        session.id,
                        session.attempt,
                        answer.step,
                        answer.key,
                        content,
                        now,
                        now_ms
                    ],
                )?;
                self.note_progress(connection, &mut session, answer.step, now)?;
            }
        }
        let feedback = match step {
            Step::Practice { item } => self.folder.item(item).map(|item| item.truth.clone()),
            Step::Trial { item, order, .. } => track_of(&self.folder, item)
                .filter(|(_, settings)| settings.feedback)
                .and_then(|_| right_interval(order)),
            _ => None,
        };
        Ok(Acknowledged { feedback, state: self.state_of(connection, &session)? })
    }

    fn may_go_on(&self, session: &Session, now: i64) -> Result<(), Refusal> {
        if session.finished || session.screened_out {
            return Err(Refusal::Conflict("finished"));
        }
        let longest = i64::from(self.folder.study.resume.longest_hours) * 3600;
        if now - session.last_seen > longest {
            return Err(Refusal::Forbidden("too-late"));
        }
        Ok(())
    }

    fn note_progress(
        &self,
        connection: &Connection,
        session: &mut Session,
        step: u32,
        now: i64,
    ) -> Result<(), Refusal> {
        let plan = self.unfolded(connection, session)?.steps;
        session.finished = step as usize + 1 == plan.len();
        let is_check = |step: Option<&Step>| matches!(step, Some(Step::Check { .. }));
        let last_check =
            is_check(plan.get(step as usize)) && !is_check(plan.get(step as usize + 1));
        if last_check && self.folder.study.headphones.policy == Policy::Gate {
            let answers = answers_of(connection, session.id, session.attempt)?;
            session.screened_out = !self.headphones(&plan, &answers).passed;
        }
        connection.execute(
            "update sessions set last_seen = ?2, screened_out = ?3,
             finished_at = case when ?4 then ?2 end where id = ?1",
            params![session.id, now, session.screened_out, session.finished],
        )?;
        Ok(())
    }

    /// Records that the participant came back, by the study's policy.
    pub(crate) fn resume(
        &self,
        connection: &Connection,
        code: &str,
        now: i64,
    ) -> Result<State, Refusal> {
        let mut session = find(connection, code)?;
        if session.finished || session.screened_out {
            return self.state_of(connection, &session);
        }
        self.may_go_on(&session, now)?;
        let step = count_answers(connection, &session)?;
        let policy = self.folder.study.resume.policy;
        let what = match policy {
            ResumePolicy::Resume => "resumed",
            ResumePolicy::Restart => "restarted",
            ResumePolicy::Block => "blocked",
        };
        connection.execute(
            "insert into interruptions values (?1, ?2, ?3, ?4)",
            params![session.id, step, what, now],
        )?;
        // A reload before the first trial has no consequences under any policy.
        let judged = self
            .unfolded(connection, &session)?
            .steps
            .iter()
            .take(step as usize)
            .any(|step| matches!(step, Step::Trial { .. }));
        match policy {
            ResumePolicy::Restart if judged => session.attempt += 1,
            ResumePolicy::Block if judged => session.screened_out = true,
            _ => {}
        }
        connection.execute(
            "update sessions set attempt = ?2, screened_out = ?3, last_seen = ?4 where id = ?1",
            params![session.id, session.attempt, session.screened_out, now],
        )?;
        self.state_of(connection, &session)
    }

    /// Erases everything about the participant. The caller then empties the log.
    pub(crate) fn withdraw(connection: &Connection, code: &str) -> Result<(), Refusal> {
        match connection
            .execute("delete from sessions where code_hash = ?1", [code_hash_of(code)])?
        {
            0 => Err(Refusal::NotFound),
            _ => Ok(()),
        }
    }

    /// The file of a stimulus, if the participant's present or next step has it.
    pub(crate) fn stimulus(
        &self,
        connection: &Connection,
        code: &str,
        file: &str,
    ) -> Result<Stimulus, Refusal> {
        let session = find(connection, code)?;
        let plan = self.unfolded(connection, &session)?.steps;
        let answered = count_answers(connection, &session)?;
        let stimuli = self.folder.root.join("stimuli");
        for (index, step) in (answered..).zip(plan.iter().skip(answered as usize).take(2)) {
            let Some(item) = step.item().and_then(|name| self.folder.item(name)) else { continue };
            match step {
                Step::Trial { order, .. } if self.is_of_track(step) => {
                    if let Some(own) = behind(item, order, &session.draw_key(), index, file) {
                        return Ok(Stimulus { path: stimuli.join(own), dithered: true });
                    }
                }
                _ if item.stimuli.iter().any(|stimulus| stimulus == file) => {
                    return Ok(Stimulus { path: stimuli.join(file), dithered: false });
                }
                _ => {}
            }
        }
        Err(Refusal::NotFound)
    }

    /// All answers of the participant, for download by the participant.
    pub(crate) fn record(
        &self,
        connection: &Connection,
        code: &str,
    ) -> Result<serde_json::Value, Refusal> {
        let session = find(connection, code)?;
        let answers = answers_of(connection, session.id, session.attempt)?;
        Ok(serde_json::json!({
            "study": self.folder.study.name,
            "participant": session.participant,
            "consent": consent_record::of(connection, session.id)?,
            "answers": answers,
        }))
    }

    fn end(
        &self,
        connection: &Connection,
        session: &Session,
        plan: &[Step],
    ) -> Result<End, Refusal> {
        let crowd = &self.folder.study.crowd;
        if session.screened_out {
            return Ok(End {
                outcome: "screened-out".into(),
                code: crowd.screened_out_code.clone(),
                url: crowd.screened_out_url.replace("{code}", &crowd.screened_out_code),
            });
        }
        let answers = answers_of(connection, session.id, session.attempt)?;
        let failed = self.failed_catch(plan, &answers) > self.folder.study.exclusions.failed_catch;
        let times = Times::of(connection, session.id, session.attempt, &answers)?;
        let rules = &self.folder.study.exclusions;
        let impossible = rules.impossible_times && times.impossible(plan, answers.len(), rules);
        // A participant who failed must not get the completion code.
        let (url, code) = if impossible || (failed && !crowd.failed_check_url.is_empty()) {
            (&crowd.failed_check_url, "")
        } else {
            (&crowd.complete_url, session.completion_code.as_str())
        };
        Ok(End { outcome: "complete".into(), code: code.into(), url: url.replace("{code}", code) })
    }

    /// How the participation with this hash of a code ended, if it did.
    pub(crate) fn end_of(
        &self,
        connection: &Connection,
        code_hash: &[u8],
    ) -> Result<Option<End>, Refusal> {
        let session = find_hashed(connection, code_hash)?;
        let over = session.finished || session.screened_out;
        let plan = self.unfolded(connection, &session)?.steps;
        over.then(|| self.end(connection, &session, &plan)).transpose()
    }

    /// Catch items answered otherwise than asked.
    pub(crate) fn failed_catch(&self, plan: &[Step], answers: &[StepAnswer]) -> u32 {
        self.failed(Role::Catch, plan, answers)
    }

    /// Items of a role with another answer than theirs.
    pub(crate) fn failed(&self, role: Role, plan: &[Step], answers: &[StepAnswer]) -> u32 {
        let failed = plan.iter().zip(answers).filter(|(step, answer)| {
            step.item().and_then(|name| self.folder.item(name)).is_some_and(|item| {
                item.role == role && answer.choice.as_ref() != Some(&item.truth)
            })
        });
        failed.count() as u32
    }

    /// How the headphone check went.
    pub(crate) fn headphones(&self, plan: &[Step], answers: &[StepAnswer]) -> HeadphoneResult {
        let right = |role: Role| {
            let hits = plan.iter().zip(answers).filter(|(step, answer)| {
                step.item().and_then(|name| self.folder.item(name)).is_some_and(|item| {
                    item.role == role && answer.choice.as_ref() == Some(&item.truth)
                })
            });
            hits.count() as u32
        };
        let settings = &self.folder.study.headphones;
        let (huggins, antiphase) = (right(Role::Huggins), right(Role::Antiphase));
        HeadphoneResult {
            ears: right(Role::LeftRight),
            huggins,
            antiphase,
            passed: huggins >= settings.pass && antiphase >= settings.pass,
        }
    }
}

/// Right answers in the headphone check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HeadphoneResult {
    pub(crate) ears: u32,
    pub(crate) huggins: u32,
    pub(crate) antiphase: u32,
    /// Both kinds reached the number that passes.
    pub(crate) passed: bool,
}

/// A stimulus on its way to a participant.
#[derive(Debug)]
pub(crate) struct Stimulus {
    pub(crate) path: std::path::PathBuf,
    /// Whether it gets dither of its own, so that its bytes are those of no other interval.
    pub(crate) dithered: bool,
}

/// The intervals of a trial of a track, each under a name that is used once.
fn aliases(step: &Step, item: &Item, participant: &str, index: u32) -> Vec<String> {
    let files = shown(step, item);
    let name = |(place, file): (usize, &String)| alias(file, participant, index, place);
    files.iter().enumerate().map(name).collect()
}

/// The item's stimuli in the order of the step.
fn shown(step: &Step, item: &Item) -> Vec<String> {
    match step {
        Step::Trial { order, .. } if !order.is_empty() => {
            order.iter().filter_map(|&place| item.stimuli.get(place).cloned()).collect()
        }
        _ => item.stimuli.clone(),
    }
}

fn find(connection: &Connection, code: &str) -> Result<Session, Refusal> {
    find_hashed(connection, &code_hash_of(code))
}

fn find_hashed(connection: &Connection, code_hash: &[u8]) -> Result<Session, Refusal> {
    let mut query = connection.prepare_cached(
        "select id, participant, plan, attempt, last_seen, finished_at is not null, screened_out,
         completion_code from sessions where code_hash = ?1",
    )?;
    Ok(query.query_row([code_hash], |row| {
        Ok(Session {
            id: row.get(0)?,
            participant: row.get(1)?,
            plan: row.get(2)?,
            attempt: row.get(3)?,
            last_seen: row.get(4)?,
            finished: row.get(5)?,
            screened_out: row.get(6)?,
            completion_code: row.get(7)?,
        })
    })?)
}

fn count_answers(connection: &Connection, session: &Session) -> Result<u32, Refusal> {
    let mut query = connection
        .prepare_cached("select count(*) from answers where session = ?1 and attempt = ?2")?;
    Ok(query.query_row(params![session.id, session.attempt], |row| row.get(0))?)
}

/// The answers of one attempt, by step.
pub(crate) fn answers_of(
    connection: &Connection,
    session: i64,
    attempt: u32,
) -> Result<Vec<StepAnswer>, Refusal> {
    let mut query = connection.prepare_cached(
        "select content from answers where session = ?1 and attempt = ?2 order by step",
    )?;
    let texts = query.query_map(params![session, attempt], |row| row.get::<_, String>(0))?;
    texts
        .map(|text| {
            serde_json::from_str(&text?)
                .map_err(|error| Refusal::Storage(format!("a stored answer is damaged: {error}")))
        })
        .collect()
}

/// Normalizes a typed code: drops separators and maps look-alike letters to digits, as Crockford's base 32
/// does.
fn normalized(code: &str) -> String {
    code.chars()
        .filter(|c| c.is_ascii_alphanumeric())
        .map(|c| match c.to_ascii_lowercase() {
            'o' => '0',
            'i' | 'l' => '1',
            c => c,
        })
        .collect()
}

/// Hash of a code as the participant types it.
pub(crate) fn code_hash_of(code: &str) -> Vec<u8> {
    code_hash(&normalized(code))
}

/// Only hashes of codes are stored, so a reader of the database cannot impersonate a participant.
pub(crate) fn code_hash(code: &str) -> Vec<u8> {
    Sha256::digest(code).to_vec()
}
