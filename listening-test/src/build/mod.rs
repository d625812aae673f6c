//! From fooling sets and real controls to a study folder.
//!
//! ```text
//! study.toml       the design: counts per participant, texts, rules
//! stimuli/         opaque names, equal loudness, no metadata
//! key.json         what each item is; never leaves the server
//! loudness.csv     what was measured and changed, clip by clip
//! manifest.sha256  hashes of all of these, for `sha256sum -c`
//! ```

mod arguments;
mod checks;
mod draw;
mod experiment;
mod fooling_set;
mod gather;
mod loudness;
mod low_pass;
mod noise;
mod pages;
mod picture;
mod sound;
mod tracks;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use trompe_base::random::{Stream, shuffle};

pub use arguments::{BuildArguments, Counts};
pub use draw::draw_evenly;

use crate::analysis::AnalysisPlan;
use crate::answer_key::{AnswerKey, Item, Role};
use crate::error::{Error, Result};
use crate::random::{Purpose, opaque_name, stream};
use crate::recruitment::Recruitment;
use crate::study::{
    Consent, Crowd, Exclusions, Headphones, Medium, PlanSettings, Policy, Question, Resume,
    SCHEMA_VERSION, Study, Task, Texts, Trial,
};
use crate::study_folder::write_manifest;
use gather::{Content, Draft};
use sound::Sound;

/// What was built.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct BuildReport {
    /// Items by condition.
    pub items: BTreeMap<String, usize>,
    /// Loudness all clips share, in LUFS: the target, or less for the true-peak guard.
    pub common_lufs: Option<f64>,
    /// Largest distance of a written clip from it, in LU.
    pub worst_distance_lu: f64,
    /// Highest true peak of a written clip, in dBTP.
    pub highest_peak: f64,
    /// Minutes that a participation takes, as the consent page states them.
    pub minutes: u32,
    /// What the experimenter should know.
    pub warnings: Vec<String>,
}

/// Builds a study folder. Nothing is left behind if it fails.
///
/// # Errors
/// [`trompe_base::Error::Request`] if there is nothing to build from or the folder exists;
/// [`trompe_base::Error::BadFile`] for a file that is not usable as a stimulus, such as a silent clip.
pub fn build(arguments: &BuildArguments) -> Result<BuildReport> {
    let out = &arguments.out;
    if out.exists() {
        return Err(Error::request(
            format!("{} exists", out.display()),
            "name a new folder, or remove it",
        ));
    }
    for (what, text) in
        [("contact", &arguments.contact), ("day of erasure", &arguments.retain_until)]
    {
        if text.trim().is_empty() {
            return Err(Error::request(
                format!("the {what} for the consent page is missing"),
                "say who answers for the study (--contact) and until when answers are kept (--retain-until)",
            ));
        }
    }
    let parent = match out.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(parent).map_err(|source| Error::io(parent, source))?;
    let partial = tempfile::Builder::new()
        .prefix(".partial-study-")
        .tempdir_in(parent)
        .map_err(|source| Error::io(parent, source))?;
    let report = write_study(arguments, partial.path())?;
    let partial = partial.keep();
    std::fs::rename(&partial, out).map_err(|source| Error::io(out, source))?;
    Ok(report)
}

/// Accepts changes made to `study.toml` by hand: checks it and writes the hashes anew.
///
/// # Errors
/// [`trompe_base::Error::BadFile`] if the design does not hold together.
pub fn reseal(root: &Path) -> Result<()> {
    Study::read(&root.join("study.toml"))?;
    write_manifest(root)?;
    crate::study_folder::StudyFolder::open(root).map(|_| ())
}

