//! Images as lines of a CSV table: a label, then the pixels row by row. MNIST, EMNIST and
//! Fashion-MNIST are passed on so, with or without a line of column names.

use std::path::Path;

use trompe_base::files::read_at_most;
use trompe_base::{Error, Result};

use super::image::ImageShape;
use crate::limits::Limits;

/// Images of one table.
pub(super) struct Table {
    pub(super) shape: ImageShape,
    pub(super) pixels: Vec<u8>,
    pub(super) labels: Vec<usize>,
}

/// Reads a table of square grey images.
///
/// # Errors
/// [`Error::BadFile`] naming the line that is no label and as many pixels as the others have,
/// each 0 to 255.
pub(super) fn read(path: &Path, limits: &Limits) -> Result<Table> {
    let bad = |what: String| {
        Error::bad_file(path, what, "give a label and the pixels (0 to 255) in every line")
    };
    let bytes = read_at_most(path, limits.max_text_bytes.min(limits.max_array_bytes))?;
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .trim(csv::Trim::All)
        .from_reader(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes));
    let mut table = Table { shape: ImageShape::grey(0, 0), pixels: Vec::new(), labels: Vec::new() };
    for record in reader.byte_records() {
        let record = record.map_err(|e| bad(e.to_string()))?;
        let line = record.position().map_or(0, csv::Position::line);
        let side = (record.len() - 1).isqrt();
        if side == 0 || side * side != record.len() - 1 {
            return Err(bad(format!("line {line} has {} columns, no square image", record.len())));
        }
        if line == 1 && is_header(&record) {
            continue;
        }
        table.shape = ImageShape::grey(side, side);
        let mut fields = record.iter();
        let label = fields.next().and_then(number).map(usize::from);
        let Some(label) = label else { return Err(bad(format!("line {line} has no label"))) };
        table.labels.push(label);
        for (column, field) in fields.enumerate() {
            let pixel = number(field)
                .ok_or_else(|| bad(format!("line {line}, pixel {column}: not 0 to 255")))?;
            table.pixels.push(pixel);
        }
    }
    Ok(table)
}

fn number(field: &[u8]) -> Option<u8> {
    std::str::from_utf8(field).ok()?.parse().ok()
}

/// Whether a line names columns: its first field is no number.
fn is_header(record: &csv::ByteRecord) -> bool {
    record.get(0).is_some_and(|first| number(first).is_none())
}

/// Whether the file begins as such a table does: enough columns for an image, and after a line
/// of names a label.
pub(super) fn is_table(path: &Path) -> bool {
    const BEGINNING: u64 = 1 << 16;
    let mut bytes = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| {
        std::io::Read::read_to_end(&mut std::io::Read::take(file, BEGINNING), &mut bytes)
    });
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or(&[]);
    let columns = first.split(|byte| *byte == b',').count();
    read.is_ok() && columns > 1 && (columns - 1).isqrt().pow(2) == columns - 1 && columns >= 17
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn lines_are_images_with_or_without_names_of_columns() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mnist_train.csv");
        let pixels: Vec<String> = (0..16).map(|n| (n * 15).to_string()).collect();
        let line = format!("7,{}\n", pixels.join(","));
        let names: Vec<String> = (0..16).map(|n| format!("pixel{n}")).collect();
        for text in [line.repeat(2), format!("label,{}\r\n{}", names.join(","), line.repeat(2))] {
            std::fs::write(&path, text).unwrap();
            assert!(is_table(&path));
            let table = read(&path, &Limits::default()).unwrap();
            assert_eq!(table.shape, ImageShape::grey(4, 4));
            assert_eq!(table.labels, [7, 7]);
            assert_eq!(table.pixels[16..], (0..16).map(|n| n * 15).collect::<Vec<u8>>());
        }
        for (text, words) in [
            (format!("{line}8,1,2\n"), "line"),
            (line.replace(",15,", ",256,"), "pixel 1"),
            (line.replace("7,0", "x,y"), "pixel"),
        ] {
            std::fs::write(&path, format!("{line}{text}")).unwrap();
            let error = read(&path, &Limits::default()).err().unwrap().to_string();
            assert!(error.contains(words) && error.contains("mnist_train.csv"), "{error}");
        }
    }
}
