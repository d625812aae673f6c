//! A medium for tests: a genome is one number per class, its file is the numbers as text
//! with two decimals (so delivery is lossy, as 16-bit audio is), its score is the numbers.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;
use trompe_corpora::Provenance;

use crate::error::{Error, Result};
use crate::log_odds::posterior_from_log_odds;
use crate::problem::{
    BankUsed, ClassifierUsed, GeneratorUsed, Input, Medium, PosteriorKind, Render, Victim,
};
use crate::search::Elite;

use super::codec::{Codec, score_file};
use super::delivery::{Candidate, Delivery};
use super::manifest::{Exhibit, Manifest, Origin, SCHEMA_VERSION, Unreached};
use super::picture::{Picture, Spectrogram, Waveform};
use super::write::write;

/// SHA-256 of the toy model.
pub(crate) const MODEL: &str = "c0ffee";

/// The toy medium: space, codec and victim. It can lose some log-odds in delivery, and fail at
/// the n-th file.
#[derive(Default)]
pub(crate) struct Toy {
    pub(crate) loss: f64,
    pub(crate) fail_at: Option<usize>,
    pub(crate) delivered: AtomicUsize,
}

/// One number per class.
pub(crate) struct Numbers(Vec<f64>);

impl Input for Numbers {
    const MEDIUM: Medium = Medium::Audio;

    type Format = ();

    fn format(&self) {}

    fn check_format(_: &(), _: &()) -> Result<()> {
        Ok(())
    }
}

impl Render for Toy {
    type Genome = Vec<f64>;
    type Input = Numbers;

    fn render(&self, genome: &Vec<f64>) -> Numbers {
        Numbers(genome.iter().map(|value| value - self.loss).collect())
    }

    fn descriptions(&self, genome: &Vec<f64>) -> Vec<String> {
        genome.iter().map(|v| format!("number {v}")).collect()
    }
}

impl Victim<Numbers> for Toy {
    fn classes(&self) -> &[String] {
        static CLASSES: LazyLock<Vec<String>> = LazyLock::new(|| origin().classes);
        &CLASSES
    }

    fn scores(&self, inputs: &[Numbers]) -> Result<Vec<f64>> {
        Ok(inputs.iter().flat_map(|numbers| &numbers.0).copied().collect())
    }
}

impl Codec<Numbers> for Toy {
    fn extension(&self) -> &'static str {
        "txt"
    }

    fn write(&self, numbers: &Numbers, path: &Path) -> Result<()> {
        let number = self.delivered.fetch_add(1, Ordering::Relaxed);
        if self.fail_at == Some(number) {
            fs::write(path, "half").unwrap();
            return Err(Error::io(path, std::io::Error::other("the disk is full")));
        }
        let cells: Vec<String> = numbers.0.iter().map(|value| format!("{value:.2}")).collect();
        fs::write(path, cells.join(" ")).map_err(|source| Error::io(path, source))
    }

    fn read(&self, path: &Path) -> Result<Numbers> {
        let text = fs::read_to_string(path).map_err(|source| Error::io(path, source))?;
        let parse = |cell: &str| {
            cell.parse::<f64>().map_err(|error| Error::bad_file(path, error.to_string(), "repair"))
        };
        Ok(Numbers(text.split(' ').map(parse).collect::<Result<_>>()?))
    }

    fn picture(&self, numbers: &Numbers) -> Picture {
        let samples: Vec<f32> = numbers.0.iter().map(|&value| value as f32 / 20.0).collect();
        Picture::Sound {
            waveform: Waveform::from_samples(&samples, 1, 10),
            spectrogram: Spectrogram { columns: 2, levels: vec![0.0, 0.5, 1.0, 0.5] },
        }
    }
}

impl Toy {
    /// It renders, writes, reads and scores.
    pub(crate) fn delivery(&self) -> Delivery<'_, Self> {
        Delivery { space: self, victim: self, codec: self, stop: None }
    }

    /// Log-odds of a file.
    pub(crate) fn score(&self, path: &Path) -> Result<Vec<f64>> {
        Ok(score_file(self, self, path)?.1)
    }
}

/// An elite whose search scores are its genome.
pub(crate) fn elite(evaluation: u64, log_odds: &[f64]) -> Elite<Vec<f64>> {
    Elite {
        evaluation,
        parent: (evaluation > 1).then_some(evaluation - 1),
        emitter: "climber".into(),
        made_by: (evaluation > 1).then(|| "swap".into()),
        log_odds: log_odds.to_vec(),
        genome: log_odds.to_vec(),
    }
}

/// Three classes on a synthetic corpus and bank, threshold 0.999.
pub(crate) fn origin() -> Origin {
    Origin {
        medium: Medium::Audio,
        classes: ["blues", "rock", "jazz"].map(str::to_owned).to_vec(),
        classifier: ClassifierUsed {
            kind: "adabffs".into(),
            posterior_kind: PosteriorKind::LogisticOfVote,
            sha256: MODEL.into(),
            corpus: "synthetic".into(),
            provenance: Provenance::Synthetic,
            known_as: None,
            input: serde_json::json!({ "sample_rate": 1 }),
            runtime: None,
        },
        generator: GeneratorUsed {
            name: "numbers".into(),
            bank: Some(BankUsed {
                name: "digits".into(),
                sha256: "d1".into(),
                provenance: Provenance::Rendered,
                licence: None,
            }),
            settings: serde_json::json!({ "count": 3 }),
        },
        seed: 42,
        threshold: 0.999,
        level: None,
        reference: None,
    }
}

/// A manifest with two exhibits, of `blues` and `rock`, and `jazz` unreached.
pub(crate) fn manifest() -> Manifest {
    let exhibit = |file: &str, class: usize, log_odds: [f64; 3]| Exhibit {
        file: file.into(),
        class,
        label: origin().classes[class].clone(),
        posterior: posterior_from_log_odds(log_odds[class]),
        posteriors: log_odds.map(posterior_from_log_odds).to_vec(),
        log_odds: log_odds.to_vec(),
        calibrated: None,
        level: None,
        other_tags: Vec::new(),
        evaluation: 1234 + class as u64,
        emitter: "climber".into(),
        made_by: Some("swap".into()),
        parent: Some(7),
        genome: serde_json::json!([1, 2.5]),
        descriptions: vec!["drums/four on the floor".into(), "bass/walking".into()],
        sha256: format!("{class:02}").repeat(32),
    };
    Manifest {
        schema_version: SCHEMA_VERSION,
        trompe_version: "0.1.0".into(),
        origin: origin(),
        exhibits: vec![
            exhibit("blues-1_0.9999.txt", 0, [9.5, -3.0, 0.5]),
            exhibit("rock-1_0.9996.txt", 1, [-1.0, 8.0, -2.0]),
        ],
        unreached: vec![Unreached { class: 2, label: "jazz".into(), best_posterior: Some(0.8125) }],
    }
}

/// A set on disk: `blues-1_0.9999.txt` and `rock-1_0.9996.txt`.
pub(crate) fn set() -> (TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("set");
    let elites = [elite(3, &[9.5, -3.0, 0.0]), elite(5, &[0.0, 8.0, 1.0])];
    let candidates =
        [Candidate { class: 0, elite: &elites[0] }, Candidate { class: 1, elite: &elites[1] }];
    write(&folder, origin(), &candidates, 1, &Toy::default().delivery(), |_, _, _| {
        Ok(String::new())
    })
    .unwrap();
    (home, folder)
}
