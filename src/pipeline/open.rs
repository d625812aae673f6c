//! Corpora and banks by name or path.

use std::path::{Path, PathBuf};

use trompe_base::words::counted;
use trompe_corpora::recipes::{self, Options, RecipeKind};
use trompe_corpora::{Bank, Cache, Corpus, ImageCorpus, Limits, Progress, SeveralLabels, layout};

use crate::error::{Error, Result};
use crate::suggestion::did_you_mean;
use crate::victims::AnyModel;
use crate::victims::program::{self, is_command};

/// Seed of a bank that is rendered: a bank's name alone says which it is.
pub const BANK_SEED: u64 = 0;

/// Seed of a corpus that is rendered, where none is chosen.
pub const CORPUS_SEED: u64 = 1;

fn options(seed: u64) -> Options {
    Options { seed, ..Options::default() }
}

/// Opens the corpus called `name` for classifiers of one label a clip: a recipe, which is fetched
/// if it is not in the cache, or a path. Clips with several labels are left out, and a note says so.
///
/// # Errors
/// [`Error::Request`] if there is neither, or every clip has several labels; whatever fetching or opening meets.
pub fn corpus(name: &str, options: &Options, progress: &dyn Progress) -> Result<Corpus> {
    let mut corpus = corpus_with_tags(name, options, progress)?;
    let left_out = keep_single_labels(&mut corpus)?;
    if !left_out.clips.is_empty() {
        let count = left_out.clips.len();
        let classes = match left_out.classes.as_slice() {
            [] => String::new(),
            classes => format!("; without them no clip is left of {}", listed(classes)),
        };
        progress.note(&format!(
            "left out {count} of {}, which have several labels, such as {}{classes}",
            counted(count + corpus.clips.len(), "clip"),
            listed(&left_out.clips)
        ));
    }
    Ok(corpus)
}

/// Leaves out clips with several labels, and says which.
///
/// # Errors
/// [`Error::Request`] if no clip is left.
pub fn keep_single_labels(corpus: &mut Corpus) -> Result<SeveralLabels> {
    let left_out = corpus.keep_single_labels();
    if corpus.clips.is_empty() {
        return Err(Error::request(
            format!("every clip of corpus {} has several labels", corpus.name),
            "this needs clips with one label each",
        ));
    }
    Ok(left_out)
}

/// Opens the corpus called `name` with all of its clips, also those with several labels, in groups
/// of the kind that was asked for.
///
/// # Errors
/// As [`corpus`]; [`Error::Request`] if it states no groups of this kind.
pub fn corpus_with_tags(name: &str, options: &Options, progress: &dyn Progress) -> Result<Corpus> {
    let folder = match recipe(name, RecipeKind::Corpus)? {
        true => recipes::fetch(name, &Cache::of_user()?, options, progress)?,
        false => existing(name, "corpus")?,
    };
    let mut corpus = layout::open(&folder, &Limits::default())?;
    if let Some(kind) = options.group_by {
        let alone = corpus.group_by(kind)?;
        if alone > 0 {
            let (clips, kind) = (counted(corpus.clips.len(), "clip"), kind.name());
            progress.note(&format!(
                "no {kind}: {alone} of {clips}, each of which is taken for a group of its own"
            ));
        }
    }
    Ok(corpus)
}

/// The first of many names.
fn listed(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let more = if names.len() > SHOWN { ", ..." } else { "" };
    format!("{}{more}", names[..names.len().min(SHOWN)].join(", "))
}

/// Opens the corpus of images called `name`, as [`corpus`] does.
///
/// # Errors
/// As [`corpus`].
pub fn images(name: &str, options: &Options, progress: &dyn Progress) -> Result<ImageCorpus> {
    let folder = match recipe(name, RecipeKind::Images)? {
        true => recipes::fetch(name, &Cache::of_user()?, options, progress)?,
        false => existing(name, "corpus of images")?,
    };
    progress.report("reading images", 0, 0);
    Ok(ImageCorpus::open(&folder, &Limits::default())?)
}

