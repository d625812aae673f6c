//! Pages in the folders beside a run that say more of it: evaluations of its model, and comparisons
//! that it is part of.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use trompe_base::files::read_text;
use trompe_base::hash::sha256_file;
use trompe_corpora::Limits;

use crate::exhibits::load::MANIFEST_FILE;
use crate::report::Link;

/// What is read of a comparison.
#[derive(Deserialize)]
struct Comparison {
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    seeds: Vec<Seed>,
}

#[derive(Deserialize)]
struct Seed {
    set_sha256: String,
}

/// What is read of an evaluation.
#[derive(Deserialize)]
struct Evaluation {
    model_sha256: Option<String>,
}

/// Links from the page of the run in `run`, whose model has this hash, to pages that are there now.
/// Folders beside a run are looked at, and of a run of a series those beside the series. What cannot be
/// read is no page of the run.
pub(crate) fn links(run: &Path, model_sha256: &str) -> Vec<Link> {
    let Ok(run) = std::path::absolute(run) else { return Vec::new() };
    let set = sha256_file(&run.join("fooling-set").join(MANIFEST_FILE));
    let set = set.map(|digest| trompe_base::encoding::hex(&digest)).unwrap_or_default();
    let mut places = vec![(run.parent(), "..")];
    if run.parent().is_some_and(|series| series.join("series.toml").is_file()) {
        places.push((run.parent().and_then(Path::parent), "../.."));
    }
    let mut links = Vec::new();
    for (place, above) in places {
        for folder in place.map(folders).unwrap_or_default() {
            let (Some(name), true) =
                (folder.file_name().and_then(|n| n.to_str()), folder.join("index.html").is_file())
            else {
                continue;
            };
            let of_model =
                |evaluation: Evaluation| evaluation.model_sha256.as_deref() == Some(model_sha256);
            let holds_run = |comparison: Comparison| {
                let mut seeds = comparison.groups.iter().flat_map(|group| &group.seeds);
                seeds.any(|seed| seed.set_sha256 == set)
            };
            let text = if read(&folder.join("evaluation-model.json")).is_some_and(of_model) {
                format!("Evaluation of its model ({name})")
            } else if read(&folder.join("comparison.json")).is_some_and(holds_run) {
                format!("Comparison with other runs ({name})")
            } else {
                continue;
            };
            links.push(Link { to: format!("{above}/{name}/index.html"), text });
        }
    }
    links
}

/// The folders in a folder, by name.
fn folders(place: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(place).into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> =
        entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

fn read<T: DeserializeOwned>(path: &Path) -> Option<T> {
    let text = read_text(path, Limits::default().max_text_bytes).ok()?;
    serde_json::from_str(&text).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_this_run_and_model_are_linked_and_no_others() {
        let folder = tempfile::tempdir().unwrap();
        let plant = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        plant("run/fooling-set/manifest.json", "the set");
        let set = sha256_file(&folder.path().join("run/fooling-set/manifest.json")).unwrap();
        let set = trompe_base::encoding::hex(&set);
        let run = folder.path().join("run");
        assert_eq!(links(&run, "c0ffee"), []);
        let comparison =
            |set: &str| format!("{{\"groups\": [{{\"seeds\": [{{\"set_sha256\": \"{set}\"}}]}}]}}");
        plant("ours/comparison.json", &comparison(&set));
        plant("theirs/comparison.json", &comparison("other"));
        plant("evaluation/evaluation-model.json", "{\"model_sha256\": \"c0ffee\"}");
        plant("other/evaluation-model.json", "{\"model_sha256\": \"bad\"}");
        plant("broken/comparison.json", "{");
        // Without their pages nothing is linked.
        assert_eq!(links(&run, "c0ffee"), []);
        for name in ["ours", "theirs", "evaluation", "other", "broken"] {
            plant(&format!("{name}/index.html"), "");
        }
        let found = links(&run, "c0ffee");
        let to: Vec<&str> = found.iter().map(|link| link.to.as_str()).collect();
        assert_eq!(to, ["../evaluation/index.html", "../ours/index.html"]);
        assert!(to.iter().all(|to| run.join(to).is_file()));
    }
}
