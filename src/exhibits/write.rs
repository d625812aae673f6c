//! Writing a fooling set. The folder appears complete or not at all.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use trompe_base::files::{PARTIAL, rename, sync_folder, write_new};

use super::delivery::{Candidate, Delivery, LeftOut, Stage};
use super::load::{self, MANIFEST_FILE};
use super::manifest::{Exhibit, Manifest, Origin, SCHEMA_VERSION, Unreached};
use super::picture::Picture;
use super::table::csv_table;
use crate::error::{Error, Result};
use crate::problem::Render;
use crate::search::{Archive, Elite};

/// Of every class, the elites that reach it, best first; where none does, the best candidate
/// that is labelled with it.
pub fn candidates<G: Clone>(archive: &Archive<G>) -> Vec<Candidate<'_, G>> {
    let of_class = |class| {
        let mut elites: Vec<&Elite<G>> = archive.reaching(class).collect();
        if elites.is_empty() {
            elites.extend(archive.best_labelled(class));
        }
        elites.into_iter().map(move |elite| Candidate { class, elite })
    };
    (0..archive.classes()).flat_map(of_class).collect()
}

/// What became of the candidates.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// The set's manifest.
    pub manifest: Manifest,
    /// Candidates lost in delivery.
    pub left_out: Vec<LeftOut>,
}

