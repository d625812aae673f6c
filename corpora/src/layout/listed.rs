//! Clips that a data set's own tables or file names describe, put together to a corpus.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use trompe_base::files::read_at_most;
use trompe_base::{Error, Result};

use crate::corpus::{Clip, Corpus, GroupKind, Provenance, Split};
use crate::layout::walk::name_of;
use crate::limits::Limits;

/// One clip and what is known of it.
pub(super) struct Listed {
    pub(super) id: String,
    pub(super) path: PathBuf,
    /// One or more; the first is the clip's class.
    pub(super) labels: Vec<String>,
    pub(super) split: Option<Split>,
    pub(super) groups: BTreeMap<GroupKind, String>,
}

impl Listed {
    /// A clip with one label.
    pub(super) fn new(id: String, path: PathBuf, label: &str) -> Self {
        let labels = vec![label.to_owned()];
        Self { id, path, labels, split: None, groups: BTreeMap::new() }
    }
}

/// Groups of the kinds that are known: empty names are unknown.
pub(super) fn groups<const N: usize>(named: [(GroupKind, &str); N]) -> BTreeMap<GroupKind, String> {
    let known = named.into_iter().filter(|(_, name)| !name.is_empty());
    known.map(|(kind, name)| (kind, name.to_owned())).collect()
}

/// The corpus of these clips, its classes sorted by name.
///
/// # Errors
/// [`Error::Request`] if there are none.
pub(super) fn corpus(root: &Path, about: String, listed: Vec<Listed>) -> Result<Corpus> {
    if listed.is_empty() {
        return Err(Error::request(
            format!("{}: {about}; but none of its sound is here", root.display()),
            "bring the sound, in the folders in which it is downloaded",
        ));
    }
    let labels: BTreeSet<String> =
        listed.iter().flat_map(|listed| listed.labels.iter().cloned()).collect();
    let classes: Vec<String> = labels.into_iter().collect();
    let place = |label: &String| classes.partition_point(|class| class < label);
    let clip = |listed: Listed| {
        let class = listed.labels.first().map_or(0, place);
        let others: BTreeSet<usize> = listed.labels.iter().map(place).collect();
        Clip {
            other_labels: others.into_iter().filter(|&label| label != class).collect(),
            split: listed.split,
            groups: listed.groups,
            ..Clip::new(listed.id, listed.path, class)
        }
    };
    let mut clips: Vec<Clip> = listed.into_iter().map(clip).collect();
    clips.sort_by(|a, b| a.id.cmp(&b.id));
    let provenance = Provenance::Recorded;
    let mut corpus = Corpus {
        known_as: None,
        licence: None,
        name: name_of(root),
        provenance,
        labels: about,
        classes,
        clips,
    };
    corpus.group_by_default();
    Ok(corpus)
}

/// The lines of a data set's table, whatever their lengths. A byte that is not UTF-8 becomes a mark.
///
/// # Errors
/// [`Error::Io`], [`Error::BadFile`] beyond the limits, [`Error::Request`] if it is no table.
pub(super) fn lines(
    table: &Path,
    separator: u8,
    limits: &Limits,
) -> Result<Vec<csv::StringRecord>> {
    let bytes = read_at_most(table, limits.max_text_bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator)
        .trim(csv::Trim::All)
        .has_headers(false)
        .flexible(true)
        .from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let lines: Result<Vec<_>, _> = reader.records().take(limits.max_rows).collect();
    lines.map_err(|e| Error::request(format!("{}: {e}", table.display()), "fetch it again"))
}

/// The beginning of a file, to know a table by its header; empty if it cannot be read.
pub(super) fn first_line(path: &Path) -> String {
    const BEGINNING: u64 = 1 << 14;
    let mut bytes = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| {
        std::io::Read::read_to_end(&mut std::io::Read::take(file, BEGINNING), &mut bytes)
    });
    let text = String::from_utf8_lossy(if read.is_ok() { &bytes } else { &[] });
    text.trim_start_matches('\u{feff}').lines().next().unwrap_or("").to_owned()
}

/// "; 3 of 10 tracks have no sound here", or nothing.
pub(super) fn absent(absent: usize, all: usize, what: &str) -> String {
    match absent {
        0 => String::new(),
        absent => format!("; {absent} of its {all} {what}"),
    }
}
