//! Programs as victims: `command:./judge` is started, told of inputs, and gives scores back.
//!
//! The program and trompe speak JSON, one message a line:
//!
//! | who | message |
//! |---|---|
//! | program, once | `{"trompe": 1, "classes": [...], "audio": {"rate": 16000} or "image": {"width": 28, "height": 28, "channels": 1}, "output": "sigmoid"}`, and perhaps `"input": "pcm"`, `"batch"`, `"samples"` (the fewest), `"version"`, `"corpus"`, `"provenance"`, `"seconds"` (time limit) |
//! | trompe | `{"id": 1, "paths": ["/tmp/.../0.wav", ...]}`, or `{"id": 1, "bytes": [960000, ...]}` and then so many bytes for each input |
//! | program | `{"id": 1, "scores": [[...], ...]}`: one number a class for each input, or `{"id": 1, "error": "why"}` |
//!
//! Inputs are WAV files of 16 bits or PNG files; with `"input": "pcm"` samples of 16 bits (little-endian, at
//! the program's rate), with `"input": "png"` the bytes of the PNG file. What the program writes to its
//! stderr is shown. A program is only ever started because a command line names it.

mod hello;
mod process;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use sha2::{Digest, Sha256};
use trompe_base::encoding::hex;
use trompe_base::hash::sha256_file;
use trompe_base::words::counted;
use trompe_corpora::images::write_png;
use trompe_corpora::{Audio, Image, ImageShape, wav};

pub use hello::{Hello, Takes};

use self::process::Process;
use crate::error::{Error, Result};
use crate::log_odds::PosteriorKind;
use crate::problem::{AudioFormat, Runtime, Victim, VictimRecord};
use crate::victims::fixed_text::Fixed;

/// What stands before a program on the command line.
pub const PREFIX: &str = "command:";

/// Kind of such victims in records.
pub const KIND: &str = "program";

/// A program that scores inputs. Calls of several threads go to it one after the other.
#[derive(Debug)]
pub struct Program {
    words: Vec<String>,
    hello: Hello,
    fingerprint: String,
    /// What to say of it once, when it is started.
    notes: Vec<String>,
    running: Mutex<Option<Process>>,
}

impl PartialEq for Program {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint
    }
}

/// The programs that this process was told to run, as they were typed.
static NAMED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Lets the program `path`, `command:PROGRAM ARGUMENT...`, be started: its name was typed. Those that
/// are found in files alone never are.
pub fn name(path: &Path) {
    let mut named = NAMED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if !named.iter().any(|other| other == path) {
        named.push(path.to_owned());
    }
}

/// The program to start where `path` was found: `path` itself if it was typed; the one that was typed if
/// there is one, as of a run whose program has moved since. If that is another one, a note says so.
///
/// # Errors
/// [`Error::Request`] if none was typed.
fn named(path: &Path) -> Result<(PathBuf, Option<String>)> {
    let named = NAMED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    match named.as_slice() {
        all if all.iter().any(|other| other == path) => Ok((path.to_owned(), None)),
        [only] => {
            let note = (absolute(only)? != absolute(path)?).then(|| {
                format!(
                    "the victim on record is {}; {} was named and is started in its place",
                    path.display(),
                    only.display()
                )
            });
            Ok((only.clone(), note))
        }
        _ => Err(Error::request(
            format!("the victim is a program, {}, and no file makes a program run", path.display()),
            format!("name it again: --model '{}'", path.display()),
        )),
    }
}

/// The same program with the paths of files in it absolute, so that it is found from every folder.
///
/// # Errors
/// [`Error::Request`] if it has quotation marks that are not in pairs.
pub fn absolute(path: &Path) -> Result<PathBuf> {
    let mut words = words(path)?;
    for word in &mut words {
        if word.contains('/') || Path::new(word).is_file() {
            let file = Path::new(word);
            if file.exists() {
                let whole = std::path::absolute(file).map_err(|source| Error::io(file, source))?;
                *word = whole.to_string_lossy().into_owned();
            }
        }
    }
    let joined = shlex::try_join(words.iter().map(String::as_str));
    let joined = joined.map_err(|error| Error::request(error.to_string(), "leave it out"))?;
    Ok(PathBuf::from(format!("{PREFIX}{joined}")))
}

