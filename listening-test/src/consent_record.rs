//! What participants agreed to, kept with the answers: the terms of each version of the consent. The
//! version is the beginning of their SHA-256, so that anybody can check that these are the words.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Value, json};

use crate::refusal::Refusal;
use crate::study::Study;

/// Keeps the terms of the study's consent, once.
pub(crate) fn keep(connection: &Connection, study: &Study) -> Result<(), Refusal> {
    connection.execute(
        "insert or ignore into consents values (?1, ?2)",
        params![study.consent_version(), study.consent_terms()],
    )?;
    Ok(())
}

/// The terms of all versions that somebody agreed to, as they were hashed.
pub(crate) fn all(connection: &Connection) -> Result<BTreeMap<String, String>, Refusal> {
    let mut query = connection.prepare("select version, terms from consents")?;
    let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What a participant agreed to: version, day and language, and title, consent and questions in
/// all languages; of participants of earlier versions of this program, without the latter.
pub(crate) fn of(connection: &Connection, session: i64) -> Result<Value, Refusal> {
    let (version, language, at): (String, String, i64) = connection.query_row(
        "select consent_version, language, consented_at from sessions where id = ?1",
        [session],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    let terms: Option<String> = connection
        .query_row("select terms from consents where version = ?1", [&version], |row| row.get(0))
        .optional()?;
    let damaged = |error| Refusal::Storage(format!("stored terms of consent are damaged: {error}"));
    let terms: Option<[Value; 3]> =
        terms.map(|terms| serde_json::from_str(&terms).map_err(damaged)).transpose()?;
    let at = crate::calendar::second_of(at);
    let mut agreed = json!({ "version": version, "language": language, "at": at });
    if let Some([title, consent, questions]) = terms {
        agreed["title"] = title;
        agreed["consent"] = consent;
        agreed["questions"] = questions;
    }
    Ok(agreed)
}