/// Writes the candidates that reach their class at the criterion of `origin` as a fooling set at
/// `folder`: of each class the first `most` in their order that still do as files.
///
/// Everything is first written to a hidden `.partial-*` folder beside `folder`, synced, and
/// renamed at the end, so that `folder` is complete or absent (only a program killed midway
/// leaves the hidden folder behind; it may be deleted). A set is never replaced:
/// a directory cannot be exchanged for another in one portable step, and a finished set may
/// be the object of a study. If `folder` already holds this very set (same manifest, and
/// all files have their hashes), that counts as success, so that a resumed run can finish
/// twice; anything else there, except an empty folder, is refused.
///
/// `page` makes `index.html` from the manifest and one picture per exhibit; what it shows besides
/// ([`Companions`](super::companions::Companions)) it writes into the folder that it is given, where the exhibits are.
///
/// # Errors
/// [`Error::Request`] for an origin without classes, a threshold outside (0, 1), or a
/// `folder` that is taken; [`Error::Numeric`] for a score that is not finite; input and
/// output errors by path; what `page` fails on. Nothing is then left under `folder`'s name.
pub fn write<R: Render>(
    folder: &Path,
    origin: Origin,
    candidates: &[Candidate<'_, R::Genome>],
    most: usize,
    delivery: &Delivery<'_, R>,
    page: impl FnOnce(&Path, &Manifest, &[Picture]) -> Result<String>,
) -> Result<Written> {
    let fault = |what| {
        Error::request(
            format!("no fooling set can be written: {what}"),
            "correct the run's settings",
        )
    };
    origin.check().map_err(fault)?;
    check_candidates(&origin, candidates)?;
    let parent = match folder.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(parent).map_err(|source| Error::io(parent, source))?;
    // The set is a plain folder inside the temporary one, because the latter is private to
    // its owner and the set should have ordinary permissions.
    let partial = tempfile::Builder::new()
        .prefix(PARTIAL)
        .tempdir_in(parent)
        .map_err(|source| Error::io(parent, source))?;
    let set = partial.path().join("set");
    fs::create_dir(&set).map_err(|source| Error::io(&set, source))?;

    let limits = origin.limits();
    let files = BTreeMap::new();
    let mut stage = Stage { set: &set, origin: &origin, limits, most, delivery, files };
    let mut exhibits = Vec::new();
    let mut pictures = Vec::new();
    let mut unreached = Vec::new();
    let mut left_out = Vec::new();
    for class in 0..origin.classes.len() {
        let outcome = stage.fill(class, candidates)?;
        if outcome.kept.is_empty() {
            let label = origin.classes[class].clone();
            unreached.push(Unreached { class, label, best_posterior: outcome.best_below });
        }
        let (kept, seen): (Vec<Exhibit>, Vec<Picture>) = outcome.kept.into_iter().unzip();
        exhibits.extend(kept);
        pictures.extend(seen);
        left_out.extend(outcome.left_out);
    }

    let manifest = Manifest {
        schema_version: SCHEMA_VERSION,
        trompe_version: env!("CARGO_PKG_VERSION").to_owned(),
        origin,
        exhibits,
        unreached,
    };
    let fault = |what| Error::bad_file(folder, what, "this is a fault of the program: report it");
    manifest.check().map_err(fault)?;
    manifest.faults().into_iter().flatten().try_for_each(|what| Err(fault(what)))?;
    let page = page(&set, &manifest, &pictures)?;
    let json = write_metadata(&set, &manifest, &page)?;
    commit(&set, folder, parent, &json)?;
    Ok(Written { manifest, left_out })
}

fn check_candidates<G>(origin: &Origin, candidates: &[Candidate<'_, G>]) -> Result<()> {
    let classes = origin.classes.len();
    for Candidate { class, elite } in candidates {
        if *class >= classes || elite.log_odds.len() != classes {
            return Err(Error::request(
                format!(
                    "candidate {} has {} log-odds for class {class} of {classes}",
                    elite.evaluation,
                    elite.log_odds.len()
                ),
                "use the archive of a run on the same classifier",
            ));
        }
    }
    Ok(())
}

/// Writes manifest, table and page; gives back the manifest's bytes.
fn write_metadata(set: &Path, manifest: &Manifest, page: &str) -> Result<Vec<u8>> {
    let unwritable = |error: &dyn std::fmt::Display| {
        Error::bad_file(set, error.to_string(), "this is a fault of the program: report it")
    };
    let mut json = serde_json::to_vec_pretty(manifest).map_err(|error| unwritable(&error))?;
    json.push(b'\n');
    let table = csv_table(manifest).map_err(|error| unwritable(&error))?;
    for (name, bytes) in [
        (MANIFEST_FILE, json.as_slice()),
        ("exhibits.csv", &table),
        ("index.html", page.as_bytes()),
    ] {
        let path = set.join(name);
        write_new(&path, bytes).map_err(|source| Error::io(&path, source))?;
    }
    sync_folder(set).map_err(|source| Error::io(set, source))?;
    Ok(json)
}

/// Gives the finished set its name.
fn commit(set: &Path, folder: &Path, parent: &Path, json: &[u8]) -> Result<()> {
    let taken = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    if taken {
        let same = fs::read(folder.join(MANIFEST_FILE)).is_ok_and(|there| there == json)
            && load::load(folder).is_ok();
        if same {
            return Ok(());
        }
        return Err(Error::request(
            format!("{} already holds something else", folder.display()),
            "choose another folder or move that one away",
        ));
    }
    rename(set, folder).map_err(|source| Error::io(folder, source))?;
    sync_folder(parent).map_err(|source| Error::io(parent, source))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::delivery::Reason;
    use super::super::toy::{self, Toy};
    use super::*;
    use crate::log_odds::Labelling;
    use crate::reference::Limits;
    use crate::search::{Ranking, Rules};

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn write_toy(folder: &Path, elites: &[(usize, Elite<Vec<f64>>)], toy: &Toy) -> Result<Written> {
        let candidates: Vec<Candidate<'_, Vec<f64>>> =
            elites.iter().map(|(class, elite)| Candidate { class: *class, elite }).collect();
        write(folder, toy::origin(), &candidates, 3, &toy.delivery(), |set, manifest, pictures| {
            assert_eq!(manifest.exhibits.len(), pictures.len());
            assert!(manifest.exhibits.iter().all(|exhibit| set.join(&exhibit.file).is_file()));
            Ok("page".into())
        })
    }

    #[test]
    fn a_set_holds_its_exhibits_best_first_and_names_the_rest() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("deep/set");
        let elites = [
            (0, toy::elite(7, &[7.5, -3.0, 0.0])),
            (0, toy::elite(9, &[9.5, -3.0, 0.0])),
            (1, toy::elite(12, &[0.0, 8.0, 0.0])),
            (2, toy::elite(3, &[0.0, 8.0, 1.0])),
        ];
        let written = write_toy(&folder, &elites, &Toy::default()).unwrap();
        assert_eq!(
            names(&folder),
            [
                "blues-1_0.9999.txt",
                "blues-2_0.9994.txt",
                "exhibits.csv",
                "index.html",
                "manifest.json",
                "rock-1_0.9996.txt",
            ]
        );
        assert_eq!(names(&home.path().join("deep")), ["set"]);
        assert!(written.left_out.is_empty());
        assert_eq!(written.manifest.exhibits[0].evaluation, 9);
        let [jazz] = written.manifest.unreached.as_slice() else { panic!("one class is left") };
        assert_eq!(jazz.label, "jazz");
        assert_eq!(jazz.best_posterior, None, "rock was its label");
        assert_eq!(load::load(&folder).unwrap(), written.manifest);
    }

    #[test]
    fn what_falls_short_after_delivery_is_named_not_kept() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("set");
        // ln(999) = 6.9068: the file's two decimals turn 6.9071 into 6.91 and 6.9069 with a
        // loss of 0.01 into 6.90.
        let elites =
            [(0, toy::elite(1, &[6.9071, 0.0, 0.0])), (1, toy::elite(2, &[0.0, 6.9069, 0.0]))];
        let lossy = Toy { loss: 0.01, ..Toy::default() };
        let written = write_toy(&folder, &elites, &lossy).unwrap();
        assert!(written.manifest.exhibits.is_empty());
        let lost: Vec<u64> = written.left_out.iter().map(|lost| lost.evaluation).collect();
        assert_eq!(lost, [1, 2]);
        for lost in &written.left_out {
            assert_eq!(lost.why, Reason::BelowThreshold);
            assert!(lost.posterior_in_search >= 0.999);
            assert!(lost.posterior_delivered < 0.999);
            let unreached = &written.manifest.unreached[lost.class];
            assert_eq!(unreached.best_posterior, Some(lost.posterior_delivered));
        }
        assert_eq!(names(&folder), ["exhibits.csv", "index.html", "manifest.json"]);
    }

    #[test]
    fn a_candidate_of_another_label_is_no_exhibit() {
        let home = tempfile::tempdir().unwrap();
        // At the threshold in both classes, and labelled with the second in the search; the
        // third loses its label to a tie when delivered with two decimals.
        let elites = [
            (0, toy::elite(1, &[8.0, 9.0, 0.0])),
            (1, toy::elite(1, &[8.0, 9.0, 0.0])),
            (0, toy::elite(2, &[8.002, 8.001, 0.0])),
        ];
        let written = write_toy(&home.path().join("set"), &elites, &Toy::default()).unwrap();
        let exhibits = &written.manifest.exhibits;
        assert_eq!(exhibits.iter().map(|e| (e.class, e.evaluation)).collect::<Vec<_>>(), [(1, 1)]);
        let [lost] = written.left_out.as_slice() else { panic!("{:?}", written.left_out) };
        assert_eq!((lost.evaluation, &lost.why), (2, &Reason::OtherLabel(None)));
        assert_eq!(written.manifest.unreached[0].best_posterior, None);
    }

    #[test]
    fn a_file_is_delivered_once_and_the_next_candidate_takes_its_place() {
        let home = tempfile::tempdir().unwrap();
        // With two decimals the first two are the same file.
        let elites: Vec<_> = [9.501, 9.502, 9.3, 9.2, 9.1]
            .iter()
            .zip(1..)
            .map(|(&best, evaluation)| (0, toy::elite(evaluation, &[best, 0.0, 0.0])))
            .collect();
        let written = write_toy(&home.path().join("set"), &elites, &Toy::default()).unwrap();
        let kept: Vec<u64> = written.manifest.exhibits.iter().map(|e| e.evaluation).collect();
        assert_eq!(kept, [1, 3, 4]);
        let [lost] = written.left_out.as_slice() else { panic!("{:?}", written.left_out) };
        assert_eq!((lost.evaluation, &lost.why), (2, &Reason::SameFile(1)));
    }

    #[test]
    fn an_interrupted_write_leaves_nothing() {
        let home = tempfile::tempdir().unwrap();
        let elites: Vec<_> =
            (0..3).map(|i| (0, toy::elite(i + 1, &[9.0 + i as f64, 0.0, 0.0]))).collect();
        for n in 0..3 {
            let folder = home.path().join("set");
            let failing = Toy { fail_at: Some(n), ..Toy::default() };
            let error = write_toy(&folder, &elites, &failing).unwrap_err().to_string();
            assert!(error.contains("full"), "{error}");
            assert!(names(home.path()).is_empty(), "{:?}", names(home.path()));
        }
    }

    #[test]
    fn a_set_is_never_replaced_but_may_be_written_twice() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("set");
        let elites = [(0, toy::elite(7, &[7.5, -3.0, 0.0]))];
        fs::create_dir(&folder).unwrap();
        write_toy(&folder, &elites, &Toy::default()).unwrap();
        write_toy(&folder, &elites, &Toy::default()).unwrap();

        let others = [(0, toy::elite(8, &[8.5, -3.0, 0.0]))];
        let before = fs::read(folder.join(MANIFEST_FILE)).unwrap();
        let error = write_toy(&folder, &others, &Toy::default()).unwrap_err().to_string();
        assert!(error.contains("already holds"), "{error}");
        assert_eq!(fs::read(folder.join(MANIFEST_FILE)).unwrap(), before);

        fs::write(folder.join("blues-1_0.9994.txt"), "spoiled").unwrap();
        assert!(write_toy(&folder, &elites, &Toy::default()).is_err());
        assert_eq!(names(home.path()), ["set"]);
    }

    #[test]
    fn a_place_that_cannot_be_written_is_named() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("file");
        fs::write(&file, "").unwrap();
        let elites = [(0, toy::elite(7, &[7.5, -3.0, 0.0]))];
        for folder in [file.join("set"), file.clone()] {
            let error = write_toy(&folder, &elites, &Toy::default()).unwrap_err().to_string();
            assert!(error.contains(&file.display().to_string()), "{error}");
        }
        assert_eq!(names(home.path()), ["file"]);
    }

    #[test]
    fn unusable_scores_and_candidates_are_refused() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("set");
        let short = [(0, toy::elite(1, &[9.0]))];
        assert!(matches!(write_toy(&folder, &short, &Toy::default()), Err(Error::Request { .. })));
        let unscored =
            [(0, Elite { genome: vec![f64::NAN; 3], ..toy::elite(1, &[9.0, 0.0, 0.0]) })];
        assert!(matches!(
            write_toy(&folder, &unscored, &Toy::default()),
            Err(Error::BadFile { .. })
        ));
        assert!(names(home.path()).is_empty());
    }

    #[test]
    fn a_delivery_that_is_stopped_leaves_nothing() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("set");
        let stop = std::sync::atomic::AtomicBool::new(true);
        let toy = Toy::default();
        let delivery = Delivery { stop: Some(&stop), ..toy.delivery() };
        let elite = toy::elite(1, &[9.0, 0.0, 0.0]);
        let candidates = [Candidate { class: 0, elite: &elite }];
        let page = |_: &Path, _: &Manifest, _: &[Picture]| Ok(String::new());
        let error = write(&folder, toy::origin(), &candidates, 3, &delivery, page).unwrap_err();
        assert!(matches!(error, Error::Stopped), "{error}");
        assert!(names(home.path()).is_empty());
    }

    #[test]
    fn a_page_that_fails_leaves_nothing() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("set");
        let elite = toy::elite(1, &[9.0, 0.0, 0.0]);
        let candidates = [Candidate { class: 0, elite: &elite }];
        let page = |set: &Path, _: &Manifest, _: &[Picture]| {
            Err(Error::io(set.join("companions"), std::io::Error::other("full")))
        };
        let toy = Toy::default();
        let error = write(&folder, toy::origin(), &candidates, 3, &toy.delivery(), page);
        assert!(error.unwrap_err().to_string().contains("full"));
        assert!(names(home.path()).is_empty());
    }

    #[test]
    fn candidates_are_what_reaches_a_class_or_else_its_best() {
        let rules = |ranking| Rules {
            capacity: 5,
            min_distance: 0.0,
            ranking,
            threshold: Limits::Same(4.0),
            labelling: Labelling::Single,
        };
        for ranking in [Ranking::LogOdds, Ranking::Gap] {
            let mut archive = Archive::new(3, rules(ranking));
            for elite in [
                toy::elite(1, &[3.0, -9.0, 0.0]),
                toy::elite(2, &[5.0, 1.0, 0.0]),
                toy::elite(3, &[6.0, 7.0, 0.0]),
                toy::elite(4, &[0.0, 1.0, 3.0]),
                toy::elite(5, &[0.0, 1.0, 2.0]),
            ] {
                archive.insert(&elite, |_, _| 1.0);
            }
            let candidates = candidates(&archive);
            let places: Vec<(usize, u64)> =
                candidates.iter().map(|c| (c.class, c.elite.evaluation)).collect();
            assert_eq!(places, [(0, 2), (1, 3), (2, 4)]);
        }
    }
}
