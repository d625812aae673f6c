//! The text of a table as people's programs write it: its encoding and its separator.

use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use trompe_base::{Error, Result};

/// Separators of columns, the usual ones first.
const SEPARATORS: [u8; 4] = [b',', b'\t', b';', b'|'];

/// The text of a table, and what separates its columns.
#[derive(Debug)]
pub struct TableText<'b> {
    /// Everything behind the byte order mark and a line `sep=`.
    pub text: Cow<'b, str>,
    /// What separates columns.
    pub separator: u8,
    /// Lines before the header.
    pub skipped: u64,
}

/// Finds out encoding and separator. The separator is the one that parts the header into columns
/// with these names; a first line `sep=;`, as Excel writes it, is believed.
///
/// # Errors
/// [`Error::Request`] if the bytes are neither UTF-8 nor UTF-16 with a byte order mark, or the
/// header can be split in two ways.
pub fn read<'b>(table: &Path, bytes: &'b [u8], names: &[&str]) -> Result<TableText<'b>> {
    let mut text = decode(table, bytes)?;
    let mut skipped = 0;
    let mut stated = None;
    let first = text.lines().next().unwrap_or("");
    if let Some(separator) = first.strip_prefix("sep=").and_then(|rest| rest.bytes().next()) {
        let rest = text.split_once('\n').map_or("", |(_, rest)| rest).to_owned();
        (text, skipped, stated) = (Cow::Owned(rest), 1, Some(separator));
    }
    if let Some(separator) = stated {
        return Ok(TableText { text, separator, skipped });
    }
    let header = text.lines().next().unwrap_or("");
    let parts = |separator: u8| {
        let columns: Vec<String> = header.split(char::from(separator)).map(column).collect();
        names.iter().all(|name| columns.iter().any(|column| column == name))
    };
    let fitting: Vec<u8> = SEPARATORS.into_iter().filter(|&separator| parts(separator)).collect();
    let separator = match fitting.as_slice() {
        [one] => *one,
        [] => usual(table, header),
        _ => {
            return Err(Error::request(
                format!("{}: its header {header:?} can be split in two ways", table.display()),
                "separate all columns by commas",
            ));
        }
    };
    Ok(TableText { text, separator, skipped })
}

/// What a separator is called.
pub(super) fn name(separator: u8) -> String {
    match separator {
        b',' => "commas".to_owned(),
        b'\t' => "tabs".to_owned(),
        b';' => "semicolons".to_owned(),
        b'|' => "bars".to_owned(),
        other => format!("{:?}", char::from(other)),
    }
}

/// A column's name without quotes and spaces, in lower case.
fn column(name: &str) -> String {
    name.trim().trim_matches('"').trim().to_lowercase()
}

/// What most likely separates a header without the wanted columns.
fn usual(table: &Path, header: &str) -> u8 {
    let count = |separator: u8| header.bytes().filter(|byte| *byte == separator).count();
    let tabs = table.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("tsv"));
    let fallback = if tabs { b'\t' } else { b',' };
    SEPARATORS
        .into_iter()
        .rev()
        .max_by_key(|&s| count(s))
        .filter(|&s| count(s) > 0)
        .unwrap_or(fallback)
}

/// Names of the columns of a table, of which only the first line is read: in lower case, without
/// quotes and spaces. `None` if the file cannot be read as such a table.
pub fn column_names(table: &Path, names: &[&str]) -> Option<Vec<String>> {
    const LONGEST: u64 = 1 << 20;
    let mut bytes = Vec::new();
    File::open(table).ok()?.take(LONGEST).read_to_end(&mut bytes).ok()?;
    // Beyond the last line break, a character may be cut.
    let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1);
    let TableText { text, separator, .. } = read(table, &bytes[..end], names).ok()?;
    let header = text.lines().next().unwrap_or("");
    Some(header.split(char::from(separator)).map(column).collect())
}

/// Whether a label is what pandas, numpy, R and spreadsheets write for a value that is not there.
pub fn is_missing(label: &str) -> bool {
    const MISSING: [&str; 10] =
        ["nan", "NaN", "NAN", "<NA>", "N/A", "#N/A", "NULL", "null", "None", "NaT"];
    MISSING.contains(&label)
}

fn decode<'b>(table: &Path, bytes: &'b [u8]) -> Result<Cow<'b, str>> {
    let not_text = |what: String| {
        Error::request(format!("{}: {what}", table.display()), "save it as UTF-8 text")
    };
    let order: fn([u8; 2]) -> u16 = match bytes {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => {
            let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
            return std::str::from_utf8(text).map(Cow::Borrowed).map_err(|e| {
                let line = text[..e.valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
                not_text(format!("line {} is not UTF-8 text", line + 1))
            });
        }
    };
    let units: Vec<u16> =
        bytes[2..].chunks_exact(2).map(|pair| order([pair[0], pair[1]])).collect();
    String::from_utf16(&units)
        .map(Cow::Owned)
        .map_err(|_| not_text("is not whole UTF-16 text".to_owned()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn separator(name: &str, text: &str) -> u8 {
        read(Path::new(name), text.as_bytes(), &["path", "label"]).unwrap().separator
    }

    #[test]
    fn the_header_tells_the_separator() {
        assert_eq!(separator("t.csv", "path,label\n"), b',');
        assert_eq!(separator("t.csv", "Path;\"label\"\r\na;b\r\n"), b';');
        assert_eq!(separator("t.csv", "path\tlabel\n"), b'\t');
        assert_eq!(separator("t.tsv", "path,label\n"), b',');
        assert_eq!(separator("t.csv", "clip_id\tmp3_path\n"), b'\t');
        assert_eq!(separator("t.csv", "sep=|\npath|label\n"), b'|');
    }

    #[test]
    fn the_first_line_alone_names_the_columns() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        let names = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            column_names(&path, &["filename"])
        };
        let wanted = Some(vec!["filename".to_owned(), "label".to_owned()]);
        assert_eq!(names(b"FileName;\"label\"\r\n\xc3\xa9.wav;a\r\n"), wanted);
        let long = format!("filename,label\n{}", "\u{e9}.wav,a\n".repeat(300_000));
        assert_eq!(names(long.as_bytes()), wanted);
        let utf16: Vec<u8> =
            "\u{feff}filename\tlabel\na\tb\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(names(&utf16), wanted);
        assert_eq!(names(b"\xff\xfe\0\xd8\n\0"), None);
        assert_eq!(column_names(folder.path(), &[]), None);
    }

    #[test]
    fn utf_16_is_read_and_other_encodings_are_refused() {
        let utf16 = |mark: [u8; 2], bytes: fn(u16) -> [u8; 2]| {
            let text = "path,label\n\u{e9}.wav,a\n".encode_utf16().flat_map(bytes);
            mark.into_iter().chain(text).collect::<Vec<u8>>()
        };
        for bytes in [utf16([0xff, 0xfe], u16::to_le_bytes), utf16([0xfe, 0xff], u16::to_be_bytes)]
        {
            let read = read(Path::new("t.csv"), &bytes, &["path", "label"]).unwrap();
            assert!(read.text.contains("\u{e9}.wav"));
        }
        let error = read(Path::new("t.csv"), b"path,label\na,\xff\n", &[]).unwrap_err();
        assert!(error.to_string().contains("line 2"), "{error}");
    }
}
