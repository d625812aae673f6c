//! Rows of a CSV or JSON file, all cells as text.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Map, Value};

use crate::error::{Error, Result};

/// One row: where it stands, and its cells by column.
#[derive(Debug)]
pub(super) struct Row {
    /// `line 3`, or `trial 3` of a JSON file.
    pub(super) place: String,
    cells: BTreeMap<String, String>,
}

impl Row {
    /// The cell of a column without spaces around it; `a.b` is member `b` of the JSON object
    /// in column `a`, unless a column has that name.
    pub(super) fn cell(&self, column: &str) -> Option<String> {
        if let Some(cell) = self.cells.get(column) {
            return Some(cell.trim().to_owned());
        }
        let (outer, member) = column.split_once('.')?;
        let object: Map<String, Value> = serde_json::from_str(self.cells.get(outer)?).ok()?;
        object.get(member).map(|value| text(value).trim().to_owned())
    }
}

/// Reads a file as JSON if it starts like JSON, else as CSV with a header line.
///
/// JSON is an array of objects, one a trial; several arrays after each other are read as one,
/// the way JATOS hands out the data of several participants.
pub(super) fn read_rows(file: &Path) -> Result<Vec<Row>> {
    let bytes = std::fs::read(file).map_err(|source| Error::io(file, source))?;
    let content = std::str::from_utf8(&bytes).map_err(|error| {
        Error::bad_file(file, error.to_string(), "give the tool's CSV or JSON file in UTF-8")
    })?;
    let content = content.trim_start_matches('\u{feff}').trim_start();
    let rows = if content.starts_with(['[', '{']) { json_rows(content) } else { csv_rows(content) };
    let remedy = "give the tool's CSV or JSON file as it is, with one column of each name";
    rows.map_err(|what| Error::bad_file(file, what, remedy))
}

/// What separates the columns: a comma, or where the header has none, what it has most of.
/// Spreadsheets write semicolons where a comma is the decimal mark.
fn separator(content: &str) -> u8 {
    let header = content.lines().next().unwrap_or("");
    let count = |separator: u8| header.bytes().filter(|byte| *byte == separator).count();
    let others = [b';', b'\t'].into_iter().filter(|&other| count(b',') == 0 && count(other) > 0);
    others.max_by_key(|&other| count(other)).unwrap_or(b',')
}

fn csv_rows(content: &str) -> Result<Vec<Row>, String> {
    let mut reader =
        csv::ReaderBuilder::new().delimiter(separator(content)).from_reader(content.as_bytes());
    let columns = reader.headers().map_err(|error| error.to_string())?.clone();
    let mut names = BTreeSet::new();
    for name in columns.iter().map(str::trim).filter(|name| !name.is_empty()) {
        if !names.insert(name) {
            return Err(format!(
                "there are two columns {name:?}, and which of them is meant is not known"
            ));
        }
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| error.to_string())?;
        let line = record.position().map_or(0, csv::Position::line);
        let cells = columns.iter().zip(&record);
        let cells = cells.map(|(name, cell)| (name.trim().to_owned(), cell.to_owned())).collect();
        rows.push(Row { place: format!("line {line}"), cells });
    }
    Ok(rows)
}

fn json_rows(content: &str) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    for value in serde_json::Deserializer::from_str(content).into_iter::<Value>() {
        let trials = match value.map_err(|error| error.to_string())? {
            Value::Array(trials) => trials,
            single => vec![single],
        };
        for trial in trials {
            let place = format!("trial {}", rows.len() + 1);
            let Value::Object(members) = trial else {
                return Err(format!("{place} is not an object"));
            };
            let cells = members.iter().map(|(name, value)| (name.clone(), text(value))).collect();
            rows.push(Row { place, cells });
        }
    }
    Ok(rows)
}

/// A value as a cell: text bare, nothing as an empty cell, anything else as JSON.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn members_of_json_cells_are_columns() {
        let json = r#"[{"rt": 12.5, "response": {"Q0": "rock"}, "stimulus": null}]
                      [{"rt": 3, "response.Q0": " pop "}]"#;
        let rows = json_rows(json).unwrap();
        let cells: Vec<_> = rows.iter().map(|row| row.cell("response.Q0").unwrap()).collect();
        assert_eq!(cells, ["rock", "pop"]);
        assert_eq!(rows[0].cell("stimulus").unwrap(), "");
        assert_eq!((rows[1].cell("stimulus"), rows[1].place.as_str()), (None, "trial 2"));
        let csv = "rt,response\n7,\"{\"\"Q0\"\":\"\"rock\"\"}\"\n";
        let rows = csv_rows(csv).unwrap();
        assert_eq!(rows[0].cell("response.Q0").unwrap(), "rock");
        assert_eq!(rows[0].place, "line 2");
        for csv in ["rt;response\n7;\"a,b\"\n", "rt\tresponse\n7\ta,b\n"] {
            assert_eq!(csv_rows(csv).unwrap()[0].cell("response").unwrap(), "a,b");
        }
        let error = csv_rows("response,rt, response\na,1,b\n").unwrap_err();
        assert!(error.contains("two columns \"response\""), "{error}");
        assert_eq!(csv_rows("rt,,\n7,,\n").unwrap()[0].cell("rt").unwrap(), "7");
        assert!(csv_rows("a,b\n1\n").unwrap_err().contains("line"));
        assert!(json_rows("[1]").is_err() && json_rows("[{]").is_err());
    }
}
