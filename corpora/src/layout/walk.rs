//! Files of a collection and their names.
use crate::decode::has_audio_extension;
use std::path::{Path, PathBuf};
use trompe_base::{Error, Result};
use walkdir::WalkDir;
/// Name of a collection: its folder's or table's.
pub(super) fn name_of(path: &Path) -> String {
    let whole = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    // What follows a folder's last dot is no extension.
    let name = if whole.is_dir() { whole.file_name() } else { whole.file_stem() };
    name.map_or_else(|| "corpus".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// Entries of a folder in the order of their names, without hidden ones.
pub(crate) fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let read = || -> std::io::Result<Vec<PathBuf>> {
        let entries: std::io::Result<Vec<_>> = std::fs::read_dir(folder)?.collect();
        let mut entries = entries?;
        entries.retain(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."));
        entries.sort_by_key(std::fs::DirEntry::file_name);
        Ok(entries.into_iter().map(|entry| entry.path()).collect())
    };
    read().map_err(|e| Error::io(folder, e))
}

/// Audio files (by extension) anywhere below a folder, with their path below `root` as a name
/// with `/` between its parts; in the order of these names. Links are followed.
pub(crate) fn audio_below(folder: &Path, root: &Path) -> Result<Vec<(String, PathBuf)>> {
    let hidden = |entry: &walkdir::DirEntry| {
        entry.depth() > 0 && entry.file_name().as_encoded_bytes().starts_with(b".")
    };
    let mut found = Vec::new();
    for entry in WalkDir::new(folder).follow_links(true).into_iter().filter_entry(|e| !hidden(e)) {
        let entry = entry.map_err(|e| {
            let path = e.path().unwrap_or(folder).to_owned();
            Error::io(path, e.into())
        })?;
        if entry.file_type().is_file() && has_audio_extension(entry.path()) {
            found.push((name_below(entry.path(), root)?, entry.into_path()));
        }
    }
    found.sort();
    Ok(found)
}

pub(super) fn name_below(path: &Path, root: &Path) -> Result<String> {
    let below = path.strip_prefix(root).unwrap_or(path);
    let parts: Option<Vec<&str>> = below.iter().map(|part| part.to_str()).collect();
    parts.map(|parts| parts.join("/")).ok_or_else(|| {
        Error::request(
            format!("the name of {} is not UTF-8 text", path.display()),
            "rename the file",
        )
    })
}
