//! Files as MNIST and its kin have them, in the spellings in which they are passed on:
//! `train-images-idx3-ubyte`, `train-images.idx3-ubyte`, `emnist-letters-train-images-idx3-ubyte.gz`,
//! `raw/...`, `mnist_train.csv`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use trompe_base::words::counted;
use trompe_base::{Error, Result};
use walkdir::WalkDir;

use super::idx::read_idx;
use super::image::ImageShape;
use super::table::{self, Table};
use crate::corpus::Split;
use crate::limits::Limits;

/// Images of one part of a set, with their labels.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) split: Split,
    /// The set's name: what stands before the part's.
    set: String,
    source: Source,
}

#[derive(Debug, Clone)]
enum Source {
    Idx { images: PathBuf, labels: Option<PathBuf> },
    Csv(PathBuf),
}

/// What a file's name says.
#[derive(Debug, PartialEq, Eq)]
struct Named {
    set: String,
    split: Split,
    kind: FileKind,
}

#[derive(Debug, PartialEq, Eq)]
enum FileKind {
    Images,
    Labels,
    Csv,
}

fn parse(name: &str) -> Option<Named> {
    let lower = name.to_lowercase();
    let lower = lower.strip_suffix(".gz").unwrap_or(&lower);
    let words: Vec<&str> = lower.split(['-', '_', '.']).collect();
    let split_at = words.iter().position(|word| split(word).is_some())?;
    let has = |word: &str| words[split_at + 1..].contains(&word);
    let kind = match (has("ubyte"), has("images"), has("labels")) {
        (true, true, false) => FileKind::Images,
        (true, false, true) => FileKind::Labels,
        _ if words.last() == Some(&"csv") && words.len() == split_at + 2 => FileKind::Csv,
        _ => return None,
    };
    Some(Named { set: words[..split_at].join("-"), split: split(words[split_at])?, kind })
}

fn split(word: &str) -> Option<Split> {
    Some(match word {
        "train" | "training" => Split::Train,
        "val" | "valid" | "validation" => Split::Valid,
        "t10k" | "test" | "testing" => Split::Test,
        _ => return None,
    })
}

/// The parts in the first folder that has any: `folder` itself, or one at most two below.
pub(super) fn find(folder: &Path) -> Vec<Part> {
    let mut depth = None;
    let mut files: Vec<(PathBuf, Named)> = Vec::new();
    let walk = WalkDir::new(folder).max_depth(3).sort_by_file_name();
    for entry in walk.into_iter().flatten().filter(|entry| entry.file_type().is_file()) {
        let Some(named) = entry.file_name().to_str().and_then(parse) else { continue };
        if named.kind == FileKind::Csv && !table::is_table(entry.path()) {
            continue;
        }
        match depth {
            Some(found) if found < entry.depth() => continue,
            Some(found) if found > entry.depth() => files.clear(),
            _ => {}
        }
        depth = Some(entry.depth());
        files.push((entry.into_path(), named));
    }
    let mut labels = BTreeMap::new();
    for (path, named) in &files {
        if named.kind == FileKind::Labels {
            // A plain file comes before its compressed copy.
            labels.entry((path.parent(), &named.set, named.split)).or_insert(path);
        }
    }
    let mut parts: BTreeMap<(Split, Option<&Path>, &String), Part> = BTreeMap::new();
    for (path, named) in &files {
        let source = match named.kind {
            FileKind::Labels => continue,
            FileKind::Csv => Source::Csv(path.clone()),
            FileKind::Images => Source::Idx {
                images: path.clone(),
                labels: labels.get(&(path.parent(), &named.set, named.split)).map(|&p| p.clone()),
            },
        };
        let part = Part { split: named.split, set: named.set.clone(), source };
        let taken = parts.entry((named.split, path.parent(), &named.set)).or_insert(part.clone());
        // IDX files come before the same as CSV.
        if matches!((&taken.source, &part.source), (Source::Csv(_), Source::Idx { .. })) {
            *taken = part;
        }
    }
    parts.into_values().collect()
}

/// The parts, if all are of one set.
///
/// # Errors
/// [`Error::Request`] naming the sets that lie side by side.
pub(super) fn one_set(folder: &Path, parts: Vec<Part>) -> Result<Vec<Part>> {
    let place = |part: &Part| (part.path().parent().map(Path::to_owned), part.set.clone());
    let Some(first) = parts.first().map(place) else { return Ok(parts) };
    let Some(other) = parts.iter().find(|part| place(part) != first) else { return Ok(parts) };
    let (one, other) = (parts[0].path().display(), other.path().display());
    Err(Error::request(
        format!("{} holds several sets of images ({one} and {other})", folder.display()),
        "put each into a folder of its own, and name one",
    ))
}

impl Part {
    /// The file of the images.
    pub(super) fn path(&self) -> &Path {
        match &self.source {
            Source::Idx { images, .. } => images,
            Source::Csv(table) => table,
        }
    }

    /// The images with their labels, and the file of the labels.
    pub(super) fn read(&self, limits: &Limits) -> Result<(Table, &Path)> {
        let (images_path, labels_path) = match &self.source {
            Source::Csv(path) => return Ok((table::read(path, limits)?, path)),
            Source::Idx { images, labels: Some(labels) } => (images, labels),
            Source::Idx { images, labels: None } => {
                let what = "has no file of labels beside it";
                return Err(Error::bad_file(images, what, "fetch the set again"));
            }
        };
        let images = read_idx(images_path, 3, limits)?;
        let labels = read_idx(labels_path, 1, limits)?;
        if labels.bytes.len() != images.sizes[0] {
            return Err(Error::bad_file(
                labels_path,
                format!(
                    "{} for {}",
                    counted(labels.bytes.len(), "label"),
                    counted(images.sizes[0], "image")
                ),
                "fetch the set again",
            ));
        }
        let shape = ImageShape::grey(images.sizes[2], images.sizes[1]);
        if shape.bytes() == 0 {
            return Err(Error::bad_file(images_path, "images of no pixels", "replace it"));
        }
        let labels = labels.bytes.iter().map(|&label| label.into()).collect();
        Ok((Table { shape, pixels: images.bytes, labels }, labels_path))
    }
}