/// Whether `name` is a recipe that delivers images.
///
/// # Errors
/// If the cache folder cannot be found.
pub fn is_recipe_of_images(name: &str) -> Result<bool> {
    let recipes = recipes::list(&Cache::of_user()?)?;
    Ok(recipes.iter().any(|recipe| recipe.name == name && recipe.kind == RecipeKind::Images))
}

/// Whether `name` is a recipe of images, or the path of a folder that holds images.
///
/// # Errors
/// [`Error::Corpora`] if the recipes cannot be listed.
pub fn is_images(name: &str) -> Result<bool> {
    let recipes = recipes::list(&Cache::of_user()?)?;
    Ok(match recipes.iter().find(|recipe| recipe.name == name) {
        Some(recipe) => recipe.kind == RecipeKind::Images,
        None => ImageCorpus::is_in(Path::new(name)),
    })
}

/// Opens the bank called `name`, as [`corpus`] does, with every loop at `sample_rate` hertz.
///
/// # Errors
/// As [`corpus`]; also if a loop cannot be decoded or all are silent.
pub fn bank(name: &str, sample_rate: u32, progress: &dyn Progress) -> Result<Bank> {
    let folder = match recipe(name, RecipeKind::Bank)? {
        true => recipes::fetch(name, &Cache::of_user()?, &options(BANK_SEED), progress)?,
        false => existing(name, "bank")?,
    };
    progress.report("reading the bank", 0, 0);
    let (bank, _) = Bank::open(&folder, sample_rate, &Limits::default(), false)?;
    Ok(bank)
}

/// Opens the model at `path`, or the one that the recipe of that name fetches.
///
/// # Errors
/// As [`corpus`] and [`AnyModel::load`].
pub fn model(path: &Path, progress: &dyn Progress) -> Result<AnyModel> {
    match fetched_model(path, progress)? {
        Some(path) => told(&path, progress),
        None => told(path, progress),
    }
}

/// The file or folder of a model that a recipe fetches, where `path` is none: the recipe's name, and of
/// one with several nets the net's behind a slash.
///
/// # Errors
/// As [`model`].
fn fetched_model(path: &Path, progress: &dyn Progress) -> Result<Option<PathBuf>> {
    let Some(text) = path.to_str().filter(|_| !path.exists() && !is_command(path)) else {
        return Ok(None);
    };
    let (name, net) = text.split_once('/').map_or((text, None), |(name, net)| (name, Some(net)));
    if !recipe(name, RecipeKind::Model)? {
        return Ok(None);
    }
    let folder = recipes::fetch(name, &Cache::of_user()?, &Options::default(), progress)?;
    let nets = nets_in(&folder)?;
    let known = |net: &str| {
        let net = net.trim_end_matches(".onnx");
        nets.iter().find(|file| file.file_stem().is_some_and(|stem| stem == net)).cloned()
    };
    let all: Vec<String> = nets
        .iter()
        .filter_map(|file| Some(format!("{name}/{}", file.file_stem()?.to_string_lossy())))
        .collect();
    match (net, nets.as_slice()) {
        (None, [_]) => Ok(Some(folder)),
        (None, _) => Err(Error::request(
            format!("'{name}' has {} nets", nets.len()),
            format!("name one: {}", all.join(", ")),
        )),
        (Some(net), _) => known(net).map(Some).ok_or_else(|| {
            Error::request(
                format!("'{name}' has no net '{net}'"),
                format!("it has {}", all.join(", ")),
            )
        }),
    }
}

/// The ONNX files in a folder, by name.
fn nets_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect())
        .map_err(|source| Error::io(folder, source))?;
    files.retain(|file| file.extension().is_some_and(|end| end == "onnx"));
    files.sort();
    Ok(files)
}

/// Opens the model at `path`, and tells what is to be said of it.
fn told(path: &Path, progress: &dyn Progress) -> Result<AnyModel> {
    let model = AnyModel::load(path)?;
    model.notes().iter().for_each(|note| progress.note(note));
    Ok(model)
}

