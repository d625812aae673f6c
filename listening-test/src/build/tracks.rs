//! Adaptive tracks: where their stimuli are found or made, and how they run.
//!
//! ```text
//! FOLDER/staircase.toml        how tracks run, and signal-to-noise ratios for those made here
//! FOLDER/NAME/reference.wav    one folder a track
//! FOLDER/NAME/strengths.toml   "file.wav" = strength, a line a file; without it noise is added
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::gather::{Content, Draft, Gathered, block, file_name, medium_of, sorted};
use super::noise::Noise;
use crate::answer_key::Role;
use crate::error::{Error, Result};
use crate::staircase::{Easier, REFERENCE, STAIRCASE, Staircase};
use crate::study::{Medium, Task};

const SETTINGS: &str = "staircase.toml";
const STRENGTHS: &str = "strengths.toml";

/// The content of `staircase.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Recipe {
    /// Signal-to-noise ratios in decibels of the stimuli that are made from a reference.
    snr: Vec<f64>,
    staircase: Staircase,
}

impl Gathered {
    /// A block of the tracks in a folder, a folder each.
    pub(super) fn add_tracks(&mut self, folder: &Path, seed: u64) -> Result<()> {
        let Recipe { snr, mut staircase } = read_toml(&folder.join(SETTINGS))?.unwrap_or_default();
        let name = self.free_name(STAIRCASE);
        let bad = |what: String| {
            Error::bad_file(folder.join(SETTINGS), what, "correct the settings of the tracks")
        };
        let (mut made, mut given) = (false, false);
        for path in sorted(folder)? {
            if !path.is_dir() {
                if file_name(&path) == SETTINGS {
                    continue;
                }
                return Err(Error::bad_file(
                    path,
                    "it is no folder of a track",
                    "give a folder per track, with reference.wav and its stimuli",
                ));
            }
            let track = read_track(&path)?;
            made |= track.stimuli.is_empty();
            given |= !track.stimuli.is_empty();
            let number = self.drafts.len() as u64;
            self.drafts.push(draft(&name, track, &snr, (seed, number))?);
        }
        if made && given {
            return Err(bad(
                "some tracks have strengths.toml and others do not; noise and files have no \
                            strengths in common, so they need folders of their own"
                    .into(),
            ));
        }
        if !made && !given {
            return Err(Error::request(
                format!("{} holds no tracks", folder.display()),
                "give a folder per track, with reference.wav and its stimuli",
            ));
        }
        if made {
            // more noise is easier to hear
            if staircase.easier == Some(Easier::Higher) {
                return Err(bad(
                    "higher signal-to-noise ratios hold less noise, they are not easier".into(),
                ));
            }
            staircase.easier = Some(Easier::Lower);
            if staircase.unit.is_empty() {
                staircase.unit = "dB SNR".into();
            }
        } else if !snr.is_empty() {
            return Err(bad("snr is for tracks without strengths.toml, and there are none".into()));
        }
        staircase.check().map_err(bad)?;
        for draft in self.drafts.iter().filter(|draft| draft.block == name) {
            staircase
                .check_strengths(&draft.strengths)
                .map_err(|what| bad(format!("{}: {what}", draft.condition)))?;
        }
        let mut block = block(&name, Task::Staircase, Medium::Audio, Vec::new());
        block.staircase = Some(staircase);
        self.blocks.push(block);
        Ok(())
    }
}

/// A track as it lies in its folder.
struct TrackFolder {
    name: String,
    reference: PathBuf,
    /// Strengths and files; empty where noise is to be added.
    stimuli: Vec<(f64, PathBuf)>,
}

fn read_track(folder: &Path) -> Result<TrackFolder> {
    let name = file_name(folder);
    if name.contains(':') {
        return Err(Error::bad_file(folder, "its name holds a colon", "rename the folder"));
    }
    let listed: Option<BTreeMap<String, f64>> = read_toml(&folder.join(STRENGTHS))?;
    let reference = folder.join(REFERENCE);
    if !reference.is_file() {
        let what = format!("{name:?} has no {REFERENCE}");
        return Err(Error::bad_file(
            folder,
            what,
            "put the unchanged sound into the track's folder",
        ));
    }
    let mut stimuli = Vec::new();
    for (file, strength) in listed.iter().flatten() {
        let path = folder.join(file);
        if file == REFERENCE || medium_of(&path) != Some(Medium::Audio) || !path.is_file() {
            return Err(Error::bad_file(
                folder.join(STRENGTHS),
                format!("{file:?} is no WAV file beside it that can be a stimulus"),
                "name the files of the folder, each with its strength",
            ));
        }
        stimuli.push((*strength, path));
    }
    if listed.is_some() && stimuli.is_empty() {
        let what = "it lists no stimulus";
        return Err(Error::bad_file(folder.join(STRENGTHS), what, "list files, or remove it"));
    }
    for path in sorted(folder)? {
        let known = [REFERENCE, STRENGTHS].contains(&file_name(&path).as_str())
            || stimuli.iter().any(|(_, file)| *file == path);
        if !known {
            return Err(Error::bad_file(
                path,
                format!("it has no strength in {STRENGTHS}"),
                "list it with its strength, or remove it",
            ));
        }
    }
    stimuli.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    Ok(TrackFolder { name, reference, stimuli })
}

/// The reference, then the stimuli from the lowest strength to the highest.
fn draft(block: &str, track: TrackFolder, snr: &[f64], key: (u64, u64)) -> Result<Draft> {
    let TrackFolder { name, reference, stimuli } = track;
    let mut contents = vec![Content::File(reference.clone())];
    let mut strengths: Vec<f64> = stimuli.iter().map(|(strength, _)| *strength).collect();
    if stimuli.is_empty() {
        if snr.is_empty() {
            return Err(Error::bad_file(
                &reference,
                format!("there is neither {STRENGTHS} beside it nor snr in {SETTINGS}"),
                "list files with their strengths, or signal-to-noise ratios such as snr = [0, 3, 6]",
            ));
        }
        strengths = snr.to_vec();
        strengths.sort_by(f64::total_cmp);
    }
    let (seed, track) = key;
    for (place, &snr) in strengths.iter().enumerate().filter(|_| stimuli.is_empty()) {
        let noise = Noise { snr, seed, track, place: place as u64 };
        contents.push(Content::Noise(reference.clone(), noise));
    }
    contents.extend(stimuli.into_iter().map(|(_, path)| Content::File(path)));
    Ok(Draft {
        role: Role::Trial,
        block: block.to_owned(),
        medium: Medium::Audio,
        contents,
        condition: format!("{STAIRCASE}:{name}"),
        truth: String::new(),
        posterior: None,
        fooling_set: None,
        conditions: Vec::new(),
        strengths,
    })
}

/// The content of a TOML file, or nothing if there is none.
fn read_toml<T: serde::de::DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    if !path.exists() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(path).map_err(|source| Error::io(path, source))?;
    let read = toml::from_str(&text).map_err(|error| {
        Error::bad_file(
            path,
            error.to_string(),
            "correct it as the README of listening tests shows",
        )
    })?;
    Ok(Some(read))
}
