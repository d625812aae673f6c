//! Finds the material of a study and says what each piece will be.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use trompe_base::encoding::hex;
use trompe_base::hash::sha256_file;
use trompe_base::random::{Stream, shuffle};

use super::arguments::BuildArguments;
use super::draw::draw_evenly;
use super::fooling_set::FoolingSet;
use super::low_pass::low_pass;
use super::noise::Noise;
use super::sound::Sound;
use super::{checks, picture};
use crate::answer_key::Role;
use crate::error::{Error, Result};
use crate::mushra::Anchor;
use crate::random::{Purpose, stream};
use crate::study::{Block, Medium, Policy, Study, Task, Texts};

/// An item before it has a name and files.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) role: Role,
    pub(super) block: String,
    pub(super) medium: Medium,
    pub(super) contents: Vec<Content>,
    pub(super) condition: String,
    pub(super) truth: String,
    pub(super) posterior: Option<f64>,
    /// SHA-256 of the manifest of the fooling set it comes from.
    pub(super) fooling_set: Option<String>,
    /// On a page of several stimuli, what each after the first is.
    pub(super) conditions: Vec<String>,
    /// Of an adaptive track, the strength of each after the first.
    pub(super) strengths: Vec<f64>,
}

impl Draft {
    /// Whether its sounds are compared with each other: they keep their channels and their levels to
    /// the first, and are of one length.
    pub(super) fn belongs_together(&self) -> bool {
        !self.conditions.is_empty() || !self.strengths.is_empty()
    }
}

/// Where the content of a stimulus comes from.
#[derive(Debug)]
pub(super) enum Content {
    /// A file of a fooling set or corpus.
    File(PathBuf),
    /// Synthesized, with a word on what it is.
    Sound(&'static str, Sound),
    /// A file through the low-pass filter of an anchor.
    Anchor(PathBuf, Anchor),
    /// A file with noise added.
    Noise(PathBuf, Noise),
    /// Drawn here.
    Picture(Vec<u8>),
}

impl Content {
    pub(super) fn describe(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Sound(what, _) => format!("synthesized: {what}"),
            Self::Anchor(path, anchor) => format!("{}: {}", anchor.name(), path.display()),
            Self::Noise(path, noise) => format!("{} dB SNR: {}", noise.snr, path.display()),
            Self::Picture(_) => "drawn: plain".into(),
        }
    }

    /// SHA-256 of the source file; empty for what is made here.
    pub(super) fn sha256(&self) -> Result<String> {
        match self {
            Self::File(path) | Self::Anchor(path, _) | Self::Noise(path, _) => {
                Ok(hex(&sha256_file(path)?))
            }
            _ => Ok(String::new()),
        }
    }

    /// The bytes of a picture, or `None` for sound.
    pub(super) fn picture(&self) -> Result<Option<Vec<u8>>> {
        match self {
            Self::File(path) if medium_of(path) == Some(Medium::Image) => {
                let bytes = std::fs::read(path).map_err(|source| Error::io(path, source))?;
                picture::strip(path, &bytes).map(Some)
            }
            Self::Picture(bytes) => Ok(Some(bytes.clone())),
            _ => Ok(None),
        }
    }

    /// The sound, its channels mixed to one unless `stereo`.
    pub(super) fn sound(&self, stereo: bool) -> Result<Sound> {
        let read = if stereo { Sound::read_stereo } else { Sound::read_mono };
        match self {
            Self::File(path) => read(path),
            Self::Anchor(path, anchor) => {
                let sound = read(path)?;
                low_pass(&sound, anchor.hertz()).ok_or_else(|| {
                    Error::bad_file(
                        path,
                        format!("at {} Hz it is too narrow for {}", sound.rate, anchor.name()),
                        "give a reference of a higher sample rate, or build without that anchor",
                    )
                })
            }
            Self::Noise(path, noise) => Ok(noise.added_to(&read(path)?)),
            Self::Sound(_, sound) => Ok(sound.clone()),
            Self::Picture(_) => Err(Error::request("a picture has no sound", "report this")),
        }
    }
}

/// Everything found.
#[derive(Debug)]
pub(super) struct Gathered {
    pub(super) blocks: Vec<Block>,
    pub(super) drafts: Vec<Draft>,
    pub(super) systems: Vec<serde_json::Value>,
    pub(super) synthetic: bool,
    pub(super) warnings: Vec<String>,
}

