//! Feature tables: text with one feature vector a line, such as GTZAN's `features_30_sec.csv`.
//!
//! | column | content |
//! |---|---|
//! | `filename` | name of the line's excerpt, unique |
//! | `label` | name of its class |
//! | `group`, optional | excerpts of equal group stay on one side of every fold; empty: none |
//! | `length`, optional | number of samples; not a feature |
//! | every other | a feature: numbers only |
//!
//! Encoding and separator are found as for tables of clips. A first column without a name (the line
//! numbers of pandas) and empty columns at the end are no features.
//!
//! Without a column `group`, lines that are named as GTZAN's are (`blues.00000.wav`, and
//! `blues.00000.0.wav` to `blues.00000.9.wav` for ten pieces of a clip) get the clip's artist as
//! group, and pieces of a clip whose artist is not identified get the clip.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use csv::StringRecord;
use ndarray::Array2;
use trompe_base::files::read_at_most;
use trompe_corpora::Limits;
use trompe_corpora::layout::gtzan;
use trompe_corpora::layout::text::{self, TableText, is_missing};

use super::{Dataset, Excerpt, Source};
use crate::error::{Error, Result};

const REQUIRED: [&str; 2] = ["filename", "label"];
/// Advice for what is no number.
const NUMBERS: &str =
    "every feature must be a finite number; a table of clips names their files path, not filename";
/// Columns that hold no features.
const NO_FEATURES: [&str; 5] = ["filename", "label", "length", "group", ""];

impl Dataset {
    /// Whether the file is a table of features: it names excerpts by `filename` and has columns
    /// beside their labels. A table of clips names them by `path`.
    pub fn is_csv(path: &Path) -> bool {
        let is_table = path
            .extension()
            .and_then(|extension| extension.to_str())
            .is_some_and(|e| ["csv", "tsv", "txt"].contains(&e.to_ascii_lowercase().as_str()));
        is_table
            && text::column_names(path, &REQUIRED).is_some_and(|columns| {
                let has = |name: &str| columns.iter().any(|column| column == name);
                let other = |name: &String| !NO_FEATURES.contains(&name.as_str());
                REQUIRED.into_iter().all(has) && !has("path") && columns.iter().any(other)
            })
    }

    /// Reads a table of features (see the module's documentation).
    ///
    /// # Errors
    /// [`Error::BadFile`] naming the line and column at fault.
    pub fn read_csv(path: &Path) -> Result<Self> {
        let table = Table::read(path)?;
        let columns = Columns::find(path, &table.header)?;
        let name = path.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into());
        let (mut values, mut rows) = (Vec::new(), Vec::new());
        for (line, record) in &table.records {
            columns.check_end(path, *line, record)?;
            let text = |column: usize| record.get(column).unwrap_or("").to_owned();
            let (id, label) = (text(columns.filename), text(columns.label));
            for (column, text) in [("filename", &id), ("label", &label)] {
                if text.is_empty() || is_missing(text) {
                    let what = format!("line {line}: {column} is missing ({text:?})");
                    return Err(bad(path, what, "fill it in or remove the line"));
                }
            }
            let group = match columns.group {
                Some(column) => Some(text(column)).filter(|group| !group.is_empty()),
                None => gtzan_group(&id, &label),
            };
            for (column, feature) in &columns.features {
                let text = record.get(*column).unwrap_or("");
                let value = text.parse::<f32>().ok().filter(|value| value.is_finite());
                let Some(value) = value else {
                    let what =
                        format!("line {line}: {feature} is {text:?}, not a number of 32 bits");
                    return Err(bad(path, what, NUMBERS));
                };
                values.push(value);
            }
            rows.push((*line, id, label, group));
        }
        check_names(path, &rows)?;
        let labels: BTreeSet<&str> = rows.iter().map(|(_, _, label, _)| label.as_str()).collect();
        check_labels(path, &labels)?;
        let classes: Vec<String> = labels.into_iter().map(str::to_owned).collect();
        let count = rows.len();
        let excerpts = rows
            .into_iter()
            .map(|(_, id, label, group)| {
                let class = classes.partition_point(|class| *class < label);
                Excerpt { id, class, group, split: None, fold: None }
            })
            .collect();
        let feature_names: Vec<String> =
            columns.features.into_iter().map(|(_, name)| name).collect();
        let vectors = Array2::from_shape_vec((count, feature_names.len()), values)
            .map_err(|error| bad(path, error.to_string(), "report this as a fault of trompe"))?;
        let dataset = Self {
            vectors,
            excerpt_of: (0..count).collect(),
            excerpts,
            classes,
            feature_names,
            settings: None,
            source: Source { name, provenance: None, known_as: None },
        };
        dataset.check().map_err(|error| match error {
            Error::Request { what, remedy } => Error::bad_file(path, what, remedy),
            other => other,
        })?;
        Ok(dataset)
    }
}

fn bad(path: &Path, what: impl Into<String>, remedy: &str) -> Error {
    Error::bad_file(path, what.into(), remedy)
}

