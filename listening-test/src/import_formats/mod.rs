//! Import of answers that another tool recorded into the answers table of a study.
//!
//! A [`Mapping`] says which columns of the tool's file hold participant, item, answer and
//! time. The tools it was made for, by the shapes that they document or write:
//! webMUSHRA's result tables (`service/write.php`) and jsPsych's data as CSV or JSON
//! ("Data collected by all plugins", and "Data Generated" of each plugin).
//!
//! Nothing is guessed: a stimulus or an answer that the study does not know is refused with
//! its file and row, and then nothing is taken.

mod mapping;
mod table;
mod webmushra;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use trompe_base::encoding::hex;

use crate::answer_key::{Item, Role};
use crate::answers::AnswerRow;
use crate::error::{Error, Result};
use crate::export::median;
use crate::study::{Block, Conduct, Task};
use crate::study_folder::StudyFolder;

pub use mapping::Mapping;
use table::{Row, read_rows};
pub use webmushra::{Design, DesignBlock, DesignTrial, read_design};

/// What was taken, and how much was not.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// The answers table, participants in order of appearance.
    pub answers: Vec<AnswerRow>,
    /// Rows that the mapping leaves out, rows without an answer, and practice.
    pub left_out: usize,
}

/// Reads `files` of another tool as answers to the study in `study`.
///
/// Participants get a code of ours, made of the study and what the tool called them, so that
/// addresses and platform numbers stay behind. Of the study's exclusions those for failed
/// catch items and hasty answers are applied; whether somebody finished and heard through
/// headphones is not in such files.
///
/// # Errors
/// [`trompe_base::Error::BadFile`] with the row for a stimulus, an answer, a rating or a time that the
/// study cannot hold, for a second answer to one item, and for files that are neither CSV nor
/// JSON; [`trompe_base::Error::Request`] if no row is left.
pub fn read_recorded(study: &Path, mapping: &Mapping, files: &[PathBuf]) -> Result<Recorded> {
    let folder = StudyFolder::open(study)?;
    let names = Names::new(&folder);
    let mut people: BTreeMap<String, Vec<AnswerRow>> = BTreeMap::new();
    let mut order = Vec::new();
    let mut left_out = 0;
    let mut read = BTreeSet::new();
    for file in files {
        let place = std::fs::canonicalize(file).map_err(|source| Error::io(file, source))?;
        if !read.insert(place) {
            return Err(Error::bad_file(file, "it is given twice", "name each file once"));
        }
        for row in read_rows(file)? {
            let taken = take(&folder, &names, mapping, file, &row).map_err(|(what, remedy)| {
                Error::bad_file(file, format!("{}: {what}", row.place), remedy)
            })?;
            let Some(mut answer) = taken else {
                left_out += 1;
                continue;
            };
            let own = people.entry(answer.participant.clone()).or_default();
            if own.is_empty() {
                order.push(answer.participant.clone());
            }
            if own.iter().any(|earlier| earlier.item == answer.item) {
                return Err(Error::bad_file(
                    file,
                    format!("{}: a second answer to item {}", row.place, answer.item),
                    "keep one answer a participant and item, or map `participant` to a column \
                     that tells people apart",
                ));
            }
            answer.position = own.len() as u32;
            own.push(answer);
        }
    }
    let mut answers = Vec::new();
    for mut own in order.iter().filter_map(|person| people.remove(person)) {
        exclude(&folder, &mut own);
        answers.append(&mut own);
    }
    if answers.is_empty() {
        return Err(Error::request(
            format!("no answer is in the files; {left_out} rows are left out by the mapping"),
            "check [only] and no_answer",
        ));
    }
    Ok(Recorded { answers, left_out })
}

