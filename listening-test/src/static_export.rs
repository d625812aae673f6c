//! The same study as a folder that works without a server: opened from a disk or put on any
//! web space. Answers come back as files, mails or scanned codes, which [`import_answers`] takes into a
//! database.
//!
//! No label is in the folder, except those of practice items (told as feedback) and the told
//! answers of catch items. A headphone gate cannot be judged without the key, so it is
//! applied when answers are imported.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, params};
use serde::Deserialize;
use trompe_base::encoding::base64;
use trompe_base::files::write_atomically;

use crate::answer::StepAnswer;
use crate::calendar::now;
use crate::consent_record;
use crate::error::{Error, Result};
use crate::mail_import::letters;
use crate::plan::{ParticipantPlan, Step};
use crate::qr_import::codes;
use crate::refusal::Refusal;
use crate::server::{page_file, page_files, public_study};
use crate::session::{Sessions, answers_of, code_hash};
use crate::store::{connect, prepare};
use crate::study::Policy;
use crate::study_folder::StudyFolder;

/// Policy of the page: as the server's, but for scripts from the same folder.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
                      img-src 'self' blob:; media-src blob:; base-uri 'none'; form-action 'none'";

/// Writes the study in `study` as a folder `out` that needs no server.
///
/// # Errors
/// [`trompe_base::Error::Request`] if `out` exists; errors of reading the study and writing files.
pub fn export_static(study: &Path, out: &Path) -> Result<()> {
    if out.exists() {
        return Err(Error::request(format!("{} exists", out.display()), "name a new folder"));
    }
    let sessions = Sessions::new(StudyFolder::open(study)?);
    let mut blocks = sessions.folder.study.blocks.iter();
    if let Some(block) = blocks.find(|block| block.staircase.is_some()) {
        return Err(Error::request(
            format!(
                "block {:?} is a staircase: the next strength follows from the answers, which takes a server",
                block.name
            ),
            "serve this study, or build one without that block",
        ));
    }
    let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    let partial = tempfile::Builder::new()
        .prefix(".partial-static-")
        .tempdir_in(parent)
        .map_err(|source| Error::io(parent, source))?;
    write_folder(&sessions, partial.path())?;
    std::fs::rename(partial.keep(), out).map_err(|source| Error::io(out, source))
}

fn write_folder(sessions: &Sessions, root: &Path) -> Result<()> {
    for folder in ["page", "stimuli"] {
        let path = root.join(folder);
        std::fs::create_dir(&path).map_err(|source| Error::io(path, source))?;
    }
    for file in page_files() {
        let Some(content) = page_file(&file) else { continue };
        if file == "index.html" {
            write_atomically(&root.join("index.html"), &index(&content))?;
        } else if file != "server.js" && !file.starts_with("languages/") {
            write_atomically(&root.join("page").join(&*file), &content)?;
        }
    }
    write_atomically(&root.join("page/study.js"), data(sessions)?.as_bytes())?;
    let stimuli = sessions.folder.answer_key.items.iter().flat_map(|item| &item.stimuli);
    for stimulus in stimuli {
        let path = sessions.folder.root.join("stimuli").join(stimulus);
        let bytes = std::fs::read(&path).map_err(|source| Error::io(&path, source))?;
        let script = format!("trompeStimulus(\"{stimulus}\",\"{}\");\n", base64(&bytes));
        let file = root.join("stimuli").join(format!("{stimulus}.js"));
        write_atomically(&file, script.as_bytes())?;
    }
    Ok(())
}

fn index(html: &[u8]) -> Vec<u8> {
    let meta = format!(
        "<meta charset=\"utf-8\">\n    <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">"
    );
    let scripts = "<script defer src=\"page/study.js\"></script>\n    \
                   <script defer src=\"page/folder.js\"></script>\n    \
                   <script defer src=\"page/mail.js\"></script>\n    \
                   <script defer src=\"page/qr.js\"></script>\n    \
                   <script defer src=\"page/codes.js\"></script>";
    String::from_utf8_lossy(html)
        .replace("<meta charset=\"utf-8\">", &meta)
        .replace("<script defer src=\"page/server.js\"></script>", scripts)
        .into_bytes()
}

