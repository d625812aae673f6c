//! The report as tables: CSV files that R, Python and a spreadsheet read, with a codebook.

use super::condition::ConditionReport;
use super::plan::DontKnow;
use super::report::Report;
use crate::answers::safe_cell;
use crate::error::{Error, Result};

/// A column: its name and its meaning.
type Column = (&'static str, &'static str);

/// One table: file name, columns, rows.
struct Table {
    name: &'static str,
    columns: &'static [Column],
    rows: Vec<Vec<String>>,
}

impl Report {
    /// File names and contents: one CSV a table, and `codebook.csv`, which explains every
    /// column. Missing numbers are empty cells; text cells are formula-safe.
    ///
    /// # Errors
    /// [`Error::Request`] if the text cannot be assembled.
    pub fn tables(&self) -> Result<Vec<(String, String)>> {
        let tables = [
            conditions(self),
            classes(self),
            confusion(self),
            comparisons(self),
            preferences(self),
            ratings(self),
            rating_differences(self),
            participants(self),
            items(self),
            exclusions(self),
        ];
        let mut codebook = Table { name: "codebook.csv", columns: CODEBOOK, rows: Vec::new() };
        for table in &tables {
            for (name, meaning) in table.columns {
                codebook.rows.push(vec![text(table.name), text(name), text(meaning)]);
            }
        }
        tables.iter().chain([&codebook]).map(write).collect()
    }
}

fn write(table: &Table) -> Result<(String, String)> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let failed = |error: &dyn std::fmt::Display| {
        Error::request(
            format!("{} cannot be written: {error}", table.name),
            "report this as a fault",
        )
    };
    let names: Vec<&str> = table.columns.iter().map(|(name, _)| *name).collect();
    writer.write_record(names).map_err(|error| failed(&error))?;
    for row in &table.rows {
        writer.write_record(row).map_err(|error| failed(&error))?;
    }
    let bytes = writer.into_inner().map_err(|error| failed(&error))?;
    let content = String::from_utf8(bytes).map_err(|error| failed(&error))?;
    Ok((table.name.to_owned(), content))
}

fn text(value: &str) -> String {
    safe_cell(value)
}

/// Every digit, with an exponent where it is shorter.
fn number(value: f64) -> String {
    format!("{value:?}")
}

fn maybe(value: Option<f64>) -> String {
    value.map(number).unwrap_or_default()
}

const CODEBOOK: &[Column] =
    &[("table", "file"), ("column", "column of that file"), ("meaning", "what it holds")];

fn conditions(report: &Report) -> Table {
    let row = |c: &ConditionReport| {
        let model = c.model.done();
        let bayes = c.bayes.done();
        let wrong = match report.plan.dont_know {
            DontKnow::Wrong => model,
            DontKnow::Guess => c.model_other_dont_know.done(),
        };
        vec![
            text(&c.medium),
            text(&c.block),
            text(&c.condition),
            number(c.chance),
            c.participants.to_string(),
            c.items.to_string(),
            c.answers.to_string(),
            c.hits.to_string(),
            c.dont_know.to_string(),
            number(c.accuracy),
            maybe(c.bootstrap.map(|i| i.low)),
            maybe(c.bootstrap.map(|i| i.high)),
            maybe(model.map(|m| m.accuracy)),
            maybe(model.map(|m| m.interval.low)),
            maybe(model.map(|m| m.interval.high)),
            maybe(model.map(|m| m.p_above)),
            maybe(model.map(|m| m.participant_sd)),
            maybe(model.map(|m| m.item_sd)),
            number(c.equivalence.upper_bound),
            number(c.equivalence.margin),
            c.equivalence.no_better_than_chance.to_string(),
            number(c.exact.p_above),
            number(c.exact.clopper_pearson.low),
            number(c.exact.clopper_pearson.high),
            maybe(bayes.map(|b| b.mean)),
            maybe(bayes.map(|b| b.above_chance)),
            maybe(bayes.and_then(|b| b.factor_for_chance)),
            maybe(c.guessing.expected_accuracy),
            maybe(c.guessing.p),
            maybe(c.agreement.krippendorff_alpha),
            maybe(c.agreement.fleiss_kappa),
            maybe(c.machine.as_ref().map(|m| m.mean_posterior)),
            maybe(wrong.map(|m| m.accuracy)),
            maybe(wrong.map(|m| m.participant_sd)),
            maybe(wrong.map(|m| m.item_sd)),
            maybe(c.discrimination.as_ref().and_then(|d| d.differencing.estimate)),
            maybe(c.discrimination.as_ref().and_then(|d| d.independent_observation.estimate)),
        ]
    };
    Table {
        name: "conditions.csv",
        columns: &[
            ("medium", "audio or image"),
            ("block", "name of the block"),
            ("condition", "real, fooling:<system> or abx"),
            ("chance", "1 / number of classes on offer"),
            ("participants", "participants with answers"),
            ("items", "items with answers"),
            ("answers", "answers analyzed"),
            ("hits", "answers equal to the label"),
            ("dont_know", "answers of don't know"),
            ("accuracy", "share of credit, don't know counted as the plan says"),
            ("bootstrap_low", "interval of accuracy, participants and items resampled"),
            ("bootstrap_high", "its upper end"),
            ("model_accuracy", "mixed model: accuracy of the average listener on the average item"),
            ("model_low", "its profile-likelihood interval"),
            ("model_high", "its upper end"),
            ("model_p_above", "headline: one-sided p of not above chance"),
            ("participant_sd", "standard deviation of participants, logit scale"),
            ("item_sd", "standard deviation of items, logit scale"),
            ("upper_bound", "one-sided upper bound of the accuracy"),
            ("margin", "accuracy that would count as better than chance"),
            ("no_better_than_chance", "true if the bound lies below the margin"),
            ("exact_p_above", "exact binomial p; assumes independent answers"),
            ("exact_low", "Clopper-Pearson interval; assumes independent answers"),
            ("exact_high", "its upper end"),
            ("bayes_mean", "posterior mean of the accuracy, participant and item effects included"),
            ("bayes_above_chance", "posterior probability of above chance"),
            ("bayes_factor_for_chance", "Bayes factor for exactly chance"),
            ("bias_accuracy", "expected accuracy if labels were dealt to items at random"),
            ("bias_p", "permutation p of the accuracy"),
            ("krippendorff_alpha", "agreement of listeners, nominal"),
            ("fleiss_kappa", "agreement of listeners, complete designs only"),
            ("mean_posterior", "classifier's mean posterior of the labels"),
            (
                "wrong_accuracy",
                "the mixed model with don't know as wrong: accuracy, as in analysis.R",
            ),
            ("wrong_participant_sd", "its standard deviation of participants"),
            ("wrong_item_sd", "its standard deviation of items"),
            ("d_prime", "abx: sensitivity by differencing; empty if infinite"),
            ("d_prime_independent", "abx: sensitivity by independent observation"),
        ],
        rows: report.conditions.iter().map(row).collect(),
    }
}

