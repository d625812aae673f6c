//! Who may come in: how many, until when, and under which number of a platform.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use crate::calendar::day_of;
use crate::refusal::Refusal;
use crate::study::Study;

/// Longest value of a crowd parameter, in bytes.
const LONGEST_PARAMETER: usize = 200;

/// A number as it is compared: without blanks, in lower case. People type and copy them.
pub(crate) fn normalized_number(number: &str) -> String {
    number.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect()
}

/// Whether a platform did not fill a parameter in: `{{%PROLIFIC_PID%}}`, `%SURVEY_CODE%`,
/// `${workerId}`, `ASSIGNMENT_ID_NOT_AVAILABLE`.
fn is_placeholder(value: &str) -> bool {
    let value = value.trim();
    let between = |start: &str, end: &str| {
        value.len() > start.len() + end.len() && value.starts_with(start) && value.ends_with(end)
    };
    between("{{", "}}")
        || between("${", "}")
        || between("%", "%")
        || between("[", "]")
        || value == "ASSIGNMENT_ID_NOT_AVAILABLE"
}

/// The number among the parameters of an address, if there is one.
///
/// # Errors
/// [`Refusal::Invalid`] for a value that is too long or was never filled in.
pub(crate) fn number_of(
    study: &Study,
    given: &BTreeMap<String, String>,
) -> Result<Option<String>, Refusal> {
    let crowd = &study.crowd;
    let named = crowd.worker_parameter.iter().chain(&crowd.other_parameters);
    let values: Vec<&String> = named.filter_map(|name| given.get(name)).collect();
    if values.iter().any(|value| value.len() > LONGEST_PARAMETER) {
        return Err(Refusal::Invalid("parameter"));
    }
    if values.iter().any(|value| is_placeholder(value)) {
        return Err(Refusal::Invalid("placeholder"));
    }
    let numbers = crowd.worker_parameter.iter().filter_map(|name| given.get(name));
    Ok(numbers.map(|number| normalized_number(number)).find(|number| !number.is_empty()))
}

/// Whether one more person may come in. Dry runs and simulated listeners are not asked.
///
/// # Errors
/// [`Refusal::Forbidden`]: the study is closed, full, or asks for a number.
pub(crate) fn admit(
    study: &Study,
    connection: &Connection,
    number: Option<&str>,
    live_since: i64,
    new_since: i64,
    now: i64,
) -> Result<(), Refusal> {
    let recruitment = &study.recruitment;
    let today = day_of(now);
    let over = |day: &str| !day.is_empty() && *day < *today;
    if over(&recruitment.last_day) || over(&study.consent.retain_until) {
        return Err(Refusal::Forbidden("closed"));
    }
    match number {
        None if recruitment.number_required => return Err(Refusal::Forbidden("number")),
        // rows of earlier versions have numbers as they came
        Some(number) if known(connection, number)? => {
            return Err(Refusal::Conflict("already-took-part"));
        }
        _ => {}
    }
    if recruitment.participants > 0 {
        let inside: u32 = connection.query_row(
            "select count(*) from sessions where dry_run = 0 and simulated = 0 and screened_out = 0
             and (finished_at is not null or last_seen >= ?1
             and (last_seen > consented_at or consented_at >= ?2))",
            params![live_since, new_since],
            |row| row.get(0),
        )?;
        if inside >= recruitment.participants {
            return Err(Refusal::Forbidden("full"));
        }
    }
    Ok(())
}

fn known(connection: &Connection, number: &str) -> Result<bool, Refusal> {
    let mut query = connection.prepare_cached("select worker from crowd")?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        if normalized_number(&row.get::<_, String>(0)?) == number {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_without_blanks_and_case() {
        for number in ["5F3A9C", " 5f3a9c ", "5f3a 9c\t", "5F3a\u{a0}9C"] {
            assert_eq!(normalized_number(number), "5f3a9c");
        }
    }

    #[test]
    fn what_a_platform_did_not_fill_in_is_no_number() {
        for value in [
            "{{%PROLIFIC_PID%}}",
            "%SURVEY_CODE%",
            "${workerId}",
            "[PARTICIPANT]",
            " {{id}} ",
            "ASSIGNMENT_ID_NOT_AVAILABLE",
        ] {
            assert!(is_placeholder(value), "{value}");
        }
        for value in ["5f3a9c", "A1%B", "{a", "100%", "%", "{{}}"] {
            assert!(!is_placeholder(value), "{value}");
        }
    }
}
