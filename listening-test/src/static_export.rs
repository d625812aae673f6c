//! The same study as a folder that works without a server: opened from a disk or put on any
//! web space. Answers come back as files, mails or scanned codes, which [`import_answers`] takes into a
//! database.
//!
//! No label is in the folder, except those of practice items (told as feedback) and the told
//! answers of catch items. A headphone gate cannot be judged without the key, so it is
//! applied when answers are imported.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::params;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::codes::codes;
use crate::desk::Desk;
use crate::error::{Error, Result};
use crate::files::write_atomically;
use crate::given::Given;
use crate::key::StudyFolder;
use crate::letter::letters;
use crate::plan::Step;
use crate::server::{Page, now, public_study};
use crate::store::{connect, prepare};
use crate::study::Policy;

/// Policy of the page: as the server's, but for scripts from the same folder.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
                      img-src 'self' blob:; media-src blob:; base-uri 'none'; form-action 'none'";

/// Writes the study in `study` as a folder `out` that needs no server.
///
/// # Errors
/// [`Error::Request`] if `out` exists; errors of reading the study and writing files.
pub fn export_static(study: &Path, out: &Path) -> Result<()> {
    if out.exists() {
        return Err(Error::request(format!("{} exists", out.display()), "name a new folder"));
    }
    let desk = Desk::new(StudyFolder::open(study)?);
    let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    let partial = tempfile::Builder::new()
        .prefix(".partial-static-")
        .tempdir_in(parent)
        .map_err(|source| Error::io(parent, source))?;
    write_folder(&desk, partial.path())?;
    std::fs::rename(partial.keep(), out).map_err(|source| Error::io(out, source))
}

fn write_folder(desk: &Desk, root: &Path) -> Result<()> {
    for folder in ["page", "stimuli"] {
        let path = root.join(folder);
        std::fs::create_dir(&path).map_err(|source| Error::io(path, source))?;
    }
    for file in Page::iter() {
        let Some(content) = Page::get(&file) else { continue };
        if file == "index.html" {
            write_atomically(&root.join("index.html"), &index(&content.data))?;
        } else if file != "server.js" && !file.starts_with("languages/") {
            write_atomically(&root.join("page").join(&*file), &content.data)?;
        }
    }
    write_atomically(&root.join("page/study.js"), data(desk)?.as_bytes())?;
    let stimuli = desk.folder.key.items.iter().flat_map(|item| &item.stimuli);
    for stimulus in stimuli {
        let path = desk.folder.root.join("stimuli").join(stimulus);
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
fn data(desk: &Desk) -> Result<String> {
    let defect = |error: serde_json::Error| Error::request(error.to_string(), "report this");
    let study: serde_json::Value =
        serde_json::from_slice(&public_study(&desk.folder)?).map_err(defect)?;
    let mut words = BTreeMap::new();
    for language in &desk.folder.study.languages {
        if let Some(file) = Page::get(&format!("languages/{language}.json")) {
            let text: serde_json::Value = serde_json::from_slice(&file.data).map_err(defect)?;
            words.insert(language, text);
        }
    }
    let mut plans = Vec::new();
    for plan in &desk.plans {
        let mut views = Vec::new();
        for (index, step) in plan.iter().enumerate() {
            let mut view = serde_json::to_value(desk.view(step, index as u32)).map_err(defect)?;
            if let Step::Practice { item } = step {
                view["truth"] = desk
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

/// Base 64 with padding (RFC 4648, section 4).
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let word = group.iter().fold(0u32, |word, &byte| word << 8 | u32::from(byte))
            << (8 * (3 - group.len()));
        for digit in 0..4 {
            if digit <= group.len() {
                text.push(char::from(DIGITS[(word >> (18 - 6 * digit)) as usize & 63]));
            } else {
                text.push('=');
            }
        }
    }
    text
}

/// What a participant handed over.
#[derive(Debug, Deserialize)]
struct Handed {
    study: String,
    participant: String,
    consent_version: String,
    language: String,
    answers: Vec<Given>,
}

/// What [`import_answers`] took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Imported {
    /// Participations found in the files.
    pub found: usize,
    /// Those that were not in the database yet.
    pub added: usize,
}

/// Takes answers into the database of the study, checked like answers to the server. A file is
/// what the page let somebody download, or text with any number of mails and scanned codes that
/// hold what the page showed. What is there already changes nothing.
///
/// # Errors
/// [`Error::BadFile`] for a file that is not such answers; then nothing is taken.
pub fn import_answers(study: &Path, database: &Path, files: &[PathBuf]) -> Result<Imported> {
    let desk = Desk::new(StudyFolder::open(study)?);
    let mut connection = connect(database)?;
    prepare(&connection, database, &desk.folder.sha256)?;
    let transaction = connection.transaction()?;
    let mut imported = Imported { found: 0, added: 0 };
    for file in files {
        let bytes = std::fs::read(file).map_err(|source| Error::io(file, source))?;
        let bad = |what: String| {
            Error::bad_file(file, what, "ask for the file or the text that the study's page made")
        };
        for handed in handed_over(&bytes).map_err(bad)? {
            imported.found += 1;
            imported.added += usize::from(import_one(&desk, &transaction, &handed).map_err(bad)?);
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
        return Err("it is neither JSON nor a mail or a scanned code of answers".into());
    }
    found.iter().map(|json| read(json)).collect()
}

fn import_one(
    desk: &Desk,
    connection: &rusqlite::Connection,
    handed: &Handed,
) -> Result<bool, String> {
    if handed.study != desk.folder.study.name {
        return Err(format!("it answers the study {:?}", handed.study));
    }
    let number = handed.participant.strip_prefix("f-").and_then(|rest| rest.split_once('-'));
    let number: u32 = number
        .and_then(|(plan, _)| plan.parse().ok())
        .ok_or_else(|| format!("{:?} is no participant of a study folder", handed.participant))?;
    let plan = desk.plans.get(number as usize).ok_or("its plan does not exist")?;
    if handed.answers.len() > plan.len() {
        return Err("it has more answers than the plan has steps".into());
    }
    for (index, (given, step)) in handed.answers.iter().zip(plan).enumerate() {
        if given.step as usize != index {
            return Err(format!("answer {index} is for step {}", given.step));
        }
        given.check(&desk.folder, step).map_err(|what| format!("step {index}: {what}"))?;
    }
    let finished = handed.answers.len() == plan.len();
    let gate = desk.folder.study.headphones.policy == Policy::Gate;
    let screened_out = gate && finished && !desk.headphones(plan, &handed.answers).passed;
    let failed = |error: rusqlite::Error| format!("the database refused: {error}");
    let added = connection
        .execute(
            "insert or ignore into sessions (participant, code_hash, plan, language,
             consent_version, consented_at, last_seen, finished_at, screened_out,
             completion_code, dry_run, simulated)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7, ?8, '', 0, 0)",
            params![
                handed.participant,
                Sha256::digest(&handed.participant).to_vec(),
                number,
                handed.language,
                handed.consent_version,
                now(),
                finished.then(now),
                screened_out,
            ],
        )
        .map_err(failed)?;
    if added == 0 {
        return Ok(false);
    }
    let session = connection.last_insert_rowid();
    for given in &handed.answers {
        let content = serde_json::to_string(given).map_err(|error| error.to_string())?;
        connection
            .execute(
                "insert into answers values (?1, 0, ?2, ?3, ?4, ?5)",
                params![session, given.step, given.key, content, now()],
            )
            .map_err(failed)?;
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4648, section 10.
    #[test]
    fn base64_matches_the_published_vectors() {
        let vectors = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (plain, coded) in vectors {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }
}
