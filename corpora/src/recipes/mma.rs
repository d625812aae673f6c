//! Musical MIDI Accompaniment (MMA): style files written by people, played to MIDI.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use rand::RngExt;
use rand::seq::IndexedRandom;
use trompe_base::random::Stream;
use trompe_base::{Error, Result};

use crate::cache::Cache;
use crate::midi::Song;
use crate::recipes::packages;
use crate::recipes::recipe::Recipe;
use crate::recipes::tools::{Tools, run};

/// The package that every rendering recipe lists.
const PROGRAM: &str = "mma";

/// MMA, ready in the cache.
#[derive(Debug, Clone)]
pub(crate) struct Mma {
    tools: Tools,
    script: PathBuf,
    home: PathBuf,
}

/// What is asked of MMA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    /// Style file, by path below the library and without ending.
    pub(crate) file: String,
    pub(crate) groove: String,
    /// Beats a minute.
    pub(crate) tempo: u32,
    /// Seed of MMA's own small irregularities.
    pub(crate) seed: u32,
    /// One chord a bar.
    pub(crate) chords: Vec<String>,
    /// More tracks, in MMA's language.
    pub(crate) backing: String,
    /// Bars, counted from zero, at whose beginning a marker `bar N` is set.
    pub(crate) markers: Vec<usize>,
}

impl Mma {
    /// Fetches and unpacks what is needed.
    ///
    /// # Errors
    /// Those of fetching, and [`Error::Tool`] when there is no `python3`.
    pub(crate) fn prepare(recipe: &Recipe, cache: &Cache, tools: &Tools) -> Result<Self> {
        tools.command("python3", "python3")?;
        let program = packages::unpacked(recipe.package(PROGRAM)?, cache, tools)?;
        Ok(Self {
            tools: tools.clone(),
            script: program.join("usr/bin/mma"),
            home: program.join("usr/share/mma"),
        })
    }

    /// The style files of `folder` in the library, sorted.
    ///
    /// # Errors
    /// [`Error::Io`] naming the folder.
    pub(crate) fn style_files(&self, folder: &str) -> Result<Vec<String>> {
        let path = self.home.join("lib").join(folder);
        let list = || fs::read_dir(&path)?.collect::<std::io::Result<Vec<_>>>();
        let mut files: Vec<String> = list()
            .map_err(|source| Error::io(&path, source))?
            .iter()
            .filter_map(|entry| {
                let name = entry.file_name().into_string().ok()?;
                Some(format!("{folder}/{}", name.strip_suffix(".mma")?))
            })
            .collect();
        files.sort();
        Ok(files)
    }

    /// The grooves that `file` defines, in its order, without those whose names contain one
    /// of `skip` in any case.
    ///
    /// # Errors
    /// [`Error::Io`] naming the style file.
    pub(crate) fn grooves(&self, file: &str, skip: &[String]) -> Result<Vec<String>> {
        let path = self.home.join("lib").join(format!("{file}.mma"));
        let bytes = fs::read(&path).map_err(|source| Error::io(&path, source))?;
        Ok(defined_grooves(&String::from_utf8_lossy(&bytes), skip))
    }

    /// The song that MMA makes of `request`.
    ///
    /// # Errors
    /// [`Error::Tool`] when MMA refuses or its file is no MIDI, [`Error::Io`].
    pub(crate) fn play(&self, request: &Request) -> Result<Song> {
        let desk = tempfile::tempdir().map_err(|source| Error::io(std::env::temp_dir(), source))?;
        let text = desk.path().join("song.mma");
        let midi = desk.path().join("song.mid");
        let settings = desk.path().join("mmarc");
        let write = |path: &Path, content: &str| {
            fs::write(path, content).map_err(|source| Error::io(path, source))
        };
        write(&text, &request.text())?;
        // Instead of the user's own settings, which would change the sound.
        write(&settings, "")?;
        let mut command = self.tools.command("python3", "python3")?;
        command
            .env("MMA_HOME", &self.home)
            .env("PYTHONHASHSEED", "0")
            // Compiled modules halve the time of every later run.
            .env_remove("PYTHONDONTWRITEBYTECODE")
            .env_remove("MMA_LOGFILE")
            .current_dir(desk.path())
            .arg(&self.script)
            .arg("-i")
            .arg(&settings)
            .arg(&text)
            .arg("-f")
            .arg(&midi);
        run(&mut command, "try another seed")?;
        let bytes = fs::read(&midi).map_err(|source| Error::io(&midi, source))?;
        Song::parse(&bytes).map_err(|what| {
            Error::tool(PROGRAM, format!("{}: {what}", request.groove), "report this")
        })
    }
}

