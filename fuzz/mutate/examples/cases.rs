//! Reads a folder of odd files and prints what became of each.
//!
//! `cargo run -p trompe-corpora --example cases -- FOLDER`
//!
//! The folder holds `cases.tsv` with a header line and the columns file, report, expected, ... The
//! file is a path below the folder; below `audio`, `images`, `manifests` and `sets` it is read as
//! this crate reads it, others are listed as not read here. Of `expected`, this is understood:
//! - a number behind `len` or `frames` is the number of samples that the file must give;
//! - a codec behind `ffmpeg:` that is not read must be named in the error;
//! - an error of ffmpeg in it, or the words "refuse", "say", "warn" or "named", ask for an error;
//! - "tab-separated" asks for an error that says so, unless the table is read.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use trompe_corpora::decode::decode;
use trompe_corpora::images::ImageCorpus;
use trompe_corpora::{Error, Limits, layout, wav};

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
        Some("sets") => layout::open(&path, &Limits::default())
            .map(|corpus| format!("{} clips, classes {:?}", corpus.clips.len(), corpus.classes)),
        _ => return ("not read by this crate".to_owned(), None),
    };
    let asks = |words: &[&str]| words.iter().any(|word| expected.contains(word));
    let may_refuse = asks(&["refus", "say", "warn", "named"]);
    let may_read = !asks(&["refuse"]) || asks(&[", or"]);
    let result = text(result, folder);
    let ok = if result.starts_with("refused") {
        may_refuse || (expected.contains("tab-separated") && result.contains("by tabs"))
    } else {
        may_read
    };
    (result, Some(ok))
}

/// A table is read in a folder of its own, with sound wherever it names a WAV file, so that the
/// table alone decides.
fn manifest(path: &Path) -> trompe_corpora::Result<String> {
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

fn text(result: trompe_corpora::Result<String>, folder: &Path) -> String {
    let text = result.unwrap_or_else(|error| format!("refused: {error}"));
    text.replace(&format!("{}/", folder.display()), "").replace('\t', "<TAB>").replace('\n', " ")
}