/// `study.js`: the public design, the wording and the plans.
fn data(sessions: &Sessions) -> Result<String> {
    let defect = |error: serde_json::Error| Error::request(error.to_string(), "report this");
    let study: serde_json::Value =
        serde_json::from_slice(&public_study(sessions)?).map_err(defect)?;
    let mut words = BTreeMap::new();
    for language in &sessions.folder.study.languages {
        if let Some(file) = page_file(&format!("languages/{language}.json")) {
            let text: serde_json::Value = serde_json::from_slice(&file).map_err(defect)?;
            words.insert(language, text);
        }
    }
    let mut plans = Vec::new();
    for plan in &sessions.plans {
        let mut views = Vec::new();
        for (index, step) in plan.iter().enumerate() {
            let mut view =
                serde_json::to_value(sessions.view(plan, index as u32, "")).map_err(defect)?;
            if let Step::Practice { item } = step {
                view["truth"] = sessions
                    .folder
                    .item(item)
                    .map(|item| item.truth.clone())
                    .unwrap_or_default()
                    .into();
            }
            views.push(view);
        }
        plans.push(views);
    }
    let data = serde_json::json!({ "study": study, "words": words, "plans": plans });
    Ok(format!("window.trompeFolder = {data};\n"))
}

/// The answers file of one participant.
#[derive(Debug, Deserialize)]
struct Handed {
    study: String,
    participant: String,
    consent_version: String,
    language: String,
    answers: Vec<StepAnswer>,
}

/// What [`import_answers`] took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Imported {
    /// Participations found in the files.
    pub found: usize,
    /// Those that were not in the database yet.
    pub added: usize,
    /// Those that went on since they were imported before.
    pub continued: usize,
}

/// Takes answers into the database of the study, checked like answers to the server. A file is
/// what the page let somebody download, or text with any number of mails and scanned codes that
/// hold what the page showed. What is there already changes nothing; of somebody who handed over
/// too early, the rest is added.
///
/// # Errors
/// [`trompe_base::Error::BadFile`] for a file that is not such answers, was given with another consent or
/// contradicts what was imported before; then nothing is taken.
pub fn import_answers(study: &Path, database: &Path, files: &[PathBuf]) -> Result<Imported> {
    let sessions = Sessions::new(StudyFolder::open(study)?);
    let mut connection = connect(database)?;
    prepare(&connection, database, &sessions.folder.sha256)?;
    let transaction = connection.transaction()?;
    let mut imported = Imported { found: 0, added: 0, continued: 0 };
    for file in files {
        let bytes = std::fs::read(file).map_err(|source| Error::io(file, source))?;
        let bad = |what: String| {
            Error::bad_file(file, what, "ask for the file or the text that the study's page made")
        };
        for handed in handed_over(&bytes).map_err(bad)? {
            imported.found += 1;
            match import_one(&sessions, &transaction, &handed).map_err(bad)? {
                Taken::Nothing => {}
                Taken::Rest => imported.continued += 1,
                Taken::Everything => imported.added += 1,
            }
        }
    }
    transaction.commit()?;
    Ok(imported)
}

/// The answers in a file: JSON, or else mails and codes.
fn handed_over(bytes: &[u8]) -> Result<Vec<Handed>, String> {
    let read = |json: &[u8]| serde_json::from_slice(json).map_err(|error| error.to_string());
    if bytes.trim_ascii_start().starts_with(b"{") {
        return Ok(vec![read(bytes)?]);
    }
    let text = String::from_utf8_lossy(bytes);
    let mut found = letters(&text)?;
    found.extend(codes(&text)?);
    if found.is_empty() {
        return Err("found neither JSON, nor a mail, nor scanned codes with answers".into());
    }
    found.iter().map(|json| read(json)).collect()
}

/// Which part of a participation was new.
enum Taken {
    Nothing,
    /// The answers since it was imported before.
    Rest,
    Everything,
}

