//! A study folder: the design, the answer key and the stimuli, under a manifest of hashes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use trompe_base::encoding::hex;

use crate::answer_key::{AnswerKey, Item, Role};
use crate::error::{Error, Result};
use crate::mushra::REFERENCE;
use crate::staircase::Staircase;
use crate::study::{Policy, Study, Task};

/// A study folder, read and verified.
#[derive(Debug, Clone)]
pub struct StudyFolder {
    /// The folder.
    pub root: PathBuf,
    /// The design.
    pub study: Study,
    /// The answer key.
    pub answer_key: AnswerKey,
    /// SHA-256 of `manifest.sha256`, which covers the design, the key and all stimuli.
    pub sha256: String,
    by_name: BTreeMap<String, usize>,
}

impl StudyFolder {
    /// Reads a study folder and verifies every file against `manifest.sha256`.
    ///
    /// # Errors
    /// [`trompe_base::Error::BadFile`] for a file that is missing, changed, not listed or a symbolic link.
    pub fn open(root: &Path) -> Result<Self> {
        let study_file = root.join("study.toml");
        if !study_file.is_file() {
            return Err(Error::request(
                format!("{} holds no study.toml", root.display()),
                "give the folder that `listen build` wrote",
            ));
        }
        let sha256 = verify(root)?;
        let study = Study::read(&study_file)?;
        let key_file = root.join("key.json");
        let answer_key: AnswerKey = serde_json::from_slice(&read(&key_file)?).map_err(|error| {
            Error::bad_file(&key_file, error.to_string(), "build the study again")
        })?;
        let mut by_name = BTreeMap::new();
        for (index, item) in answer_key.items.iter().enumerate() {
            for stimulus in &item.stimuli {
                if !is_stimulus_name(stimulus) {
                    return Err(Error::bad_file(
                        &key_file,
                        format!("{stimulus:?} is not the name of a stimulus"),
                        "build the study again",
                    ));
                }
            }
            if by_name.insert(item.name.clone(), index).is_some() {
                return Err(Error::bad_file(
                    &key_file,
                    format!("lists item {} twice", item.name),
                    "build the study again",
                ));
            }
        }
        let folder = Self { root: root.to_owned(), study, answer_key, sha256, by_name };
        folder.check_items(&key_file)?;
        Ok(folder)
    }

    /// The item of this name.
    pub fn item(&self, name: &str) -> Option<&Item> {
        self.by_name.get(name).and_then(|&index| self.answer_key.items.get(index))
    }

    /// The item that a row of the answers table is about, and the row's condition: of a page of
    /// several stimuli, and of a track, a row is `<item>/<number of the stimulus>`.
    pub(crate) fn row_item(&self, name: &str) -> Option<(&Item, String)> {
        let Some((page, number)) = name.split_once('/') else {
            let alone = |item: &&Item| item.conditions.is_empty() && item.strengths.is_empty();
            let item = self.item(name).filter(alone)?;
            return Some((item, item.condition.clone()));
        };
        let page = self.item(page)?;
        let number = number.parse::<usize>().ok()?.checked_sub(1)?;
        if number < page.strengths.len() {
            return Some((page, page.condition.clone()));
        }
        Some((page, format!("{}:{}", page.condition, page.conditions.get(number)?)))
    }

    /// Items of one role and block, in file order.
    pub fn items<'a>(&'a self, role: Role, block: &'a str) -> impl Iterator<Item = &'a Item> {
        self.answer_key.items.iter().filter(move |item| item.role == role && item.block == block)
    }

    fn check_items(&self, key_file: &Path) -> Result<()> {
        for item in &self.answer_key.items {
            let block = self.study.block(&item.block);
            let task = block.map(|block| block.task);
            let tracks = block.and_then(|block| block.staircase.as_ref());
            if let Some(settings) = tracks.filter(|_| item.role == Role::Trial) {
                check_track(item, settings).map_err(|what| {
                    let what = format!("track {} ({}): {what}", item.name, item.condition);
                    Error::bad_file(key_file, what, "correct study.toml or build the study again")
                })?;
            }
            let conditions = match task {
                Some(task) if task.scores().is_some() => item.stimuli.len().saturating_sub(1),
                _ => 0,
            };
            let fits = match task {
                Some(Task::Mushra) => conditions > 0,
                // the hidden reference and the object
                Some(Task::Bs1116) => {
                    let hidden = item.conditions.iter().filter(|name| *name == REFERENCE);
                    conditions == 2 && hidden.count() == 1
                }
                _ => true,
            };
            if item.conditions.len() != conditions || !fits {
                return Err(Error::bad_file(
                    key_file,
                    format!(
                        "item {} has {} stimuli and {} conditions",
                        item.name,
                        item.stimuli.len(),
                        item.conditions.len()
                    ),
                    "build the study again",
                ));
            }
        }
        for block in &self.study.blocks {
            let asks = format!("block {:?} asks for", block.name);
            for (condition, &count) in &block.items {
                let items = self.items(Role::Trial, &block.name);
                let have = items.filter(|item| &item.condition == condition).count();
                enough(key_file, &asks, count, &format!("items {condition:?}"), have)?;
            }
            let have = |role| self.items(role, &block.name).count();
            enough(key_file, &asks, block.practice, "practice items", have(Role::Practice))?;
            enough(key_file, &asks, block.catch, "catch items", have(Role::Catch))?;
            enough(key_file, &asks, block.gold, "gold items", have(Role::Gold))?;
        }
        let headphones = &self.study.headphones;
        if headphones.policy != Policy::Off {
            let have = |role| self.items(role, "").count();
            let asks = "the headphone check asks for";
            enough(key_file, asks, headphones.trials, "Huggins trials", have(Role::Huggins))?;
            enough(key_file, asks, headphones.trials, "antiphase trials", have(Role::Antiphase))?;
        }
        Ok(())
    }
}

