//! The finished folder of a recipe: sound files, `manifest.csv` and `collection.json`.

use std::fs;
use std::path::Path;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use trompe_base::files::write_atomically;
use trompe_base::{Error, Result};
use walkdir::WalkDir;

use crate::corpus::Provenance;
use crate::layout::about::About;
use crate::recipes::packages::sha256;
use crate::recipes::recipe::{Recipe, RecipeKind};

/// Name of the description within the folder.
const DESCRIPTION: &str = "collection.json";
/// Name of the list of clips or loops within the folder.
const MANIFEST: &str = "manifest.csv";

/// What `collection.json` says: where a folder came from, and every file of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collection {
    /// Version of this form: 1.
    pub schema: u32,
    /// Name of the recipe.
    pub name: String,
    /// Corpus or bank.
    pub kind: RecipeKind,
    /// Where the sound comes from.
    pub provenance: Provenance,
    /// Licence of the files.
    pub licence: String,
    /// What the labels are worth, in a sentence.
    pub labels: String,
    /// Digest of recipe and settings, in hexadecimal.
    pub recipe: String,
    /// Seed of what was drawn.
    pub seed: u64,
    /// Size of all files together.
    pub bytes: u64,
    /// Every file except this description, by path.
    pub files: Vec<CollectionFile>,
}

/// One file of a [`Collection`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CollectionFile {
    /// Path below the folder, with forward slashes.
    pub path: String,
    /// Size.
    pub bytes: u64,
    /// SHA-256 in lower-case hexadecimal.
    pub sha256: String,
}

/// One line of a corpus' manifest.
#[derive(Debug, Serialize)]
pub(crate) struct ClipRow {
    pub(crate) path: String,
    pub(crate) label: String,
    pub(crate) group: String,
    /// What it was played with, where that differs: on every line of a manifest, or on none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<String>,
    pub(crate) start: Option<f64>,
    pub(crate) end: Option<f64>,
    pub(crate) id: String,
}

/// One line of a bank's manifest.
#[derive(Debug, Serialize)]
pub(crate) struct LoopRow {
    pub(crate) path: String,
    pub(crate) label: String,
    pub(crate) group: String,
    pub(crate) source: String,
}

impl Collection {
    /// Reads the description of `folder`; `None` when it has none.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::BadFile`] when the description cannot be understood.
    pub fn read(folder: &Path) -> Result<Option<Self>> {
        let path = folder.join(DESCRIPTION);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(Error::io(&path, source)),
        };
        serde_json::from_str(&text).map(Some).map_err(|error| {
            Error::bad_file(&path, format!("no description: {error}"), "fetch the collection again")
        })
    }

    /// Whether every file is there with its size: quick enough for every use.
    pub fn looks_whole(&self, folder: &Path) -> bool {
        self.files.iter().all(|file| {
            fs::metadata(folder.join(&file.path))
                .is_ok_and(|found| found.is_file() && found.len() == file.bytes)
        })
    }

    /// Checks every byte of every file.
    ///
    /// # Errors
    /// [`Error::BadFile`] for the first file that is not what was made, [`Error::Io`] for
    /// one that cannot be read.
    pub fn verify(&self, folder: &Path) -> Result<()> {
        self.files.par_iter().try_for_each(|file| {
            let path = folder.join(&file.path);
            if sha256(&path)? == file.sha256 {
                return Ok(());
            }
            Err(Error::bad_file(
                path,
                "was changed after it was built",
                "remove the collection's folder and fetch it again",
            ))
        })
    }

    /// Describes what lies in `folder` and writes that there, last of all files.
    pub(crate) fn finish(recipe: &Recipe, digest: &str, seed: u64, folder: &Path) -> Result<()> {
        // `about.toml` keeps the provenance, however the folder is opened later.
        let about = About {
            name: Some(recipe.name.clone()),
            provenance: Some(recipe.provenance),
            labels: Some(recipe.labels.clone()),
            licence: Some(recipe.licence.clone()),
            sources: Vec::new(),
        };
        about.write(folder)?;
        let mut paths = Vec::new();
        for entry in WalkDir::new(folder).sort_by_file_name() {
            let entry = entry.map_err(|error| {
                let path = error.path().unwrap_or(folder).to_owned();
                Error::io(path, error.into())
            })?;
            if entry.file_type().is_file() && entry.file_name() != DESCRIPTION {
                paths.push(entry.into_path());
            }
        }
        let files = paths
            .par_iter()
            .map(|path| {
                let metadata = fs::metadata(path).map_err(|source| Error::io(path, source))?;
                let below = path.strip_prefix(folder).unwrap_or(path);
                Ok(CollectionFile {
                    path: below.to_string_lossy().into_owned(),
                    bytes: metadata.len(),
                    sha256: sha256(path)?,
                })
            })
            .collect::<Result<Vec<_>>>()?;
        let collection = Self {
            schema: 1,
            name: recipe.name.clone(),
            kind: recipe.kind,
            provenance: recipe.provenance,
            licence: recipe.licence.clone(),
            labels: recipe.labels.clone(),
            recipe: digest.to_owned(),
            seed,
            bytes: files.iter().map(|file| file.bytes).sum(),
            files,
        };
        let path = folder.join(DESCRIPTION);
        let mut text = serde_json::to_vec_pretty(&collection)
            .map_err(|error| Error::io(&path, error.into()))?;
        text.push(b'\n');
        write_atomically(&path, &text)
    }
}

