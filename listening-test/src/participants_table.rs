//! `participants.csv`: one row a person, with the meaning of every column.

use crate::answers::{csv_of, safe_cell};
use crate::error::Result;
use crate::participant::{Headphones, Participant};

type Cell = fn(&Participant) -> String;

/// Name, meaning and content of every column that all studies have.
const COLUMNS: [(&str, &str, Cell); 20] = [
    ("participant", "random code of the participant; sim-... is a simulated listener", |person| {
        person.participant.clone()
    }),
    ("simulated", "whether a program answered", |person| person.simulated.to_string()),
    ("dry_run", "whether the experimenter tried the study out", |person| {
        person.dry_run.to_string()
    }),
    ("plan", "number of the plan: which items, in which order", |person| person.plan.to_string()),
    ("language", "language of the page", |person| person.language.clone()),
    ("consent_version", "version of the consent that was given", |person| {
        person.consent_version.clone()
    }),
    ("finished", "whether the study was finished", |person| person.finished.to_string()),
    ("screened_out", "whether the headphone check or an interruption ended it", |person| {
        person.screened_out.to_string()
    }),
    ("interruptions", "times that the participant came back", |person| {
        person.interruptions.to_string()
    }),
    ("ears", "right answers in the check of left and right; empty if not asked", |person| {
        check(person, |check| check.ears.to_string())
    }),
    ("huggins", "right answers in the check of the Huggins pitch; empty if not asked", |person| {
        check(person, |check| check.huggins.to_string())
    }),
    (
        "antiphase",
        "right answers in the check of tones in antiphase; empty if not asked",
        |person| check(person, |check| check.antiphase.to_string()),
    ),
    (
        "headphones_passed",
        "whether the headphone check counts as passed; empty if not asked",
        |person| check(person, |check| check.passed.to_string()),
    ),
    ("failed_catch", "catch items that were answered otherwise than asked", |person| {
        person.failed_catch.to_string()
    }),
    ("median_seconds", "median response time over trials, in seconds", |person| {
        person.median_seconds.map(|seconds| format!("{seconds:.3}")).unwrap_or_default()
    }),
    ("claimed_seconds", "seconds that the answers claim by the browser's clock", |person| {
        format!("{:.3}", person.times.claimed_seconds)
    }),
    (
        "server_seconds",
        "seconds from the consent to the last answer by the server's clock; empty if no server saw them",
        |person| person.times.server_seconds.map(|s| s.to_string()).unwrap_or_default(),
    ),
    ("sooner_than_claimed", "answers that came sooner than they claim", |person| {
        person.times.sooner_than_claimed.to_string()
    }),
    ("excluded", "reason under the rules fixed in study.toml; empty keeps the person", |person| {
        person.excluded.clone().unwrap_or_default()
    }),
    ("failed_gold", "gold items with another answer than theirs", |person| {
        person.failed_gold.to_string()
    }),
];

fn check(person: &Participant, value: fn(&Headphones) -> String) -> String {
    person.headphones.as_ref().map(value).unwrap_or_default()
}

/// Questions that somebody answered, in alphabetical order.
fn questions(people: &[Participant]) -> Vec<&String> {
    let mut names: Vec<&String> =
        people.iter().flat_map(|person| person.questionnaire.keys()).collect();
    names.sort();
    names.dedup();
    names
}

/// Names and meanings of the columns of an export.
pub(crate) fn codebook(people: &[Participant]) -> Vec<(String, String)> {
    let fixed = COLUMNS.iter().map(|(name, meaning, _)| (safe_cell(name), (*meaning).to_owned()));
    let asked = |name: &String| {
        (safe_cell(name), format!("answer to the question {name:?}; empty if not answered"))
    };
    fixed.chain(questions(people).into_iter().map(asked)).collect()
}

/// The table.
///
/// # Errors
/// [`trompe_base::Error::Request`] if the text cannot be assembled.
pub(crate) fn participants_csv(people: &[Participant]) -> Result<Vec<u8>> {
    let questions = questions(people);
    let mut rows: Vec<Vec<String>> =
        vec![codebook(people).into_iter().map(|(name, _)| name).collect()];
    for person in people {
        let fixed = COLUMNS.iter().map(|(_, _, cell)| cell(person));
        let asked = questions.iter().map(|name| {
            safe_cell(person.questionnaire.get(*name).map(String::as_str).unwrap_or_default())
        });
        rows.push(fixed.chain(asked).collect());
    }
    csv_of(&rows)
}