/// Reads all sources and lays out blocks and items.
pub(super) fn gather(arguments: &BuildArguments) -> Result<Gathered> {
    let mut found = Gathered {
        blocks: Vec::new(),
        drafts: Vec::new(),
        systems: Vec::new(),
        synthetic: arguments.synthetic,
        warnings: Vec::new(),
    };
    for folder in &arguments.fooling_sets {
        found.add_fooling_set(FoolingSet::read(folder)?)?;
    }
    for folder in &arguments.real {
        found.add_real(folder, arguments)?;
    }
    for folder in &arguments.gold {
        found.add_gold(folder)?;
    }
    for (index, folder) in arguments.pairs.iter().enumerate() {
        found.add_pairs(arguments.seed, folder, index, arguments.pair_task)?;
    }
    for (index, folder) in arguments.ratings.iter().enumerate() {
        found.add_ratings(folder, index)?;
    }
    for folder in &arguments.mushra {
        found.add_pages(folder, &arguments.anchors)?;
    }
    for folder in &arguments.bs1116 {
        found.add_triples(folder)?;
    }
    for folder in &arguments.staircases {
        found.add_tracks(folder, arguments.seed)?;
    }
    if let Some(design) = &arguments.design {
        found.add_design(arguments.seed, design);
    }
    if found.blocks.is_empty() {
        return Err(Error::request(
            "there is nothing to build a study from",
            "give a fooling set, real controls, pairs, files to rate, pages or tracks",
        ));
    }
    for index in 0..found.blocks.len() {
        found.settle_counts(index, arguments);
    }
    Ok(found)
}

/// Files of one medium with their classes.
struct ByClass {
    block: String,
    medium: Medium,
    /// Number of the class of each file.
    labels: Vec<usize>,
    /// Class and place of each.
    files: Vec<(String, PathBuf)>,
}

impl Gathered {
    fn choice_block(&mut self, medium: Medium, classes: &[String]) -> String {
        let same = |block: &&Block| {
            block.task == Task::Choice && block.medium == medium && block.classes == classes
        };
        if let Some(block) = self.blocks.iter().find(same) {
            return block.name.clone();
        }
        let of_medium = self.blocks.iter().filter(|block| block.medium == medium).count();
        let mut name = medium.name().to_owned();
        if of_medium > 0 {
            name += &format!("-{}", of_medium + 1);
        }
        self.blocks.push(block(&name, Task::Choice, medium, classes.to_vec()));
        name
    }

    fn add_fooling_set(&mut self, set: FoolingSet) -> Result<()> {
        let block = self.choice_block(set.origin.medium, &set.origin.classes);
        self.synthetic |= set.is_synthetic();
        for exhibit in &set.exhibits {
            let file = set.folder.join(&exhibit.file);
            if medium_of(&file) != Some(set.origin.medium) {
                return Err(Error::bad_file(
                    file,
                    "it is not of its set's medium",
                    "sound is WAV, pictures are PNG",
                ));
            }
            self.drafts.push(Draft {
                role: Role::Trial,
                block: block.clone(),
                medium: set.origin.medium,
                contents: vec![Content::File(file)],
                condition: format!("fooling:{}", set.origin.classifier.kind),
                truth: exhibit.label.clone(),
                posterior: Some(exhibit.posterior),
                fooling_set: Some(set.sha256.clone()),
                conditions: Vec::new(),
                strengths: Vec::new(),
            });
        }
        self.systems.push(set.statement);
        Ok(())
    }

    fn add_real(&mut self, folder: &Path, arguments: &BuildArguments) -> Result<()> {
        for found in self.by_class(folder)? {
            for place in draw_evenly(&found.labels, arguments.pool, arguments.seed) {
                let (class, file) = found.files[place].clone();
                self.drafts.push(trial(&found.block, found.medium, vec![file], "real", class));
            }
        }
        Ok(())
    }

    /// Items that everybody is expected to name: all that are there.
    fn add_gold(&mut self, folder: &Path) -> Result<()> {
        for found in self.by_class(folder)? {
            for (class, file) in found.files {
                let draft = trial(&found.block, found.medium, vec![file], "gold", class);
                self.drafts.push(Draft { role: Role::Gold, ..draft });
            }
        }
        Ok(())
    }

