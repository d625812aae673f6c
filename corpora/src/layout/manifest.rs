//! A table of clips: CSV or TSV with a header line.
//!
//! The column `path` and one of `label` and `tags` (or `labels`) are required; `split` (train,
//! valid, test), `fold` (a number), `group`, `artist`, `album`, `track`, `source`, `start` and `end`
//! (seconds) and `id` are optional, in any order. Paths are relative to the table's folder. An empty
//! field is an absent value.
//!
//! Several tags of a clip are separated by bars in the whole table if a bar occurs in its tags, else
//! by semicolons if one does, else by commas. With both columns the label comes first. Clips are kept
//! together by `group`; a table without groups keeps them together by artist, else by album, track
//! or source.
//! Any other column is an error: a
//! misspelt `group` would otherwise silently undo the grouping. The exceptions are what programs
//! write without being asked: a column of row numbers without a name (pandas), and empty columns
//! at the end. Columns may be separated by commas, tabs, semicolons or bars.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use trompe_base::files::read_at_most;
use trompe_base::words::counted;
use trompe_base::{Error, Result};

use crate::corpus::{Clip, Corpus, GroupKind, Provenance, Split};
use crate::layout::checks::{Parsed, check_files, check_ids, check_labels};
use crate::layout::text::{self, TableText};
use crate::layout::walk::name_of;
use crate::limits::Limits;

const COLUMNS: [&str; 13] = [
    "path", "label", "tags", "split", "fold", "group", "artist", "album", "track", "source",
    "start", "end", "id",
];
/// Another name of `tags`.
const ALIAS: &str = "labels";

/// The manifest of a folder, if it has one.
pub(crate) fn find(folder: &Path) -> Option<PathBuf> {
    ["manifest.csv", "manifest.tsv"]
        .iter()
        .map(|name| folder.join(name))
        .find(|path| path.is_file())
}

/// Reads a table. Without an `id` column a clip is named by its path, followed by
/// `@start-end` where it is a stretch.
///
/// # Errors
/// [`Error::Io`] if the table cannot be read; [`Error::BadFile`] if it is beyond the limits;
/// [`Error::Request`] naming the table and line if it
/// lacks a column, has an unknown one, a field has no sensible value, a name occurs twice or an
/// audio file is missing.
pub fn open(table: &Path, limits: &Limits) -> Result<Corpus> {
    let bytes = read_at_most(table, limits.max_text_bytes)?;
    let TableText { text, separator, skipped } = text::read(table, &bytes, &COLUMNS[..1])?;
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator)
        .trim(csv::Trim::All)
        // Lines are compared with the header below.
        .flexible(true)
        .from_reader(text.as_bytes());
    let header = reader.headers().map_err(|e| malformed(table, &e))?.clone();
    let columns = Columns::find(table, &header, separator)?;
    let folder = table.parent().unwrap_or(Path::new(""));

    let mut rows = Vec::new();
    for record in reader.records() {
        if rows.len() == limits.max_rows {
            let what = format!("has more than {} lines", limits.max_rows);
            return Err(Error::bad_file(table, what, "divide it"));
        }
        let record = record.map_err(|e| malformed(table, &e))?;
        let line = record.position().map_or(0, csv::Position::line) + skipped;
        let row = Row { table, line, record: &record, columns: &columns };
        row.check_fields(header.len(), rows.len())?;
        rows.push(row.parse(folder)?);
    }
    split_tags(table, &mut rows)?;
    if rows.is_empty() {
        return Err(Error::request(
            format!("{} lists no clips", table.display()),
            "add a line for every clip",
        ));
    }
    check_ids(table, &rows)?;
    check_labels(table, &rows)?;
    check_files(table, &rows)?;

    let labels: BTreeSet<&str> =
        rows.iter().flat_map(|row| row.labels.iter().map(String::as_str)).collect();
    let classes: Vec<String> = labels.into_iter().map(str::to_owned).collect();
    // Labels are among the classes, which are sorted.
    let place = |label: &String| classes.partition_point(|class| class < label);
    let clip = |row: Parsed| {
        let class = row.labels.first().map_or(0, place);
        let mut other_labels: Vec<usize> = row.labels.iter().skip(1).map(place).collect();
        other_labels.sort_unstable();
        Clip { class, other_labels, ..row.clip }
    };
    let mut clips: Vec<Clip> = rows.into_iter().map(clip).collect();
    clips.sort_by(|a, b| a.id.cmp(&b.id));
    let mut corpus = Corpus {
        known_as: None,
        licence: None,
        name: name_of(match find(folder) {
            Some(found) if found == table && !folder.as_os_str().is_empty() => folder,
            _ => table,
        }),
        provenance: Provenance::Unstated,
        labels: "labels of the user's manifest".to_owned(),
        classes,
        clips,
    };
    corpus.group_by_default();
    Ok(corpus)
}