/// Writes the manifest of `folder`.
///
/// # Errors
/// [`Error::Io`] naming the manifest.
pub(crate) fn write_manifest(folder: &Path, rows: &[impl Serialize]) -> Result<()> {
    let path = folder.join(MANIFEST);
    let table = || -> Result<Vec<u8>, csv::Error> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        for row in rows {
            writer.serialize(row)?;
        }
        writer.into_inner().map_err(|error| error.into_error().into())
    };
    let bytes = table().map_err(|error| Error::io(&path, std::io::Error::other(error)))?;
    write_atomically(&path, &bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_finished_folder_notices_what_is_missing_or_altered() {
        let folder = tempfile::tempdir().unwrap();
        let (recipe, _) = Recipe::named("synthetic").unwrap();
        fs::create_dir(folder.path().join("a")).unwrap();
        let sound = folder.path().join("a/b.wav");
        fs::write(&sound, "sound").unwrap();
        let row = ClipRow {
            path: "a/b.wav".into(),
            label: "a".into(),
            group: "g, h".into(),
            source: None,
            start: None,
            end: Some(1.5),
            id: "a/b".into(),
        };
        write_manifest(folder.path(), &[row]).unwrap();
        assert!(Collection::read(folder.path()).unwrap().is_none());
        Collection::finish(&recipe, "00", 7, folder.path()).unwrap();

        let collection = Collection::read(folder.path()).unwrap().unwrap();
        assert_eq!(collection.files.len(), 3); // sound, manifest, about
        assert_eq!(collection.provenance, Provenance::Synthetic);
        assert!(collection.looks_whole(folder.path()));
        collection.verify(folder.path()).unwrap();
        let manifest = fs::read_to_string(folder.path().join(MANIFEST)).unwrap();
        assert_eq!(manifest, "path,label,group,start,end,id\na/b.wav,a,\"g, h\",,1.5,a/b\n");

        fs::write(&sound, "SOUND").unwrap();
        assert!(collection.looks_whole(folder.path()));
        assert!(collection.verify(folder.path()).unwrap_err().to_string().contains("b.wav"));
        fs::write(&sound, "").unwrap();
        assert!(!collection.looks_whole(folder.path()));
        fs::write(folder.path().join(DESCRIPTION), "{").unwrap();
        assert!(Collection::read(folder.path()).is_err());
    }
}
