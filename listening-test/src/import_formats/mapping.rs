//! Which columns of another tool's file hold what: a small TOML file.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::Complaint;
use super::offered;
use super::table::Row;
use crate::answer_key::Item;
use crate::error::{Error, Result};
use crate::mushra::HIGHEST;
use crate::study::{Block, Task};

/// Which columns hold what, and what the tool's words mean in the study.
///
/// A column is named as in the file; `response.Q0` is the member `Q0` of the JSON object in
/// column `response`. Cells are compared without spaces around them.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// Column that tells participants apart; without it each file is one participant.
    #[serde(default)]
    pub participant: Option<String>,
    /// Column that names the stimulus, or several, whose cells are joined by `/`.
    pub item: Columns,
    /// Column of the answer: a class, `A` or `B`, or the rating.
    pub answer: String,
    /// Column of the milliseconds to the answer.
    pub response_ms: String,
    /// Column of the milliseconds heard or shown.
    #[serde(default)]
    pub heard_ms: Option<String>,
    /// Column of the confidence, 1 to 5.
    #[serde(default)]
    pub confidence: Option<String>,
    /// Answers that mean "don't know".
    #[serde(default)]
    pub dont_know: Vec<String>,
    /// Answers that are none: their rows are left out.
    #[serde(default)]
    pub no_answer: Vec<String>,
    /// Answers to an ABX item that only say it was right; by default the words of both tools.
    #[serde(default = "right")]
    pub right: Vec<String>,
    /// Answers to an ABX item that only say it was wrong.
    #[serde(default = "wrong")]
    pub wrong: Vec<String>,
    /// Whether programs answered (jsPsych has a simulation mode): the table says so.
    #[serde(default)]
    pub simulated: bool,
    /// What the tool wrote, and the answer that it means; what is not here means itself.
    #[serde(default)]
    pub answers: BTreeMap<String, String>,
    /// What the tool called a stimulus, and the item of the study.
    #[serde(default)]
    pub items: BTreeMap<String, String>,
    /// Columns and the only value that a row to be taken has there.
    #[serde(default)]
    pub only: BTreeMap<String, String>,
}

/// One column or several.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Columns {
    /// One.
    One(String),
    /// Several, in order.
    Several(Vec<String>),
}

fn right() -> Vec<String> {
    ["correct", "true"].map(String::from).into()
}

fn wrong() -> Vec<String> {
    ["incorrect", "false"].map(String::from).into()
}

impl Mapping {
    /// Reads a mapping.
    ///
    /// # Errors
    /// [`trompe_base::Error::Io`], or [`trompe_base::Error::BadFile`] saying which key is wrong.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|source| Error::io(path, source))?;
        toml::from_str(&text).map_err(|error| {
            Error::bad_file(
                path,
                error.to_string(),
                "give item, answer and response_ms, as in the crate's README",
            )
        })
    }

    pub(super) fn wants(&self, row: &Row) -> bool {
        self.only.iter().all(|(column, value)| row.cell(column).as_ref() == Some(value))
    }

    pub(super) fn cell(&self, row: &Row, column: &str) -> Result<String, Complaint> {
        row.cell(column).ok_or((
            format!("there is no column {column:?}"),
            "name a column of the file, or leave the row out under [only]",
        ))
    }

    pub(super) fn stimulus(&self, row: &Row) -> Result<String, Complaint> {
        match &self.item {
            Columns::One(column) => self.cell(row, column),
            Columns::Several(columns) => {
                let cells: Result<Vec<_>, _> =
                    columns.iter().map(|column| self.cell(row, column)).collect();
                Ok(cells?.join("/"))
            }
        }
    }

    pub(super) fn person(&self, row: &Row, file: &Path) -> Result<String, Complaint> {
        let Some(column) = &self.participant else {
            // the whole path: some tools call everybody's file data.txt, in folders of their own
            return Ok(file.to_string_lossy().into_owned());
        };
        match self.cell(row, column)? {
            name if name.is_empty() => {
                Err((format!("column {column:?} is empty"), "every answer needs a participant"))
            }
            name => Ok(name),
        }
    }

    pub(super) fn milliseconds(&self, row: &Row, column: &str) -> Result<u64, Complaint> {
        let cell = self.cell(row, column)?;
        // the longest is a day, far beyond any trial
        match cell.parse::<f64>() {
            Ok(ms) if (0.0..=86_400_000.0).contains(&ms) => Ok(ms.round() as u64),
            _ => Err((
                format!("{column} is {cell:?}"),
                "it must be milliseconds; list answers that were not given under no_answer",
            )),
        }
    }

    /// Choice and rating of an answer.
    pub(super) fn answer_of(
        &self,
        row: &Row,
        given: &String,
        item: &Item,
        block: &Block,
    ) -> Result<(Option<String>, Option<f64>), Complaint> {
        let meant = self.answers.get(given).unwrap_or(given);
        if block.task == Task::Likert {
            return Ok((None, Some(rating(meant, block.scale)?)));
        }
        if matches!(block.task, Task::Staircase | Task::Bs1116) {
            return Err((
                format!("block {:?} is of staircases or BS.1116, which are not read", block.name),
                "leave its rows out under [only]",
            ));
        }
        if block.task == Task::Mushra {
            return Ok((None, Some(score(meant)?)));
        }
        let confidence = match &self.confidence {
            Some(column) => Some(rating(&self.cell(row, column)?, 5)?),
            None => None,
        };
        if block.task == Task::Choice && self.dont_know.contains(given) {
            return Ok((None, confidence));
        }
        let other = if item.truth == "A" { "B" } else { "A" };
        let choice = match block.task {
            Task::Abx if self.right.contains(meant) => &item.truth,
            Task::Abx if self.wrong.contains(meant) => other,
            _ => meant.as_str(),
        };
        if !offered(block).contains(&choice) {
            return Err((
                format!(
                    "{given:?} is no answer to item {}: {}",
                    item.name,
                    offered(block).join(", ")
                ),
                "say what it means under [answers], dont_know or no_answer",
            ));
        }
        Ok((Some(choice.to_owned()), confidence))
    }
}

