//! The report as tables: CSV files that R, Python and a spreadsheet read, with a codebook.

use super::bs1116_tables;
use super::condition::ConditionReport;
use super::controls::ToControls;
use super::evidence::Model;
use super::headphone_covariate::HeadphoneModel;
use super::mushra_tables;
use super::plan::DontKnow;
use super::report::Report;
use super::staircase_tables;
use super::table::{Table, maybe, number, of, text, write};
use crate::error::Result;

impl Report {
    /// File names and contents: one CSV a table, and `codebook.csv`, which explains every
    /// column. Missing numbers are empty cells; text cells are formula-safe.
    ///
    /// # Errors
    /// [`trompe_base::Error::Request`] if the text cannot be assembled.
    pub fn tables(&self) -> Result<Vec<(String, String)>> {
        let mut tables = vec![
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
        if !self.mushra.is_empty() {
            tables.extend(mushra_tables::all(self));
        }
        if !self.bs1116.is_empty() {
            tables.extend(bs1116_tables::all(self));
        }
        if !self.staircases.is_empty() {
            tables.extend(staircase_tables::all(self));
        }
        tables.iter().chain([&codebook(&tables)]).map(write).collect()
    }
}

fn codebook(tables: &[Table]) -> Table {
    let rows = tables.iter().flat_map(|table| {
        table.columns.iter().map(move |(column, meaning)| (table.name, *column, *meaning))
    });
    Table::of(
        "codebook.csv",
        rows,
        &[
            ("table", "file", |(table, _, _)| text(table)),
            ("column", "column of that file", |(_, column, _)| text(column)),
            ("meaning", "what it holds", |(_, _, meaning)| text(meaning)),
        ],
    )
}

/// A condition, and its mixed model with "don't know" as wrong.
struct ConditionRow<'a> {
    c: &'a ConditionReport,
    wrong: Option<&'a Model>,
}

fn to_controls(condition: &ConditionReport) -> Option<ToControls> {
    condition.controls.found.as_ref()?.difference
}

fn headphone_model(condition: &ConditionReport) -> Option<HeadphoneModel> {
    condition.headphones.as_ref()?.model.done().copied()
}

