//! Reads a folder of odd files and prints what became of each.
//!
//! `cargo run -p trompe-malformed --example cases -- FOLDER`
//!
//! The folder holds `cases.tsv` with a header line and the columns file, report, expected, ... The
//! file is a path below the folder, and what it is read as is the folder that it lies in: `audio`,
//! `images`, `manifests`, `sets`, `features`, `onnx` (folders with `model.onnx`), `answers` (tables, with a
//! `map.toml` beside them). Of `expected`, this is understood:
//! - a number behind `len` or `frames` is the number of samples that the file must give;
//! - a codec behind `ffmpeg:` that is not read must be named in the error;
//! - an error of ffmpeg in it, or the words "refuse", "say", "warn" or "named", ask for an error;
//! - "tab-separated" asks for an error that says so, unless the table is read;
//! - a data set that is known by its own tables may be read where the table says to refuse it: that is
//!   what is to be done with folders that are no genres.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use trompe::corpora::decode::decode;
use trompe::corpora::images::ImageCorpus;
use trompe::corpora::{self, Error, Image, Limits, layout, wav};
use trompe::dataset::Dataset;
use trompe::listening_test::import_formats::{Mapping, read_recorded};
use trompe::listening_test::study_folder::write_manifest;
use trompe::victims::{AnyModel, OnnxNet, Scorer};
use trompe_malformed::seeds;

/// Codecs that are not read: as ffmpeg calls them, and as the error must.
const UNREAD: [(&str, &str); 7] = [
    ("ac3", "AC-3"),
    ("mp2", "MP2"),
    ("speex", "Speex"),
    ("wma", "WMA"),
    ("wavpack", "WavPack"),
    ("musepack", "Musepack"),
    ("ape", "APE"),
];

fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("name a folder with cases.tsv");
        return ExitCode::from(2);
    };
    let table = match std::fs::read_to_string(folder.join("cases.tsv")) {
        Ok(table) => table,
        Err(e) => {
            eprintln!("{}: {e}", folder.join("cases.tsv").display());
            return ExitCode::from(2);
        }
    };
    let mut counts = [0; 3];
    println!("| file | expected | result | ok |\n|---|---|---|---|");
    for line in table.lines().skip(1) {
        let mut fields = line.split('\t');
        let (Some(file), _, Some(expected)) = (fields.next(), fields.next(), fields.next()) else {
            continue;
        };
        let (result, ok) = case(&folder, file, expected);
        counts[match ok {
            Some(true) => 0,
            Some(false) => 1,
            None => 2,
        }] += 1;
        let ok = ok.map_or("-", |ok| if ok { "yes" } else { "NO" });
        println!("| {file} | {expected} | {result} | {ok} |");
    }
    println!("\n{} as expected, {} not, {} not read here", counts[0], counts[1], counts[2]);
    if counts[1] == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What came of a case, and whether it is as expected.
fn case(folder: &Path, file: &str, expected: &str) -> (String, Option<bool>) {
    let path = folder.join(file);
    let result = match file.split('/').next() {
        Some("audio") => return audio(&path, folder, expected),
        Some("images") => ImageCorpus::open(&path, &Limits::default()).map(|corpus| {
            format!("{} images of {}, classes {:?}", corpus.len(), corpus.shape, corpus.classes)
        }),
        Some("manifests") => manifest(&path),
        Some("sets") => layout::open(&path, &Limits::default()).map(|corpus| {
            let (count, classes) = (corpus.clips.len(), &corpus.classes);
            format!("{}: {count} clips, classes {classes:?}", corpus.labels)
        }),
        Some("features") => return features(&path, folder, expected),
        Some("onnx") => return net(&path, folder, expected),
        Some("answers") => return answers(&path, folder),
        _ => return ("no kind of file that is known here".to_owned(), None),
    };
    let asks = |words: &[&str]| words.iter().any(|word| expected.contains(word));
    let may_refuse = asks(&["refus", "say", "warn", "named"]);
    let may_read = !asks(&["refuse"]) || asks(&[", or"]);
    let result = text(result, folder);
    let ok = if result.starts_with("refused") {
        may_refuse || (expected.contains("tab-separated") && result.contains("by tabs"))
    } else {
        may_read || layout::DATA_SETS.iter().any(|set| result.starts_with(set.name))
    };
    (result, Some(ok))
}

/// What went wrong, on one line.
fn refused(error: impl std::fmt::Display, folder: &Path) -> String {
    format!("refused: {error}").replace(&format!("{}/", folder.display()), "").replace('\n', " ")
}

fn features(path: &Path, folder: &Path, expected: &str) -> (String, Option<bool>) {
    match Dataset::read(path) {
        Ok(data) => {
            let (vectors, features) = data.vectors.dim();
            (format!("{vectors} vectors of {features} features"), Some(expected == "check"))
        }
        Err(error) => {
            let result = refused(error, folder);
            let words = if expected.contains("f32") { "beyond 32 bits" } else { "3 dimensions" };
            let ok = expected != "check" && result.contains(words);
            (result, Some(ok))
        }
    }
}