/// A score of a page of several stimuli.
fn score(text: &str) -> Result<f64, Complaint> {
    match text.parse::<f64>() {
        Ok(number) if (0.0..=f64::from(HIGHEST)).contains(&number) => Ok(number),
        _ => Err((
            format!("{text:?} is no score from 0 to {HIGHEST}"),
            "say what it means under [answers], or leave the row out",
        )),
    }
}

fn rating(text: &str, highest: u32) -> Result<f64, Complaint> {
    match text.parse::<f64>() {
        Ok(number) if number.fract() == 0.0 && (1.0..=f64::from(highest)).contains(&number) => {
            Ok(number)
        }
        _ => Err((
            format!("{text:?} is no rating from 1 to {highest}"),
            "say what it means under [answers], or leave the row out",
        )),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::table::read_rows;
    use super::*;
    use crate::answer_key::Role;
    use crate::study::{Medium, Study};

    /// What `answer` means in a block of this task; `truth` is that of the item.
    fn meant(
        task: Task,
        truth: &str,
        mapping: &str,
        answer: &str,
    ) -> Result<(Option<String>, Option<f64>), String> {
        let study: Study = toml::from_str(crate::study::tests::SMALL).unwrap();
        let block = Block { task, scale: 7, ..study.blocks[0].clone() };
        let item = Item {
            name: "ab12".into(),
            role: Role::Trial,
            block: block.name.clone(),
            medium: Medium::Audio,
            stimuli: Vec::new(),
            condition: String::new(),
            truth: truth.into(),
            source: String::new(),
            source_sha256: String::new(),
            fooling_set: None,
            posterior: None,
            seconds: None,
            conditions: Vec::new(),
            strengths: Vec::new(),
        };
        let columns = "item = 'i'\nanswer = 'a'\nresponse_ms = 't'\n";
        let mapping: Mapping = toml::from_str(&format!("{columns}{mapping}")).unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), format!("i,a,sure\nab12,{answer},4\n")).unwrap();
        let row = read_rows(file.path()).unwrap().remove(0);
        let given = mapping.cell(&row, "a").unwrap();
        mapping.answer_of(&row, &given, &item, &block).map_err(|(what, _)| what)
    }

    /// The words of webMUSHRA's `paired_comparison.csv`.
    #[test]
    fn right_and_wrong_are_letters_in_abx_and_nothing_elsewhere() {
        let chosen = |truth, answer| meant(Task::Abx, truth, "", answer).map(|given| given.0);
        assert_eq!(chosen("A", "correct"), Ok(Some("A".into())));
        assert_eq!(chosen("B", "incorrect"), Ok(Some("A".into())));
        assert_eq!(chosen("A", "false"), Ok(Some("B".into())));
        assert_eq!(chosen("A", "B"), Ok(Some("B".into())));
        assert!(chosen("A", "undecided").unwrap_err().contains("A, B"));
        assert!(meant(Task::Ab, "A", "", "correct").is_err());
        assert!(meant(Task::Choice, "rock", "", "correct").is_err());
    }

    #[test]
    fn ratings_lie_on_the_scale_and_confidence_goes_with_choices() {
        assert_eq!(meant(Task::Likert, "", "", "7"), Ok((None, Some(7.0))));
        assert_eq!(meant(Task::Likert, "", "[answers]\n0 = '1'", "0"), Ok((None, Some(1.0))));
        for score in ["0", "8", "72", "3.5", "good"] {
            assert!(meant(Task::Likert, "", "", score).unwrap_err().contains("1 to 7"), "{score}");
        }
        let sure = "confidence = 'sure'\ndont_know = ['?']\n[answers]\nr = 'rock'";
        let choice = |answer| meant(Task::Choice, "rock", sure, answer);
        assert_eq!(choice("r"), Ok((Some("rock".into()), Some(4.0))));
        assert_eq!(choice("?"), Ok((None, Some(4.0))));
        assert!(choice("polka").unwrap_err().contains("blues, rock"));
    }
}