fn import_one(
    sessions: &Sessions,
    connection: &Connection,
    handed: &Handed,
) -> Result<Taken, String> {
    let (number, plan) = check(sessions, handed)?;
    let failed = |refusal: Refusal| format!("the database refused: {refusal}");
    let known = find(connection, &handed.participant).map_err(failed)?;
    let Some((session, stored)) = known else {
        let session = enrol(connection, handed, number).map_err(failed)?;
        consent_record::keep(connection, &sessions.folder.study).map_err(failed)?;
        store_from(0, sessions, connection, session, plan, handed).map_err(failed)?;
        return Ok(Taken::Everything);
    };
    let mut both = stored.iter().zip(&handed.answers);
    if let Some((before, _)) = both.find(|(before, now)| before != now) {
        return Err(format!(
            "step {} of {:?} differs from the answer that was imported before",
            before.step, handed.participant
        ));
    }
    if handed.answers.len() <= stored.len() {
        return Ok(Taken::Nothing);
    }
    store_from(stored.len(), sessions, connection, session, plan, handed).map_err(failed)?;
    Ok(Taken::Rest)
}

/// Checks everything that was handed over, and gives the plan and its number.
fn check<'a>(
    sessions: &'a Sessions,
    handed: &Handed,
) -> Result<(u32, &'a ParticipantPlan), String> {
    let study = &sessions.folder.study;
    if handed.study != study.name {
        return Err(format!("these are answers to the study {:?}", handed.study));
    }
    if handed.consent_version != study.consent_version() {
        let version = &handed.consent_version;
        return Err(format!(
            "the participant agreed to consent version {version:?}, which is not this study's"
        ));
    }
    if !study.languages.contains(&handed.language) {
        return Err(format!("the study has no language {:?}", handed.language));
    }
    let number = handed.participant.strip_prefix("f-").and_then(|rest| rest.split_once('-'));
    let number: u32 = number.and_then(|(plan, _)| plan.parse().ok()).ok_or_else(|| {
        format!("{:?} is not a participant code of a static study", handed.participant)
    })?;
    let plan = sessions
        .plans
        .get(number as usize)
        .ok_or("the participant's plan does not exist in this study")?;
    if handed.answers.len() > plan.len() {
        return Err("there are more answers than steps in the plan".into());
    }
    for (index, (answer, step)) in handed.answers.iter().zip(plan).enumerate() {
        if answer.step as usize != index {
            return Err(format!("answer {index} is for step {}", answer.step));
        }
        answer.check(&sessions.folder, step).map_err(|what| format!("step {index}: {what}"))?;
    }
    Ok((number, plan))
}

/// The session of a participant and its answers, if anything was imported before.
fn find(
    connection: &Connection,
    participant: &str,
) -> Result<Option<(i64, Vec<StepAnswer>)>, Refusal> {
    let session: Option<i64> = connection
        .query_row("select id from sessions where participant = ?1", [participant], |row| {
            row.get(0)
        })
        .optional()?;
    session.map(|session| Ok((session, answers_of(connection, session, 0)?))).transpose()
}

fn enrol(connection: &Connection, handed: &Handed, plan: u32) -> Result<i64, Refusal> {
    connection.execute(
        "insert into sessions (participant, code_hash, plan, language, consent_version,
         consented_at, last_seen, completion_code, dry_run, simulated)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?6, '', 0, 0)",
        params![
            handed.participant,
            code_hash(&handed.participant),
            plan,
            handed.language,
            handed.consent_version,
            now(),
        ],
    )?;
    Ok(connection.last_insert_rowid())
}

/// Stores the answers from number `first` on, and whether all together are the whole plan.
fn store_from(
    first: usize,
    sessions: &Sessions,
    connection: &Connection,
    session: i64,
    plan: &ParticipantPlan,
    handed: &Handed,
) -> Result<(), Refusal> {
    for answer in handed.answers.iter().skip(first) {
        let content =
            serde_json::to_string(answer).map_err(|error| Refusal::Storage(error.to_string()))?;
        connection.execute(
            "insert into answers (session, attempt, step, key, content, received_at)
             values (?1, 0, ?2, ?3, ?4, ?5)",
            params![session, answer.step, answer.key, content, now()],
        )?;
    }
    let finished = handed.answers.len() == plan.len();
    let gate = sessions.folder.study.headphones.policy == Policy::Gate;
    let screened_out = gate && finished && !sessions.headphones(plan, &handed.answers).passed;
    connection.execute(
        "update sessions set last_seen = ?2, finished_at = ?3, screened_out = ?4 where id = ?1",
        params![session, now(), finished.then(now), screened_out],
    )?;
    Ok(())
}