    /// The files of a folder with a folder per class, by medium, with the block of each medium.
    fn by_class(&mut self, folder: &Path) -> Result<Vec<ByClass>> {
        let mut by_medium: BTreeMap<Medium, Vec<(String, PathBuf)>> = BTreeMap::new();
        let mut classes = Vec::new();
        for class_folder in sorted(folder)?.into_iter().filter(|path| path.is_dir()) {
            let class = file_name(&class_folder);
            for file in sorted(&class_folder)? {
                if let Some(medium) = medium_of(&file) {
                    by_medium.entry(medium).or_default().push((class.clone(), file));
                }
            }
            classes.push(class);
        }
        if by_medium.is_empty() {
            return Err(Error::request(
                format!("{} holds no WAV or PNG file in a folder per class", folder.display()),
                "lay the items out as FOLDER/CLASS/FILE.wav",
            ));
        }
        let mut found = Vec::new();
        for (medium, files) in by_medium {
            let known = self
                .blocks
                .iter()
                .find(|block| {
                    block.task == Task::Choice
                        && block.medium == medium
                        && files.iter().all(|(class, _)| block.classes.contains(class))
                })
                .map(|block| block.name.clone());
            let block = match known {
                Some(name) => name,
                None => match self.blocks.iter().find(|block| block.medium == medium) {
                    Some(block) => return Err(other_classes(folder, &classes, &block.classes)),
                    None => self.choice_block(medium, &classes),
                },
            };
            let labels: Vec<usize> = files
                .iter()
                .map(|(class, _)| classes.iter().position(|name| name == class).unwrap_or(0))
                .collect();
            found.push(ByClass { block, medium, labels, files });
        }
        Ok(found)
    }

    fn add_pairs(&mut self, seed: u64, folder: &Path, index: usize, task: Task) -> Result<()> {
        let word = match task {
            Task::Abx => "abx",
            Task::Ab => "ab",
            _ => return Err(Error::request("pairs are compared by ABX or AB", "choose one")),
        };
        let name = if index == 0 { word.into() } else { format!("{word}-{}", index + 1) };
        let (medium, pairs) = read_pairs(folder)?;
        let sides = if task == Task::Ab { sides(&pairs) } else { None };
        let condition = match &sides {
            Some([first, second]) => format!("{word}:{first}/{second}"),
            None => word.into(),
        };
        let orders = deal(pairs.len(), &mut stream(seed, Purpose::Pairs, index as u64, 0));
        for (pair, (first, x)) in pairs.into_iter().zip(orders) {
            let (contents, truth) = pair_in_order(task, &condition, &pair, first, x);
            self.drafts.push(trial(&name, medium, contents, &condition, truth));
        }
        self.blocks.push(block(&name, task, medium, Vec::new()));
        Ok(())
    }

    /// Files to rate: of the folder itself, or of its folders, each a condition.
    fn add_ratings(&mut self, folder: &Path, index: usize) -> Result<()> {
        let mut files: Vec<(String, PathBuf)> = Vec::new();
        for path in sorted(folder)? {
            if path.is_dir() {
                let condition = format!("likert:{}", file_name(&path));
                files.extend(sorted(&path)?.into_iter().map(|file| (condition.clone(), file)));
            } else {
                files.push(("likert".into(), path));
            }
        }
        files.retain(|(_, file)| medium_of(file).is_some());
        let medium = files.first().and_then(|(_, file)| medium_of(file)).ok_or_else(|| {
            Error::request(format!("{} holds no WAV or PNG file", folder.display()), "add some")
        })?;
        let name = if index == 0 { "likert".into() } else { format!("likert-{}", index + 1) };
        for (condition, file) in files {
            if medium_of(&file) != Some(medium) {
                return Err(Error::bad_file(file, "media are mixed", "rate one medium per folder"));
            }
            self.drafts.push(trial(&name, medium, vec![file], &condition, String::new()));
        }
        self.blocks.push(block(&name, Task::Likert, medium, Vec::new()));
        Ok(())
    }