/// The lines of a table behind its header, with their numbers.
struct Table {
    header: Vec<String>,
    records: Vec<(u64, StringRecord)>,
}

impl Table {
    fn read(path: &Path) -> Result<Self> {
        let limits = Limits::default();
        let bytes = read_at_most(path, limits.max_text_bytes)?;
        let TableText { text, separator, skipped } = text::read(path, &bytes, &REQUIRED)?;
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(separator)
            .trim(csv::Trim::All)
            .flexible(true)
            .from_reader(text.as_bytes());
        let malformed = |error: csv::Error| bad(path, error.to_string(), "write it as UTF-8 text");
        let header: Vec<String> =
            reader.headers().map_err(malformed)?.iter().map(str::to_owned).collect();
        let mut records = Vec::new();
        for record in reader.records() {
            if records.len() == limits.max_rows {
                let what = format!("has more than {} lines", limits.max_rows);
                return Err(bad(path, what, "divide it"));
            }
            let record = record.map_err(malformed)?;
            records.push((record.position().map_or(0, csv::Position::line) + skipped, record));
        }
        Ok(Self { header, records })
    }
}

/// Which column stands where.
struct Columns {
    filename: usize,
    label: usize,
    group: Option<usize>,
    features: Vec<(usize, String)>,
    /// How many columns there are before empty ones at the end.
    named: usize,
}

impl Columns {
    fn find(path: &Path, header: &[String]) -> Result<Self> {
        let named = header.iter().rposition(|name| !name.is_empty()).map_or(0, |last| last + 1);
        let lower: Vec<String> = header[..named].iter().map(|name| name.to_lowercase()).collect();
        let place = |name: &str| lower.iter().position(|column| column == name);
        let (Some(filename), Some(label)) = (place("filename"), place("label")) else {
            let what = format!("lacks a column filename or label; there are {}", header.join(", "));
            return Err(bad(path, what, "name the excerpts filename and their classes label"));
        };
        let (group, length) = (place("group"), place("length"));
        let mut features = Vec::new();
        for (column, name) in lower.iter().enumerate() {
            if lower[..column].contains(name) {
                return Err(bad(path, format!("column {name:?} occurs twice"), "keep one"));
            }
            // pandas writes its line numbers without a name, and reads that as "Unnamed: 0".
            if column == 0 && ["", "unnamed: 0"].contains(&name.as_str()) {
                continue;
            }
            if name.is_empty() {
                return Err(bad(path, format!("column {} has no name", column + 1), "name it"));
            }
            if ![Some(filename), Some(label), group, length].contains(&Some(column)) {
                features.push((column, header[column].clone()));
            }
        }
        Ok(Self { filename, label, group, features, named })
    }

    /// Refuses a line with more or fewer fields than named columns.
    fn check_end(&self, path: &Path, line: u64, record: &StringRecord) -> Result<()> {
        let beyond = record.iter().skip(self.named).any(|field| !field.is_empty());
        if record.len() >= self.named && !beyond {
            return Ok(());
        }
        let what = format!("line {line} has {} fields, the header {}", record.len(), self.named);
        Err(bad(path, what, "give every line as many fields as the header"))
    }
}

/// The group of a line that is named as GTZAN's clips and their pieces are: label, number of the
/// clip, in a piece its number, extension.
fn gtzan_group(id: &str, label: &str) -> Option<String> {
    let (numbers, _extension) = id.strip_prefix(label)?.strip_prefix('.')?.rsplit_once('.')?;
    let (clip, piece) = match numbers.split_once('.') {
        Some((clip, piece)) => (clip, Some(piece)),
        None => (numbers, None),
    };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(clip) || !piece.is_none_or(is_number) {
        return None;
    }
    let clip = format!("{label}.{clip}");
    match gtzan::artist(&clip) {
        Some(artist) => Some(artist.to_owned()),
        None => piece.map(|_| clip),
    }
}

/// Refuses labels that differ only in case.
fn check_labels(path: &Path, labels: &BTreeSet<&str>) -> Result<()> {
    let mut spellings = BTreeMap::new();
    for label in labels {
        if let Some(other) = spellings.insert(label.to_lowercase(), label) {
            let what = format!("the labels {other:?} and {label:?} differ only in case");
            return Err(bad(path, what, "spell them alike, or give them other names"));
        }
    }
    Ok(())
}

