//! Several fooling sets as one static site: their pages and files, an index, and a game.

use std::fs;
use std::path::{Path, PathBuf};

use trompe_base::files::{PARTIAL, rename, sync_folder, write_new};
use trompe_corpora::{Limits, Progress, decode::decode};

use crate::audio::WavCodec;
use crate::error::{Error, Result};
use crate::exhibits::companions::{COMPANIONS_FOLDER, Companions};
use crate::exhibits::names::class_stems;
use crate::exhibits::{self, Codec, Manifest, Medium, Picture};
use crate::report::gallery::{Hung, gallery_page};
use crate::report::{fooling_set_page, run_page};
use crate::results::RunReport;

/// Name of the folder of a set within the folder of its run.
const SET: &str = "fooling-set";

/// A site that was built.
#[derive(Debug)]
pub struct Gallery {
    /// Its first page.
    pub page: PathBuf,
    /// The sets, in their order.
    pub sets: Vec<Hung>,
}

/// Builds a site of the fooling sets in the folders `sets` at `out`: an index with a game, and of every
/// set its page, its files and the report of its run. The pages are made anew, so that sets of
/// older versions look like those of today; every file is checked against its manifest.
///
/// Everything is first written to a hidden folder beside `out` and renamed at the end.
///
/// # Errors
/// [`Error::Request`] without sets or if `out` exists and is no empty folder; whatever reading a set or
/// its report meets; input and output errors. Nothing is then left at `out`.
pub fn build(sets: &[PathBuf], out: &Path, progress: &dyn Progress) -> Result<Gallery> {
    refuse_taken(out)?;
    if sets.is_empty() {
        return Err(Error::request("a gallery of no sets", "name runs that `trompe fool` wrote"));
    }
    let parent = match out.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(parent).map_err(|source| Error::io(parent, source))?;
    let partial = tempfile::Builder::new()
        .prefix(PARTIAL)
        .tempdir_in(parent)
        .map_err(|source| Error::io(parent, source))?;
    // A plain folder inside the temporary one, which is private to its owner.
    let site = partial.path().join("site");
    create(&site)?;
    let mut hung = Vec::new();
    for (number, (set, name)) in sets.iter().zip(class_stems(&names(sets)?)).enumerate() {
        progress.report("gallery", number as u64, sets.len() as u64);
        hung.push(hang(set, &name, &site)?);
    }
    write(&site.join("index.html"), gallery_page(&hung).as_bytes())?;
    sync_folder(&site).map_err(|source| Error::io(&site, source))?;
    rename(&site, out).map_err(|source| Error::io(out, source))?;
    sync_folder(parent).map_err(|source| Error::io(parent, source))?;
    Ok(Gallery { page: out.join("index.html"), sets: hung })
}

/// Refuses a place that holds something.
fn refuse_taken(out: &Path) -> Result<()> {
    let refuse = |what: &str| {
        Err(Error::request(
            format!("{} {what}", out.display()),
            "name another folder with --out, or move that one away",
        ))
    };
    match fs::read_dir(out).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(()),
        Ok(false) => refuse("already holds something"),
        Err(_) if fs::symlink_metadata(out).is_ok() => refuse("is no folder"),
        Err(_) => Ok(()),
    }
}

/// What the sets are called: after the folder of their run, or their own; the second of a name gets
/// a number.
fn names(sets: &[PathBuf]) -> Result<Vec<String>> {
    let name = |set: &PathBuf| -> Result<String> {
        let whole = fs::canonicalize(set).map_err(|source| Error::io(set, source))?;
        let named = if whole.ends_with(SET) { whole.parent() } else { Some(whole.as_path()) };
        let name = named.and_then(Path::file_name);
        Ok(name.map_or_else(String::new, |name| name.to_string_lossy().into_owned()))
    };
    let mut names: Vec<String> = Vec::new();
    for set in sets {
        let name = name(set)?;
        let numbered = (2..).map(|number| format!("{name}-{number}"));
        let free = std::iter::once(name.clone()).chain(numbered).find(|name| !names.contains(name));
        names.extend(free);
    }
    Ok(names)
}

