//! Recordings to be changed: files, or the clips of a labelled corpus.

use std::path::PathBuf;

use serde::Serialize;
use sha2::{Digest, Sha256};
use trompe_base::encoding::hex;
use trompe_base::words::counted;
use trompe_corpora::{Audio, Clip, Corpus, Limits, Provenance, read_mono};

use crate::error::{Error, Result};
use crate::exhibits::BankUsed;
use crate::problem::{Input, Victim};

/// Whether the model was trained on the recordings that it judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exposure {
    /// It was trained without them, and without any clip of their groups.
    HeldOut,
    /// It was trained on their corpus.
    TrainedOn,
    /// Nothing tells: files, or a corpus of another name than that it was trained on.
    Unknown,
}

/// A recording to be filtered.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// Its name, of which there is only one.
    pub name: String,
    /// Its sound at the model's rate.
    pub audio: Audio,
    /// Index of its class among those of the model, if its corpus tells one.
    pub class: Option<usize>,
    /// What it shares with other recordings, such as a style file or an artist, if its corpus
    /// tells that.
    pub group: Option<String>,
}

/// Where recordings come from.
#[derive(Debug, Clone, PartialEq)]
pub struct Recordings {
    /// In the order they were asked for.
    pub all: Vec<Recording>,
    /// Name of their corpus, or how many files they are.
    pub name: String,
    /// Where they come from; not known of files.
    pub provenance: Provenance,
    /// Whether the model was trained on them.
    pub exposure: Exposure,
}

impl Recordings {
    /// Reads audio files at `rate` hertz.
    ///
    /// # Errors
    /// Whatever decoding meets; [`Error::Request`] without files or if one is named twice.
    pub fn of_files(paths: &[PathBuf], rate: u32) -> Result<Self> {
        let read = |path: &PathBuf| -> Result<Recording> {
            let audio = read_mono(path, rate, &Limits::default())?;
            Ok(Recording { name: path.display().to_string(), audio, class: None, group: None })
        };
        let all = paths.iter().map(read).collect::<Result<_>>()?;
        let name = counted(paths.len(), "file");
        Self { name, provenance: Provenance::Unstated, exposure: Exposure::Unknown, all }.checked()
    }

    /// Sounds in memory, at one rate, called by their number.
    ///
    /// # Errors
    /// [`Error::Request`] without sounds.
    pub fn of_sounds(sounds: Vec<Audio>) -> Result<Self> {
        let name = counted(sounds.len(), "sound");
        let recording = |(number, audio)| Recording {
            name: format!("recordings[{number}]"),
            audio,
            class: None,
            group: None,
        };
        let all = sounds.into_iter().enumerate().map(recording).collect();
        Self { name, provenance: Provenance::Unstated, exposure: Exposure::Unknown, all }.checked()
    }

    /// Reads `clips` of `corpus`, given by their numbers, at `rate` hertz, for a model of these
    /// `classes`.
    ///
    /// # Errors
    /// Whatever decoding meets; [`Error::Request`] if there is no clip.
    pub fn of_corpus(
        corpus: &Corpus,
        clips: &[usize],
        classes: &[String],
        exposure: Exposure,
        rate: u32,
    ) -> Result<Self> {
        let read = |clip: &Clip| -> Result<Recording> {
            let class = classes.iter().position(|class| *class == corpus.classes[clip.class]);
            let audio = clip.read(rate, &Limits::default())?;
            Ok(Recording { name: clip.id.clone(), audio, class, group: clip.group.clone() })
        };
        let all = clips.iter().map(|&clip| read(&corpus.clips[clip])).collect::<Result<_>>()?;
        let (name, provenance) = (corpus.name.clone(), corpus.provenance);
        Self { name, provenance, exposure, all }.checked()
    }

    /// The first `per_class` clips of every class of `corpus`, by their numbers.
    pub fn first(corpus: &Corpus, per_class: usize) -> Vec<usize> {
        let clips = 0..corpus.clips.len();
        let of = |class| clips.clone().filter(move |&clip| corpus.clips[clip].class == class);
        (0..corpus.classes.len()).flat_map(|class| of(class).take(per_class)).collect()
    }

    fn checked(self) -> Result<Self> {
        if self.all.is_empty() {
            return Err(Error::request("no clip to equalize", "name files, or a corpus"));
        }
        let mut names: Vec<&str> =
            self.all.iter().map(|recording| recording.name.as_str()).collect();
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Error::request(format!("{} is named twice", twice[0]), "name it once"));
        }
        Ok(self)
    }

    /// Checks that `victim` takes every recording.
    ///
    /// # Errors
    /// [`Error::Request`] naming the first that it does not.
    pub(super) fn check(&self, victim: &impl Victim<Audio>) -> Result<()> {
        let Some(wanted) = victim.format() else { return Ok(()) };
        self.all.iter().try_for_each(|recording| {
            Audio::check_format(&recording.audio.format(), &wanted).map_err(|error| {
                Error::request(format!("{}: {error}", recording.name), "or leave it out")
            })
        })
    }

    /// What a fooling set says of them.
    pub(super) fn bank(&self) -> BankUsed {
        let mut hash = Sha256::new();
        for recording in &self.all {
            hash.update(&recording.name);
            hash.update(
                recording.audio.samples.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<_>>(),
            );
        }
        let (name, sha256) = (self.name.clone(), hex(&hash.finalize()));
        BankUsed { name, sha256, provenance: self.provenance, licence: None }
    }

    /// How many of `labels`, one a recording, are those of the corpus, if it has labels.
    pub(super) fn count_right(&self, labels: &[Option<usize>]) -> Option<usize> {
        let told =
            self.all.iter().zip(labels).filter_map(|(r, label)| Some(Some(r.class?) == *label));
        let told: Vec<bool> = told.collect();
        (!told.is_empty()).then(|| told.into_iter().filter(|&right| right).count())
    }
}