fn conditions(report: &Report) -> Table {
    let rows = report.conditions.iter().map(|c| ConditionRow {
        wrong: match report.plan.dont_know {
            DontKnow::Wrong => c.model.done(),
            DontKnow::Guess => c.model_other_dont_know.done(),
        },
        c,
    });
    Table::of(
        "conditions.csv",
        rows,
        &[
            ("medium", "audio or image", |row| text(&row.c.medium)),
            ("block", "name of the block", |row| text(&row.c.block)),
            ("condition", "real, fooling:<system> or abx", |row| text(&row.c.condition)),
            ("chance", "1 / number of classes on offer", |row| number(row.c.chance)),
            ("participants", "participants with answers", |row| row.c.participants.to_string()),
            ("items", "items with answers", |row| row.c.items.to_string()),
            ("answers", "answers analyzed", |row| row.c.answers.to_string()),
            ("hits", "answers equal to the label", |row| row.c.hits.to_string()),
            ("dont_know", "answers of don't know", |row| row.c.dont_know.to_string()),
            ("accuracy", "share of credit, don't know counted as the plan says", |row| {
                number(row.c.accuracy)
            }),
            ("bootstrap_low", "interval of accuracy, participants and items resampled", |row| {
                maybe(row.c.bootstrap.map(|i| i.low))
            }),
            ("bootstrap_high", "its upper end", |row| maybe(row.c.bootstrap.map(|i| i.high))),
            (
                "model_accuracy",
                "mixed model: accuracy of the average listener on the average item",
                |row| maybe(row.c.model.done().map(|m| m.accuracy)),
            ),
            ("model_low", "its profile-likelihood interval", |row| {
                maybe(row.c.model.done().map(|m| m.interval.low))
            }),
            ("model_high", "its upper end", |row| {
                maybe(row.c.model.done().map(|m| m.interval.high))
            }),
            ("model_p_above", "mixed model: one-sided p of not above chance", |row| {
                maybe(row.c.model.done().map(|m| m.p_above))
            }),
            ("participant_sd", "standard deviation of participants, logit scale", |row| {
                maybe(row.c.model.done().map(|m| m.participant_sd))
            }),
            ("item_sd", "standard deviation of items, logit scale", |row| {
                maybe(row.c.model.done().map(|m| m.item_sd))
            }),
            ("upper_bound", "one-sided upper bound of the accuracy", |row| {
                number(row.c.equivalence.upper_bound)
            }),
            ("margin", "the margin as an accuracy", |row| number(row.c.equivalence.margin)),
            ("no_better_than_chance", "true if the outcome is within the margin", |row| {
                row.c.equivalence.no_better_than_chance.to_string()
            }),
            ("outcome", "what is claimed of the condition", |row| row.c.outcome.to_string()),
            ("interval_low", "lower end of the interval that the outcome is read from", |row| {
                number(row.c.against_chance.interval.low)
            }),
            ("interval_high", "its upper end", |row| number(row.c.against_chance.interval.high)),
            ("p_chance", "two-sided p of chance", |row| number(row.c.against_chance.p)),
            ("p_chance_holm", "p_chance adjusted by Holm for all outcomes", |row| {
                maybe(row.c.against_chance.p_holm)
            }),
            ("p_margin", "one-sided p of reaching the margin", |row| number(row.c.equivalence.p)),
            ("p_margin_holm", "p_margin adjusted by Holm for all outcomes", |row| {
                maybe(row.c.equivalence.p_holm)
            }),
            ("headphones_passed", "listeners who passed the check that is a covariate", |row| {
                row.c
                    .headphones
                    .as_ref()
                    .map_or_else(String::new, |h| h.passed.listeners.to_string())
            }),
            ("headphones_failed", "listeners who did not", |row| {
                row.c
                    .headphones
                    .as_ref()
                    .map_or_else(String::new, |h| h.failed.listeners.to_string())
            }),
            ("headphones_log_odds", "effect of passing on the logit scale", |row| {
                maybe(headphone_model(row.c).map(|model| model.log_odds))
            }),
            ("headphones_low", "its interval", |row| {
                maybe(headphone_model(row.c).map(|model| model.interval.low))
            }),
            ("headphones_high", "its upper end", |row| {
                maybe(headphone_model(row.c).map(|model| model.interval.high))
            }),
            ("headphones_p", "p of no effect, by the likelihood ratio", |row| {
                maybe(headphone_model(row.c).map(|model| model.p))
            }),
            ("controls_accuracy", "genuine controls of the same people and block", |row| {
                maybe(row.c.controls.found.as_ref().map(|found| found.accuracy))
            }),
            ("controls_low", "lower end of their interval", |row| {
                maybe(row.c.controls.found.as_ref().map(|found| found.interval.low))
            }),
            ("controls_needed", "what it must exceed for a claim of absence", |row| {
                number(row.c.controls.needed)
            }),
            (
                "difference_to_controls",
                "accuracy less that of the genuine controls of the same people and block",
                |row| maybe(to_controls(row.c).map(|d| d.difference)),
            ),
            ("difference_low", "its interval", |row| {
                maybe(to_controls(row.c).map(|d| d.interval.low))
            }),
            ("difference_high", "its upper end", |row| {
                maybe(to_controls(row.c).map(|d| d.interval.high))
            }),
            ("items_below_margin", "share of items like these below the margin, by model", |row| {
                maybe(row.c.item_spread.done().map(|s| s.below_margin))
            }),
            ("items_below_low", "its credible interval", |row| {
                maybe(row.c.item_spread.done().map(|s| s.below_margin_interval.low))
            }),
            ("items_below_high", "its upper end", |row| {
                maybe(row.c.item_spread.done().map(|s| s.below_margin_interval.high))
            }),
            ("exact_p_above", "exact binomial p; assumes independent answers", |row| {
                number(row.c.exact.p_above)
            }),
            ("exact_low", "Clopper-Pearson interval; assumes independent answers", |row| {
                number(row.c.exact.clopper_pearson.low)
            }),
            ("exact_high", "its upper end", |row| number(row.c.exact.clopper_pearson.high)),
            (
                "bayes_mean",
                "posterior mean of the accuracy, participant and item effects included",
                |row| maybe(row.c.bayes.done().map(|b| b.mean)),
            ),
            ("bayes_above_chance", "posterior probability of above chance", |row| {
                maybe(row.c.bayes.done().map(|b| b.above_chance))
            }),
            ("bayes_factor_for_chance", "Bayes factor for exactly chance", |row| {
                maybe(row.c.bayes.done().and_then(|b| b.factor_for_chance))
            }),
            ("bias_accuracy", "expected accuracy if labels were dealt to items at random", |row| {
                maybe(row.c.guessing.expected_accuracy)
            }),
            ("bias_p", "permutation p of the accuracy", |row| maybe(row.c.guessing.p)),
            ("krippendorff_alpha", "agreement of listeners, nominal", |row| {
                maybe(row.c.agreement.krippendorff_alpha)
            }),
            ("fleiss_kappa", "agreement of listeners, complete designs only", |row| {
                maybe(row.c.agreement.fleiss_kappa)
            }),
            ("mean_posterior", "classifier's mean posterior of the labels", |row| {
                maybe(row.c.model_comparison.as_ref().map(|m| m.mean_posterior))
            }),
            (
                "wrong_accuracy",
                "the mixed model with don't know as wrong: accuracy, as in analysis.R",
                |row| maybe(row.wrong.map(|m| m.accuracy)),
            ),
            ("wrong_participant_sd", "its standard deviation of participants", |row| {
                maybe(row.wrong.map(|m| m.participant_sd))
            }),
            ("wrong_item_sd", "its standard deviation of items", |row| {
                maybe(row.wrong.map(|m| m.item_sd))
            }),
            ("d_prime", "abx: sensitivity by differencing; empty if infinite", |row| {
                maybe(row.c.discrimination.as_ref().and_then(|d| d.differencing.estimate))
            }),
            ("d_prime_independent", "abx: sensitivity by independent observation", |row| {
                maybe(
                    row.c.discrimination.as_ref().and_then(|d| d.independent_observation.estimate),
                )
            }),
        ],
    )
}

