//! One CSV table and its cells.

use crate::answers::safe_cell;
use crate::error::{Error, Result};

/// A column: its name, its meaning, and its cell in a row made of a `T`.
pub(super) type Field<T> = (&'static str, &'static str, fn(&T) -> String);

/// One table: file name, columns with their meanings, rows.
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) columns: Vec<(&'static str, &'static str)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn of<T>(
        name: &'static str,
        rows: impl Iterator<Item = T>,
        fields: &[Field<T>],
    ) -> Self {
        let cells = |row: T| fields.iter().map(|(_, _, cell)| cell(&row)).collect();
        Self {
            name,
            columns: fields.iter().map(|&(column, meaning, _)| (column, meaning)).collect(),
            rows: rows.map(cells).collect(),
        }
    }
}

pub(super) fn write(table: &Table) -> Result<(String, String)> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let failed = |error: &dyn std::fmt::Display| {
        Error::request(
            format!("{} cannot be written: {error}", table.name),
            "report this as a fault",
        )
    };
    writer
        .write_record(table.columns.iter().map(|(name, _)| *name))
        .map_err(|error| failed(&error))?;
    for row in &table.rows {
        writer.write_record(row).map_err(|error| failed(&error))?;
    }
    let bytes = writer.into_inner().map_err(|error| failed(&error))?;
    let content = String::from_utf8(bytes).map_err(|error| failed(&error))?;
    Ok((table.name.to_owned(), content))
}

pub(super) fn text(value: &str) -> String {
    safe_cell(value)
}

/// Every digit, with an exponent where it is shorter.
pub(super) fn number(value: f64) -> String {
    format!("{value:?}")
}

pub(super) fn maybe(value: Option<f64>) -> String {
    value.map(number).unwrap_or_default()
}

/// A cell of something that may not be there.
pub(super) fn of<T>(thing: Option<T>, cell: fn(T) -> String) -> String {
    thing.map(cell).unwrap_or_default()
}
