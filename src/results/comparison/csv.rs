//! `comparison.csv`: one number a row, for spreadsheets and statistics.

use super::Comparison;
use super::differences::{Difference, Ratio};
use super::group::GroupReport;
use super::times::MedianTime;
use crate::exhibits::table::cell_text;
use crate::reference::ShareReached;
use crate::results::intervals::Share;

const HEAD: [&str; 9] =
    ["group", "against", "measure", "of", "threshold", "value", "low", "high", "count"];

/// The comparison as a table: group, the group it is set against, measure, class, intervention
/// or number of evaluations it is of, threshold, value, bounds of its 95 % interval, and how
/// many things were counted. An empty value was not reached, not defined or not tried; an
/// empty bound is open.
///
/// # Errors
/// None in practice: the table is written to memory.
pub fn comparison_csv(comparison: &Comparison) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(HEAD)?;
    let mut rows = Vec::new();
    for group in &comparison.groups {
        of_group(group, comparison, &mut rows);
    }
    for difference in &comparison.differences {
        of_difference(difference, &mut rows);
    }
    for transfer in &comparison.transfer {
        let row = |measure, threshold: &str, share: &Option<Share>| {
            Row::new(&transfer.from, measure).against(&transfer.to).at(threshold).share(*share)
        };
        rows.push(row("transfer: same label", "", &transfer.same_top));
        for (level, threshold) in comparison.thresholds.iter().enumerate() {
            let threshold = threshold.to_string();
            rows.push(row(
                "transfer: same label at the threshold",
                &threshold,
                &transfer.same_class[level],
            ));
            rows.push(row(
                "transfer: any label at the threshold",
                &threshold,
                &transfer.any_class[level],
            ));
        }
        for (measure, shares) in [
            ("transfer: same label at the level", &transfer.same_class_at_levels),
            ("transfer: any label at the level", &transfer.any_class_at_levels),
        ] {
            for (share, level) in shares.iter().zip(&comparison.levels) {
                rows.push(row(measure, &level.to_string(), share));
            }
        }
    }
    for row in rows {
        writer.write_record(row.cells)?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

/// The cells of a row, in the order of [`HEAD`].
struct Row {
    cells: [String; 9],
}

impl Row {
    fn new(group: &str, measure: &str) -> Self {
        let mut cells = [const { String::new() }; 9];
        cells[0] = group.to_owned();
        cells[2] = measure.to_owned();
        Self { cells }
    }

    fn against(mut self, group: &str) -> Self {
        self.cells[1] = group.to_owned();
        self
    }

    /// The class, intervention or number of evaluations; never a formula of a spreadsheet.
    fn of(mut self, what: &str) -> Self {
        self.cells[3] = cell_text(what);
        self
    }

    fn at(mut self, threshold: &str) -> Self {
        self.cells[4] = threshold.to_owned();
        self
    }

    fn value(mut self, value: Option<f64>) -> Self {
        self.cells[5] = number(value);
        self
    }

    fn bounds(mut self, low: Option<f64>, high: Option<f64>) -> Self {
        self.cells[6] = number(low);
        self.cells[7] = number(high);
        self
    }

    fn counted(mut self, count: u64) -> Self {
        self.cells[8] = count.to_string();
        self
    }

    fn share(self, share: Option<Share>) -> Self {
        match share {
            None => self,
            Some(share) => self
                .value(Some(share.share))
                .bounds(Some(share.low), Some(share.high))
                .counted(share.of),
        }
    }

    fn time(self, time: &MedianTime) -> Self {
        let number = |value: Option<u64>| value.map(|value| value as f64);
        let (low, high) = time.interval.unwrap_or((None, None));
        self.value(number(time.median)).bounds(number(low), number(high)).counted(time.of as u64)
    }
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

fn of_group(group: &GroupReport, comparison: &Comparison, rows: &mut Vec<Row>) {
    let row = |measure: &str| Row::new(&group.name, measure);
    rows.push(row("rubbish-class error").at("0.5").share(group.rubbish));
    for level in &group.levels {
        let at = |measure: &str| row(measure).at(&level.threshold.to_string());
        rows.push(at("base rate").share(level.base_rate));
        let pairs = level.coverage.pairs as u64;
        rows.push(at("coverage").value(Some(level.coverage.share())).counted(pairs));
        rows.push(at("evaluations").time(&level.evaluations));
        if let Some(time) = &level.after_draws {
            rows.push(at("evaluations after the first random draws").time(time));
        }
        rows.push(at("reached by the first random draws").share(level.in_draws));
        rows.push(at("evaluations to all classes").time(&level.all_classes));
        for (label, time) in group.classes.iter().zip(&level.classes) {
            rows.push(at("evaluations in a class").of(label).time(time));
        }
    }
    for of in &group.at_levels {
        let at = |measure: &str| row(measure).at(&of.level.to_string());
        let genuine = |row: Row, share: Option<ShareReached>| match share {
            None => row,
            Some(share) => row
                .value(Some(share.share))
                .bounds(Some(share.low), Some(share.high))
                .counted(share.of),
        };
        rows.push(at("base rate at the level").share(of.base_rate));
        rows.push(genuine(at("genuine, rightly labelled, at the level"), of.genuine_right));
        rows.push(genuine(at("genuine, wrongly labelled, at the level"), of.genuine_wrong));
        rows.push(at("classes reached at the level").share(of.reached));
        rows.push(at("evaluations to the level").time(&of.evaluations));
        for (label, time) in group.classes.iter().zip(&of.classes) {
            let Some(time) = time else { continue };
            rows.push(at("evaluations to the level in a class").of(label).time(time));
        }
    }
    for found in &group.separation {
        for (measure, value, interval) in [
            ("AUROC", found.auroc, found.auroc_interval),
            ("FPR95", found.fpr95, found.fpr95_interval),
        ] {
            rows.push(
                row(measure)
                    .of(&format!("{} against {}", found.score, found.against))
                    .value(Some(value))
                    .bounds(Some(interval.low), Some(interval.high))
                    .counted(found.others as u64),
            );
        }
    }
    for best in &group.median_best {
        rows.push(
            row("median best posterior (bounds: range over seeds)")
                .of(&best.evaluations.to_string())
                .value(Some(best.median))
                .bounds(Some(best.low), Some(best.high))
                .counted(group.seeds.len() as u64),
        );
    }
    for survival in &group.survival {
        rows.push(row("label kept").of(&survival.intervention).share(survival.same_label));
        for (measure, shares, places) in [
            ("survival", &survival.levels, &comparison.thresholds),
            ("survival at the level", &survival.at_levels, &comparison.levels),
        ] {
            for (share, place) in shares.iter().zip(places) {
                let row = row(measure).of(&survival.intervention).at(&place.to_string());
                rows.push(row.share(*share));
            }
        }
    }
}

fn of_difference(difference: &Difference, rows: &mut Vec<Row>) {
    let row = |measure: &str| Row::new(&difference.first, measure).against(&difference.second);
    let levels = difference.levels.iter().map(|level| (level, ""));
    let at_levels = difference.at_levels.iter().map(|level| (level, ", at the level"));
    for (level, ending) in levels.chain(at_levels) {
        let at =
            |measure: &str| row(&format!("{measure}{ending}")).at(&level.threshold.to_string());
        for (what, contrast) in
            [("evaluations", level.evaluations), ("evaluations to all classes", level.all_classes)]
        {
            let Some(contrast) = contrast else { continue };
            let at = |measure: &str| at(&format!("{measure} of {what}"));
            let Ratio { low, high } = contrast.ratio;
            let value = (high == Some(low)).then_some(low);
            let bounds = contrast.interval.map_or((None, None), |r| (Some(r.low), r.high));
            rows.push(at("ratio").value(value).bounds(bounds.0, bounds.1));
            rows.push(at("Mann-Whitney p").value(contrast.p));
            rows.push(at("Mann-Whitney p (Holm)").value(contrast.p_holm));
        }
        let bounds = level.coverage_interval.map_or((None, None), |i| (Some(i.low), Some(i.high)));
        let coverage = at("difference of coverage").value(Some(level.coverage));
        rows.push(coverage.bounds(bounds.0, bounds.1));
    }
    rows.push(row("Mann-Whitney p of median best posteriors").value(difference.best_p));
    rows.push(row("Mann-Whitney p (Holm) of median best posteriors").value(difference.best_p_holm));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::tests::comparison;
    use super::*;

    #[test]
    fn the_table_gives_back_the_numbers() {
        let comparison = comparison();
        let bytes = comparison_csv(&comparison).unwrap();
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        let find = |group: &str, measure: &str, of: &str, threshold: &str| {
            let wanted = [(0, group), (2, measure), (3, of), (4, threshold)];
            let found =
                rows.iter().find(|row| wanted.iter().all(|&(cell, text)| &row[cell] == text));
            found.unwrap_or_else(|| panic!("{wanted:?}")).clone()
        };
        let group = &comparison.groups[0];
        let time = find("A", "evaluations", "", "0.999");
        assert_eq!(time[5].parse::<u64>().ok(), group.levels[1].evaluations.median);
        let best = find("A", "median best posterior (bounds: range over seeds)", "100", "");
        assert_eq!(best[5].parse::<f64>().unwrap(), group.median_best.last().unwrap().median);
        let ratio = find("A", "ratio of evaluations", "", "0.999");
        assert_eq!(&ratio[1], "B");
        assert_eq!(
            ratio[5].parse::<f64>().unwrap(),
            comparison.differences[0].levels[1].evaluations.unwrap().ratio.low
        );
    }

    #[test]
    fn no_text_cell_is_a_formula() {
        let row = Row::new("A", "evaluations in a class").of("=1+1");
        assert_eq!(row.cells[3], "'=1+1");
    }
}
