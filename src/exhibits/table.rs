//! `exhibits.csv`: one row an exhibit, for spreadsheets and statistics.

use super::manifest::Manifest;

/// The table as CSV: file, class, posterior, log-odds, calibrated posterior, level, where it came from, one posterior
/// per class. Text cells that a spreadsheet would take for a formula start with `'`.
pub fn csv_table(manifest: &Manifest) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let fixed = [
        "file",
        "class",
        "label",
        "posterior",
        "log_odds",
        "calibrated_posterior",
        "level",
        "evaluation",
        "emitter",
        "made_by",
        "parent",
        "composed_of",
        "sha256",
    ];
    let per_class = manifest.origin.classes.iter().map(|class| format!("posterior of {class}"));
    writer.write_record(fixed.map(str::to_owned).into_iter().chain(per_class))?;
    for exhibit in &manifest.exhibits {
        let log_odds = exhibit.log_odds.get(exhibit.class).map_or(String::new(), f64::to_string);
        let calibrated = exhibit.calibrated.as_ref().and_then(|all| all.get(exhibit.class));
        let cells = [
            cell_text(&exhibit.file),
            exhibit.class.to_string(),
            cell_text(&exhibit.label),
            exhibit.posterior.to_string(),
            log_odds,
            calibrated.map_or(String::new(), |posterior| posterior.to_string()),
            exhibit.level.map_or(String::new(), |level| level.to_string()),
            exhibit.evaluation.to_string(),
            cell_text(&exhibit.emitter),
            exhibit.made_by.as_deref().map_or(String::new(), cell_text),
            exhibit.parent.map_or(String::new(), |parent| parent.to_string()),
            cell_text(&exhibit.descriptions.join("; ")),
            exhibit.sha256.clone(),
        ];
        let posteriors = exhibit.posteriors.iter().map(f64::to_string);
        writer.write_record(cells.into_iter().chain(posteriors))?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

/// A cell that no spreadsheet reads as a formula (OWASP, "CSV injection").
pub(crate) fn cell_text(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::toy;
    use super::*;

    #[test]
    fn the_table_gives_back_the_numbers() {
        let manifest = toy::manifest();
        let bytes = csv_table(&manifest).unwrap();
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        assert_eq!(rows.len(), manifest.exhibits.len());
        for (row, exhibit) in rows.iter().zip(&manifest.exhibits) {
            assert_eq!(&row[0], exhibit.file);
            assert_eq!(row[3].parse::<f64>().unwrap(), exhibit.posterior);
            let posteriors: Vec<f64> =
                row.iter().skip(13).map(|cell| cell.parse().unwrap()).collect();
            assert_eq!(posteriors, exhibit.posteriors);
        }
    }

    #[test]
    fn no_text_cell_is_a_formula() {
        let mut manifest = toy::manifest();
        manifest.exhibits[0].label = "=HYPERLINK(\"x\")".into();
        manifest.exhibits[0].emitter = "@SUM(1)".into();
        manifest.exhibits[0].descriptions = vec!["-1+1".into()];
        let bytes = csv_table(&manifest).unwrap();
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        let row = reader.records().next().unwrap().unwrap();
        assert_eq!(&row[2], "'=HYPERLINK(\"x\")");
        assert_eq!(&row[8], "'@SUM(1)");
        assert_eq!(&row[11], "'-1+1");
    }
}