fn classes(report: &Report) -> Table {
    let mut rows = Vec::new();
    for condition in &report.conditions {
        for class in &condition.by_class {
            rows.push(vec![
                text(&condition.medium),
                text(&condition.block),
                text(&condition.condition),
                text(&class.class),
                class.items.to_string(),
                class.shown.to_string(),
                class.answered.to_string(),
                class.hits.to_string(),
                maybe(class.hit_rate),
                number(class.wilson.low),
                number(class.wilson.high),
                number(class.p),
                number(class.p_holm),
                number(class.p_benjamini_hochberg),
                maybe(class.unbiased_hit_rate),
                maybe(class.unbiased_by_chance),
                maybe(class.p_permuted),
                maybe(class.p_permuted_holm),
            ]);
        }
    }
    Table {
        name: "classes.csv",
        columns: &[
            ("medium", "audio or image"),
            ("block", "name of the block"),
            ("condition", "real, fooling:<system> or abx"),
            ("class", "label"),
            ("items", "items with this label"),
            ("shown", "answers to them"),
            ("answered", "how often this class was the answer"),
            ("hits", "answers of this class to its items"),
            ("hit_rate", "hits / shown"),
            ("wilson_low", "Wilson interval; assumes independent answers"),
            ("wilson_high", "its upper end"),
            ("p", "exact one-sided p against chance; assumes independent answers"),
            ("p_holm", "p adjusted by Holm for the classes of the condition"),
            ("p_benjamini_hochberg", "p adjusted by Benjamini and Hochberg"),
            ("unbiased_hit_rate", "Wagner's Hu: hits squared / (shown x answered)"),
            ("unbiased_by_chance", "Hu of answers without knowledge"),
            ("p_permuted", "one-sided p, labels permuted over items: free of answer bias"),
            ("p_permuted_holm", "p_permuted adjusted by Holm"),
        ],
        rows,
    }
}

fn confusion(report: &Report) -> Table {
    let mut rows = Vec::new();
    for condition in &report.conditions {
        for (label, counts) in condition.classes.iter().zip(&condition.confusion) {
            for (place, count) in counts.iter().enumerate() {
                let answer = condition.classes.get(place).map(String::as_str).unwrap_or_default();
                rows.push(vec![
                    text(&condition.medium),
                    text(&condition.block),
                    text(&condition.condition),
                    text(label),
                    text(answer),
                    count.to_string(),
                ]);
            }
        }
    }
    Table {
        name: "confusion.csv",
        columns: &[
            ("medium", "audio or image"),
            ("block", "name of the block"),
            ("condition", "real, fooling:<system> or abx"),
            ("label", "machine or corpus label"),
            ("answer", "class chosen; empty is don't know"),
            ("count", "answers"),
        ],
        rows,
    }
}