/// Puts one set into the site, under `name`.
fn hang(set: &Path, name: &str, site: &Path) -> Result<Hung> {
    let manifest = exhibits::load(set)?;
    let companions = Companions::read(set)?;
    let folder = site.join(name).join(SET);
    create(&folder)?;
    for exhibit in &manifest.exhibits {
        copy(&set.join(&exhibit.file), &folder.join(&exhibit.file))?;
    }
    let copies: Vec<&str> = companions.files().collect();
    if !copies.is_empty() {
        create(&folder.join(COMPANIONS_FOLDER))?;
    }
    for file in copies {
        copy(&set.join(file), &folder.join(file))?;
    }
    companions.write(&folder)?;
    copy(&set.join(exhibits::load::MANIFEST_FILE), &folder.join(exhibits::load::MANIFEST_FILE))?;
    let pictures = pictures(set, &manifest)?;
    let page = fooling_set_page(&manifest, &pictures, &companions);
    write(&folder.join("index.html"), page.as_bytes())?;
    sync_folder(&folder).map_err(|source| Error::io(&folder, source))?;
    let report = report_of(set)?;
    if let Some(report) = &report {
        write(&site.join(name).join("report.html"), run_page(report, &[]).as_bytes())?;
    }
    Ok(Hung { name: name.to_owned(), manifest, report: report.is_some() })
}

/// The report of the run that a set belongs to, if it lies in one.
fn report_of(set: &Path) -> Result<Option<RunReport>> {
    let whole = fs::canonicalize(set).map_err(|source| Error::io(set, source))?;
    match whole.parent().filter(|_| whole.ends_with(SET)) {
        Some(run) => RunReport::read(run),
        None => Ok(None),
    }
}

fn pictures(set: &Path, manifest: &Manifest) -> Result<Vec<Picture>> {
    let picture = |exhibit: &exhibits::Exhibit| match manifest.origin.medium {
        Medium::Audio => {
            let audio = decode(&set.join(&exhibit.file), &Limits::default())?;
            Ok(WavCodec { sample_rate: audio.sample_rate }.picture(&audio))
        }
        Medium::Image => Ok(Picture::Image),
    };
    manifest.exhibits.iter().map(picture).collect()
}

fn create(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).map_err(|source| Error::io(folder, source))
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    write_new(path, bytes).map_err(|source| Error::io(path, source))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let bytes = fs::read(from).map_err(|source| Error::io(from, source))?;
    write(to, &bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_place_that_holds_something_is_refused_and_left_alone() {
        let silent = |_: &str, _: u64, _: u64| {};
        let home = tempfile::tempdir().unwrap();
        let out = home.path().join("site");
        refuse_taken(&out).unwrap();
        create(&out).unwrap();
        refuse_taken(&out).unwrap();
        fs::write(out.join("mine.txt"), "mine").unwrap();
        let error = build(&[PathBuf::from("run")], &out, &silent).unwrap_err().to_string();
        assert!(error.contains("already holds something") && error.contains("--out"), "{error}");
        let error = build(&[], &out.join("mine.txt"), &silent).unwrap_err().to_string();
        assert!(error.contains("is no folder"), "{error}");
        assert_eq!(fs::read_to_string(out.join("mine.txt")).unwrap(), "mine");
    }

    #[test]
    fn sets_are_named_after_their_runs() {
        let home = tempfile::tempdir().unwrap();
        let sets = ["first/fooling-set", "b/first/fooling-set", "alone"].map(|set| {
            let set = home.path().join(set);
            create(&set).unwrap();
            set
        });
        assert_eq!(names(&sets).unwrap(), ["first", "first-2", "alone"]);
        assert!(names(&[home.path().join("none")]).is_err());
    }
}