fn classes(report: &Report) -> Table {
    let rows = report
        .conditions
        .iter()
        .flat_map(|condition| condition.by_class.iter().map(move |class| (condition, class)));
    Table::of(
        "classes.csv",
        rows,
        &[
            ("medium", "audio or image", |(condition, _)| text(&condition.medium)),
            ("block", "name of the block", |(condition, _)| text(&condition.block)),
            ("condition", "real, fooling:<system> or abx", |(condition, _)| {
                text(&condition.condition)
            }),
            ("class", "label", |(_, class)| text(&class.class)),
            ("items", "items with this label", |(_, class)| class.items.to_string()),
            ("shown", "answers to them", |(_, class)| class.shown.to_string()),
            ("answered", "how often this class was the answer", |(_, class)| {
                class.answered.to_string()
            }),
            ("hits", "answers of this class to its items", |(_, class)| class.hits.to_string()),
            ("hit_rate", "hits / shown", |(_, class)| maybe(class.hit_rate)),
            ("wilson_low", "Wilson interval; assumes independent answers", |(_, class)| {
                number(class.wilson.low)
            }),
            ("wilson_high", "its upper end", |(_, class)| number(class.wilson.high)),
            ("p", "exact one-sided p against chance; assumes independent answers", |(_, class)| {
                number(class.p)
            }),
            ("p_holm", "p adjusted by Holm for the classes of the condition", |(_, class)| {
                number(class.p_holm)
            }),
            ("p_benjamini_hochberg", "p adjusted by Benjamini and Hochberg", |(_, class)| {
                number(class.p_benjamini_hochberg)
            }),
            (
                "unbiased_hit_rate",
                "Wagner's Hu: hits squared / (shown x answered)",
                |(_, class)| maybe(class.unbiased_hit_rate),
            ),
            ("unbiased_by_chance", "Hu of answers without knowledge", |(_, class)| {
                maybe(class.unbiased_by_chance)
            }),
            (
                "p_permuted",
                "one-sided p, labels permuted over items: free of answer bias",
                |(_, class)| maybe(class.p_permuted),
            ),
            ("p_permuted_holm", "p_permuted adjusted by Holm", |(_, class)| {
                maybe(class.p_permuted_holm)
            }),
        ],
    )
}