/// Checks the stimuli of a track against the settings of its block.
fn check_track(item: &Item, settings: &Staircase) -> Result<(), String> {
    settings.check_strengths(&item.strengths)?;
    match item.stimuli.len() == item.strengths.len() + 1 {
        true => Ok(()),
        false => Err(format!(
            "{} stimuli and {} strengths; there is one reference and a stimulus a strength",
            item.stimuli.len(),
            item.strengths.len()
        )),
    }
}

/// Refuses a design that asks for more than the key holds.
fn enough(key_file: &Path, asks: &str, count: u32, what: &str, have: usize) -> Result<()> {
    if have as u64 >= u64::from(count) {
        return Ok(());
    }
    Err(Error::bad_file(
        key_file,
        format!("{asks} {count} {what}, there are {have}"),
        "lower the number in study.toml or build with more material",
    ))
}

/// Writes `manifest.sha256`, readable by `sha256sum -c`, over `study.toml`, `key.json` and
/// all stimuli.
///
/// # Errors
/// [`trompe_base::Error::Io`].
pub fn write_manifest(root: &Path) -> Result<()> {
    let mut lines = String::new();
    for file in listed_files(root)? {
        lines += &format!("{}  {file}\n", hex(&Sha256::digest(read(&root.join(&file))?)));
    }
    trompe_base::files::write_atomically(&root.join("manifest.sha256"), lines.as_bytes())?;
    Ok(())
}

fn verify(root: &Path) -> Result<String> {
    let manifest = root.join("manifest.sha256");
    let bytes = read(&manifest)?;
    let bad = |file: &Path, what: &str| {
        Error::bad_file(
            file,
            what,
            "restore it, or accept the change with `listen build --reseal` before data collection",
        )
    };
    let text = std::str::from_utf8(&bytes).map_err(|_| bad(&manifest, "is not UTF-8 text"))?;
    let mut listed = BTreeMap::new();
    for line in text.lines() {
        let (hash, file) =
            line.split_once("  ").ok_or_else(|| bad(&manifest, "a line is not `hash  file`"))?;
        listed.insert(file.to_owned(), hash.to_owned());
    }
    let present = listed_files(root)?;
    for file in &present {
        let path = root.join(file);
        match listed.remove(file) {
            None => return Err(bad(&path, "is not listed in manifest.sha256")),
            Some(hash) if hash != hex(&Sha256::digest(read(&path)?)) => {
                return Err(bad(&path, "does not match its hash in manifest.sha256"));
            }
            Some(_) => {}
        }
    }
    match listed.into_keys().next() {
        Some(file) => Err(bad(&root.join(file), "is listed in manifest.sha256 but missing")),
        None => Ok(hex(&Sha256::digest(&bytes))),
    }
}

/// `study.toml`, `key.json` and `stimuli/*`, sorted; symbolic links are refused.
fn listed_files(root: &Path) -> Result<Vec<String>> {
    let folder = root.join("stimuli");
    let mut files = vec!["key.json".to_owned(), "study.toml".to_owned()];
    for entry in std::fs::read_dir(&folder).map_err(|source| Error::io(&folder, source))? {
        let entry = entry.map_err(|source| Error::io(&folder, source))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let kind = entry.file_type().map_err(|source| Error::io(entry.path(), source))?;
        if !kind.is_file() || !is_stimulus_name(&name) {
            return Err(Error::bad_file(
                entry.path(),
                "is not a stimulus file (16 letters and digits, .wav or .png)",
                "remove it",
            ));
        }
        files.push(format!("stimuli/{name}"));
    }
    files.sort();
    Ok(files)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|source| Error::io(path, source))
}

/// Whether `name` is `<opaque>.wav` or `<opaque>.png`. No other file is ever served.
pub(crate) fn is_stimulus_name(name: &str) -> bool {
    let stem = name.strip_suffix(".wav").or_else(|| name.strip_suffix(".png"));
    stem.is_some_and(|stem| {
        stem.len() == 16
            && stem.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    })
}

#[cfg(test)]
impl StudyFolder {
    /// A folder that is not on disk.
    pub(crate) fn for_tests(study: Study, items: Vec<Item>) -> Self {
        let by_name =
            items.iter().enumerate().map(|(index, item)| (item.name.clone(), index)).collect();
        let answer_key = AnswerKey { warning: String::new(), systems: Vec::new(), items };
        Self { root: PathBuf::new(), study, answer_key, sha256: String::new(), by_name }
    }
}
