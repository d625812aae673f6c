//! `about.toml`: what a folder of audio or images cannot say by itself. A collection states there
//! where it comes from, so that rendered and synthetic sound never passes for recordings.

use std::path::Path;

use serde::{Deserialize, Serialize};
use trompe_base::files::{read_text, write_atomically};
use trompe_base::{Error, Result};

use crate::corpus::{Corpus, Provenance};
use crate::images::ImageCorpus;
use crate::limits::Limits;

const FILE: &str = "about.toml";

/// Content of `about.toml`; every key is optional.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// Name of the collection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where its content comes from: `recorded`, `rendered` or `synthetic`; `unstated` without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provenance: Option<Provenance>,
    /// What its labels are worth, in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<String>,
    /// Licence of its content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// Names of what its content was taken from: packages, sample packs, SoundFonts, studios. Those
    /// of a bank are compared with those of the classifier's training corpus.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
}

impl About {
    /// Reads it from a collection's folder; an absent file says nothing.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read, [`Error::BadFile`] if it is too large or no text,
    /// [`Error::Request`] if it is not TOML with these keys.
    pub fn read(folder: &Path, limits: &Limits) -> Result<Self> {
        let path = folder.join(FILE);
        let text = match read_text(&path, limits.max_text_bytes) {
            Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            text => text?,
        };
        toml::from_str(&text).map_err(|e| {
            Error::request(
                format!("{}: {}", path.display(), e.to_string().trim_end()),
                "give name, provenance (recorded, rendered or synthetic), labels, licence and sources, or remove it",
            )
        })
    }

    /// Writes it into a collection's folder, atomically.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be written.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let path = folder.join(FILE);
        let text = toml::to_string(self)
            .map_err(|e| Error::io(&path, std::io::Error::other(e.to_string())))?;
        write_atomically(&path, text.as_bytes())
    }

    /// Replaces what a layout assumed by what is stated.
    pub(crate) fn apply(self, corpus: &mut Corpus) {
        corpus.licence.clone_from(&self.licence);
        if self.provenance.is_some() {
            corpus.known_as = None;
        }
        self.replace(&mut corpus.name, &mut corpus.provenance, &mut corpus.labels);
    }

    /// As [`About::apply`], for a corpus of images.
    pub(crate) fn apply_to_images(self, corpus: &mut ImageCorpus) {
        corpus.licence.clone_from(&self.licence);
        self.replace(&mut corpus.name, &mut corpus.provenance, &mut corpus.labels);
    }

    fn replace(self, name: &mut String, provenance: &mut Provenance, labels: &mut String) {
        *name = self.name.unwrap_or_else(|| std::mem::take(name));
        *provenance = self.provenance.unwrap_or(*provenance);
        *labels = self.labels.unwrap_or_else(|| std::mem::take(labels));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::layout::test_tree::plant;

    #[test]
    fn what_is_stated_reaches_the_corpus() {
        let folder = tempfile::tempdir().unwrap();
        plant(folder.path(), &["a/1.wav", "b/2.wav"]);
        assert_eq!(About::read(folder.path(), &Limits::default()).unwrap(), About::default());
        let about = About {
            name: Some("styles".to_owned()),
            provenance: Some(Provenance::Rendered),
            labels: Some("those of the style files".to_owned()),
            licence: Some("CC0".to_owned()),
            sources: vec!["a SoundFont".to_owned()],
        };
        about.write(folder.path()).unwrap();
        assert_eq!(About::read(folder.path(), &Limits::default()).unwrap(), about);
        let corpus = crate::layout::open(folder.path(), &Limits::default()).unwrap();
        assert_eq!(corpus.name, "styles");
        assert_eq!(corpus.licence.as_deref(), Some("CC0"));
        assert_eq!(corpus.provenance, Provenance::Rendered);
        assert_eq!(corpus.labels, "those of the style files");
    }

    #[test]
    fn a_faulty_file_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        for text in ["provenance = \"real\"", "author = \"us\"", "name ="] {
            std::fs::write(folder.path().join(FILE), text).unwrap();
            let error = About::read(folder.path(), &Limits::default()).unwrap_err();
            assert!(error.to_string().contains(FILE), "{error}");
            assert!(matches!(error, Error::Request { .. }));
        }
    }
}