fn confusion(report: &Report) -> Table {
    let rows = report.conditions.iter().flat_map(|condition| {
        let labels = condition.classes.iter().zip(&condition.confusion);
        labels.flat_map(move |(label, counts)| {
            let answers = condition.classes.iter().map(String::as_str).chain([""]);
            counts
                .iter()
                .zip(answers)
                .map(move |(count, answer)| (condition, label, answer, *count))
        })
    });
    Table::of(
        "confusion.csv",
        rows,
        &[
            ("medium", "audio or image", |(condition, _, _, _)| text(&condition.medium)),
            ("block", "name of the block", |(condition, _, _, _)| text(&condition.block)),
            ("condition", "real, fooling:<system> or abx", |(condition, _, _, _)| {
                text(&condition.condition)
            }),
            ("label", "machine or corpus label", |(_, label, _, _)| text(label)),
            ("answer", "class chosen; empty is don't know", |(_, _, answer, _)| text(answer)),
            ("count", "answers", |(_, _, _, count)| count.to_string()),
        ],
    )
}

fn comparisons(report: &Report) -> Table {
    let rows = report.comparisons.iter();
    Table::of(
        "comparisons.csv",
        rows,
        &[
            ("first_block", "name of the block", |c| text(&c.first[0])),
            ("first_condition", "condition", |c| text(&c.first[1])),
            ("second_block", "name of the block", |c| text(&c.second[0])),
            ("second_condition", "condition", |c| text(&c.second[1])),
            ("chance_corrected", "true if accuracies were freed of chance first", |c| {
                c.chance_corrected.to_string()
            }),
            ("difference", "first accuracy less the second", |c| number(c.difference)),
            ("low", "its interval, participants and items resampled", |c| {
                maybe(c.interval.map(|i| i.low))
            }),
            ("high", "its upper end", |c| maybe(c.interval.map(|i| i.high))),
            ("p", "two-sided p of no difference, by the same resamples", |c| maybe(c.p)),
            ("p_holm", "p adjusted by Holm for all comparisons", |c| maybe(c.p_holm)),
            ("df", "degrees of freedom of interval and p", |c| maybe(c.df)),
            ("p_confidence", "Mann-Whitney p of the items' mean confidence", |c| {
                maybe(c.p_confidence)
            }),
            ("p_response_time", "Mann-Whitney p of the items' median response times", |c| {
                maybe(c.p_response_time)
            }),
        ],
    )
}