    /// Items per participant for block `index`, no more than there are; practice items are
    /// taken out of the real controls for good.
    fn settle_counts(&mut self, index: usize, arguments: &BuildArguments) {
        let block = &mut self.blocks[index];
        let mut have: BTreeMap<String, u32> = BTreeMap::new();
        let of_block = |draft: &&Draft| draft.block == block.name;
        let gold = self.drafts.iter().filter(of_block).filter(|draft| draft.role == Role::Gold);
        block.gold = arguments.gold_each.min(gold.count() as u32);
        let trials = self.drafts.iter().filter(of_block).filter(|draft| draft.role == Role::Trial);
        for draft in trials {
            *have.entry(draft.condition.clone()).or_default() += 1;
        }
        if block.task != Task::Choice {
            block.items = have.iter().map(|(name, &count)| (name.clone(), count.min(40))).collect();
            return;
        }
        let counts = &arguments.counts;
        let spare = have.get("real").copied().unwrap_or(0).saturating_sub(counts.real);
        block.practice = counts.practice.min(spare);
        block.catch = counts.catch;
        if block.practice < counts.practice {
            self.warnings.push(format!(
                "block {:?}: {} practice items of {} (they come out of the real controls)",
                block.name, block.practice, counts.practice
            ));
        }
        if !have.contains_key("real") {
            self.warnings.push(format!(
                "block {:?} has no real controls: nothing will show that these people can name its classes",
                block.name
            ));
        }
        let systems = have.keys().filter(|name| name.starts_with("fooling:")).count() as u32;
        for (condition, &count) in &have {
            let wanted = match condition.as_str() {
                "real" => counts.real,
                _ => counts.fooling.div_ceil(systems.max(1)),
            };
            block.items.insert(condition.clone(), count.min(wanted));
        }
        let mut real: Vec<&mut Draft> = self
            .drafts
            .iter_mut()
            .filter(|draft| draft.block == block.name && draft.condition == "real")
            .collect();
        let mut stream = stream(arguments.seed, Purpose::Practice, index as u64, 0);
        shuffle(&mut real, &mut stream);
        for draft in real.into_iter().take(block.practice as usize) {
            draft.role = Role::Practice;
            draft.condition = "practice".into();
        }
    }
}

/// For each of `count` pairs, which of its two files is A and which is X: all four combinations
/// equally often, within one, so that neither a position nor a letter is right more often.
pub(super) fn deal(count: usize, stream: &mut Stream) -> Vec<(usize, usize)> {
    let mut hands: Vec<usize> = (0..count).collect();
    shuffle(&mut hands, stream);
    hands.into_iter().map(|hand| (hand % 2, hand / 2 % 2)).collect()
}

/// The two files of a pair as A and B, A being file `first`, with file `x` as X after them in an
/// ABX, and the answer they are compared with.
pub(super) fn pair_in_order(
    task: Task,
    condition: &str,
    pair: &[PathBuf; 2],
    first: usize,
    x: usize,
) -> (Vec<PathBuf>, String) {
    let order = [first, 1 - first];
    let mut files = order.map(|side| pair[side].clone()).to_vec();
    let letter = |place: usize| ["A", "B"][place].to_owned();
    if task == Task::Abx {
        let place = first ^ x;
        files.push(files[place].clone());
        return (files, letter(place));
    }
    let named = condition.contains(':');
    (files, if named { letter(first) } else { String::new() })
}

/// A trial without fooling set and posterior.
pub(super) fn trial(
    block: &str,
    medium: Medium,
    files: Vec<PathBuf>,
    condition: &str,
    truth: String,
) -> Draft {
    Draft {
        role: Role::Trial,
        block: block.to_owned(),
        medium,
        contents: files.into_iter().map(Content::File).collect(),
        condition: condition.to_owned(),
        truth,
        posterior: None,
        fooling_set: None,
        conditions: Vec::new(),
        strengths: Vec::new(),
    }
}

/// Catch items of all choice blocks, and the sounds of level, ear and headphone checks.
pub(super) fn set_up(arguments: &BuildArguments, study: &Study) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for (index, block) in study.blocks.iter().enumerate() {
        if block.catch == 0 {
            continue;
        }
        let mut classes = block.classes.clone();
        shuffle(&mut classes, &mut stream(arguments.seed, Purpose::Catch, index as u64, 0));
        let content = || match block.medium {
            Medium::Audio => {
                Content::Sound("chime", checks::chime(arguments.seconds.unwrap_or(10.0)))
            }
            Medium::Image => Content::Picture(picture::plain(256).unwrap_or_default()),
        };
        // twice as many as each participant gets, so that answers are not passed on
        for class in classes.iter().cycle().take(2 * block.catch as usize) {
            drafts.push(Draft {
                role: Role::Catch,
                block: block.name.clone(),
                medium: block.medium,
                contents: vec![content()],
                condition: "catch".into(),
                truth: class.clone(),
                posterior: None,
                fooling_set: None,
                conditions: Vec::new(),
                strengths: Vec::new(),
            });
        }
    }
    if study.has_audio() && study.headphones.policy != Policy::Off {
        drafts.extend(checks_of(arguments.seed, study.headphones.trials));
    }
    drafts
}

