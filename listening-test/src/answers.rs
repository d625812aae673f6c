//! The answers table: one row an answer, the only thing the analysis sees.

use std::io::{Read, Write};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// One answer of one participant to one item of the main part of a study.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnswerRow {
    /// Random public code of the participant; simulated ones start with `sim-`.
    pub participant: String,
    /// Opaque name of the item; `<page>/<number>` for a stimulus of a page of several, or
    /// of an adaptive track.
    pub item: String,
    /// `real`, `fooling:<system>`, `catch`, `gold`, `abx`, `ab` or `ab:<first>/<second>`, `likert` or
    /// `likert:<name>`, `mushra:<name>`, `bs1116:<name>`, `staircase:<name>`.
    pub condition: String,
    /// `audio` or `image`.
    pub medium: String,
    /// The machine's label; for real items the label of the corpus; for catch items the
    /// answer asked for; for `ab:<first>/<second>` the letter of the first, which is no more
    /// right than the other; for `staircase:<name>` the number of the right interval; empty otherwise (`ab`, `likert`, `mushra`).
    pub truth: String,
    /// The class chosen; `None` is "don't know" (and every `likert` and `mushra` answer). Of a pair,
    /// the letter that the pair was built with, wherever it was shown.
    pub answer: Option<String>,
    /// Confidence 1 to 5 of a choice, the Likert rating, the MUSHRA score, or the grade of BS.1116.
    pub rating: Option<f64>,
    /// Milliseconds from the item's first presentation to the answer. Browser audio lags by
    /// tens of milliseconds: report seconds.
    pub response_ms: u64,
    /// Milliseconds of the item that were played; for images, shown. `None` if the tool that
    /// asked did not record it.
    pub heard_ms: Option<u64>,
    /// How often playback stalled, or the page was hidden while it ran; `None` as above.
    pub stalls: Option<u32>,
    /// Name of the block.
    pub block: String,
    /// Position among the participant's trials, from 0.
    pub position: u32,
    /// Why the row is out by the rules fixed in advance; `None` keeps it.
    pub excluded: Option<String>,
    /// Of a pair, which letter was shown first: `AB`, or `BA` where the two had changed places.
    #[serde(default)]
    pub order: Option<String>,
    /// Milliseconds from the answer before (or the consent) to this one, as they arrived at the
    /// server; `None` if no server saw it.
    #[serde(default)]
    pub server_ms: Option<u64>,
    /// Of a trial of an adaptive track, the strength of the stimulus in the interval `truth`.
    #[serde(default)]
    pub strength: Option<f64>,
}

/// Column names and meanings, in the order of the CSV.
pub const CODEBOOK: [(&str, &str); 16] = [
    ("participant", "random code of the participant; sim-... is a simulated listener"),
    (
        "item",
        "opaque name of the item, as in key.json; <page>/<number of the stimulus> on pages of several and in tracks",
    ),
    (
        "condition",
        "real, fooling:<system>, catch, gold, abx, ab:<first>/<second> or ab, likert:<name> or likert, mushra:<name>, bs1116:<name>, staircase:<name>",
    ),
    ("medium", "audio or image"),
    (
        "truth",
        "machine label (fooling), corpus label (real, gold), answer asked for (catch), A/B (abx), letter of the first (ab), number of the right interval (staircase)",
    ),
    ("answer", "class, letter or interval chosen; empty is don't know"),
    (
        "rating",
        "confidence 1 to 5, the Likert rating, the MUSHRA score 0 to 100, or the grade 1.0 to 5.0 of BS.1116; empty if not asked",
    ),
    ("response_ms", "milliseconds from first presentation to answer, by the browser's clock"),
    ("heard_ms", "milliseconds of the item played (audio) or shown (image); empty if not recorded"),
    ("stalls", "times playback stalled or the page was hidden meanwhile; empty if not recorded"),
    ("block", "name of the block"),
    ("position", "position among the participant's trials, from 0"),
    ("excluded", "reason under the rules fixed in study.toml; empty keeps the row"),
    (
        "order",
        "of a pair: AB, or BA if the two had changed places; answer and truth name the letters of AB",
    ),
    (
        "server_ms",
        "milliseconds from the answer before, or the consent, by the server's clock; empty if no server saw it",
    ),
    ("strength", "strength of the stimulus in a trial of a staircase; empty elsewhere"),
];

