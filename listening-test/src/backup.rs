//! Copies of the answers database, and erasing in them what is erased in it.
//!
//! A database knows the copies that were made of it. Whoever is erased is written down for every
//! copy, by the hash of the personal code, in the same transaction; the copy is then erased in at
//! once if it lies where it was made, or else the next time that it does. What is written down
//! goes with it.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension};

use crate::calendar::now;
use crate::error::{Error, Result};
use crate::store;
use crate::study_folder::StudyFolder;

/// A copy in which people are not erased yet, and why.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Unsettled {
    /// The copy.
    pub path: PathBuf,
    /// Why it could not be erased in.
    pub why: String,
    /// How many people are to be erased there.
    pub people: u32,
}

impl Unsettled {
    /// In words.
    pub fn in_words(&self) -> String {
        format!(
            "not yet erased in {} ({}): {} people; they are erased there by the next `listen erase`, \
             `listen backup` or `listen serve` that finds it",
            self.path.display(),
            self.why,
            self.people
        )
    }
}

/// Copies the database of a study to `out`, also while it is served: all that was acknowledged before,
/// in one file that any verb takes as a database. It must stay where it is, so that people who are
/// erased later are erased there, too.
///
/// # Errors
/// [`trompe_base::Error::Request`] if there is no such database, or if `out` exists; errors of SQLite and of
/// the disk. Nothing is then written.
pub fn back_up(study: &Path, database: &Path, out: &Path) -> Result<Vec<Unsettled>> {
    let folder = StudyFolder::open(study)?;
    store::must_exist(database)?;
    if out.symlink_metadata().is_ok() {
        return Err(Error::request(
            format!("{} exists", out.display()),
            "name a new file: each backup is a file of its own",
        ));
    }
    let connection = store::connect(database)?;
    store::prepare(&connection, database, &folder.sha256)?;
    let parent = std::path::absolute(out).map_err(|source| Error::io(out, source))?;
    let parent = parent.parent().map(Path::to_owned).unwrap_or_default();
    // Noted before it is written, so that people who are erased meanwhile are erased in it later.
    let name = out.file_name().ok_or_else(|| {
        Error::request(format!("{} is no file name", out.display()), "name the file to write")
    })?;
    let place = parent.canonicalize().map_err(|source| Error::io(&parent, source))?.join(name);
    let text = place.to_str().ok_or_else(|| {
        Error::request(format!("{} is not UTF-8", place.display()), "choose another name")
    })?;
    connection.execute(
        "insert or replace into backups values (?1, ?2)",
        rusqlite::params![text, now()],
    )?;
    let copied = copy(&connection, &place);
    if copied.is_err() {
        connection.execute("delete from backups where path = ?1", [text])?;
    }
    copied?;
    Ok(settle(&connection)?)
}

/// Writes the copy aside, without what it would owe to copies of its own, and renames it.
fn copy(connection: &Connection, place: &Path) -> Result<()> {
    let folder = place.parent().unwrap_or(Path::new("."));
    let aside = tempfile::tempdir_in(folder).map_err(|source| Error::io(folder, source))?;
    let file = aside.path().join("copy.sqlite");
    let name = file.to_string_lossy().into_owned();
    connection.execute("vacuum into ?1", [name])?;
    let copied = store::connect(&file)?;
    copied.execute_batch("delete from owed; delete from backups;")?;
    store::empty_log_of(&copied)?;
    copied.close().map_err(|(_, error)| error)?;
    let synced = std::fs::File::open(&file).and_then(|file| file.sync_all());
    synced.map_err(|source| Error::io(&file, source))?;
    std::fs::rename(&file, place).map_err(|source| Error::io(place, source))?;
    let synced = std::fs::File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|source| Error::io(folder, source))?;
    Ok(())
}

/// Takes people who were erased in the database out of every copy that is found. Returns the copies that were not found.
pub(crate) fn settle(connection: &Connection) -> rusqlite::Result<Vec<Unsettled>> {
    let mut query = connection.prepare("select path, count(*) from owed group by path")?;
    let owed = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let owed: Vec<(String, u32)> = owed.collect::<rusqlite::Result<_>>()?;
    let mut unsettled = Vec::new();
    for (path, people) in owed {
        let mut query = connection.prepare("select code_hash from owed where path = ?1")?;
        let hashes = query.query_map([&path], |row| row.get(0))?;
        let hashes: Vec<Vec<u8>> = hashes.collect::<rusqlite::Result<_>>()?;
        match erase_in(connection, Path::new(&path), &hashes) {
            Ok(()) => drop(connection.execute("delete from owed where path = ?1", [&path])?),
            Err(error) => {
                unsettled.push(Unsettled { path: path.into(), why: error.to_string(), people });
            }
        }
    }
    Ok(unsettled)
}

/// Erases the people with these hashes in the copy at `path`, and in its log.
fn erase_in(connection: &Connection, path: &Path, hashes: &[Vec<u8>]) -> Result<()> {
    store::must_exist(path)?;
    let mut copy = store::connect(path)?;
    let study = |of: &Connection| {
        of.query_row("select value from meta where name = 'study'", [], |row| row.get(0)).optional()
    };
    let (own, theirs): (Option<String>, Option<String>) = (study(connection)?, study(&copy)?);
    if own != theirs {
        return Err(Error::bad_file(path, "is of another study", "restore the backup"));
    }
    let transaction = copy.transaction()?;
    for hash in hashes {
        transaction.execute("delete from sessions where code_hash = ?1", [hash])?;
    }
    transaction.commit()?;
    store::empty_log_of(&copy)
}