fn checks_of(seed: u64, trials: u32) -> Vec<Draft> {
    let check = |role, what, sound, truth: &str| Draft {
        role,
        block: String::new(),
        medium: Medium::Audio,
        contents: vec![Content::Sound(what, sound)],
        condition: String::new(),
        truth: truth.into(),
        posterior: None,
        fooling_set: None,
        conditions: Vec::new(),
        strengths: Vec::new(),
    };
    let mut drafts = vec![
        check(Role::Level, "level", checks::level(seed), ""),
        check(Role::LeftRight, "ears", checks::ears(seed, true), "left"),
        check(Role::LeftRight, "ears", checks::ears(seed, false), "right"),
    ];
    const ORDERS: [(u32, u32); 6] = [(1, 2), (2, 3), (3, 1), (1, 3), (2, 1), (3, 2)];
    for trial in 0..trials {
        let (target, foil) = ORDERS[trial as usize % ORDERS.len()];
        let truth = target.to_string();
        let sound = checks::huggins(seed, u64::from(trial), target);
        drafts.push(check(Role::Huggins, "Huggins pitch", sound, &truth));
        drafts.push(check(Role::Antiphase, "antiphase", checks::antiphase(target, foil), &truth));
    }
    drafts
}

pub(super) fn block(name: &str, task: Task, medium: Medium, classes: Vec<String>) -> Block {
    Block {
        name: name.into(),
        task,
        medium,
        classes,
        class_names: BTreeMap::new(),
        question: Texts::new(),
        scale: 7,
        items: BTreeMap::new(),
        catch: 0,
        practice: 0,
        gold: 0,
        staircase: None,
    }
}

/// The pairs in a folder, a folder each, with the medium of all of them.
fn read_pairs(folder: &Path) -> Result<(Medium, Vec<[PathBuf; 2]>)> {
    let mut medium = None;
    let mut pairs = Vec::new();
    for pair in sorted(folder)?.into_iter().filter(|path| path.is_dir()) {
        let files: Vec<_> =
            sorted(&pair)?.into_iter().filter(|file| medium_of(file).is_some()).collect();
        let kind = files.first().and_then(|file| medium_of(file));
        let alike = files.iter().all(|file| medium_of(file) == kind);
        match <[PathBuf; 2]>::try_from(files) {
            Ok(files) if alike && medium.is_none_or(|medium| Some(medium) == kind) => {
                pairs.push(files);
            }
            _ => {
                return Err(Error::bad_file(
                    pair,
                    "it does not hold exactly two files of the block's medium",
                    "put two WAV or two PNG files into each pair's folder",
                ));
            }
        }
        medium = kind;
    }
    let medium = medium.ok_or_else(|| {
        Error::request(format!("{} holds no pairs", folder.display()), "give a folder per pair")
    })?;
    Ok((medium, pairs))
}

/// What the pairs compare, by the names of their files, if it is the same two everywhere.
fn sides(pairs: &[[PathBuf; 2]]) -> Option<[String; 2]> {
    let stems = |pair: &[PathBuf; 2]| {
        [0, 1].map(|side| pair[side].file_stem().unwrap_or_default().to_string_lossy().into_owned())
    };
    let [first, second] = stems(pairs.first()?);
    let same = pairs.iter().all(|pair| stems(pair) == [first.clone(), second.clone()]);
    (same && first != second).then_some([first, second])
}

fn other_classes(folder: &Path, of_controls: &[String], of_sets: &[String]) -> Error {
    Error::request(
        format!(
            "{}: items of the classes {} fit no fooling set with the classes {}",
            folder.display(),
            of_controls.join(", "),
            of_sets.join(", ")
        ),
        "choose real material whose classes are named as the classifier names its own",
    )
}

pub(super) fn medium_of(path: &Path) -> Option<Medium> {
    match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "wav" => Some(Medium::Audio),
        "png" => Some(Medium::Image),
        _ => None,
    }
}

pub(super) fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Entries of a folder by name, hidden ones left out.
pub(super) fn sorted(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|source| Error::io(folder, source))? {
        let path = entry.map_err(|source| Error::io(folder, source))?.path();
        if !file_name(&path).starts_with('.') {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}
