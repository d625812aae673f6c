//! Recordings to be changed: files, or the clips of a labelled corpus.

use std::path::PathBuf;

use sha2::{Digest, Sha256};
use trompe_corpora::{Clip, Corpus, Limits, Provenance, read_mono};

use crate::error::{Error, Result};
use crate::exhibits::BankUsed;
use crate::hexadecimal::hexadecimal;

/// A recording to be filtered.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// Its name, of which there is only one.
    pub name: String,
    /// Mono samples at the model's rate.
    pub samples: Vec<f32>,
    /// Index of its class among those of the model, if its corpus tells one.
    pub class: Option<usize>,
}

/// Where recordings come from.
#[derive(Debug, Clone, PartialEq)]
pub struct Recordings {
    /// In the order they were asked for.
    pub all: Vec<Recording>,
    /// Name of their corpus, or how many files they are.
    pub name: String,
    /// Where they come from; not known of files.
    pub provenance: Option<Provenance>,
}

impl Recordings {
    /// Reads audio files at `rate` hertz.
    ///
    /// # Errors
    /// Whatever decoding meets; [`Error::Request`] without files or if one is named twice.
    pub fn of_files(paths: &[PathBuf], rate: u32) -> Result<Self> {
        let read = |path: &PathBuf| -> Result<Recording> {
            let samples = read_mono(path, rate, &Limits::default())?.samples;
            Ok(Recording { name: path.display().to_string(), samples, class: None })
        };
        let all = paths.iter().map(read).collect::<Result<_>>()?;
        Self { name: format!("{} files", paths.len()), provenance: None, all }.checked()
    }

    /// Reads the first `per_class` clips of every class of `corpus` at `rate` hertz.
    ///
    /// # Errors
    /// Whatever decoding meets; [`Error::Request`] if there is no clip.
    pub fn of_corpus(
        corpus: &Corpus,
        classes: &[String],
        per_class: usize,
        rate: u32,
    ) -> Result<Self> {
        let read = |clip: &Clip| -> Result<Recording> {
            let class = classes.iter().position(|class| *class == corpus.classes[clip.class]);
            let samples = clip.read(rate, &Limits::default())?.samples;
            Ok(Recording { name: clip.id.clone(), samples, class })
        };
        let mut all = Vec::new();
        for class in 0..corpus.classes.len() {
            let clips = corpus.clips.iter().filter(|clip| clip.class == class).take(per_class);
            all.extend(clips.map(read).collect::<Result<Vec<_>>>()?);
        }
        Self { name: corpus.name.clone(), provenance: Some(corpus.provenance), all }.checked()
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

    /// What a fooling set says of them; nothing of files, whose origin is not known.
    pub(super) fn bank(&self) -> Option<BankUsed> {
        let mut hash = Sha256::new();
        for recording in &self.all {
            hash.update(&recording.name);
            hash.update(recording.samples.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<_>>());
        }
        let (name, sha256) = (self.name.clone(), hexadecimal(&hash.finalize()));
        self.provenance.map(|provenance| BankUsed { name, sha256, provenance })
    }

    /// How many of `labels`, one a recording, are those of the corpus, if it has labels.
    pub(super) fn count_right(&self, labels: &[usize]) -> Option<usize> {
        let told = self.all.iter().zip(labels).filter_map(|(r, label)| Some(r.class? == *label));
        let told: Vec<bool> = told.collect();
        (!told.is_empty()).then(|| told.into_iter().filter(|&right| right).count())
    }
}