fn words(path: &Path) -> Result<Vec<String>> {
    let text = path.to_str().and_then(|text| text.strip_prefix(PREFIX)).unwrap_or_default();
    shlex::split(text).filter(|words| !words.is_empty()).ok_or_else(|| {
        Error::request(
            format!("{PREFIX}{text} names no program"),
            "write command:PROGRAM ARGUMENT..., with quotation marks in pairs",
        )
    })
}

/// Whether `path` names a program.
pub fn is_command(path: &Path) -> bool {
    path.to_str().is_some_and(|text| text.starts_with(PREFIX))
}

impl Program {
    /// Starts the program that `path`, `command:PROGRAM ARGUMENT...`, names, and reads what it says of
    /// itself. Words are divided by blanks; quotation marks keep blanks together, as in a shell.
    ///
    /// # Errors
    /// [`Error::Request`] if there is no such program, or it was not typed ([`name`]); [`Error::Victim`] if it says nothing in time, or
    /// something else.
    pub fn start(path: &Path) -> Result<Self> {
        let (path, note) = named(path)?;
        let words = words(&path)?;
        let (process, hello) = Process::start(&words)?;
        let fingerprint = fingerprint(&words, &hello)?;
        let notes = note.into_iter().collect();
        Ok(Self { words, hello, fingerprint, notes, running: Mutex::new(Some(process)) })
    }

    /// What to say of it once: that it stands in for another one.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// What it said of itself.
    pub fn hello(&self) -> &Hello {
        &self.hello
    }

    /// The size of the images that it takes.
    pub fn image_shape(&self) -> ImageShape {
        self.hello.image.unwrap_or(ImageShape::grey(1, 1))
    }

    /// Hash of all that its scores depend on, as far as it can be known, in hexadecimal.
    pub fn hash(&self) -> &str {
        &self.fingerprint
    }

    /// Where its genuine reference lies: beside the first file among its arguments, which is the script of
    /// an interpreter, or else beside the program. Its name holds the beginning of the fingerprint.
    pub fn reference_path(&self) -> PathBuf {
        let script = self.words[1..].iter().find(|word| Path::new(word).is_file());
        let file = script.unwrap_or(&self.words[0]);
        PathBuf::from(format!("{file}.{}.reference.npz", &self.fingerprint[..8]))
    }

    fn running(&self) -> MutexGuard<'_, Option<Process>> {
        // A process left by a thread that panicked is stopped and started anew.
        self.running.lock().unwrap_or_else(|poisoned| {
            let mut guard = poisoned.into_inner();
            *guard = None;
            guard
        })
    }

    /// The log-odds of inputs that `write` puts into files of their names, row by row. A program that dies
    /// is started again, once for each call.
    fn scores(
        &self,
        count: usize,
        write: impl Fn(usize, &Path) -> Result<Vec<u8>>,
    ) -> Result<Vec<f64>> {
        let mut scores = Vec::with_capacity(count * self.hello.classes.len());
        let numbers: Vec<usize> = (0..count).collect();
        for batch in numbers.chunks(self.hello.batch) {
            let mut running = self.running();
            let mut tries = 2;
            loop {
                tries -= 1;
                let answered = match running.as_mut() {
                    Some(process) => process.ask(&self.hello, batch, &write),
                    None => Process::start(&self.words).and_then(|(mut process, hello)| {
                        if hello != self.hello {
                            return Err(self.failed("says something else of itself than before"));
                        }
                        let answered = process.ask(&self.hello, batch, &write);
                        *running = Some(process);
                        answered
                    }),
                };
                match answered {
                    Ok(rows) => {
                        for row in rows {
                            self.take(&row, &mut scores)?;
                        }
                        break;
                    }
                    Err(error) => {
                        // Nothing is known of what it does now.
                        *running = None;
                        if tries == 0 || !process::died(&error) {
                            return Err(error);
                        }
                    }
                }
            }
        }
        Ok(scores)
    }

    /// Adds the log-odds of one input's scores.
    fn take(&self, row: &[f64], scores: &mut Vec<f64>) -> Result<()> {
        let classes = self.hello.classes.len();
        if row.len() != classes {
            return Err(self.failed(&format!(
                "gave {} for {}",
                counted(row.len(), "score"),
                counted(classes, "class")
            )));
        }
        let output = self.hello.output;
        output.check(row).map_err(|what| self.failed(&what))?;
        let start = scores.len();
        scores.resize(start + classes, 0.0);
        output.log_odds(row, &mut scores[start..]);
        Ok(())
    }

    fn failed(&self, what: &str) -> Error {
        process::failed(&self.words[0], what)
    }

    fn record(&self) -> VictimRecord {
        VictimRecord {
            kind: KIND.to_owned(),
            corpus: self.hello.corpus.clone(),
            provenance: self.hello.provenance,
            known_as: None,
            runtime: Some(Runtime { name: self.words[0].clone(), exact: false, chosen: false }),
        }
    }
}

