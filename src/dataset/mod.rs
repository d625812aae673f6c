//! Feature vectors with their labels: what classifiers are trained on and tested with.

mod csv;
pub mod extract;
mod npz;

use std::path::Path;

use ndarray::{Array2, ArrayView2, Axis, Slice};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use trompe_base::encoding::hex;
use trompe_base::words::counted;
use trompe_corpora::{Provenance, Split};
use trompe_features::FeatureSettings;

use crate::error::{Error, Result};

/// One labelled excerpt of a [`Dataset`]: a clip, seen as one or more feature vectors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Excerpt {
    /// Unique, stable name.
    pub id: String,
    /// Index into [`Dataset::classes`].
    pub class: usize,
    /// What must not be divided between training and test: artist, album, style file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Part of the corpus' fixed partition, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<Split>,
    /// Number of the corpus' fixed fold, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fold: Option<usize>,
}

/// Where the vectors come from. Kept in every model trained on them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Name of the corpus, or of the file the vectors were read from.
    pub name: String,
    /// Where its sound comes from; `None` if it was not stated.
    pub provenance: Option<Provenance>,
    /// The published data set that this is known of; `None` if it was stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_as: Option<String>,
}

/// Feature vectors of labelled excerpts. The vectors of an excerpt are neighbouring rows,
/// and excerpts stand in the order of their rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// One feature vector a row.
    pub vectors: Array2<f32>,
    /// For every row, the index of its excerpt: from 0, never falling, without gaps.
    pub excerpt_of: Vec<usize>,
    /// Labelled excerpts.
    pub excerpts: Vec<Excerpt>,
    /// Class names, in a fixed order; at least two, each with an excerpt.
    pub classes: Vec<String>,
    /// Name of every column.
    pub feature_names: Vec<String>,
    /// How the vectors were computed from sound; `None` for features from elsewhere, which
    /// no new sound can be compared with.
    pub settings: Option<FeatureSettings>,
    /// Where the vectors come from.
    pub source: Source,
}

impl Dataset {
    /// Whether the file holds features: a `.npz`, or a table of them.
    pub fn is_features_file(path: &Path) -> bool {
        Self::is_npz(path) || Self::is_csv(path)
    }

    /// Reads a features file: a `.npz`, or else a table.
    ///
    /// # Errors
    /// As [`Dataset::read_npz`] and [`Dataset::read_csv`].
    pub fn read(path: &Path) -> Result<Self> {
        if Self::is_npz(path) { Self::read_npz(path) } else { Self::read_csv(path) }
    }

    fn is_npz(path: &Path) -> bool {
        path.extension().is_some_and(|extension| extension == "npz")
    }

    /// Checks everything the fields promise, and that every value is finite.
    ///
    /// # Errors
    /// [`Error::Request`] naming the first row, column, excerpt or class at fault.
    pub fn check(&self) -> Result<()> {
        self.check_lengths()?;
        self.check_classes()?;
        self.check_values()
    }

    fn check_lengths(&self) -> Result<()> {
        let (rows, columns) = self.vectors.dim();
        if rows == 0 || columns == 0 {
            return Err(bad(
                format!("{} of {}", counted(rows, "feature vector"), counted(columns, "value")),
                "give some",
            ));
        }
        if self.excerpt_of.len() != rows {
            let what = format!(
                "{}, {}",
                counted(rows, "feature vector"),
                counted(self.excerpt_of.len(), "excerpt number")
            );
            return Err(bad(what, "give every vector the number of its excerpt"));
        }
        if self.feature_names.len() != columns {
            let what = format!(
                "{}, {}",
                counted(columns, "column"),
                counted(self.feature_names.len(), "feature name")
            );
            return Err(bad(what, "give every column one name"));
        }
        let mut next = 0;
        for (row, &excerpt) in self.excerpt_of.iter().enumerate() {
            let same = row > 0 && self.excerpt_of[row - 1] == excerpt;
            if !same && excerpt != next {
                let what = format!("row {row} belongs to excerpt {excerpt}, expected {next}");
                return Err(bad(what, "order the rows by excerpt, without gaps"));
            }
            next = excerpt + 1;
        }
        if next != self.excerpts.len() {
            let what =
                format!("{}, {next} of them with vectors", counted(self.excerpts.len(), "excerpt"));
            return Err(bad(what, "give every excerpt at least one vector"));
        }
        Ok(())
    }

    fn check_classes(&self) -> Result<()> {
        if self.classes.len() < 2 {
            let what = counted(self.classes.len(), "class");
            return Err(bad(what, "a classifier needs at least two"));
        }
        if let Some(excerpt) = self.excerpts.iter().find(|e| e.class >= self.classes.len()) {
            let what = format!(
                "excerpt {} has class number {}, there are {}",
                excerpt.id,
                excerpt.class,
                self.classes.len()
            );
            return Err(bad(what, "number classes from 0"));
        }
        let counts = self.excerpts_per_class();
        if let Some(empty) = counts.iter().position(|&count| count == 0) {
            let what = format!("class {} has no excerpt", self.classes[empty]);
            return Err(bad(what, "add excerpts to it or leave the class out"));
        }
        Ok(())
    }

    fn check_values(&self) -> Result<()> {
        for (row, vector) in self.vectors.outer_iter().enumerate() {
            if let Some(column) = vector.iter().position(|value| !value.is_finite()) {
                let what = format!(
                    "feature {} (column {column}) of row {row}, excerpt {}, is {}",
                    self.feature_names[column],
                    self.excerpts[self.excerpt_of[row]].id,
                    vector[column]
                );
                return Err(bad(what, "every feature must be a finite number"));
            }
        }
        Ok(())
    }

    /// Values in one feature vector.
    pub fn dimensions(&self) -> usize {
        self.vectors.ncols()
    }