/// Makes a text cell harmless in a spreadsheet: a leading `'` before what would start a
/// formula (OWASP ASVS 5, 1.2.10), and before `'` itself so that [`plain_cell`] can undo it.
pub fn safe_cell(text: &str) -> String {
    match text.bytes().next() {
        Some(b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r' | b'\n' | 0 | b'\'') => format!("'{text}"),
        _ => text.to_owned(),
    }
}

/// Undoes [`safe_cell`].
pub fn plain_cell(cell: &str) -> &str {
    cell.strip_prefix('\'').unwrap_or(cell)
}

/// Writes `rows` as CSV with a header line; text cells are formula-safe.
///
/// # Errors
/// [`trompe_base::Error::Request`] with the writer's word.
pub fn write_csv(rows: &[AnswerRow], to: impl Write) -> Result<()> {
    let mut writer = csv::Writer::from_writer(to);
    let write = |writer: &mut csv::Writer<_>| -> csv::Result<()> {
        for row in rows {
            writer.serialize(map_text(row, safe_cell))?;
        }
        if rows.is_empty() {
            writer.write_record(CODEBOOK.map(|(name, _)| name))?;
        }
        Ok(writer.flush()?)
    };
    write(&mut writer).map_err(|error| {
        Error::request(format!("the answers cannot be written: {error}"), "check the disk")
    })
}

/// Rows of cells as CSV.
///
/// # Errors
/// [`trompe_base::Error::Request`] with the writer's word.
pub(crate) fn csv_of(rows: &[Vec<String>]) -> Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer
            .write_record(row)
            .map_err(|error| Error::request(error.to_string(), "report this as a defect"))?;
    }
    writer.into_inner().map_err(|error| Error::request(error.to_string(), "check the disk"))
}

/// Reads what [`write_csv`] wrote.
///
/// # Errors
/// [`trompe_base::Error::Request`] naming the line that is not an answer.
pub fn read_csv(from: impl Read) -> Result<Vec<AnswerRow>> {
    csv::Reader::from_reader(from)
        .deserialize::<AnswerRow>()
        .map(|row| match row {
            Ok(row) => Ok(map_text(&row, |text| plain_cell(text).to_owned())),
            Err(error) => Err(Error::request(
                format!("this is not an answers table: {error}"),
                "export it again from the study",
            )),
        })
        .collect()
}

fn map_text(row: &AnswerRow, map: impl Fn(&str) -> String) -> AnswerRow {
    AnswerRow {
        participant: map(&row.participant),
        item: map(&row.item),
        condition: map(&row.condition),
        medium: map(&row.medium),
        truth: map(&row.truth),
        answer: row.answer.as_deref().map(&map),
        block: map(&row.block),
        excluded: row.excluded.as_deref().map(&map),
        order: row.order.as_deref().map(&map),
        ..*row
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn row(text: &str) -> AnswerRow {
        AnswerRow {
            participant: "p1".into(),
            item: text.into(),
            condition: "real".into(),
            medium: "audio".into(),
            truth: text.into(),
            answer: (!text.is_empty()).then(|| text.into()),
            rating: Some(0.1 + 0.2),
            response_ms: 1234,
            heard_ms: Some(u64::MAX),
            stalls: Some(2),
            block: "a".into(),
            position: 7,
            excluded: None,
            order: Some("BA".into()),
            server_ms: Some(5000),
            strength: Some(-0.25),
        }
    }

    #[test]
    fn rows_survive_csv_and_no_cell_starts_a_formula() {
        let texts = ["rock", "=1+1", "'=1", "''", "a,b\"c\nd", "\t@", "-2", "\0", "é漢🎵", ""];
        let rows: Vec<_> = texts.iter().map(|text| row(text)).collect();
        let mut file = Vec::new();
        write_csv(&rows, &mut file).unwrap();
        assert_eq!(read_csv(file.as_slice()).unwrap(), rows);
        let mut reader = csv::Reader::from_reader(file.as_slice());
        for record in reader.records() {
            // the strength is a number, which no spreadsheet runs
            for cell in record.unwrap().iter().take(CODEBOOK.len() - 1) {
                assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\0']), "{cell:?}");
            }
        }
    }

    #[test]
    fn the_codebook_names_the_columns_in_order() {
        let mut file = Vec::new();
        write_csv(&[row("rock")], &mut file).unwrap();
        let header = String::from_utf8(file).unwrap().lines().next().unwrap().to_owned();
        assert_eq!(header, CODEBOOK.map(|(name, _)| name).join(","));
        let mut empty = Vec::new();
        write_csv(&[], &mut empty).unwrap();
        assert_eq!(String::from_utf8(empty).unwrap().trim(), header);
    }
}