/// What is wrong with a row, and what to do.
type Complaint = (String, &'static str);

/// The answer in a row, or nothing if the row is to be left out.
fn take(
    folder: &StudyFolder,
    names: &Names,
    mapping: &Mapping,
    file: &Path,
    row: &Row,
) -> Result<Option<AnswerRow>, Complaint> {
    if !mapping.wants(row) {
        return Ok(None);
    }
    let answer = mapping.cell(row, &mapping.answer)?;
    if mapping.no_answer.contains(&answer) {
        return Ok(None);
    }
    let (item, condition, name) = names.item(folder, mapping, &mapping.stimulus(row)?)?;
    let catch = match item.role {
        Role::Trial | Role::Gold => false,
        Role::Catch => true,
        Role::Practice => return Ok(None),
        _ => return Err((format!("{} is a check, not a trial", item.name), ITEMS)),
    };
    let block = folder.study.block(&item.block);
    let block = block.ok_or((format!("{} belongs to no block", item.name), ITEMS))?;
    let (answer, rating) = mapping.answer_of(row, &answer, item, block)?;
    Ok(Some(AnswerRow {
        participant: code(&folder.sha256, &mapping.person(row, file)?, mapping.simulated),
        item: name,
        condition: if catch { "catch".into() } else { condition },
        medium: item.medium.name().into(),
        truth: item.truth.clone(),
        answer,
        rating,
        response_ms: mapping.milliseconds(row, &mapping.response_ms)?,
        heard_ms: match &mapping.heard_ms {
            Some(column) => Some(mapping.milliseconds(row, column)?),
            None => None,
        },
        stalls: None,
        block: item.block.clone(),
        position: 0,
        excluded: None,
        order: None,
        server_ms: None,
        strength: None,
    }))
}

/// The pseudonym of a participant, derived from the study and the tool's name for the participant.
fn code(study: &str, name: &str, simulated: bool) -> String {
    let digest = hex(&Sha256::digest(format!("{study}\n{name}")));
    format!("{}x-{}", if simulated { "sim-" } else { "" }, &digest[..16])
}

const ITEMS: &str = "name the item of the study under [items], or leave the row out under [only]";

/// Names of an item that need no entry in the mapping: its own name, its opaque stimulus or its source file,
/// each with or without folder and extension.
struct Names {
    /// Names in lower case with the items they may mean.
    known: BTreeMap<String, BTreeSet<String>>,
}

impl Names {
    fn new(folder: &StudyFolder) -> Self {
        let mut known: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for item in &folder.answer_key.items {
            // a file of a pair is not the pair
            let alone = item.stimuli.len() == 1;
            let files = [&item.source].into_iter().chain(&item.stimuli).filter(|_| alone);
            for name in files.chain([&item.name]) {
                for form in [base(name), stem(base(name))] {
                    known.entry(form.to_lowercase()).or_default().insert(item.name.clone());
                }
            }
        }
        Self { known }
    }

    fn item<'a>(
        &self,
        folder: &'a StudyFolder,
        mapping: &Mapping,
        stimulus: &str,
    ) -> Result<(&'a Item, String, String), Complaint> {
        let of = |name: &str| {
            folder.row_item(name).map(|(item, condition)| (item, condition, name.to_owned()))
        };
        let unknown = || (format!("{stimulus:?} is no item of the study"), ITEMS);
        if let Some(name) = mapping.items.get(stimulus) {
            return of(name).ok_or((
                format!("[items] turns {stimulus:?} into {name:?}, which the study does not have"),
                "take the names from key.json",
            ));
        }
        let known = |form: &str| self.known.get(&form.to_lowercase());
        let found = known(base(stimulus)).or_else(|| known(stem(base(stimulus))));
        let mut items = found.ok_or_else(unknown)?.iter();
        match (items.next(), items.next()) {
            (Some(name), None) => of(name).ok_or_else(unknown),
            _ => Err((format!("{stimulus:?} may be several items of the study"), ITEMS)),
        }
    }
}

/// A path without its folders.
fn base(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// A file name without its extension.
fn stem(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// Applies the study's exclusions to the answers of one participant.
fn exclude(folder: &StudyFolder, own: &mut [AnswerRow]) {
    let wrong = |condition: &str| {
        let wrong = own.iter().filter(|row| {
            row.condition == condition && row.answer.as_deref() != Some(row.truth.as_str())
        });
        wrong.count() as u32
    };
    let mut times: Vec<u64> = own.iter().map(|row| row.response_ms).collect();
    times.sort_unstable();
    let reason = folder.study.exclusions.reason(&Conduct {
        unfinished: false,
        failed_catch: wrong("catch"),
        failed_gold: wrong("gold"),
        median_seconds: median(&times).map(|ms| ms / 1000.0),
        impossible_times: false,
        failed_headphones: false,
    });
    for row in own {
        row.excluded = reason.map(str::to_owned);
    }
}

/// The answers that may be given to an item of a block.
fn offered(block: &Block) -> Vec<&str> {
    match block.task {
        Task::Choice => block.classes.iter().map(String::as_str).collect(),
        Task::Abx | Task::Ab => vec!["A", "B"],
        Task::Likert | Task::Mushra | Task::Bs1116 | Task::Staircase => Vec::new(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::study::{Medium, Study};

    fn folder() -> StudyFolder {
        let study: Study = toml::from_str(crate::study::tests::SMALL).unwrap();
        let item = |name: &str, source: &str| Item {
            name: name.into(),
            role: Role::Trial,
            block: "music".into(),
            medium: Medium::Audio,
            stimuli: vec![format!("{name}000000000000.wav")],
            condition: "real".into(),
            truth: "rock".into(),
            source: source.into(),
            source_sha256: String::new(),
            fooling_set: None,
            posterior: None,
            seconds: None,
            conditions: Vec::new(),
            strengths: Vec::new(),
        };
        StudyFolder::for_tests(
            study,
            vec![
                item("ab12", "set/one.wav"),
                item("cd34", "rock/Two.WAV"),
                item("ef56", "two.wav"),
            ],
        )
    }

    #[test]
    fn items_go_by_name_stimulus_or_source_and_never_by_a_guess() {
        let folder = folder();
        let names = Names::new(&folder);
        let mut mapping: Mapping =
            toml::from_str("item = 'stimulus'\nanswer = 'a'\nresponse_ms = 'rt'").unwrap();
        mapping.items.insert("page2".into(), "cd34".into());
        mapping.items.insert("gone".into(), "zz".into());
        let found = |stimulus: &str| names.item(&folder, &mapping, stimulus);
        for stimulus in ["ab12", "audio/ab12000000000000.wav", "one", "C:\\clips\\ONE.mp3"] {
            assert_eq!(found(stimulus).unwrap().2, "ab12", "{stimulus}");
        }
        assert_eq!(found("page2").unwrap().2, "cd34");
        assert!(found("two.wav").unwrap_err().0.contains("several"));
        assert!(found("three").unwrap_err().0.contains("no item"));
        assert!(found("gone").unwrap_err().0.contains("zz"));
    }

    #[test]
    fn people_keep_one_code_that_does_not_tell_their_name() {
        let one = code("s", "a@example.org", false);
        assert_eq!(one, code("s", "a@example.org", false));
        assert!(one.starts_with("x-") && one.len() == 18 && !one.contains('@'));
        assert_ne!(one, code("t", "a@example.org", false));
        assert!(code("s", "a", true).starts_with("sim-"));
        assert!(!code("s", "sim-a", false).starts_with("sim-"));
    }
}