    /// Class of every row.
    pub fn labels(&self) -> Vec<usize> {
        self.excerpt_of.iter().map(|&excerpt| self.excerpts[excerpt].class).collect()
    }

    /// Number of excerpts in every class.
    pub fn excerpts_per_class(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes.len()];
        for excerpt in &self.excerpts {
            counts[excerpt.class] += 1;
        }
        counts
    }

    /// First row of every excerpt, and the number of rows at the end: excerpt `i` has the
    /// rows `starts[i]..starts[i + 1]`.
    pub fn excerpt_starts(&self) -> Vec<usize> {
        let mut starts = vec![0];
        for row in 1..self.excerpt_of.len() {
            if self.excerpt_of[row] != self.excerpt_of[row - 1] {
                starts.push(row);
            }
        }
        starts.push(self.excerpt_of.len());
        starts
    }

    /// Vectors of one excerpt, given [`Dataset::excerpt_starts`].
    pub fn vectors_of(&self, starts: &[usize], excerpt: usize) -> ArrayView2<'_, f32> {
        let rows = Slice::from(starts[excerpt]..starts[excerpt + 1]);
        self.vectors.slice_axis(Axis(0), rows)
    }

    /// The given excerpts alone, in the given order, with all classes kept.
    pub fn subset(&self, excerpts: &[usize]) -> Self {
        let starts = self.excerpt_starts();
        let (mut rows, mut excerpt_of) = (Vec::new(), Vec::new());
        for (new, &old) in excerpts.iter().enumerate() {
            for row in starts[old]..starts[old + 1] {
                rows.push(row);
                excerpt_of.push(new);
            }
        }
        Self {
            vectors: self.vectors.select(Axis(0), &rows),
            excerpt_of,
            excerpts: excerpts.iter().map(|&old| self.excerpts[old].clone()).collect(),
            classes: self.classes.clone(),
            feature_names: self.feature_names.clone(),
            settings: self.settings.clone(),
            source: self.source.clone(),
        }
    }

    /// SHA-256, in hexadecimal, of everything a classifier trained on this can depend on:
    /// values, labels, names and settings.
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        let named = (&self.classes, &self.feature_names, &self.settings, &self.source);
        // Strings, numbers and plain enums always serialize.
        hash.update(serde_json::to_vec(&named).unwrap_or_default());
        hash.update(serde_json::to_vec(&self.excerpts).unwrap_or_default());
        for &excerpt in &self.excerpt_of {
            hash.update((excerpt as u64).to_le_bytes());
        }
        for value in &self.vectors {
            hash.update(value.to_le_bytes());
        }
        hex(&hash.finalize())
    }
}

fn bad(what: impl Into<String>, remedy: &str) -> Error {
    Error::request(format!("features: {}", what.into()), remedy)
}

#[cfg(test)]
pub(crate) mod generated;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::generated::gaussians;
    use super::*;

    fn message(dataset: &Dataset) -> String {
        dataset.check().unwrap_err().to_string()
    }

    #[test]
    fn generated_data_is_valid() {
        gaussians(3, 4, 2, 5, 1.0, 1).check().unwrap();
    }

    #[test]
    fn a_value_that_is_not_finite_is_named() {
        let mut data = gaussians(2, 3, 2, 4, 1.0, 1);
        data.vectors[[5, 2]] = f32::NAN;
        let text = message(&data);
        assert!(text.contains("row 5"), "{text}");
        assert!(text.contains("feature f2"), "{text}");
        assert!(text.contains("excerpt excerpt 2"), "{text}");
        assert!(text.contains("NaN"), "{text}");
    }

    #[test]
    fn faults_of_structure_are_named() {
        let good = gaussians(3, 4, 2, 5, 1.0, 1);

        let mut data = good.clone();
        data.classes.push("polka".into());
        assert!(message(&data).contains("class polka has no excerpt"));

        let mut data = good.clone();
        data.excerpts[1].class = 7;
        assert!(message(&data).contains("class number 7"));

        let mut data = good.clone();
        data.excerpt_of[3] = 4;
        assert!(message(&data).contains("row 3 belongs to excerpt 4, expected 2"));

        let mut data = good.clone();
        data.excerpt_of.pop();
        assert!(message(&data).contains("excerpt numbers"));

        let mut data = good.clone();
        data.feature_names.pop();
        assert!(message(&data).contains("4 feature names"));

        let mut data = good;
        data.excerpts.push(data.excerpts[0].clone());
        assert!(message(&data).contains("12 of them with vectors"));
    }

    #[test]
    fn a_subset_keeps_the_rows_of_its_excerpts_in_the_given_order() {
        let data = gaussians(2, 3, 2, 4, 1.0, 1);
        let part = data.subset(&[4, 1]);
        assert_eq!(part.excerpt_of, [0, 0, 1, 1]);
        assert_eq!(part.excerpts[0], data.excerpts[4]);
        assert_eq!(part.vectors.row(0), data.vectors.row(8));
        assert_eq!(part.vectors.row(3), data.vectors.row(3));
        assert_eq!(part.classes, data.classes);
    }

    #[test]
    fn the_fingerprint_sees_every_value_and_label() {
        let data = gaussians(2, 3, 2, 4, 1.0, 1);
        let mut value = data.clone();
        value.vectors[[0, 0]] += 1.0;
        let mut label = data.clone();
        label.excerpts[0].class = 1;
        let mut name = data.clone();
        name.source.name = "other".into();
        let prints = [&data, &value, &label, &name].map(Dataset::fingerprint);
        for (i, print) in prints.iter().enumerate() {
            assert_eq!(print.len(), 64);
            assert!(!prints[..i].contains(print));
        }
        assert_eq!(data.fingerprint(), data.clone().fingerprint());
    }
}