fn preferences(report: &Report) -> Table {
    let rows = report.preferences.iter();
    Table::of(
        "preferences.csv",
        rows,
        &[
            ("medium", "audio or image", |p| text(&p.medium)),
            ("block", "name of the block", |p| text(&p.block)),
            ("first", "what the share is of; A if the pairs have no names in common", |p| {
                text(&p.first)
            }),
            ("second", "the other one", |p| text(&p.second)),
            ("participants", "participants with answers", |p| p.participants.to_string()),
            ("items", "pairs with answers", |p| p.items.to_string()),
            ("answers", "answers", |p| p.answers.to_string()),
            ("chosen", "answers for the first", |p| p.chosen.to_string()),
            ("share", "chosen / answers", |p| number(p.share)),
            ("bootstrap_low", "interval of share, participants and pairs resampled", |p| {
                maybe(p.bootstrap.map(|i| i.low))
            }),
            ("bootstrap_high", "its upper end", |p| maybe(p.bootstrap.map(|i| i.high))),
            ("model_share", "mixed model: share of the average listener and pair", |p| {
                maybe(p.model.done().map(|m| m.share))
            }),
            ("model_low", "its profile-likelihood interval", |p| {
                maybe(p.model.done().map(|m| m.interval.low))
            }),
            ("model_high", "its upper end", |p| maybe(p.model.done().map(|m| m.interval.high))),
            ("model_p", "headline: two-sided p of indifference", |p| {
                maybe(p.model.done().map(|m| m.p))
            }),
            ("exact_p", "exact binomial p; assumes independent answers", |p| number(p.exact_p)),
            ("exact_low", "Clopper-Pearson interval; assumes independent answers", |p| {
                number(p.exact.low)
            }),
            ("exact_high", "its upper end", |p| number(p.exact.high)),
            ("share_of_a", "share of answers for the one played as A, whichever it was", |p| {
                number(p.share_of_a)
            }),
        ],
    )
}

/// One row a step of the scale, so that the columns do not depend on the scale.
fn ratings(report: &Report) -> Table {
    let rows = report
        .ratings
        .iter()
        .flat_map(|r| r.distribution.iter().zip(1..).map(move |(count, step)| (r, step, *count)));
    Table::of(
        "ratings.csv",
        rows,
        &[
            ("medium", "audio or image", |(r, _, _)| text(&r.medium)),
            ("block", "name of the block", |(r, _, _)| text(&r.block)),
            ("condition", "likert or likert:<name>", |(r, _, _)| text(&r.condition)),
            ("participants", "participants with ratings", |(r, _, _)| r.participants.to_string()),
            ("items", "items with ratings", |(r, _, _)| r.items.to_string()),
            ("median", "median rating", |(r, _, _)| number(r.median)),
            ("quartile_low", "lower quartile", |(r, _, _)| number(r.quartiles.low)),
            ("quartile_high", "upper quartile", |(r, _, _)| number(r.quartiles.high)),
            ("mean", "mean rating", |(r, _, _)| number(r.mean)),
            (
                "bootstrap_low",
                "interval of the mean, participants and items resampled",
                |(r, _, _)| maybe(r.bootstrap.map(|i| i.low)),
            ),
            ("bootstrap_high", "its upper end", |(r, _, _)| maybe(r.bootstrap.map(|i| i.high))),
            ("rating", "step of the scale, from 1: one row each", |(_, step, _)| step.to_string()),
            ("count", "ratings of this step", |(_, _, count)| count.to_string()),
        ],
    )
}

fn rating_differences(report: &Report) -> Table {
    let rows = report.rating_differences.iter();
    Table::of(
        "rating_differences.csv",
        rows,
        &[
            ("first_block", "name of the block", |d| text(&d.first[0])),
            ("first_condition", "condition", |d| text(&d.first[1])),
            ("second_block", "name of the block", |d| text(&d.second[0])),
            ("second_condition", "condition", |d| text(&d.second[1])),
            ("participants", "participants who rated both", |d| d.participants.to_string()),
            ("difference", "mean over these of first mean rating less second", |d| {
                number(d.difference)
            }),
            (
                "low",
                "interval of the difference of all means, participants and items resampled",
                |d| maybe(d.interval.map(|i| i.low)),
            ),
            ("high", "its upper end", |d| maybe(d.interval.map(|i| i.high))),
            ("p", "Wilcoxon signed-rank p of the participants' mean ratings, two-sided", |d| {
                maybe(d.p)
            }),
            ("p_holm", "p adjusted by Holm for all differences", |d| maybe(d.p_holm)),
        ],
    )
}

