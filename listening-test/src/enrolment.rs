//! Enrolment: a participant consents and gets a plan and a personal code, once.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use crate::admission::{admit, number_of};
use crate::consent_record;
use crate::plan::least_filled;
use crate::random;
use crate::refusal::Refusal;
use crate::session::{Sessions, State, code_hash};

/// A participant without answers counts as active for this long after consent (our choice).
const SILENT_SECONDS: i64 = 600;

/// What the page sends when somebody consents.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Enrolment {
    pub(crate) consent_version: String,
    pub(crate) of_age: bool,
    pub(crate) language: String,
    /// Address parameters, kept only as far as the study names them.
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) dry_run: bool,
    pub(crate) simulated: bool,
    /// Idempotency key, a secret of the page. If the response is lost and the page sends the same enrolment
    /// again, no second participant is made.
    pub(crate) key: String,
}

/// What the participant gets back, once.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Enrolled {
    /// The secret for coming back and for erasing.
    pub(crate) code: String,
    pub(crate) state: State,
}

impl Sessions {
    /// Enrols a participant who consents.
    pub(crate) fn enrol(
        &self,
        connection: &Connection,
        enrolment: &Enrolment,
        now: i64,
    ) -> Result<Enrolled, Refusal> {
        let study = &self.folder.study;
        if enrolment.consent_version != study.consent_version() {
            return Err(Refusal::Conflict("consent-changed"));
        }
        if !enrolment.of_age {
            return Err(Refusal::Forbidden("age"));
        }
        if !study.languages.contains(&enrolment.language) {
            return Err(Refusal::Invalid("language"));
        }
        if let Some(again) = self.enrolled_before(connection, enrolment)? {
            return Ok(again);
        }
        let live_since = now - i64::from(study.plan.live_minutes) * 60;
        let number = number_of(study, &enrolment.parameters)?;
        // a dry run uses nothing up: no place, no number, no code
        let person = !enrolment.dry_run && !enrolment.simulated;
        if person {
            admit(study, connection, number.as_deref(), live_since, now - SILENT_SECONDS, now)?;
        }
        let filled = filled(connection, enrolment.simulated, live_since, now - SILENT_SECONDS)?;
        let plan = least_filled(&filled, study.plan.count);
        let code = secret(10)?;
        let prefix = if enrolment.simulated { "sim-" } else { "p-" };
        let participant = format!("{prefix}{}", secret(5)?);
        let completion_code = match study.crowd.completion_code.as_str() {
            _ if !person => String::new(),
            "" => secret(5)?.to_uppercase(),
            fixed => fixed.to_owned(),
        };
        connection.execute(
            "insert into sessions (participant, code_hash, plan, language, consent_version,
             consented_at, last_seen, completion_code, dry_run, simulated, enrolment_hash)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7, ?8, ?9, ?10)",
            params![
                participant,
                code_hash(&code),
                plan,
                enrolment.language,
                enrolment.consent_version,
                now,
                completion_code,
                enrolment.dry_run,
                enrolment.simulated,
                enrolment_hash(enrolment),
            ],
        )?;
        let session = connection.last_insert_rowid();
        consent_record::keep(connection, study)?;
        if let Some(number) = number.filter(|_| person) {
            self.keep_crowd(connection, session, &number, &enrolment.parameters)?;
        }
        let state = self.state(connection, &code)?;
        Ok(Enrolled { code: grouped(&code), state })
    }

    /// The same enrolment sent again before the first answer: replaces the lost code by a new one.
    fn enrolled_before(
        &self,
        connection: &Connection,
        enrolment: &Enrolment,
    ) -> Result<Option<Enrolled>, Refusal> {
        let hash = enrolment_hash(enrolment);
        let code = secret(10)?;
        let renewed = connection.execute(
            "update sessions set code_hash = ?2 where enrolment_hash = ?1
             and not exists (select 1 from answers where session = sessions.id)",
            params![hash, code_hash(&code)],
        )?;
        if renewed == 0 {
            let known: bool = connection.query_row(
                "select exists (select 1 from sessions where enrolment_hash = ?1)",
                [hash],
                |row| row.get(0),
            )?;
            return if known { Err(Refusal::Conflict("already-took-part")) } else { Ok(None) };
        }
        let state = self.state(connection, &code)?;
        Ok(Some(Enrolled { code: grouped(&code), state }))
    }

    /// Keeps the number with the parameters that the study names.
    fn keep_crowd(
        &self,
        connection: &Connection,
        session: i64,
        number: &str,
        given: &BTreeMap<String, String>,
    ) -> Result<(), Refusal> {
        let crowd = &self.folder.study.crowd;
        let known = |name: &&String| {
            crowd.worker_parameter.contains(name) || crowd.other_parameters.contains(name)
        };
        let kept: BTreeMap<_, _> = given.iter().filter(|(name, _)| known(name)).collect();
        let kept = serde_json::to_string(&kept).map_err(|_| Refusal::Invalid("parameter"))?;
        let added = connection.execute(
            "insert or ignore into crowd values (?1, ?2, ?3)",
            params![session, number, kept],
        )?;
        if added == 0 { Err(Refusal::Conflict("already-took-part")) } else { Ok(()) }
    }
}

/// Participants per plan who have finished or are still active. Dry runs, screened-out participants and
/// participants who consented before `new_since` without answering do not count, so that a visitor who
/// enrols many times cannot unbalance the plans. Simulated listeners are counted separately.
fn filled(
    connection: &Connection,
    simulated: bool,
    live_since: i64,
    new_since: i64,
) -> Result<BTreeMap<u32, u32>, Refusal> {
    let mut query = connection.prepare_cached(
        "select plan, count(*) from sessions where dry_run = 0 and screened_out = 0
         and simulated = ?1 and (finished_at is not null or last_seen >= ?2
         and (last_seen > consented_at or consented_at >= ?3)) group by plan",
    )?;
    let rows = query.query_map(params![simulated, live_since, new_since], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Random letters and digits; `bytes` is a multiple of 5.
fn secret(bytes: usize) -> Result<String, Refusal> {
    random::secret(bytes).map_err(|error| Refusal::Storage(error.to_string()))
}

/// `k7qf9xmt...` as `K7QF-9XMT-...`, to be read and typed.
fn grouped(code: &str) -> String {
    let groups: Vec<&str> = code
        .as_bytes()
        .chunks(4)
        .map(|group| std::str::from_utf8(group).unwrap_or_default())
        .collect();
    groups.join("-").to_uppercase()
}

/// Hash of an enrolment's key; `None` if the key is too short or too long.
fn enrolment_hash(enrolment: &Enrolment) -> Option<Vec<u8>> {
    (16..=64).contains(&enrolment.key.len()).then(|| code_hash(&enrolment.key))
}