/// Divides the tags of every line, which are one text so far. A line's labels are then its label,
/// if it has one, and its tags, each once.
fn split_tags(table: &Path, rows: &mut [Parsed]) -> Result<()> {
    let occurs = |mark: &char| rows.iter().any(|row| row.tags.contains(*mark));
    let mark = ['|', ';'].into_iter().find(occurs).unwrap_or(',');
    for row in rows {
        for tag in row.tags.split(mark).map(str::trim).filter(|tag| !tag.is_empty()) {
            check_label(table, row.line, tag)?;
            if !row.labels.iter().any(|known| known == tag) {
                row.labels.push(tag.to_owned());
            }
        }
        if row.labels.is_empty() {
            return Err(Error::request(
                format!("{}, line {}: label is empty", table.display(), row.line),
                "fill it in or remove the line",
            ));
        }
    }
    Ok(())
}

/// Refuses what pandas, numpy, R and spreadsheets write for a value that is not there.
fn check_label(table: &Path, line: u64, label: &str) -> Result<()> {
    if !text::is_missing(label) {
        return Ok(());
    }
    let table = table.display();
    Err(Error::request(
        format!("{table}, line {line}: label is {label}, which programs write for a missing value"),
        "fill it in or remove the line",
    ))
}

fn malformed(table: &Path, error: &csv::Error) -> Error {
    Error::request(
        format!("{}: {error}", table.display()),
        "write it as UTF-8 text with the same number of fields in every line",
    )
}

/// Which column stands where.
struct Columns {
    /// Where each of [`COLUMNS`] stands in the table.
    places: [Option<usize>; COLUMNS.len()],
    /// The column without a name before the others: pandas numbers lines in it.
    index: Option<usize>,
    /// How many columns there are before empty ones at the end.
    named: usize,
}

impl Columns {
    fn find(table: &Path, header: &csv::StringRecord, separator: u8) -> Result<Self> {
        let mut found: Vec<String> = header.iter().map(str::to_lowercase).collect();
        while found.last().is_some_and(String::is_empty) && found.len() > 1 {
            found.pop();
        }
        let mut places = COLUMNS.map(|name| found.iter().position(|column| column == name));
        let [path, label, tags, ..] = &mut places;
        *tags = tags.or(found.iter().position(|column| column == ALIAS));
        let mut missing = Vec::new();
        if path.is_none() {
            missing.push("path");
        }
        if label.or(*tags).is_none() {
            missing.push("label");
        }
        let index = matches!(found.first().map(String::as_str), Some("" | "unnamed: 0"));
        let index = (index && found.len() > 1).then_some(0);
        let shown = |column: &String| match column.as_str() {
            "" => "(without a name)".to_owned(),
            name => name.to_owned(),
        };
        let surplus: Vec<String> = found
            .iter()
            .enumerate()
            .filter(|&(place, _)| !places.contains(&Some(place)) && index != Some(place))
            .map(|(_, column)| shown(column))
            .collect();
        let fault = match (missing.as_slice(), surplus.as_slice()) {
            ([], []) => return Ok(Self { places, index, named: found.len() }),
            ([], surplus) => format!("unknown or repeated column {}", surplus.join(", ")),
            (missing, _) => format!("no column {}", missing.join(", ")),
        };
        const SHOWN: usize = 12;
        let more = if found.len() > SHOWN { ", ..." } else { "" };
        let names: Vec<String> = found.iter().take(SHOWN).map(shown).collect();
        Err(Error::request(
            format!(
                "{}: {fault}; its columns, separated by {}, are {}{more}",
                table.display(),
                text::name(separator),
                names.join(", ")
            ),
            format!(
                "path, label are required (tags may take the place of label), {} optional",
                COLUMNS[2..].join(", ")
            ),
        ))
    }
}

/// One line of the table.
struct Row<'a> {
    table: &'a Path,
    line: u64,
    record: &'a csv::StringRecord,
    columns: &'a Columns,
}