fn participants(report: &Report) -> Table {
    let rows = report.participants.iter().flat_map(|person| {
        let scores = person.scores.iter().map(Some);
        let none = person.scores.is_empty().then_some(None);
        scores.chain(none).map(move |score| (person, score))
    });
    Table::of(
        "participants.csv",
        rows,
        &[
            ("participant", "code; sim-... is a simulated listener", |(person, _)| {
                text(&person.participant)
            }),
            ("excluded", "why none of their answers is analyzed", |(person, _)| {
                text(person.excluded.as_deref().unwrap_or_default())
            }),
            ("catch_passed", "catch items passed", |(person, _)| person.catch_passed.to_string()),
            ("catch_answered", "catch items answered", |(person, _)| {
                person.catch_answered.to_string()
            }),
            ("median_response_s", "median seconds to answer", |(person, _)| {
                maybe(person.median_response_s)
            }),
            ("medium", "audio or image", |(_, score)| of(*score, |s| text(&s.medium))),
            ("block", "name of the block", |(_, score)| of(*score, |s| text(&s.block))),
            ("condition", "condition of the score", |(_, score)| {
                of(*score, |s| text(&s.condition))
            }),
            ("hits", "answers equal to the label", |(_, score)| of(*score, |s| s.hits.to_string())),
            ("answers", "answers", |(_, score)| of(*score, |s| s.answers.to_string())),
            ("rate", "hits / answers", |(_, score)| of(*score, |s| number(s.rate))),
            ("p", "exact one-sided p against chance", |(_, score)| of(*score, |s| number(s.p))),
            ("p_holm", "p adjusted by Holm for the participants of the condition", |(_, score)| {
                of(*score, |s| number(s.p_holm))
            }),
        ],
    )
}

fn items(report: &Report) -> Table {
    let rows = report.items.iter();
    Table::of(
        "items.csv",
        rows,
        &[
            ("item", "opaque name", |item| text(&item.item)),
            ("medium", "audio or image", |item| text(&item.medium)),
            ("block", "name of the block", |item| text(&item.block)),
            ("condition", "real, fooling:<system> or abx", |item| text(&item.condition)),
            ("truth", "machine or corpus label", |item| text(&item.truth)),
            ("answers", "answers", |item| item.answers.to_string()),
            ("hits", "answers equal to the label", |item| item.hits.to_string()),
            ("agreement", "hits / answers", |item| number(item.agreement)),
            ("wilson_low", "Wilson interval of the agreement", |item| number(item.interval.low)),
            ("wilson_high", "its upper end", |item| number(item.interval.high)),
            ("modal_answer", "most frequent answer", |item| {
                text(item.modal_answer.as_deref().unwrap_or_default())
            }),
            ("modal_share", "its share", |item| number(item.modal_share)),
            ("mean_rating", "mean confidence", |item| maybe(item.mean_rating)),
            ("median_response_s", "median seconds to answer", |item| maybe(item.median_response_s)),
            ("posterior", "classifier's posterior of the label", |item| maybe(item.posterior)),
        ],
    )
}

fn exclusions(report: &Report) -> Table {
    let rows = report.counts.exclusions.iter();
    Table::of(
        "exclusions.csv",
        rows,
        &[
            ("reason", "the rule, in the order of application", |exclusion| {
                text(&exclusion.reason)
            }),
            ("answers", "answers that it took", |exclusion| exclusion.answers.to_string()),
            ("participants", "participants of whom no answer was left after it", |exclusion| {
                exclusion.participants.to_string()
            }),
        ],
    )
}