impl Victim<Audio> for Program {
    fn classes(&self) -> &[String] {
        &self.hello.classes
    }

    fn posterior_kind(&self) -> PosteriorKind {
        self.hello.output.posterior_kind()
    }

    fn scores(&self, excerpts: &[Audio]) -> Result<Vec<f64>> {
        self.scores(excerpts.len(), |number, file| {
            let Audio { samples, sample_rate } = &excerpts[number];
            let integers = wav::quantize(samples);
            match self.hello.input {
                Takes::Paths => {
                    wav::write(file, &integers, *sample_rate)?;
                    Ok(Vec::new())
                }
                _ => Ok(integers.iter().flat_map(|value| value.to_le_bytes()).collect()),
            }
        })
    }

    fn format(&self) -> Option<AudioFormat> {
        let audio = self.hello.audio.as_ref()?;
        Some(AudioFormat { sample_rate: audio.rate, samples: self.hello.samples })
    }

    fn fingerprint(&self) -> Option<String> {
        Some(self.fingerprint.clone())
    }

    fn record(&self) -> VictimRecord {
        self.record()
    }

    fn batch_size(&self) -> usize {
        self.hello.batch
    }
}

impl Victim<Image> for Program {
    fn classes(&self) -> &[String] {
        &self.hello.classes
    }

    fn posterior_kind(&self) -> PosteriorKind {
        self.hello.output.posterior_kind()
    }

    fn scores(&self, images: &[Image]) -> Result<Vec<f64>> {
        self.scores(images.len(), |number, file| {
            write_png(file, &images[number])?;
            match self.hello.input {
                Takes::Paths => Ok(Vec::new()),
                _ => std::fs::read(file).map_err(|source| Error::io(file, source)),
            }
        })
    }

    fn format(&self) -> Option<ImageShape> {
        self.hello.image
    }

    fn fingerprint(&self) -> Option<String> {
        Some(self.fingerprint.clone())
    }

    fn record(&self) -> VictimRecord {
        self.record()
    }

    fn batch_size(&self) -> usize {
        self.hello.batch
    }
}

/// Hash of the program's file, its arguments and what it says of itself. Arguments that are files count
/// by their content, so that a moved folder is the same victim.
fn fingerprint(words: &[String], hello: &Hello) -> Result<String> {
    let mut hash = Sha256::new();
    let mut text = |text: &str| {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    };
    text(PREFIX);
    text(&hex(&sha256_file(&executable(&words[0])?)?));
    for word in &words[1..] {
        match Path::new(word).is_file() {
            true => text(&hex(&sha256_file(Path::new(word))?)),
            false => text(word),
        }
    }
    text(&format!("{:?}", Fixed(hello)));
    Ok(hex(&hash.finalize()))
}

/// The file of a program, which a name without a slash is looked for as the system does.
fn executable(name: &str) -> Result<PathBuf> {
    if name.contains('/') {
        return Ok(PathBuf::from(name));
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&folders).map(|folder| folder.join(name));
    let mut files = found.filter(|file| file.is_file());
    files.next().ok_or_else(|| {
        Error::request(format!("there is no program {name}"), "name it by its path, or install it")
    })
}