fn comparisons(report: &Report) -> Table {
    let row = |c: &super::Comparison| {
        vec![
            text(&c.first[0]),
            text(&c.first[1]),
            text(&c.second[0]),
            text(&c.second[1]),
            c.chance_corrected.to_string(),
            number(c.difference),
            maybe(c.interval.map(|i| i.low)),
            maybe(c.interval.map(|i| i.high)),
            maybe(c.likelihood_ratio.map(|test| test.p)),
            maybe(c.p_holm),
            maybe(c.odds_ratio),
            maybe(c.odds_ratio_interval.map(|i| i.low)),
            maybe(c.odds_ratio_interval.map(|i| i.high)),
            maybe(c.p_confidence),
            maybe(c.p_response_time),
        ]
    };
    Table {
        name: "comparisons.csv",
        columns: &[
            ("first_block", "name of the block"),
            ("first_condition", "condition"),
            ("second_block", "name of the block"),
            ("second_condition", "condition"),
            ("chance_corrected", "true if accuracies were freed of chance first"),
            ("difference", "first accuracy less the second"),
            ("low", "its interval, participants and items resampled"),
            ("high", "its upper end"),
            ("p", "likelihood-ratio p of the condition in one mixed model"),
            ("p_holm", "p adjusted by Holm for all comparisons"),
            ("odds_ratio", "odds ratio of that model"),
            ("odds_ratio_low", "its Wald interval"),
            ("odds_ratio_high", "its upper end"),
            ("p_confidence", "Mann-Whitney p of the items' mean confidence"),
            ("p_response_time", "Mann-Whitney p of the items' median response times"),
        ],
        rows: report.comparisons.iter().map(row).collect(),
    }
}

fn preferences(report: &Report) -> Table {
    let row = |p: &super::PreferenceReport| {
        let model = p.model.done();
        vec![
            text(&p.medium),
            text(&p.block),
            text(&p.first),
            text(&p.second),
            p.participants.to_string(),
            p.items.to_string(),
            p.answers.to_string(),
            p.chosen.to_string(),
            number(p.share),
            maybe(p.bootstrap.map(|i| i.low)),
            maybe(p.bootstrap.map(|i| i.high)),
            maybe(model.map(|m| m.share)),
            maybe(model.map(|m| m.interval.low)),
            maybe(model.map(|m| m.interval.high)),
            maybe(model.map(|m| m.p)),
            number(p.exact_p),
            number(p.exact.low),
            number(p.exact.high),
            number(p.share_of_a),
        ]
    };
    Table {
        name: "preferences.csv",
        columns: &[
            ("medium", "audio or image"),
            ("block", "name of the block"),
            ("first", "what the share is of; A if the pairs have no names in common"),
            ("second", "the other one"),
            ("participants", "participants with answers"),
            ("items", "pairs with answers"),
            ("answers", "answers"),
            ("chosen", "answers for the first"),
            ("share", "chosen / answers"),
            ("bootstrap_low", "interval of share, participants and pairs resampled"),
            ("bootstrap_high", "its upper end"),
            ("model_share", "mixed model: share of the average listener and pair"),
            ("model_low", "its profile-likelihood interval"),
            ("model_high", "its upper end"),
            ("model_p", "headline: two-sided p of indifference"),
            ("exact_p", "exact binomial p; assumes independent answers"),
            ("exact_low", "Clopper-Pearson interval; assumes independent answers"),
            ("exact_high", "its upper end"),
            ("share_of_a", "share of answers for the one played as A, whichever it was"),
        ],
        rows: report.preferences.iter().map(row).collect(),
    }
}

/// One row a step of the scale, so that the columns do not depend on the scale.
fn ratings(report: &Report) -> Table {
    let mut rows = Vec::new();
    for r in &report.ratings {
        for (step, count) in r.distribution.iter().enumerate() {
            rows.push(vec![
                text(&r.medium),
                text(&r.block),
                text(&r.condition),
                r.participants.to_string(),
                r.items.to_string(),
                number(r.median),
                number(r.quartiles.low),
                number(r.quartiles.high),
                number(r.mean),
                maybe(r.bootstrap.map(|i| i.low)),
                maybe(r.bootstrap.map(|i| i.high)),
                (step + 1).to_string(),
                count.to_string(),
            ]);
        }
    }
    Table {
        name: "ratings.csv",
        columns: &[
            ("medium", "audio or image"),
            ("block", "name of the block"),
            ("condition", "likert or likert:<name>"),
            ("participants", "participants with ratings"),
            ("items", "items with ratings"),
            ("median", "median rating"),
            ("quartile_low", "lower quartile"),
            ("quartile_high", "upper quartile"),
            ("mean", "mean rating"),
            ("bootstrap_low", "interval of the mean, participants and items resampled"),
            ("bootstrap_high", "its upper end"),
            ("rating", "step of the scale, from 1: one row each"),
            ("count", "ratings of this step"),
        ],
        rows,
    }
}