/// Posteriors of a net for a picture of noise, which must be numbers that the picture matters for.
fn net(path: &Path, folder: &Path, expected: &str) -> (String, Option<bool>) {
    let path = path.join("model.onnx");
    let posteriors = || -> trompe::Result<(Vec<f64>, String)> {
        let notes = match OnnxNet::open(&path)? {
            OnnxNet::Images(net) => net.notes().join(" "),
            OnnxNet::Sound(net) => net.notes().join(" "),
        };
        let model = AnyModel::load(&path)?;
        let Scorer::Image(model) = model.scorer() else { return Ok((Vec::new(), notes)) };
        let shape = model.shape();
        let pixels = (0..shape.bytes()).map(|n| (n * n * 7919 % 251) as u8).collect();
        let scores = model.victim().scores(&[Image { shape, pixels }])?;
        Ok((scores.iter().map(|score| 1.0 / (1.0 + (-score).exp())).collect(), notes))
    };
    let warn = expected.contains("warn");
    match posteriors() {
        Ok((posteriors, notes)) => {
            let lowest = posteriors.iter().copied().fold(f64::INFINITY, f64::min);
            let highest = posteriors.iter().copied().fold(0.0, f64::max);
            let result = format!("runs, posteriors {lowest:.3} to {highest:.3}; {notes}");
            let ok = if warn { !notes.is_empty() } else { highest > lowest };
            (result, Some(ok))
        }
        Err(error) => (refused(error, folder), Some(warn)),
    }
}

/// A table is read as answers to a small study that does not know its stimuli: columns are looked at
/// before.
fn answers(path: &Path, folder: &Path) -> (String, Option<bool>) {
    let read = || -> Result<(), Box<dyn std::error::Error>> {
        let study = tempfile::tempdir()?;
        std::fs::write(study.path().join("study.toml"), seeds::STUDY)?;
        std::fs::write(study.path().join("key.json"), seeds::KEY)?;
        std::fs::create_dir(study.path().join("stimuli"))?;
        wav::write(&study.path().join("stimuli/0123456789abcdef.wav"), &[1; 800], 8000)?;
        write_manifest(study.path())?;
        let mapping = Mapping::read(&path.with_file_name("map.toml"))?;
        read_recorded(study.path(), &mapping, &[path.to_owned()])?;
        Ok(())
    };
    let result = read().map_or_else(|error| refused(error, folder), |()| "read".to_owned());
    let ok = match path.file_stem().and_then(|stem| stem.to_str()) {
        Some("duplicate-columns") => result.contains("two columns \"response\""),
        // The stimuli are looked at where columns were told apart.
        _ => result.contains("27gqrv9k7jrzewyy"),
    };
    (result, Some(ok))
}

/// A table is read in a folder of its own, with sound wherever it names a WAV file, so that the
/// table alone decides.
fn manifest(path: &Path) -> corpora::Result<String> {
    let folder = tempfile::tempdir().map_err(|e| Error::io(path, e))?;
    let table = folder.path().join(path.file_name().unwrap_or_default());
    let bytes = std::fs::read(path).map_err(|e| Error::io(path, e))?;
    std::fs::write(&table, &bytes).map_err(|e| Error::io(&table, e))?;
    // Characters of two bytes lose their zeros.
    let text: String = String::from_utf8_lossy(&bytes).chars().filter(|c| *c != '\0').collect();
    for field in text.split([',', ';', '\t', '|', '\n', '\r', '"']) {
        if field.trim().ends_with(".wav") {
            let place = folder.path().join(field.trim());
            let above = place.parent().unwrap_or(folder.path());
            std::fs::create_dir_all(above).map_err(|e| Error::io(above, e))?;
            wav::write(&place, &[1; 800], 8000)?;
        }
    }
    let corpus = layout::open(&table, &Limits::default())?;
    Ok(format!("{} clips, classes {:?}", corpus.clips.len(), corpus.classes))
}

fn audio(path: &Path, folder: &Path, expected: &str) -> (String, Option<bool>) {
    let result = decode(path, &Limits::default());
    let ffmpeg = expected.split(';').next().unwrap_or("");
    let ok = match &result {
        Ok(audio) => {
            let number = |text: &str| text.split([',', ';', ' ']).next()?.parse::<usize>().ok();
            let wanted = ["len ", "frames "]
                .iter()
                .filter_map(|mark| ffmpeg.split_once(mark))
                .find_map(|(_, rest)| number(rest));
            // What ffmpeg does not read, libsndfile may: its rate and number of frames follow.
            let other = expected
                .split_once("libsndfile: sf ")
                .and_then(|(_, rest)| rest.split(' ').nth(1).and_then(number));
            wanted.or(other) == Some(audio.samples.len())
        }
        Err(error) => {
            let message = error.to_string();
            let unread = UNREAD
                .iter()
                .find(|(codec, _)| ffmpeg.split([' ', ',']).any(|word| word.starts_with(codec)));
            match unread {
                Some((_, name)) => message.contains(name),
                None => ffmpeg.contains("rror") && message.contains(" s; "),
            }
        }
    };
    let result =
        result.map(|audio| format!("{} samples, {} Hz", audio.samples.len(), audio.sample_rate));
    (text(result, folder), Some(ok))
}

fn text(result: corpora::Result<String>, folder: &Path) -> String {
    let text = result.unwrap_or_else(|error| format!("refused: {error}"));
    text.replace(&format!("{}/", folder.display()), "").replace('\t', "<TAB>").replace('\n', " ")
}
