//! The text of a table as people's programs write it: its encoding and its separator.

use std::borrow::Cow;
use std::path::Path;

use trompe_base::{Error, Result};

/// Separators of columns, the usual ones first.
const SEPARATORS: [u8; 4] = [b',', b'\t', b';', b'|'];

/// The text of a table, and what separates its columns.
#[derive(Debug)]
pub(super) struct TableText<'b> {
    pub(super) text: Cow<'b, str>,
    pub(super) separator: u8,
    /// Lines before the header.
    pub(super) skipped: u64,
}

/// Finds out encoding and separator. The separator is the one that parts the header into columns
/// with these names; a first line `sep=;`, as Excel writes it, is believed.
///
/// # Errors
/// [`Error::Request`] if the bytes are neither UTF-8 nor UTF-16 with a byte order mark, or the
/// header can be split in two ways.
pub(super) fn read<'b>(table: &Path, bytes: &'b [u8], names: &[&str]) -> Result<TableText<'b>> {
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
