//! A study's answers as a Psych-DS data set: tables in `data/`, every column described in JSON-LD with
//! the words of schema.org (<https://psych-ds.github.io>, schema 1.5).

use std::path::Path;

use serde_json::{Value, json};
use trompe_base::files::write_atomically;

use crate::answers::{CODEBOOK, write_csv};
use crate::error::{Error, Result};
use crate::export::Export;
use crate::participants_table::{codebook, participants_csv};
use crate::study::Study;

/// A table of the data set: the last word of its name, its content, its columns with their meanings.
struct Table {
    description: &'static str,
    content: Vec<u8>,
    columns: Vec<(String, String)>,
}

/// Writes `dataset_description.json`, `README.md`, and `data/` with the tables of answers and participants,
/// each with its description beside it, into the new or empty folder `out`.
///
/// # Errors
/// [`trompe_base::Error::Request`] if `out` holds something; [`trompe_base::Error::Io`].
pub fn write_psych_ds(export: &Export, study: &Study, out: &Path) -> Result<()> {
    let data = out.join("data");
    let occupied = std::fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some());
    if occupied {
        return Err(Error::request(
            format!("{} is not empty", out.display()),
            "name a new folder: files of another export would be taken for part of the data set",
        ));
    }
    let mut answers = Vec::new();
    write_csv(&export.answers, &mut answers)?;
    let text = |(name, meaning): (&str, &str)| (name.to_owned(), meaning.to_owned());
    let tables = [
        Table {
            description: "answers",
            content: answers,
            columns: CODEBOOK.into_iter().map(text).collect(),
        },
        Table {
            description: "participants",
            content: participants_csv(&export.participants)?,
            columns: codebook(&export.participants),
        },
    ];
    std::fs::create_dir_all(&data).map_err(|source| Error::io(&data, source))?;
    for table in &tables {
        let name = file_name(&study.name, table.description);
        write_atomically(&data.join(format!("{name}.csv")), &table.content)?;
        write_json(
            &data.join(format!("{name}.json")),
            &json!({ "variableMeasured": variables(&table.columns) }),
        )?;
    }
    write_atomically(&out.join("README.md"), readme(export, study).as_bytes())?;
    write_json(&out.join("dataset_description.json"), &description(export, study, &tables))
}

/// `study-NAME_description-WHAT_data`: keywords of letters and digits alone.
fn file_name(study: &str, what: &str) -> String {
    let plain: String = study.chars().filter(char::is_ascii_alphanumeric).collect();
    let plain = if plain.is_empty() { "study".to_owned() } else { plain };
    format!("study-{plain}_description-{what}_data")
}

fn variables(columns: &[(String, String)]) -> Vec<Value> {
    let variable = |(name, meaning): &(String, String)| {
        let unit = ["_ms", "_seconds"].into_iter().find(|ending| name.ends_with(ending));
        let mut found = json!({ "@type": "PropertyValue", "name": name, "description": meaning });
        if let Some(unit) = unit {
            found["unitText"] = json!(if unit == "_ms" { "millisecond" } else { "second" });
        }
        found
    };
    columns.iter().map(variable).collect()
}

fn description(export: &Export, study: &Study, tables: &[Table]) -> Value {
    let mut columns: Vec<(String, String)> = Vec::new();
    for column in tables.iter().flat_map(|table| &table.columns) {
        if columns.iter().all(|(name, _)| *name != column.0) {
            columns.push(column.clone());
        }
    }
    json!({
        "@context": "https://schema.org",
        "@type": "Dataset",
        "name": study.name,
        "description": summary(export, study),
        "schemaVersion": "Psych-DS 1.5.1",
        "identifier": format!("sha256:{}", export.study_sha256),
        "keywords": ["listening test", "fooling", "trompe"],
        "variableMeasured": variables(&columns),
    })
}

fn summary(export: &Export, study: &Study) -> String {
    let title = study.languages.first().and_then(|language| study.title.get(language));
    let title = title.map_or(study.name.as_str(), String::as_str);
    let people = export.participants.iter().filter(|person| !person.simulated).count();
    let simulated = export.participants.len() - people;
    let synthetic = if export.synthetic { " Parts of the material are synthetic." } else { "" };
    format!(
        "Answers to the study \u{201c}{title}\u{201d}: {people} people and {simulated} simulated listeners, {} \
         answers.{synthetic}",
        export.answers.len()
    )
}

fn readme(export: &Export, study: &Study) -> String {
    format!(
        "# {}\n\n{}\n\nThe tables lie in `data/`; the JSON file beside each says what every column holds. \
         Exclusions are a column, no row is dropped. Cells that a spreadsheet would run as a formula start with \
         `'`. Whoever published this data set adds authors, licence and citation here and in \
         `dataset_description.json`.\n",
        study.name,
        summary(export, study)
    )
}

fn write_json(path: &Path, value: &Value) -> Result<()> {
    let text = serde_json::to_vec_pretty(value)
        .map_err(|error| Error::request(error.to_string(), "report this as a defect"))?;
    Ok(write_atomically(path, &text)?)
}