impl Request {
    fn text(&self) -> String {
        let mut text = format!(
            "RndSeed {}\nTempo {}\nUse {}.mma\nGroove {}\n{}\n",
            self.seed,
            self.tempo,
            self.file,
            self.groove,
            self.backing.trim()
        );
        for bar in 0..=self.chords.len() {
            if self.markers.contains(&bar) {
                let _ = writeln!(text, "MidiMark bar{bar}");
            }
            if let Some(chord) = self.chords.get(bar) {
                let _ = writeln!(text, "{} {chord}", bar + 1);
            }
        }
        text
    }
}

fn defined_grooves(text: &str, skip: &[String]) -> Vec<String> {
    let full = |name: &&str| {
        let lower = name.to_lowercase();
        !skip.iter().any(|word| lower.contains(&word.to_lowercase()))
    };
    let mut grooves = Vec::new();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        if words.next().is_some_and(|word| word.eq_ignore_ascii_case("defgroove"))
            && let Some(name) = words.next().filter(full)
            && !grooves.iter().any(|known: &String| known.eq_ignore_ascii_case(name))
        {
            grooves.push(name.to_owned());
        }
    }
    grooves
}

/// A progression in a drawn key, repeated to `bars` bars.
///
/// # Errors
/// [`Error::Request`] when there is no progression or one has an unknown degree.
pub(crate) fn draw_chords(
    progressions: &[String],
    bars: usize,
    draw: &mut Stream,
) -> Result<Vec<String>> {
    let key = draw.random_range(0..12);
    let Some(progression) = progressions.choose(draw) else {
        return Err(Error::request("a class without chord progressions", "correct the recipe"));
    };
    let chords = progression
        .split_whitespace()
        .map(|degree| chord(degree, key))
        .collect::<Option<Vec<_>>>()
        .filter(|chords| !chords.is_empty())
        .ok_or_else(|| {
            Error::request(
                format!("{progression:?} is not a chord progression"),
                "correct the recipe",
            )
        })?;
    Ok(chords.into_iter().cycle().take(bars).collect())
}

/// The chord on a degree such as `I`, `bVII7` or `IIm7`, in the key `key` semitones above C.
fn chord(degree: &str, key: usize) -> Option<String> {
    const NAMES: [&str; 12] = ["C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B"];
    const STEPS: [(&str, usize); 7] =
        [("VII", 11), ("VI", 9), ("IV", 5), ("V", 7), ("III", 4), ("II", 2), ("I", 0)];
    let (flat, rest) = match degree.strip_prefix('b') {
        Some(rest) => (11, rest),
        None => (0, degree),
    };
    let (quality, step) =
        STEPS.iter().find_map(|(name, step)| Some((rest.strip_prefix(name)?, step)))?;
    Some(format!("{}{quality}", NAMES[(key + step + flat) % 12]))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use trompe_base::random::stream;

    use super::*;

    #[test]
    fn degrees_become_chords_in_the_key() {
        assert_eq!(chord("I7", 0).unwrap(), "C7");
        assert_eq!(chord("IIm7", 10).unwrap(), "Cm7");
        assert_eq!(chord("bVII", 2).unwrap(), "C");
        assert_eq!(chord("III", 0).unwrap(), "E");
        assert_eq!(chord("IVm", 0).unwrap(), "Fm");
        assert_eq!(chord("VIm", 0).unwrap(), "Am");
        assert!(chord("H", 0).is_none());
    }

    #[test]
    fn only_full_patterns_are_listed_once() {
        let text = "Begin Doc\n  DefGroove Blues  A blues.\ndefgroove BluesIntro four bars\n\
                    DefGroove\nDefGroove Blues2\nDefGroove blues2\n// DefGroove Hidden\n";
        let skip = ["intro".to_owned()];
        assert_eq!(defined_grooves(text, &skip), ["Blues", "Blues2"]);
    }

    #[test]
    fn the_text_sets_chords_and_markers_at_bars() {
        let request = Request {
            file: "stdlib/swing".into(),
            groove: "Swing".into(),
            tempo: 120,
            seed: 3,
            chords: vec!["C".into(), "F".into()],
            backing: String::new(),
            markers: vec![1, 2],
        };
        let text = request.text();
        assert!(text.starts_with("RndSeed 3\nTempo 120\nUse stdlib/swing.mma\nGroove Swing\n"));
        assert!(text.ends_with("1 C\nMidiMark bar1\n2 F\nMidiMark bar2\n"), "{text}");
    }

    #[test]
    fn progressions_repeat_to_the_bars() {
        let chords = draw_chords(&["I V".into()], 5, &mut stream(1, 0, 0, 0)).unwrap();
        assert_eq!(chords.len(), 5);
        assert_eq!(chords[0], chords[4]);
        assert_ne!(chords[0], chords[1]);
        assert!(draw_chords(&[], 5, &mut stream(1, 0, 0, 0)).is_err());
        assert!(draw_chords(&["I X".into()], 5, &mut stream(1, 0, 0, 0)).is_err());
    }
}