fn rating_differences(report: &Report) -> Table {
    let row = |d: &super::RatingDifference| {
        vec![
            text(&d.first[0]),
            text(&d.first[1]),
            text(&d.second[0]),
            text(&d.second[1]),
            d.participants.to_string(),
            number(d.difference),
            maybe(d.interval.map(|i| i.low)),
            maybe(d.interval.map(|i| i.high)),
            maybe(d.p),
            maybe(d.p_holm),
        ]
    };
    Table {
        name: "rating_differences.csv",
        columns: &[
            ("first_block", "name of the block"),
            ("first_condition", "condition"),
            ("second_block", "name of the block"),
            ("second_condition", "condition"),
            ("participants", "participants who rated both"),
            ("difference", "mean over these of first mean rating less second"),
            ("low", "interval of the difference of all means, participants and items resampled"),
            ("high", "its upper end"),
            ("p", "Wilcoxon signed-rank p of the participants' mean ratings, two-sided"),
            ("p_holm", "p adjusted by Holm for all differences"),
        ],
        rows: report.rating_differences.iter().map(row).collect(),
    }
}

fn participants(report: &Report) -> Table {
    let mut rows = Vec::new();
    for participant in &report.participants {
        let base = [
            text(&participant.participant),
            text(participant.excluded.as_deref().unwrap_or_default()),
            participant.catch_passed.to_string(),
            participant.catch_answered.to_string(),
            maybe(participant.median_response_s),
        ];
        if participant.scores.is_empty() {
            rows.push([&base[..], &vec![String::new(); 8]].concat());
        }
        for score in &participant.scores {
            let score = [
                text(&score.medium),
                text(&score.block),
                text(&score.condition),
                score.hits.to_string(),
                score.answers.to_string(),
                number(score.rate),
                number(score.p),
                number(score.p_holm),
            ];
            rows.push([&base[..], &score[..]].concat());
        }
    }
    Table {
        name: "participants.csv",
        columns: &[
            ("participant", "code; sim-... is a simulated listener"),
            ("excluded", "why none of their answers is analyzed"),
            ("catch_passed", "catch items passed"),
            ("catch_answered", "catch items answered"),
            ("median_response_s", "median seconds to answer"),
            ("medium", "audio or image"),
            ("block", "name of the block"),
            ("condition", "condition of the score"),
            ("hits", "answers equal to the label"),
            ("answers", "answers"),
            ("rate", "hits / answers"),
            ("p", "exact one-sided p against chance"),
            ("p_holm", "p adjusted by Holm for the participants of the condition"),
        ],
        rows,
    }
}

fn items(report: &Report) -> Table {
    let row = |item: &super::ItemReport| {
        vec![
            text(&item.item),
            text(&item.medium),
            text(&item.block),
            text(&item.condition),
            text(&item.truth),
            item.answers.to_string(),
            item.hits.to_string(),
            number(item.agreement),
            number(item.interval.low),
            number(item.interval.high),
            text(item.modal_answer.as_deref().unwrap_or_default()),
            number(item.modal_share),
            maybe(item.mean_rating),
            maybe(item.median_response_s),
            maybe(item.posterior),
        ]
    };
    Table {
        name: "items.csv",
        columns: &[
            ("item", "opaque name"),
            ("medium", "audio or image"),
            ("block", "name of the block"),
            ("condition", "real, fooling:<system> or abx"),
            ("truth", "machine or corpus label"),
            ("answers", "answers"),
            ("hits", "answers equal to the label"),
            ("agreement", "hits / answers"),
            ("wilson_low", "Wilson interval of the agreement"),
            ("wilson_high", "its upper end"),
            ("modal_answer", "most frequent answer"),
            ("modal_share", "its share"),
            ("mean_rating", "mean confidence"),
            ("median_response_s", "median seconds to answer"),
            ("posterior", "classifier's posterior of the label"),
        ],
        rows: report.items.iter().map(row).collect(),
    }
}

fn exclusions(report: &Report) -> Table {
    let row = |exclusion: &super::Exclusion| {
        vec![
            text(&exclusion.reason),
            exclusion.answers.to_string(),
            exclusion.participants.to_string(),
        ]
    };
    Table {
        name: "exclusions.csv",
        columns: &[
            ("reason", "the rule, in the order of application"),
            ("answers", "answers that it took"),
            ("participants", "participants of whom it took every remaining answer"),
        ],
        rows: report.counts.exclusions.iter().map(row).collect(),
    }
}
