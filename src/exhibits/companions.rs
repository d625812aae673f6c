//! What stands beside exhibits, so that people can compare: genuine items of their classes, and what
//! they were made of. It is no part of what a set claims: a set is whole without it, `verify` does not
//! read it, and the manifest does not mention it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};
use trompe_base::files::{read_text, write_new};

use super::names::is_plain_file_name;
use crate::error::{Error, Result};

/// Name of the list of companions within a set.
pub const COMPANIONS_FILE: &str = "companions.json";

/// Name of the folder with their files within a set.
pub const COMPANIONS_FOLDER: &str = "companions";

/// Largest list that is read, in bytes.
const LARGEST_LIST: u64 = 64 << 20;

/// The companions of a set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Companions {
    /// A genuine item of a class, by the name of the class.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub genuine: BTreeMap<String, Companion>,
    /// The genuine item that is nearest to an exhibit, by the exhibit's file.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub nearest: BTreeMap<String, Companion>,
    /// What exhibits are made of, by its name in their descriptions.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parts: BTreeMap<String, Companion>,
}

/// Something beside an exhibit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Companion {
    /// Its name in its collection.
    pub name: String,
    /// Its class, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// Name of its collection.
    pub collection: String,
    /// Licence of that collection, as it states it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// What there is of it.
    pub copy: CopyOf,
}

/// A copy in the set, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CopyOf {
    /// Path of the copy below the set's folder, with forward slashes.
    File(String),
    /// Why there is no copy, in words.
    NotCopied(String),
}

impl Companions {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Reads the list of the set in `folder`; a set without one has no companions.
    ///
    /// # Errors
    /// [`Error::BadFile`] if it is damaged, or names files outside the folder of companions; an input
    /// error.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(COMPANIONS_FILE);
        if !path.exists() {
            return Ok(Self::default());
        }
        let text = read_text(&path, LARGEST_LIST)?;
        let bad = |what: String| {
            Error::bad_file(
                &path,
                what,
                "copy the set again from where it was made, or remove the file",
            )
        };
        let read: Self = serde_json::from_str(&text).map_err(|error| bad(error.to_string()))?;
        let elsewhere = read.files().find(|file| !is_a_copy(file));
        let fault =
            elsewhere.map(|file| bad(format!("{file:?} is not a file in {COMPANIONS_FOLDER}/")));
        fault.map_or(Ok(read), Err)
    }

    /// The paths of all copies below the set's folder, each once.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        let all = self.genuine.values().chain(self.nearest.values()).chain(self.parts.values());
        let files = all.filter_map(|companion| match &companion.copy {
            CopyOf::File(file) => Some(file.as_str()),
            CopyOf::NotCopied(_) => None,
        });
        files.collect::<BTreeSet<&str>>().into_iter()
    }

    /// Writes the list into the folder of a set; nothing if there are none.
    ///
    /// # Errors
    /// An input or output error that names the file.
    pub fn write(&self, set: &Path) -> Result<()> {
        if self.is_empty() {
            return Ok(());
        }
        let path = set.join(COMPANIONS_FILE);
        let mut json = serde_json::to_vec_pretty(self).map_err(|error| {
            Error::bad_file(&path, error.to_string(), "this is a fault of the program: report it")
        })?;
        json.push(b'\n');
        write_new(&path, &json).map_err(|source| Error::io(&path, source))
    }
}

/// Whether a path is that of a file directly in the folder of copies.
fn is_a_copy(file: &str) -> bool {
    let name = file.strip_prefix(COMPANIONS_FOLDER).and_then(|rest| rest.strip_prefix('/'));
    name.is_some_and(is_plain_file_name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_list_comes_back_and_an_empty_one_is_not_written() {
        let set = tempfile::tempdir().unwrap();
        Companions::default().write(set.path()).unwrap();
        assert!(!set.path().join(COMPANIONS_FILE).exists());
        let companion = |copy| Companion {
            name: "blues/1".into(),
            class: Some("blues".into()),
            collection: "styles".into(),
            licence: Some("CC0".into()),
            copy,
        };
        let file = CopyOf::File("companions/genuine-1.wav".into());
        let companions = Companions {
            genuine: [("blues".to_owned(), companion(file))].into(),
            parts: [("kick".to_owned(), companion(CopyOf::NotCopied("no licence".into())))].into(),
            ..Companions::default()
        };
        companions.write(set.path()).unwrap();
        let text = std::fs::read_to_string(set.path().join(COMPANIONS_FILE)).unwrap();
        assert!(text.contains("\"file\": \"companions/genuine-1.wav\""), "{text}");
        assert!(text.contains("\"not-copied\": \"no licence\""), "{text}");
        assert_eq!(Companions::read(set.path()).unwrap(), companions);
        assert_eq!(companions.files().collect::<Vec<_>>(), ["companions/genuine-1.wav"]);
    }

    #[test]
    fn damaged_lists_and_files_elsewhere_are_refused() {
        let set = tempfile::tempdir().unwrap();
        assert!(Companions::read(set.path()).unwrap().is_empty());
        let path = set.path().join(COMPANIONS_FILE);
        let of = |file: &str| {
            let copy = serde_json::json!({ "file": file });
            let companion = serde_json::json!({ "name": "1", "collection": "c", "copy": copy });
            serde_json::json!({ "parts": { "1": companion } }).to_string()
        };
        std::fs::write(&path, of("companions/1.wav")).unwrap();
        assert_eq!(Companions::read(set.path()).unwrap().parts.len(), 1);
        for text in [
            "{".to_owned(),
            "{\"other\": 1}".to_owned(),
            of("../secret.wav"),
            of("companions/../../secret.wav"),
            of("companions/"),
            of("/etc/passwd"),
        ] {
            std::fs::write(&path, &text).unwrap();
            let error = Companions::read(set.path()).unwrap_err().to_string();
            assert!(error.contains(COMPANIONS_FILE), "{text}: {error}");
        }
    }
}