impl Row<'_> {
    fn field(&self, name: &str) -> Option<&str> {
        let column = COLUMNS.iter().position(|column| *column == name)?;
        let text = self.record.get(self.columns.places[column]?)?;
        (!text.is_empty()).then_some(text)
    }

    fn wrong(&self, what: String, remedy: &str) -> Error {
        Error::request(format!("{}, line {}: {what}", self.table.display(), self.line), remedy)
    }

    /// Whether the line, the one with this number of clips before it, has the header's fields.
    fn check_fields(&self, header: usize, number: usize) -> Result<()> {
        let fields = self.record.len();
        let beyond = self.record.iter().skip(self.columns.named).any(|field| !field.is_empty());
        if fields < self.columns.named || beyond {
            return Err(self.wrong(
                format!("it has {}, the header {header}", counted(fields, "field")),
                "give every line as many, and put fields that hold the separator in quotes",
            ));
        }
        let Some(index) = self.columns.index else { return Ok(()) };
        let value = self.record.get(index).unwrap_or("");
        match value.parse() == Ok(number) || value.parse() == Ok(number + 1) {
            true => Ok(()),
            false => Err(self.wrong(
                format!("the column without a name holds {value:?}, not the line's number"),
                "name the column, or remove it",
            )),
        }
    }

    /// The label, if the table has such a column: it must not be empty then, unless there are tags.
    fn label(&self) -> Result<Vec<String>> {
        let label = match self.field("tags") {
            Some(_) => self.field("label"),
            None => Some(self.required("label")?),
        };
        label.into_iter().try_for_each(|label| check_label(self.table, self.line, label))?;
        Ok(label.map(str::to_owned).into_iter().collect())
    }

    fn groups(&self) -> BTreeMap<GroupKind, String> {
        let stated = |kind: GroupKind| Some((kind, self.field(kind.name())?.to_owned()));
        GroupKind::ALL.into_iter().filter_map(stated).collect()
    }

    fn required(&self, name: &str) -> Result<&str> {
        self.field(name)
            .ok_or_else(|| self.wrong(format!("{name} is empty"), "fill it in or remove the line"))
    }

    fn seconds(&self, name: &str) -> Result<Option<f64>> {
        let Some(text) = self.field(name) else { return Ok(None) };
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() && value >= 0.0 => Ok(Some(value)),
            _ => Err(self.wrong(format!("{name} is {text:?}"), "give seconds, 0 or more")),
        }
    }

    fn split(&self) -> Result<Option<Split>> {
        Ok(Some(match self.field("split").map(str::to_lowercase).as_deref() {
            None => return Ok(None),
            Some("train") => Split::Train,
            Some("valid" | "validation" | "val") => Split::Valid,
            Some("test") => Split::Test,
            Some(other) => {
                return Err(self.wrong(format!("split is {other:?}"), "use train, valid or test"));
            }
        }))
    }

    fn fold(&self) -> Result<Option<usize>> {
        let Some(text) = self.field("fold") else { return Ok(None) };
        let number = text.parse();
        number.map(Some).map_err(|_| self.wrong(format!("fold is {text:?}"), "use a whole number"))
    }

    fn parse(&self, folder: &Path) -> Result<Parsed> {
        let path = self.required("path")?;
        let (start, end) = (self.seconds("start")?, self.seconds("end")?);
        if end.is_some_and(|end| end <= start.unwrap_or(0.0)) {
            return Err(self.wrong("end is not after start".to_owned(), "correct the times"));
        }
        let id = match (self.field("id"), start, end) {
            (Some(id), ..) => id.to_owned(),
            (None, None, None) => path.to_owned(),
            (None, start, end) => {
                let end = end.map_or(String::new(), |end| end.to_string());
                format!("{path}@{}-{end}", start.unwrap_or(0.0))
            }
        };
        Ok(Parsed {
            line: self.line,
            labels: self.label()?,
            tags: self.field("tags").unwrap_or_default().to_owned(),
            clip: Clip {
                split: self.split()?,
                fold: self.fold()?,
                group: self.field("group").map(str::to_owned),
                groups: self.groups(),
                start: start.unwrap_or(0.0),
                end,
                ..Clip::new(id, folder.join(path), 0)
            },
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::layout::test_tree::plant;

    struct Table {
        folder: tempfile::TempDir,
    }

    impl Table {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            plant(folder.path(), &["x/1.wav", "x/2.wav", "3.wav"]);
            Self { folder }
        }

        fn open(&self, name: &str, text: &str) -> Result<Corpus> {
            let table = self.folder.path().join(name);
            std::fs::write(&table, text).unwrap();
            open(&table, &Limits::default())
        }

        #[track_caller]
        fn refuses(&self, text: &str, words: &[&str]) {
            let error = self.open("t.csv", text).unwrap_err();
            assert!(matches!(error, Error::Request { .. }), "{error}");
            let message = error.to_string();
            for word in words.iter().chain([&"t.csv"]) {
                assert!(message.contains(word), "{message:?} does not say {word:?}");
            }
        }
    }

    #[test]
    fn all_columns_are_read_in_any_order() {
        let table = Table::new();
        let text = "\u{feff}Label,path , id,split,fold,group,start,end\r\n\
                    rock,x/2.wav,b,test,3,Ann,1.5,4\r\n\
                    blues,x/1.wav,a,Validation,,,,\r\n\
                    rock, 3.wav ,c,,,,,\r\n";
        let corpus = table.open("t.csv", text).unwrap();
        assert_eq!(corpus.name, "t");
        assert_eq!(corpus.classes, ["blues", "rock"]);
        let root = table.folder.path();
        let clip = |id: &str, path: &str, class| Clip::new(id, root.join(path), class);
        let expected = [
            Clip { split: Some(Split::Valid), ..clip("a", "x/1.wav", 0) },
            Clip {
                split: Some(Split::Test),
                fold: Some(3),
                group: Some("Ann".to_owned()),
                start: 1.5,
                end: Some(4.0),
                ..clip("b", "x/2.wav", 1)
            },
            clip("c", "3.wav", 1),
        ];
        assert_eq!(corpus.clips, expected);
    }

    #[test]
    fn several_tags_of_a_clip_are_separated_by_the_mark_that_the_table_uses() {
        let table = Table::new();
        let labels = |text: &str| -> (Vec<String>, Vec<Vec<usize>>) {
            let corpus = table.open("t.csv", text).unwrap();
            let of_clip = corpus.clips.iter().map(|clip| clip.labels().collect()).collect();
            (corpus.classes, of_clip)
        };
        let (classes, of_clip) = labels("path,tags\n3.wav,b|a||b\nx/1.wav,a\n");
        assert_eq!(classes, ["a", "b"]);
        assert_eq!(of_clip, [vec![1, 0], vec![0]]);
        // A comma inside a tag is part of it where bars separate.
        let (classes, _) = labels("path,labels\n3.wav,\"Folk, World\"|a\nx/1.wav,a\n");
        assert_eq!(classes, ["Folk, World", "a"]);
        let (classes, of_clip) = labels("path,labels\n3.wav,\"loud, soft\"\nx/1.wav,soft\n");
        assert_eq!((classes.len(), of_clip), (2, vec![vec![0, 1], vec![1]]));
        assert_eq!(labels("path,tags\n3.wav,c;a\nx/1.wav,a\n").1, [vec![1, 0], vec![0]]);
        // The label comes first, whether it is among the tags or not.
        let (classes, of_clip) = labels("path,label,tags\n3.wav,b,a|b\nx/1.wav,c,\nx/2.wav,,a\n");
        assert_eq!(classes, ["a", "b", "c"]);
        assert_eq!(of_clip, [vec![1, 0], vec![2], vec![0]]);
        table.refuses("path,tags\n3.wav,a|nan\n", &["line 2", "nan", "missing"]);
        table.refuses("path,tags\n3.wav,a\nx/1.wav,|\n", &["line 3", "label is empty"]);
        table.refuses("path,tags\n3.wav,a|B\nx/1.wav,b\n", &["differ only", "line 2", "line 3"]);
        table.refuses("path,tags,labels\n3.wav,a,b\n", &["repeated", "labels"]);
    }

    #[test]
    fn groups_of_several_kinds_are_kept_and_one_is_chosen() {
        let table = Table::new();
        let text = "path,label,artist,album,source\n3.wav,a,Ann,Songs,x\nx/1.wav,b,,Days,x\n";
        let corpus = table.open("t.csv", text).unwrap();
        let kinds = [GroupKind::Artist, GroupKind::Album, GroupKind::Source];
        assert_eq!(corpus.group_kinds(), kinds);
        assert_eq!(corpus.clips[0].group.as_deref(), Some("Ann"));
        assert_eq!(corpus.clips[1].group, None);
        // A column group comes before all kinds.
        let text = "path,label,group,artist\n3.wav,a,g,Ann\nx/1.wav,b,,Bob\n";
        let corpus = table.open("t.csv", text).unwrap();
        assert_eq!(corpus.clips[0].group.as_deref(), Some("g"));
        assert_eq!(corpus.clips[1].group, None);
    }

    #[test]
    fn tabs_separate_tsv_and_names_default_to_path_and_stretch() {
        let table = Table::new();
        let text = "path\tlabel\tstart\tend\n3.wav\ta\t0\t1\n3.wav\ta\t1.5\t\nx/1.wav\tb\t\t\n";
        let corpus = table.open("t.tsv", text).unwrap();
        let ids: Vec<&str> = corpus.clips.iter().map(|clip| clip.id.as_str()).collect();
        assert_eq!(ids, ["3.wav@0-1", "3.wav@1.5-", "x/1.wav"]);
    }

    #[test]
    fn wrong_columns_are_named_with_those_wanted() {
        let table = Table::new();
        table.refuses(
            "path,genre\n3.wav,a\n",
            &["no column label", "by commas, are path, genre", "path, label are required"],
        );
        table.refuses("clip\tmp3_path\n1\ta\n", &["no column path, label", "by tabs, are clip"]);
        table.refuses("path,label,grup\n3.wav,a,b\n", &["unknown", "grup", "group"]);
        table.refuses("path,label,label\n3.wav,a,b\n", &["repeated", "label"]);
        table.refuses("", &["no column path, label"]);
    }

    #[test]
    fn what_programs_add_to_a_table_is_passed_over() {
        let table = Table::new();
        for text in [
            ",path,label\n0,x/1.wav,a\n1,3.wav,b\n",
            "Unnamed: 0,path,label\n1,x/1.wav,a\n2,3.wav,b\n",
            "path,label,,\nx/1.wav,a,,\n3.wav,b,,\n",
            "path,label\nx/1.wav,a,\n3.wav,b,\n",
            "path;label\nx/1.wav;a\n3.wav;b\n",
            "path\tlabel\nx/1.wav\ta\n3.wav\tb\n",
            "sep=;\r\npath;label\r\nx/1.wav;a\r\n3.wav;b\r\n",
        ] {
            let corpus = table.open("t.csv", text).unwrap();
            assert_eq!(corpus.classes, ["a", "b"], "{text:?}");
            assert_eq!(corpus.clips.len(), 2, "{text:?}");
        }
        table.refuses(",path,label\n0,x/1.wav,a\nIV,3.wav,b\n", &["line 3", "IV"]);
        table.refuses("path,,label\nx/1.wav,7,a\n", &["without a name"]);
    }

    #[test]
    fn labels_that_are_none_or_two_are_refused() {
        let table = Table::new();
        for missing in ["nan", "NaN", "<NA>", "N/A", "None"] {
            let text = format!("path,label\nx/1.wav,a\n3.wav,{missing}\n");
            table.refuses(&text, &["line 3", missing, "missing"]);
        }
        table.refuses("path,label\nx/1.wav,Rock\n3.wav,rock\n", &["Rock", "rock", "case"]);
        let head = "path,label,id,start,end\n";
        table.refuses(
            &format!("{head}3.wav,a,x,,\n./3.wav,b,y,,\n"),
            &["lines 2 and 3", "3.wav", "two labels"],
        );
        table.refuses(&format!("{head}3.wav,a,x,0,2\n3.wav,b,y,1,3\n"), &["two labels"]);
        let apart = format!("{head}3.wav,a,x,0,1\n3.wav,b,y,1,3\n3.wav,b,z,2,4\n");
        assert_eq!(table.open("t.csv", &apart).unwrap().clips.len(), 3);
    }

    #[test]
    fn faults_are_named_with_their_line() {
        let table = Table::new();
        let with = |columns: &str, values: &str| {
            format!(
                "path,label{columns}\nx/1.wav,a{}\n3.wav,a{values}\n",
                ",".repeat(columns.matches(',').count())
            )
        };
        table.refuses(&with(",start", ",soon"), &["line 3", "start", "soon"]);
        table.refuses(&with(",start", ",-1"), &["line 3", "start"]);
        table.refuses(&with(",end", ",NaN"), &["line 3", "end"]);
        table.refuses(&with(",start,end", ",2,1"), &["line 3", "end is not after start"]);
        table.refuses(&with(",split", ",learn"), &["line 3", "learn", "train"]);
        table.refuses(&with(",fold", ",one"), &["line 3", "fold", "one"]);
        table.refuses("path,label\n3.wav,\n", &["line 2", "label is empty"]);
        table.refuses("path,label\n", &["no clips"]);
        table.refuses("path,label\n3.wav,a\n3.wav,b\n", &["lines 2 and 3", "3.wav"]);
        table.refuses("path,label\n3.wav,a\n4.wav,b\n", &["1 file missing", "line 3", "4.wav"]);
        table.refuses("path,label\n3.wav\n", &["line 2", "1 field,", "header 2"]);
        table.refuses("path,label\n3.wav,a,b\n", &["line 2", "3 fields"]);
        let path = table.folder.path().join("t.csv");
        std::fs::write(&path, b"path,label\n3.wav,\xff\n").unwrap();
        assert!(matches!(open(&path, &Limits::default()), Err(Error::Request { .. })));
    }
}
