//! `trompe corpus`: what collections there are, fetching them, checking one.

use std::collections::BTreeSet;
use std::path::Path;

use clap::Subcommand;
use serde::Serialize;
use trompe_base::words::counted;
use trompe_corpora::recipes::{self, Collection, Options, RecipeInfo, RecipeKind};
use trompe_corpora::{Cache, Corpus, GroupKind, Limits, Provenance, Split, layout};
use trompe_features::{AdaBffs, FeatureSettings};

use super::common::{Common, Outcome, print, print_json, print_next};
use super::progress::Bars;
use crate::dataset::Dataset;
use crate::dataset::extract::{Unusable, unusable};
use crate::error::{Error, Result};
use crate::pipeline::open;
use crate::pipeline::reference::{self, ReferencePlan};
use crate::report::terminal;

/// List, fetch and check collections
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  trompe corpus list")]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show the collections that can be fetched: licence, size, what the labels are worth
    #[command(after_help = "Examples:\n  trompe corpus list\n  trompe corpus list --layouts")]
    List {
        /// Show the data sets instead that are read as they are downloaded
        #[arg(long)]
        layouts: bool,
    },
    /// Fetch a collection into the cache folder and print where it lies
    #[command(after_help = "Example:\n  trompe corpus fetch synthetic")]
    Fetch {
        /// Name from `trompe corpus list`
        #[arg(id = "collection", value_name = "NAME")]
        name: String,
        /// Clips of each class [default: the recipe's own]
        #[arg(long, value_name = "N")]
        clips: Option<usize>,
        /// Seed of what is drawn [default: that of the verbs which use the collection]
        #[arg(long)]
        seed: Option<u64>,
    },
    /// Open a corpus, read every clip, and tell what is in it and what is wrong
    ///
    /// Exit code 1 if a clip is bad or `trompe train` would refuse the corpus.
    #[command(after_help = "Example:\n  trompe corpus check synthetic")]
    Check {
        /// Path of a corpus or of a features file, or a name from `trompe corpus list`
        corpus: String,
        /// Read frames of clips that are damaged or missing as silence, and say where
        #[arg(long)]
        conceal: bool,
    },
}

pub(super) fn run(arguments: &Arguments, common: &Common) -> Result<Outcome> {
    match &arguments.action {
        Action::List { layouts: false } => list(common),
        Action::List { layouts: true } => list_layouts(common),
        Action::Fetch { name, clips, seed } => {
            let seed = match seed {
                Some(seed) => *seed,
                None => default_seed(name)?,
            };
            let options = Options { seed, clips_per_class: *clips, ..Options::default() };
            fetch(name, &options, common)
        }
        Action::Check { corpus, conceal } => check(corpus, *conceal, common),
    }
}

fn list(common: &Common) -> Result<Outcome> {
    let recipes = recipes::list(&Cache::of_user()?)?;
    if common.json {
        let rows: Vec<ListRow<'_>> = recipes.iter().map(ListRow::of).collect();
        print_json(&rows);
        return Ok(Outcome::Done);
    }
    for recipe in &recipes {
        let here = if recipe.installed.is_empty() { "" } else { ", in the cache" };
        print(&format!(
            "{} ({}, {}{here})\n  {}\n  labels: {}\n  licence: {}\n  download {:.1} MB, disk {:.1} MB; packages: {}\n",
            recipe.name,
            kind_name(recipe.kind),
            provenance_name(recipe.provenance),
            recipe.about,
            recipe.labels,
            recipe.licence,
            recipe.download_bytes as f64 / 1e6,
            recipe.disk_bytes as f64 / 1e6,
            if recipe.packages.is_empty() { "none".to_owned() } else { recipe.packages.join(", ") },
        ));
    }
    print(
        "data sets that you bring yourself are read as they are downloaded: \
         trompe corpus list --layouts",
    );
    Ok(Outcome::Done)
}

/// The data sets that are recognized, and what else a path may hold.
fn list_layouts(common: &Common) -> Result<Outcome> {
    if common.json {
        let row = |set: &layout::DataSet| {
            serde_json::json!({
                "name": set.name, "known_by": set.known_by, "read": set.read, "page": page_of(set),
            })
        };
        print_json(&layout::DATA_SETS.iter().map(row).collect::<Vec<_>>());
        return Ok(Outcome::Done);
    }
    for set in &layout::DATA_SETS {
        let layout::DataSet { name, known_by, read, .. } = set;
        let page = page_of(set);
        print(&format!("{name}\n  known by: {known_by}\n  read: {read}\n  more: {page}\n"));
    }
    print(
        "any other path:\n  a table (manifest.csv) with the columns path and label or tags\n  \
         folders of parts (train, val, test) with a folder per class in each\n  \
         a folder per class, of sound or of pictures",
    );
    Ok(Outcome::Done)
}