/// Whether `name` is a recipe of `kind`; a path with the name of a recipe is written with a
/// separator (`./styles`).
fn recipe(name: &str, kind: RecipeKind) -> Result<bool> {
    let recipes = recipes::list(&Cache::of_user()?)?;
    let Some(found) = recipes.iter().find(|recipe| recipe.name == name) else {
        return Ok(false);
    };
    if found.kind == kind {
        return Ok(true);
    }
    let in_words = |kind| match kind {
        RecipeKind::Corpus => "a corpus of clips",
        RecipeKind::Bank => "a bank of loops",
        RecipeKind::Images => "a corpus of images",
        RecipeKind::Model => "a model",
    };
    let hint = match (found.kind, kind) {
        (RecipeKind::Images, RecipeKind::Corpus) => {
            "to train on images, choose --classifier lenet, lenet-5, adaboost-mh or logistic; `trompe corpus list` \
             shows corpora of clips"
        }
        _ => "`trompe corpus list` shows what there is",
    };
    Err(Error::request(
        format!("'{name}' is {}, not {}", in_words(found.kind), in_words(kind)),
        hint,
    ))
}

/// `name` in a form that means the same from every working folder: a recipe's name unchanged, the
/// path of something that exists absolute.
///
/// # Errors
/// If the cache or the working folder cannot be found; [`Error::Request`] if the path is not
/// UTF-8.
pub fn absolute_name(name: &str) -> Result<String> {
    let path = Path::new(name);
    if !path.exists() || recipes::list(&Cache::of_user()?)?.iter().any(|known| known.name == name) {
        return Ok(name.to_owned());
    }
    let absolute = std::path::absolute(path).map_err(|e| Error::io(path, e))?;
    absolute.into_os_string().into_string().map_err(|path| {
        Error::request(
            format!("{}: the path is not UTF-8", path.display()),
            "rename the folder, or move what it holds",
        )
    })
}

/// The same for a model, where a file comes before a recipe of its name, and `onnx:FILE` names a
/// file too.
///
/// # Errors
/// If the working folder cannot be found.
pub fn absolute_model(path: &Path) -> Result<PathBuf> {
    let absolute = |path: &Path| std::path::absolute(path).map_err(|e| Error::io(path, e));
    match path.to_str().and_then(|text| text.strip_prefix("onnx:")) {
        _ if is_command(path) => {
            let whole = program::absolute(path)?;
            program::name(&whole);
            Ok(whole)
        }
        _ if path.exists() => absolute(path),
        Some(file) if Path::new(file).exists() => {
            let mut named = std::ffi::OsString::from("onnx:");
            named.push(absolute(Path::new(file))?);
            Ok(named.into())
        }
        _ => Ok(path.to_owned()),
    }
}

/// Refuses a name that is a recipe's and a folder's at once.
///
/// # Errors
/// [`Error::Request`] if it is; if the cache cannot be found.
pub fn unambiguous(name: &str) -> Result<()> {
    let recipes = recipes::list(&Cache::of_user()?)?;
    if !Path::new(name).exists() || !recipes.iter().any(|known| known.name == name) {
        return Ok(());
    }
    Err(Error::request(
        format!("'{name}' is both a collection that trompe fetches and a path here"),
        format!("write ./{name} for the path; rename it to use the collection"),
    ))
}

fn existing(name: &str, what: &str) -> Result<PathBuf> {
    let path = Path::new(name);
    if path.exists() {
        return Ok(path.to_owned());
    }
    let recipes = recipes::list(&Cache::of_user()?)?;
    let similar = did_you_mean(name, recipes.iter().map(|recipe| recipe.name.as_str()));
    Err(Error::request(
        format!("no {what} '{name}'{similar}: it is neither a path nor a recipe"),
        "`trompe corpus list` shows the recipes; a path must exist",
    ))
}