fn write_study(arguments: &BuildArguments, root: &Path) -> Result<BuildReport> {
    let gathered = gather::gather(arguments)?;
    let study = design(arguments, &gathered)?;
    let stimuli = root.join("stimuli");
    std::fs::create_dir(&stimuli).map_err(|source| Error::io(&stimuli, source))?;

    let mut drafts = gathered.drafts;
    drafts.extend(gather::set_up(arguments, &study));
    let mut names = stream(arguments.seed, Purpose::Names, 0, 0);
    shuffle(&mut drafts, &mut names);
    let mut loudness = LoudnessReport::of(&drafts, arguments)?;
    let mut formats = Formats::default();
    let mut items = Vec::new();
    let mut cut = false;
    let mut warnings = gathered.warnings;
    for (number, draft) in drafts.iter().enumerate() {
        let name = opaque_name(&mut names);
        // X is A or B, and a hidden reference is the reference: encoded alike, their bytes would tell
        let task = study.block(&draft.block).map(|block| block.task);
        let twins = matches!(task, Some(Task::Abx | Task::Mushra | Task::Bs1116 | Task::Staircase));
        let mut excerpts = Excerpts::of(draft, arguments)?;
        warnings.append(&mut excerpts.warnings);
        cut |= excerpts.shortened && draft.fooling_set.is_some();
        let mut sounds = excerpts.sounds.into_iter();
        let mut level = None;
        let mut files = Vec::new();
        let mut hashes = Vec::new();
        let mut seconds = None;
        for (place, content) in draft.contents.iter().enumerate() {
            let stem = opaque_name(&mut names);
            let (number, place) = (number as u64, place as u64);
            let mut own = twins.then(|| stream(arguments.seed, Purpose::Encoding, number, place));
            hashes.push(content.sha256()?);
            match content.picture()? {
                Some(bytes) => {
                    formats.note(draft, picture::size(&bytes));
                    let file = format!("{stem}.png");
                    let bytes = match &mut own {
                        Some(stream) => {
                            picture::encode_anew(Path::new(&content.describe()), &bytes, stream)?
                        }
                        None => bytes,
                    };
                    trompe_base::files::write_atomically(&stimuli.join(&file), &bytes)?;
                    files.push(file);
                }
                None => {
                    let file = format!("{stem}.wav");
                    let Some(sound) = sounds.next() else { continue };
                    seconds = Some(sound.seconds());
                    formats.note(draft, format!("{:.1} s at {} Hz", sound.seconds(), sound.rate));
                    let before = measure(content, &sound)?.integrated;
                    // a page has one gain: its stimuli keep their levels to the reference
                    let level = if draft.belongs_together() {
                        *level.get_or_insert(before)
                    } else {
                        before
                    };
                    let stimulus = Stimulus { content, before, level, file: &file };
                    loudness.write(&stimulus, sound, &stimuli.join(&file), own.as_mut())?;
                    files.push(file);
                }
            }
        }
        let sources: Vec<_> = draft.contents.iter().map(Content::describe).collect();
        items.push(Item {
            name,
            role: draft.role,
            block: draft.block.clone(),
            medium: draft.medium,
            stimuli: files,
            condition: draft.condition.clone(),
            truth: draft.truth.clone(),
            source: sources.join(" | "),
            source_sha256: hashes.join(" | "),
            fooling_set: draft.fooling_set.clone(),
            posterior: draft.posterior,
            seconds,
            conditions: draft.conditions.clone(),
            strengths: draft.strengths.clone(),
        });
    }
    items.sort_by(|a, b| a.name.cmp(&b.name)); // file order tells nothing
    if cut {
        let what = "excerpts are cut: the classifier judged the whole ones; say so, or build without a cut";
        warnings.push(what.into());
    }
    warnings.extend(formats.warnings());
    finish(root, &study, gathered.systems, items, loudness, warnings)
}

/// Lengths and sizes by block and condition: where they differ, people can tell real from
/// fooling without judging anything.
#[derive(Default)]
struct Formats(BTreeMap<String, BTreeMap<String, BTreeSet<String>>>);

impl Formats {
    fn note(&mut self, draft: &Draft, format: String) {
        // who hears one track never compares it with another
        if matches!(draft.role, Role::Trial | Role::Gold) && draft.strengths.is_empty() {
            let block = self.0.entry(draft.block.clone()).or_default();
            block.entry(draft.condition.clone()).or_default().insert(format);
        }
    }