/// Where the project's documentation tells more of a data set.
fn page_of(set: &layout::DataSet) -> String {
    format!("docs/data-sets/{}.md", set.page)
}

/// The seed that `train` and `fool` use when none is given.
fn default_seed(name: &str) -> Result<u64> {
    let recipes = recipes::list(&Cache::of_user()?)?;
    let is_bank =
        recipes.iter().any(|recipe| recipe.name == name && recipe.kind == RecipeKind::Bank);
    Ok(if is_bank { open::BANK_SEED } else { open::CORPUS_SEED })
}

fn fetch(name: &str, options: &Options, common: &Common) -> Result<Outcome> {
    let bars = Bars::new(common);
    let folder = recipes::fetch(name, &Cache::of_user()?, options, &bars)?;
    if let Some(collection) = Collection::read(&folder)? {
        collection.verify(&folder)?;
    }
    bars.clear();
    if common.json {
        print_json(&serde_json::json!({ "name": name, "folder": folder }));
    } else {
        print(&folder.display().to_string());
    }
    Ok(Outcome::Done)
}

fn check(name: &str, conceal: bool, common: &Common) -> Result<Outcome> {
    open::unambiguous(name)?;
    let is_features = Dataset::is_features_file(Path::new(name));
    if conceal && (is_features || open::is_images(name)?) {
        return Err(Error::request(
            format!("--conceal works for clips only, and {name} holds none"),
            "leave it out",
        ));
    }
    if is_features {
        return check_features(Path::new(name), common);
    }
    let bars = Bars::new(common);
    if open::is_images(name)? {
        return check_images(name, &bars, common);
    }
    let options = Options { seed: open::CORPUS_SEED, ..Options::default() };
    let mut corpus = open::corpus_with_tags(name, &options, &bars)?;
    if conceal {
        corpus.conceal();
    }
    let tagged = corpus.clips.iter().filter(|clip| !clip.other_labels.is_empty()).count();
    // Those of the classifier that `train` takes where none is named.
    let features = FeatureSettings::AdaBffs(AdaBffs::default());
    let Unusable { bad, concealed } = unusable(&corpus, &features, &Limits::default(), &bars)?;
    let mut single = corpus.clone();
    let trained = open::keep_single_labels(&mut single)
        .and_then(|_| reference::check_clips(&single, &ReferencePlan::usual(open::CORPUS_SEED)));
    let trained = Trained::of(trained);
    bars.clear();
    let gtzan_faults: Vec<_> = corpus
        .clips
        .iter()
        .filter_map(|clip| layout::gtzan::faults().find(|fault| fault.id == clip.id))
        .map(|fault| format!("{}: {}", fault.id, fault.fault))
        .collect();
    let counts = class_counts(&corpus);
    if common.json {
        print_json(&serde_json::json!({
            "name": corpus.name,
            "provenance": corpus.provenance,
            "known_as": corpus.known_as,
            "labels": corpus.labels,
            "classes": counts.iter().map(Counts::json).collect::<Vec<_>>(),
            "clips_with_several_labels": tagged,
            "bad": bad.iter().map(|skipped| &skipped.why).collect::<Vec<_>>(),
            "concealed": concealed,
            "known_faults": gtzan_faults,
            "cannot_train": trained.refused,
            "no_reference": trained.no_reference,
        }));
    } else {
        let kinds = corpus.group_kinds();
        let mut header = ["class", "clips", "groups"].map(str::to_owned).to_vec();
        header.extend(kinds.iter().map(|kind| format!("{}s", kind.name())));
        let mut rows = vec![header];
        rows.extend(counts.iter().map(Counts::row));
        let known = corpus.known_as.iter().map(|set| format!(", as is known of {set}"));
        print(&format!(
            "{} ({}{}): {}",
            corpus.name,
            provenance_name(corpus.provenance),
            known.collect::<String>(),
            corpus.labels
        ));
        print(&terminal::table(&rows));
        for fault in &gtzan_faults {
            print(&format!("known fault: {fault}"));
        }
        for skipped in &bad {
            print(&format!("bad: {}", skipped.why));
        }
        concealed.iter().for_each(|sentence| print(sentence));
        if tagged > 0 {
            let clips = counted(tagged, "clip");
            print(&format!("{clips} of several labels: classifiers of one label leave these out"));
        }
        let with_gaps = match concealed.len() {
            0 => String::new(),
            count => format!(", {count} read with silence for damaged or missing frames"),
        };
        let clips = counted(corpus.clips.len(), "clip");
        print(&format!("{clips}, {} of them bad{with_gaps}", bad.len()));
        trained.print();
        ask_for_provenance(name, corpus.provenance);
        if bad.is_empty() {
            trained.print_next(name, &[]);
        }
    }
    Ok(if bad.is_empty() { trained.outcome() } else { Outcome::Finding })
}

