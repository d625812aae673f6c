//! Which class of a model each label of a genuine corpus means.

use std::collections::BTreeMap;
use std::path::Path;

use crate::error::{Error, Result};
use trompe_base::words::counted;

/// Which class of a model a label of a corpus means.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClassMap {
    by_label: BTreeMap<String, String>,
}

impl ClassMap {
    /// Reads a map: a TOML table of `label = "class"`; an empty class leaves the label out.
    ///
    /// # Errors
    /// [`Error::BadFile`] naming the line at fault; an input error.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, e))?;
        let by_label = toml::from_str(&text).map_err(|e| {
            Error::bad_file(
                path,
                e.to_string().trim_end().to_owned(),
                "write one line a label: label = \"class\"",
            )
        })?;
        Ok(Self { by_label })
    }

    /// For each of `labels`, the index of its class: that of the map, or of the same name; `None`
    /// for labels that the map leaves out.
    ///
    /// # Errors
    /// [`Error::Request`] naming labels that have no class, and entries of the map that mean no label
    /// or no class.
    pub(super) fn resolve(
        &self,
        labels: &[String],
        classes: &[String],
    ) -> Result<Vec<Option<usize>>> {
        let class = |name: &str| classes.iter().position(|class| class == name);
        if let Some(label) = self.by_label.keys().find(|label| !labels.contains(label)) {
            return Err(Error::request(
                format!("the label map names '{label}', which is no label of the genuine corpus"),
                format!("its labels are {}", labels.join(", ")),
            ));
        }
        let named = self.by_label.values().find(|name| !name.is_empty() && class(name).is_none());
        if let Some(name) = named {
            return Err(Error::request(
                format!("the label map names '{name}', which is no class of the model"),
                format!("its classes are {}", classes.join(", ")),
            ));
        }
        let unknown: Vec<&str> = labels
            .iter()
            .filter(|label| !self.by_label.contains_key(*label) && class(label).is_none())
            .map(String::as_str)
            .collect();
        if !unknown.is_empty() {
            return Err(Error::request(
                format!("no class of the model is called {}", unknown.join(", ")),
                format!(
                    "say which class each label means with --labels FILE (label = \"class\", \"\" to \
                     leave it out); the classes are {}",
                    classes.join(", ")
                ),
            ));
        }
        let of = |label: &String| match self.by_label.get(label) {
            Some(name) => class(name),
            None => class(label),
        };
        Ok(labels.iter().map(of).collect())
    }
}

/// What to say of labels that the map leaves out.
pub(super) fn left_out(labels: &[String], classes: &[Option<usize>], items: usize) -> Vec<String> {
    let names: Vec<&str> = labels
        .iter()
        .zip(classes)
        .filter(|(_, class)| class.is_none())
        .map(|(label, _)| label.as_str())
        .collect();
    if names.is_empty() {
        return Vec::new();
    }
    let items = counted(items, "item");
    vec![format!("the label map leaves out {} ({items})", names.join(", "))]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn labels_find_their_class_by_map_or_by_name() {
        let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let (labels, classes) = (names(&["hiphop", "rock", "noise"]), names(&["rock", "rap"]));
        let map = |text: &str| ClassMap { by_label: toml::from_str(text).unwrap() };
        let whole = map("hiphop = \"rap\"\nnoise = \"\"");
        assert_eq!(whole.resolve(&labels, &classes).unwrap(), [Some(1), Some(0), None]);
        let error = |map: ClassMap| map.resolve(&labels, &classes).unwrap_err().to_string();
        let unknown = error(ClassMap::default());
        assert!(unknown.contains("hiphop, noise") && unknown.contains("rock, rap"), "{unknown}");
        assert!(error(map("hiphop = \"rapp\"")).contains("'rapp'"));
        assert!(error(map("hip-hop = \"rap\"")).contains("'hip-hop'"));
    }
}
