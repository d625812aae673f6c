//! The page that shows what a folder holds.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::search::RunFolder;

/// Pages of a folder, the one to look at first in front: that of a run's fooling set, that of a set, a
/// comparison or an evaluation, that of a run or of the answers of a study.
const PAGES: [&str; 3] = ["fooling-set/index.html", "index.html", "report.html"];

/// The page of `path`: itself, the one of the folder, or the one of the only folder below it that has
/// one.
///
/// # Errors
/// [`Error::Request`] that names the pages to choose from, or says how the page is made where there is
/// none; [`Error::Corpora`] if `path` is not there.
pub fn page_of(path: &Path) -> Result<PathBuf> {
    let found = std::fs::metadata(path).map_err(|source| Error::io(path, source))?;
    if found.is_file() {
        return match path.extension().is_some_and(|end| end == "html" || end == "htm") {
            true => Ok(path.to_owned()),
            false => Err(Error::request(
                format!("{} is not a page", path.display()),
                format!("give a folder or an HTML file; see `trompe info {}`", path.display()),
            )),
        };
    }
    if let Some(page) = own_page(path) {
        return Ok(page);
    }
    let mut below = Vec::new();
    for entry in std::fs::read_dir(path).map_err(|source| Error::io(path, source))? {
        let folder = entry.map_err(|source| Error::io(path, source))?.path();
        below.extend(own_page(&folder).map(|page| (folder, page)));
    }
    below.sort();
    match below.as_slice() {
        [] => Err(Error::request(format!("{} has no page", path.display()), how_to_make(path))),
        [(_, page)] => Ok(page.clone()),
        several => {
            let names = several.iter().map(|(folder, _)| folder.display().to_string());
            let names: Vec<String> = names.collect();
            Err(Error::request(
                format!("{} has no page of its own, but {} do", path.display(), names.len()),
                format!("open one: {}", names.join(", ")),
            ))
        }
    }
}

fn own_page(folder: &Path) -> Option<PathBuf> {
    PAGES.iter().map(|page| folder.join(page)).find(|page| page.is_file())
}

/// What writes the page that `folder` lacks.
fn how_to_make(folder: &Path) -> String {
    let at = folder.display();
    if RunFolder::configuration_path(folder).is_file() {
        format!("finish the run with `trompe fool --resume {at}`")
    } else if folder.join("series.toml").is_file() {
        format!("finish the runs with `trompe fool --resume {at}`")
    } else if folder.join("study.toml").is_file() {
        format!(
            "show the study to people with `trompe listen serve {at} --database answers.sqlite`"
        )
    } else {
        "give the folder of a run, a fooling set, a comparison, an evaluation or a study's results"
            .to_owned()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_folder_has_its_page_or_says_how_it_gets_one() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let plant = |name: &str| {
            std::fs::create_dir_all(at(name).parent().unwrap()).unwrap();
            std::fs::write(at(name), "").unwrap();
        };
        plant("run/run.toml");
        let error = page_of(&at("run")).unwrap_err().to_string();
        assert!(error.contains("trompe fool --resume"), "{error}");
        plant("run/report.html");
        assert_eq!(page_of(&at("run")).unwrap(), at("run/report.html"));
        plant("run/fooling-set/index.html");
        assert_eq!(page_of(&at("run")).unwrap(), at("run/fooling-set/index.html"));
        assert_eq!(page_of(&at("run/fooling-set")).unwrap(), at("run/fooling-set/index.html"));
        assert_eq!(page_of(&at("run/report.html")).unwrap(), at("run/report.html"));
        assert_eq!(page_of(folder.path()).unwrap(), at("run/fooling-set/index.html"));
        plant("comparison/index.html");
        let error = page_of(folder.path()).unwrap_err().to_string();
        assert!(error.contains("comparison") && error.contains("run"), "{error}");
        plant("study/study.toml");
        let error = page_of(&at("study")).unwrap_err().to_string();
        assert!(error.contains("trompe listen serve"), "{error}");
        let error = page_of(&at("run/run.toml")).unwrap_err().to_string();
        assert!(error.contains("not a page"), "{error}");
        let error = page_of(&at("nowhere")).unwrap_err().to_string();
        assert!(error.contains("nowhere"), "{error}");
    }
}