/// What `trompe train` makes of a corpus when it is asked for nothing else.
struct Trained {
    /// Why it refuses it.
    refused: Option<String>,
    /// Why its model has no genuine reference.
    no_reference: Option<String>,
}

impl Trained {
    fn of(checked: Result<Option<String>>) -> Self {
        match checked {
            Ok(no_reference) => Self { refused: None, no_reference },
            Err(error) => Self { refused: Some(error.to_string()), no_reference: None },
        }
    }

    fn print(&self) {
        if let Some(why) = &self.refused {
            print(&format!("no classifier can be trained on it: {why}"));
        }
        if let Some(why) = &self.no_reference {
            print(&format!("a model trained on it has no genuine reference: {why}"));
        }
    }

    /// How to train on the corpus of this name, if that is possible; `classifier` names one that is not the usual.
    fn print_next(&self, corpus: &str, classifier: &[&str]) {
        if self.refused.is_none() {
            print_next(&[&["train", corpus], classifier, &["--out", "model.safetensors"]].concat());
        }
    }

    fn outcome(&self) -> Outcome {
        if self.refused.is_some() { Outcome::Finding } else { Outcome::Done }
    }
}

/// A features file is checked when it is read.
fn check_features(path: &Path, common: &Common) -> Result<Outcome> {
    let data = Dataset::read(path)?;
    let count = |(class, name): (usize, &String)| {
        let excerpts: Vec<_> = data.excerpts.iter().filter(|e| e.class == class).collect();
        let groups: BTreeSet<&str> =
            excerpts.iter().map(|e| e.group.as_deref().unwrap_or(&e.id)).collect();
        let (clips, groups) = (excerpts.len(), groups.len());
        Counts { class: name.clone(), clips, groups, kinds: Vec::new() }
    };
    let counts: Vec<Counts> = data.classes.iter().enumerate().map(count).collect();
    let trained =
        Trained::of(reference::check_vectors(&data, &ReferencePlan::usual(open::CORPUS_SEED)));
    let (vectors, features) = data.vectors.dim();
    if common.json {
        print_json(&serde_json::json!({
            "name": data.source.name,
            "classes": counts.iter().map(Counts::json).collect::<Vec<_>>(),
            "vectors": vectors,
            "features": features,
            "bad": [],
            "cannot_train": trained.refused,
            "no_reference": trained.no_reference,
        }));
    } else {
        let mut rows = vec![["class", "excerpts", "groups"].map(str::to_owned).to_vec()];
        rows.extend(counts.iter().map(Counts::row));
        print(&format!("{}: features, of no sound that is read here", data.source.name));
        print(&terminal::table(&rows));
        let [excerpts, vectors, features] =
            [(data.excerpts.len(), "excerpt"), (vectors, "vector"), (features, "feature")]
                .map(|(count, noun)| counted(count, noun));
        print(&format!("{excerpts}, {vectors} of {features}"));
        trained.print();
        trained.print_next(&path.to_string_lossy(), &[]);
    }
    Ok(trained.outcome())
}