    fn warnings(&self) -> Vec<String> {
        let differ = |conditions: &&BTreeMap<String, BTreeSet<String>>| {
            conditions.values().collect::<BTreeSet<_>>().len() > 1
        };
        let warning = |(block, conditions): (&String, &BTreeMap<String, BTreeSet<String>>)| {
            differ(&conditions).then(|| {
                let list = conditions.iter().map(|(condition, formats)| {
                    let some: Vec<&str> = formats.iter().take(3).map(String::as_str).collect();
                    format!("{condition}: {}", some.join(", "))
                });
                format!(
                    "block {block:?}: conditions differ in length or size, so that people can tell \
                     them apart without judging ({}); `--seconds N` cuts sound alike",
                    list.collect::<Vec<_>>().join("; ")
                )
            })
        };
        self.0.iter().filter_map(warning).collect()
    }
}

fn finish(
    root: &Path,
    study: &Study,
    systems: Vec<serde_json::Value>,
    items: Vec<Item>,
    loudness: LoudnessReport,
    warnings: Vec<String>,
) -> Result<BuildReport> {
    let mut counts = BTreeMap::new();
    for item in items.iter().filter(|item| !item.condition.is_empty()) {
        *counts.entry(item.condition.clone()).or_insert(0) += 1;
    }
    let key = AnswerKey {
        warning: "Labels and posteriors. Keep this file from participants.".into(),
        systems,
        items,
    };
    let key = serde_json::to_vec_pretty(&key)
        .map_err(|error| Error::request(error.to_string(), "report this as a defect"))?;
    trompe_base::files::write_atomically(&root.join("key.json"), &key)?;
    let toml = toml::to_string_pretty(study)
        .map_err(|error| Error::request(error.to_string(), "report this as a defect"))?;
    trompe_base::files::write_atomically(&root.join("study.toml"), toml.as_bytes())?;
    trompe_base::files::write_atomically(&root.join("loudness.csv"), loudness.table.as_bytes())?;
    write_manifest(root)?;
    let folder = crate::study_folder::StudyFolder::open(root)?;
    Ok(BuildReport {
        items: counts,
        common_lufs: study.has_audio().then_some(loudness.target),
        worst_distance_lu: loudness.worst,
        highest_peak: loudness.highest_peak,
        minutes: crate::duration::minutes(&folder, &crate::plan::plans(&folder)),
        warnings,
    })
}

/// What is played of an item's sounds.
struct Excerpts {
    /// One a content that is sound.
    sounds: Vec<Sound>,
    /// Whether less than all of a sound is played.
    shortened: bool,
    warnings: Vec<String>,
}

impl Excerpts {
    /// Reads the sounds of an item: of a file the middle, if that was asked for; those of a page
    /// with their channels, in one length.
    fn of(draft: &Draft, arguments: &BuildArguments) -> Result<Self> {
        let page = draft.belongs_together();
        let mut found = Self { sounds: Vec::new(), shortened: false, warnings: Vec::new() };
        if draft.medium != Medium::Audio {
            return Ok(found);
        }
        for content in &draft.contents {
            found.sounds.push(content.sound(page)?);
        }
        if page {
            found.warnings = pages::align(&draft.contents, &mut found.sounds)?;
        }
        for (content, sound) in draft.contents.iter().zip(&mut found.sounds) {
            if let (Content::File(_) | Content::Anchor(..) | Content::Noise(..), Some(seconds)) =
                (content, arguments.seconds)
            {
                let whole = sound.frames();
                *sound = sound.middle(seconds);
                found.shortened |= sound.frames() < whole;
            }
            sound.fade();
        }
        Ok(found)
    }
}

/// Target, and the table of what was done to each clip.
struct LoudnessReport {
    target: f64,
    table: String,
    worst: f64,
    highest_peak: f64,
}

/// A stimulus on its way to its file.
struct Stimulus<'a> {
    content: &'a Content,
    /// Its loudness.
    before: f64,
    /// The loudness that is brought to the target: its own, or that of its page's reference.
    level: f64,
    file: &'a str,
}

