//! The few things of a fooling set that a study needs: files, labels, posteriors.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest, Sha256};
use trompe_base::encoding::hex;

use crate::error::{Error, Result};
use crate::study::Medium;

/// A fooling set as far as a study needs it.
#[derive(Debug)]
pub(crate) struct FoolingSet {
    pub(crate) origin: Origin,
    /// SHA-256 of its manifest.
    pub(crate) sha256: String,
    /// Everything the manifest says about its origin, for the key.
    pub(crate) statement: serde_json::Value,
    pub(crate) exhibits: Vec<Exhibit>,
    pub(crate) folder: PathBuf,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Origin {
    pub(crate) medium: Medium,
    pub(crate) classes: Vec<String>,
    pub(crate) classifier: Classifier,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Classifier {
    pub(crate) kind: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Exhibit {
    pub(crate) file: String,
    pub(crate) label: String,
    pub(crate) posterior: f64,
    pub(crate) sha256: String,
    class: usize,
    log_odds: Vec<f64>,
}

impl Exhibit {
    /// Checks that the label is the classifier's own: its log-odds are the highest, alone.
    fn check_label(&self, classes: &[String]) -> Result<(), String> {
        let Self { file, label, class, log_odds, .. } = self;
        if !classes.contains(label) {
            return Err(format!("{file:?}: {label:?} is none of its classes"));
        }
        if classes.get(*class) != Some(label) {
            return Err(format!("{file:?}: class {class} is not {label:?}"));
        }
        if log_odds.len() != classes.len() || log_odds.iter().any(|value| !value.is_finite()) {
            return Err(format!(
                "{file:?}: {} log-odds for {} classes, or one that is not finite",
                log_odds.len(),
                classes.len()
            ));
        }
        let own = log_odds[*class];
        let rival = (0..classes.len())
            .filter(|other| other != class)
            .max_by(|&a, &b| log_odds[a].total_cmp(&log_odds[b]));
        match rival {
            Some(other) if log_odds[other] > own => Err(format!(
                "{file:?} is labelled {label:?}, but its highest log-odds are those of {:?}",
                classes[other]
            )),
            Some(other) if log_odds[other] == own => Err(format!(
                "{file:?} has no label: the log-odds of {label:?} and {:?} are exactly equal",
                classes[other]
            )),
            _ => Ok(()),
        }
    }
}

/// Checks that no content occurs twice: people would judge one exhibit as two.
fn check_distinct(exhibits: &[Exhibit]) -> Result<(), String> {
    let mut seen = BTreeMap::new();
    for exhibit in exhibits {
        if let Some(first) = seen.insert(&exhibit.sha256, exhibit) {
            return Err(format!(
                "{:?} ({:?}) and {:?} ({:?}) have the same SHA-256",
                first.file, first.label, exhibit.file, exhibit.label
            ));
        }
    }
    Ok(())
}

impl FoolingSet {
    /// Reads `manifest.json` of a fooling set and verifies each file against its hash.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let path = folder.join("manifest.json");
        let bad = |what: String| {
            Error::bad_file(&path, what, "run `trompe verify` on the set or write it again")
        };
        let bytes = std::fs::read(&path).map_err(|source| Error::io(&path, source))?;
        let manifest: serde_json::Value =
            serde_json::from_slice(&bytes).map_err(|error| bad(error.to_string()))?;
        let statement = manifest.get("origin").unwrap_or(&manifest).clone();
        let origin = Origin::deserialize(&statement).map_err(|error| bad(error.to_string()))?;
        let exhibits = manifest.get("exhibits").cloned().unwrap_or_default();
        let exhibits: Vec<Exhibit> =
            serde_json::from_value(exhibits).map_err(|error| bad(format!("exhibits: {error}")))?;
        let unsound = |what: String| {
            let remedy = "leave the exhibit out of the set, or search again with `trompe fool`";
            Error::bad_file(&path, what, remedy)
        };
        check_distinct(&exhibits).map_err(unsound)?;
        for exhibit in &exhibits {
            exhibit.check_label(&origin.classes).map_err(unsound)?;
            if !is_plain(&exhibit.file) {
                return Err(bad(format!("{:?} is not a file inside the set", exhibit.file)));
            }
            let file = folder.join(&exhibit.file);
            let bytes = std::fs::read(&file).map_err(|source| Error::io(&file, source))?;
            if hex(&Sha256::digest(&bytes)) != exhibit.sha256 {
                return Err(Error::bad_file(
                    &file,
                    "it is not the file its manifest lists",
                    "run `trompe verify` on the set",
                ));
            }
        }
        if exhibits.is_empty() {
            return Err(bad("it has no exhibits".into()));
        }
        let mut statement = statement;
        let sha256 = hex(&Sha256::digest(&bytes));
        if let Some(fields) = statement.as_object_mut() {
            fields.insert("manifest_sha256".into(), sha256.clone().into());
        }
        Ok(Self { origin, sha256, statement, exhibits, folder: folder.to_owned() })
    }

    /// Whether the manifest says anywhere that synthetic material was used.
    pub(crate) fn is_synthetic(&self) -> bool {
        fn says(value: &serde_json::Value) -> bool {
            match value {
                serde_json::Value::Object(fields) => fields.iter().any(|(name, value)| {
                    (name == "provenance" && value == "synthetic")
                        || (name == "synthetic" && value == true)
                        || says(value)
                }),
                serde_json::Value::Array(values) => values.iter().any(says),
                _ => false,
            }
        }
        says(&self.statement)
    }
}

fn is_plain(file: &str) -> bool {
    let mut parts = Path::new(file).components();
    matches!(parts.next(), Some(std::path::Component::Normal(_)))
        && parts.next().is_none()
        && !file.contains(['\\', '\0'])
}