/// Every image is decoded when its corpus is opened; one that cannot be is an error there.
fn check_images(name: &str, bars: &Bars, common: &Common) -> Result<Outcome> {
    let options = Options { seed: open::CORPUS_SEED, ..Options::default() };
    let corpus = open::images(name, &options, bars)?;
    let trained = Trained::of(reference::check_images(&corpus));
    bars.clear();
    let count = |class: usize, split: Option<Split>| {
        let items = (0..corpus.len()).map(|index| corpus.item(index));
        items.filter(|item| item.class == class && item.split == split).count()
    };
    let splits = [("train", Some(Split::Train)), ("test", Some(Split::Test)), ("no part", None)];
    let classes = || corpus.classes.iter().enumerate();
    if common.json {
        print_json(&serde_json::json!({
            "name": corpus.name,
            "provenance": corpus.provenance,
            "labels": corpus.labels,
            "shape": corpus.shape,
            "classes": classes().map(|(class, name)| {
                let counts = splits.map(|(_, split)| count(class, split));
                serde_json::json!({
                    "class": name, "train": counts[0], "test": counts[1], "no_part": counts[2],
                })
            }).collect::<Vec<_>>(),
            "bad": [],
            "cannot_train": trained.refused,
            "no_reference": trained.no_reference,
        }));
    } else {
        print(&format!(
            "{} ({}): {}",
            corpus.name,
            provenance_name(corpus.provenance),
            corpus.labels
        ));
        let mut rows = vec![["class", "train", "test", "no part"].map(str::to_owned).to_vec()];
        rows.extend(classes().map(|(class, name)| {
            let mut row = vec![name.clone()];
            row.extend(splits.map(|(_, split)| count(class, split).to_string()));
            row
        }));
        print(&terminal::table(&rows));
        print(&format!("{} of {}", counted(corpus.len(), "image"), corpus.shape));
        trained.print();
        ask_for_provenance(name, corpus.provenance);
        trained.print_next(name, &["--classifier", "lenet"]);
    }
    Ok(trained.outcome())
}

/// Asks to state where the user's own files come from, if nobody did.
fn ask_for_provenance(corpus: &str, provenance: Provenance) {
    if provenance == Provenance::Unstated {
        let path = Path::new(corpus);
        let folder = if path.is_dir() { path } else { path.parent().unwrap_or(path) };
        print(&format!(
            "where these files come from is not stated: write provenance = \"recorded\", \"rendered\" or \
             \"synthetic\" into {}",
            folder.join("about.toml").display()
        ));
    }
}

/// What there is of a class.
struct Counts {
    class: String,
    clips: usize,
    /// A clip without a group is its own.
    groups: usize,
    /// Groups of every kind that the corpus states.
    kinds: Vec<(GroupKind, usize)>,
}

impl Counts {
    fn row(&self) -> Vec<String> {
        let mut row = vec![self.class.clone(), self.clips.to_string(), self.groups.to_string()];
        row.extend(self.kinds.iter().map(|(_, count)| count.to_string()));
        row
    }

    fn json(&self) -> serde_json::Value {
        let Self { class, clips, groups, kinds } = self;
        let mut json = serde_json::json!({ "class": class, "clips": clips, "groups": groups });
        for (kind, count) in kinds {
            json[format!("{}s", kind.name())] = (*count).into();
        }
        json
    }
}

fn class_counts(corpus: &Corpus) -> Vec<Counts> {
    let kinds = corpus.group_kinds();
    let count = |(class, name): (usize, &String)| {
        let clips: Vec<_> =
            corpus.clips.iter().filter(|clip| clip.labels().any(|label| label == class)).collect();
        let distinct = |names: BTreeSet<&str>| names.len();
        let of_kind = |kind: GroupKind| {
            distinct(clips.iter().filter_map(|c| Some(c.groups.get(&kind)?.as_str())).collect())
        };
        Counts {
            class: name.clone(),
            clips: clips.len(),
            groups: distinct(
                clips.iter().map(|clip| clip.group.as_deref().unwrap_or(&clip.id)).collect(),
            ),
            kinds: kinds.iter().map(|&kind| (kind, of_kind(kind))).collect(),
        }
    };
    corpus.classes.iter().enumerate().map(count).collect()
}

#[derive(Serialize)]
struct ListRow<'a> {
    name: &'a str,
    kind: &'static str,
    provenance: String,
    about: &'a str,
    labels: &'a str,
    licence: &'a str,
    download_bytes: u64,
    disk_bytes: u64,
    packages: &'a [String],
    installed: &'a [std::path::PathBuf],
}

impl<'a> ListRow<'a> {
    fn of(recipe: &'a RecipeInfo) -> Self {
        Self {
            name: &recipe.name,
            kind: kind_name(recipe.kind),
            provenance: provenance_name(recipe.provenance),
            about: &recipe.about,
            labels: &recipe.labels,
            licence: &recipe.licence,
            download_bytes: recipe.download_bytes,
            disk_bytes: recipe.disk_bytes,
            packages: &recipe.packages,
            installed: &recipe.installed,
        }
    }
}

fn kind_name(kind: RecipeKind) -> &'static str {
    match kind {
        RecipeKind::Corpus => "corpus",
        RecipeKind::Bank => "bank",
        RecipeKind::Images => "images",
        RecipeKind::Model => "model",
    }
}

fn provenance_name(provenance: Provenance) -> String {
    format!("{provenance:?}").to_lowercase()
}