impl LoudnessReport {
    fn of(drafts: &[Draft], arguments: &BuildArguments) -> Result<Self> {
        let mut measured = Vec::new();
        for draft in drafts {
            let sounds = Excerpts::of(draft, arguments)?.sounds;
            let mut level = None;
            for (content, sound) in draft.contents.iter().zip(&sounds) {
                let mut loudness = measure(content, sound)?;
                if !loudness.integrated.is_finite() {
                    return Err(Error::bad_file(
                        content.describe(),
                        "it is silent or shorter than 0.4 s, so it has no loudness (BS.1770)",
                        "leave it out",
                    ));
                }
                if draft.belongs_together() {
                    loudness.integrated = *level.get_or_insert(loudness.integrated);
                }
                measured.push(loudness);
            }
        }
        let target = loudness::common_target(measured, arguments.target_lufs, arguments.peak_limit);
        Ok(Self {
            target,
            table: "stimulus,source,lufs_before,gain_db,lufs_after,true_peak_after\n".into(),
            worst: 0.0,
            highest_peak: f64::NEG_INFINITY,
        })
    }

    fn write(
        &mut self,
        stimulus: &Stimulus,
        mut sound: Sound,
        path: &Path,
        dither: Option<&mut Stream>,
    ) -> Result<()> {
        let Stimulus { content, before, level, file } = *stimulus;
        let gain = self.target - level;
        sound.scale(loudness::gain(level, self.target));
        if let Some(stream) = dither {
            sound.dither(stream);
        }
        let after = measure(content, &sound.write(path)?)?;
        self.worst = self.worst.max((after.integrated - before - gain).abs());
        self.highest_peak = self.highest_peak.max(after.true_peak);
        let mut row = csv::Writer::from_writer(Vec::new());
        let cells = [
            file.to_owned(),
            crate::answers::safe_cell(&content.describe()),
            format!("{before:.2}"),
            format!("{gain:.2}"),
            format!("{:.2}", after.integrated),
            format!("{:.2}", after.true_peak),
        ];
        let written = row.write_record(cells).is_ok();
        let bytes = row.into_inner().unwrap_or_default();
        if !written || bytes.is_empty() {
            return Err(Error::request("the loudness table cannot be written", "report this"));
        }
        self.table += &String::from_utf8_lossy(&bytes);
        Ok(())
    }
}

fn measure(content: &Content, sound: &Sound) -> Result<loudness::Loudness> {
    loudness::measure(sound)
        .map_err(|what| Error::bad_file(content.describe(), what, "convert or leave it out"))
}

fn design(arguments: &BuildArguments, gathered: &gather::Gathered) -> Result<Study> {
    let has_audio = gathered.blocks.iter().any(|block| block.medium == Medium::Audio);
    let policy = if has_audio { arguments.headphones } else { Policy::Off };
    let questionnaire = Question::default_list()
        .into_iter()
        .filter(|question| {
            has_audio
                || !["training", "listening", "genres", "hearing", "device", "room"]
                    .contains(&question.name.as_str())
        })
        .collect();
    let own = |text: &str| match (&arguments.design, text) {
        (_, "") => Texts::new(),
        (Some(design), text) => Texts::from([(design.language.clone(), text.into())]),
        (None, text) => Texts::from([("en".into(), text.into())]),
    };
    let introduction = arguments.design.as_ref().map_or("", |design| &design.introduction);
    let study = Study {
        schema_version: SCHEMA_VERSION,
        name: arguments.name.clone(),
        title: own(&arguments.title),
        languages: arguments.languages.clone(),
        seed: arguments.seed,
        synthetic: gathered.synthetic,
        consent: Consent {
            contact: arguments.contact.clone(),
            text: own(introduction),
            purpose: Texts::new(),
            institution: Texts::new(),
            sharing: Texts::new(),
            minimum_age: 18,
            retain_until: arguments.retain_until.clone(),
        },
        trial: Trial::default(),
        headphones: Headphones { policy, ..Headphones::default() },
        questionnaire,
        plan: PlanSettings::default(),
        resume: Resume::default(),
        crowd: Crowd::default(),
        recruitment: Recruitment::default(),
        exclusions: Exclusions::default(),
        analysis: AnalysisPlan::default(),
        blocks: gathered.blocks.clone(),
    };
    study.check().map_err(|what| Error::request(what, "change the arguments"))?;
    Ok(study)
}