/// Refuses names that occur twice.
fn check_names(path: &Path, rows: &[(u64, String, String, Option<String>)]) -> Result<()> {
    let mut lines = BTreeMap::new();
    for (line, id, _, _) in rows {
        if let Some(first) = lines.insert(id, line) {
            let what = format!("lines {first} and {line} are both named {id:?}");
            return Err(bad(path, what, "give every line a name of its own"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const PLAIN: &str = "filename,length,mean,var,label\n\
        rock.00000.wav,661794,1.5,-2e-3,rock\nblues.00000.wav,661794,0.25,4,blues\n";

    fn read(bytes: &[u8]) -> Result<Dataset> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("features_30_sec.csv");
        std::fs::write(&path, bytes).unwrap();
        Dataset::read_csv(&path)
    }

    #[test]
    fn a_table_as_gtzan_has_it_is_read() {
        let data = read(PLAIN.as_bytes()).unwrap();
        assert_eq!(data.classes, ["blues", "rock"]);
        assert_eq!(data.feature_names, ["mean", "var"]);
        assert_eq!(data.vectors, ndarray::array![[1.5, -2e-3], [0.25, 4.0]]);
        assert_eq!(data.excerpts[0].id, "rock.00000.wav");
        assert_eq!((data.excerpts[0].class, data.excerpts[1].class), (1, 0));
        // rock.00000 is of an artist that GTZAN's index identifies.
        assert_eq!(data.excerpts[0].group.as_deref(), gtzan::artist("rock.00000"));
        assert!(data.excerpts[0].group.is_some());
        assert_eq!(data.source.name, "features_30_sec");
    }

    #[test]
    fn other_separators_encodings_and_empty_columns_give_the_same() {
        let plain = read(PLAIN.as_bytes()).unwrap();
        let utf16: Vec<u8> = [0xff, 0xfe]
            .into_iter()
            .chain(PLAIN.encode_utf16().flat_map(u16::to_le_bytes))
            .collect();
        let numbered: Vec<String> = PLAIN
            .lines()
            .enumerate()
            .map(|(n, line)| {
                format!("{},{line},,\n", if n == 0 { String::new() } else { n.to_string() })
            })
            .collect();
        let others = [
            PLAIN.replace(',', ";").into_bytes(),
            PLAIN.replace(',', "\t").into_bytes(),
            format!("\u{feff}{PLAIN}").into_bytes(),
            format!("sep=;\n{}", PLAIN.replace(',', ";")).into_bytes(),
            numbered.concat().into_bytes(),
            utf16,
        ];
        for other in others {
            assert_eq!(read(&other).unwrap(), plain, "{}", String::from_utf8_lossy(&other));
        }
    }

    #[test]
    fn lines_of_one_artist_or_clip_are_one_group() {
        let groups = |text: &str| {
            let data = read(text.as_bytes()).unwrap();
            data.excerpts.into_iter().map(|e| e.group.unwrap_or_default()).collect::<Vec<_>>()
        };
        let unknown =
            (0..100).map(|n| format!("metal.{n:05}")).find(|id| gtzan::artist(id).is_none());
        let unknown = unknown.unwrap();
        let known = gtzan::artist("blues.00007").unwrap();
        let found = groups(&format!(
            "filename,mean,label\nblues.00007.wav,1,blues\nblues.00007.3.wav,1,blues\n\
             {unknown}.0.wav,2,metal\n{unknown}.1.wav,2,metal\n{unknown}.wav,2,metal\n\
             polka.00001.2.wav,3,polka\nblues.00007,3,rock\n"
        ));
        assert_eq!(found, [known, known, &unknown, &unknown, "", "polka.00001", ""]);
        let stated = "filename,mean,group,label\na,1,x,rock\nb,2,y,rock\nc,3,,blues\n";
        assert_eq!(groups(stated), ["x", "y", ""]);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let line = |text: &str| format!("filename,mean,label\na.wav,1,rock\n{text}\n");
        for (text, words) in [
            (line("b.wav,x,blues"), &["line 3", "mean", "\"x\""][..]),
            (line("b.wav,,blues"), &["line 3", "mean"]),
            (line("b.wav,1e300,blues"), &["line 3", "1e300"]),
            (line("b.wav,NaN,blues"), &["line 3", "NaN"]),
            (line("b.wav,1,NaN"), &["line 3", "label"]),
            (line("a.wav,1,blues"), &["lines 2 and 3", "a.wav"]),
            (line("b.wav,1,Rock"), &["rock", "Rock", "case"]),
            (line("b.wav,1"), &["line 3", "2 fields"]),
            (line("b.wav,1,blues,7"), &["line 3", "4 fields"]),
            ("filename,mean,mean,label\na,1,2,b\n".to_owned(), &["mean", "twice"]),
            ("name,mean,label\na,1,b\n".to_owned(), &["filename"]),
        ] {
            let error = read(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains("features_30_sec.csv"), "{error}");
            words.iter().for_each(|word| assert!(error.contains(word), "{word}: {error}"));
        }
    }

    #[test]
    fn tables_of_clips_are_no_features() {
        let folder = tempfile::tempdir().unwrap();
        let is = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            Dataset::is_csv(&path)
        };
        assert!(is("a.csv", PLAIN) && is("b.tsv", &PLAIN.replace(',', "\t")));
        assert!(!is("c.csv", "path,label\na.wav,x\n"));
        assert!(!is("d.csv", "filename,label\na.wav,x\n"));
        assert!(!is("e.npz", PLAIN));
        assert!(!Dataset::is_csv(folder.path()));
    }
}
