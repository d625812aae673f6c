//! What must hold between the lines of a table of clips.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use trompe_base::words::counted;
use trompe_base::{Error, Result};

use crate::corpus::Clip;

/// One parsed line; the clip's classes are filled in later.
pub(super) struct Parsed {
    pub(super) line: u64,
    /// The first is the clip's class.
    pub(super) labels: Vec<String>,
    /// Further labels, as the table has them.
    pub(super) tags: String,
    pub(super) clip: Clip,
}

/// Refuses names that occur twice.
pub(super) fn check_ids(table: &Path, rows: &[Parsed]) -> Result<()> {
    let mut lines: BTreeMap<&str, u64> = BTreeMap::new();
    for row in rows {
        if let Some(first) = lines.insert(&row.clip.id, row.line) {
            return Err(Error::request(
                format!(
                    "{}: lines {first} and {} are both named {:?}",
                    table.display(),
                    row.line,
                    row.clip.id
                ),
                "remove one, or give them names in a column id",
            ));
        }
    }
    Ok(())
}

/// Refuses labels that differ only in case, and sound with two labels.
pub(super) fn check_labels(table: &Path, rows: &[Parsed]) -> Result<()> {
    let mut spellings: BTreeMap<String, (&String, u64)> = BTreeMap::new();
    for (label, line) in rows.iter().flat_map(|row| row.labels.iter().map(|l| (l, row.line))) {
        let (first, at) = *spellings.entry(label.to_lowercase()).or_insert((label, line));
        if first != label {
            return Err(Error::request(
                format!(
                    "{}: the labels {first:?} (line {at}) and {label:?} (line {line}) differ only \
                     in case",
                    table.display(),
                ),
                "spell them alike, or give them other names",
            ));
        }
    }
    let mut stretches: Vec<(PathBuf, &Parsed)> =
        rows.iter().map(|row| (row.clip.path.components().collect(), row)).collect();
    stretches.sort_by(|(path, row), (other_path, other)| {
        path.cmp(other_path).then(row.clip.start.total_cmp(&other.clip.start))
    });
    let mut reach: Option<(&Path, f64, &Parsed)> = None;
    for (path, row) in &stretches {
        let end = row.clip.end.unwrap_or(f64::INFINITY);
        match reach {
            Some((before, until, first)) if before == path && row.clip.start < until => {
                if first.labels != row.labels {
                    return Err(Error::request(
                        format!(
                            "{}: lines {} and {} give the same sound of {} two labels, {:?} and {:?}",
                            table.display(),
                            first.line.min(row.line),
                            first.line.max(row.line),
                            path.display(),
                            first.labels.join(", "),
                            row.labels.join(", ")
                        ),
                        "keep one, or remove both",
                    ));
                }
                reach = Some((path, until.max(end), first));
            }
            _ => reach = Some((path, end, row)),
        }
    }
    Ok(())
}

/// Refuses clips whose files are not there.
pub(super) fn check_files(table: &Path, rows: &[Parsed]) -> Result<()> {
    const SHOWN: usize = 5;
    let missing: Vec<&Parsed> = rows.iter().filter(|row| !row.clip.path.is_file()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let shown: Vec<String> = missing
        .iter()
        .take(SHOWN)
        .map(|row| format!("line {}: {}", row.line, row.clip.path.display()))
        .collect();
    let more = match missing.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Err(Error::request(
        format!(
            "{}: {} missing ({}{more})",
            table.display(),
            counted(missing.len(), "file"),
            shown.join("; ")
        ),
        "paths are relative to the table's folder: correct them or bring the files",
    ))
}
