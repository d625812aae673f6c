//! The report as one page that needs nothing else: no script, no font, no address.

use maud::{DOCTYPE, Markup, html};
use trompe_statistics::bayes::Estimate;
use trompe_statistics::mixed_model::ItemSpread;

use super::bs1116_page;
use super::charts;
use super::condition::{ConditionReport, DPrime};
use super::flow_chart::flow_chart;
use super::format::{p, p_value, percent, range};
use super::judgements;
use super::method::Method;
use super::model_comparison::ModelComparison;
use super::mushra_page;
use super::participants::ItemReport;
use super::per_class::Agreement;
use super::report::Report;
use super::staircase_page;

impl Report {
    /// The report as a self-contained HTML page.
    pub fn html(&self) -> String {
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (self.title()) }
                    (charts::style())
                }
                body { main {
                    h1 { (self.title()) }
                    p.soft { "trompe " (self.version) }
                    (self.labels())
                    (self.summary())
                    (self.flow())
                    @for condition in &self.conditions { (self.condition(condition)) }
                    (self.differences())
                    (judgements::preferences(self))
                    (judgements::ratings(self))
                    (mushra_page::sections(&self.mushra))
                    (bs1116_page::sections(&self.bs1116, self.plan.level))
                    (staircase_page::sections(&self.staircases))
                    (self.people())
                    (self.item_table())
                    (manuscript(self))
                    (methods(self))
                } }
            }
        };
        page.into_string()
    }

    fn title(&self) -> &'static str {
        if self.simulated_participants > 0 {
            "Listening study: simulated results"
        } else {
            "Listening study: results"
        }
    }

    fn labels(&self) -> Markup {
        html! {
            @if self.simulated_participants > 0 {
                div.banner role="note" {
                    (self.simulated_participants) " of " (self.counts.participants)
                    " participants are simulated. Nothing on this page is a finding about people."
                }
            }
            @for warning in &self.warnings { div.banner role="note" { (warning) "." } }
        }
    }

    fn summary(&self) -> Markup {
        html! {
            @if !self.conditions.is_empty() {
            h2 { "In short" }
            ul { @for condition in &self.conditions {
                li { strong { (name(condition)) ": " } (condition.statement()) }
            } }
            (charts::accuracies(&self.conditions))
            (tests(&self.conditions))
            div.scroll tabindex="0" { table {
                caption { "Mixed model with crossed random intercepts of listeners and items; standard deviations on the logit scale." }
                thead { tr {
                    th { "condition" } th { "listeners" } th { "items" } th { "answers" } th { "accuracy" }
                    th { "interval" } th { "sd listeners" } th { "sd items" } th { "t (df)" }
                } }
                tbody { @for condition in &self.conditions { tr {
                    td { (name(condition)) } td { (condition.participants) } td { (condition.items) } td { (condition.answers) }
                    @match &condition.model {
                        Method::Done(model) => {
                            td { (percent(model.accuracy)) } td { (range(model.interval)) }
                            td { (format!("{:.2}", model.participant_sd)) } td { (format!("{:.2}", model.item_sd)) }
                            td { (format!("{:.2} ({:.0})", model.t, model.df)) }
                        }
                        Method::NotDefined(why) => { td { (percent(condition.accuracy)) } td.word colspan="4" { (why) } }
                    }
                } } }
            } }
            }
        }
    }

    fn flow(&self) -> Markup {
        let counts = &self.counts;
        html! {
            h2 { "Who and what was analyzed" }
            figure {
                div.scroll tabindex="0" { (flow_chart(counts)) }
                figcaption { "Flow of participants. Rules in the order of application, fixed before the data." }
            }
            p {
                (counts.participants) " participants came in and gave " (counts.answers) " answers; "
                (counts.answers_analyzed) " answers of " (counts.participants_analyzed) " participants to "
                (counts.items_analyzed) " items are analyzed. " (counts.catch_answers) " answers to catch and gold items serve as checks only."
            }
            @if counts.exclusions.is_empty() {
                p { "The plan excludes nothing." }
            } @else {
                div.scroll tabindex="0" { table {
                    caption { "Exclusions in the order of application, fixed before the data." }
                    thead { tr { th { "rule" } th { "answers" } th { "participants" } } }
                    tbody { @for out in &counts.exclusions { tr {
                        td { (out.reason) } td { (out.answers) } td { (out.participants) }
                    } } }
                } }
            }
        }
    }

    fn condition(&self, condition: &ConditionReport) -> Markup {
        html! {
            h2 { (name(condition)) }
            (figures(condition))
            (charts::confusion(condition))
            (classes(condition))
            @if let Some(found) = &condition.model_comparison {
                (beside_classifier(found))
                (charts::against_classifier(&self.items_of(condition)))
            }
        }
    }

    fn items_of(&self, condition: &ConditionReport) -> Vec<&ItemReport> {
        self.items
            .iter()
            .filter(|item| item.block == condition.block && item.condition == condition.condition)
            .collect()
    }

    fn differences(&self) -> Markup {
        html! { @if !self.comparisons.is_empty() {
            h2 { "Between conditions" }
            div.scroll tabindex="0" { table {
                caption { "Differences in accuracy (percentage points). Listeners are resampled together for both conditions and items apart (Owen 2007), so listeners may be equally skilled in both, or not; listeners and items are taken for independent draws of those that could have taken part. Interval and p: Student's t with the standard error of the resamples, one degree of freedom fewer than the fewest listeners or items. Holm over all rows. Starred: freed of chance first, because the numbers of classes differ." }
                thead { tr { th { "first" } th { "second" } th { "difference" } th { "interval" } th { "p" } th { "p (Holm)" } } }
                tbody { @for c in &self.comparisons { tr {
                    td { (c.first.join(", ")) } td.word { (c.second.join(", ")) }
                    td { (format!("{:+.1}", 100.0 * c.difference)) @if c.chance_corrected { "*" } }
                    td { @if let Some(i) = c.interval { (format!("{:+.1} to {:+.1}", 100.0 * i.low, 100.0 * i.high)) } }
                    td { @if let Some(value) = c.p { (p_value(value)) } }
                    td { @if let Some(value) = c.p_holm { (p_value(value)) } }
                } } }
            } }
        } }
    }

    fn people(&self) -> Markup {
        html! {
            h2 { "Each participant" }
            p { "One listener can be good even where the average is not: p is exact for one listener's answers, adjusted by Holm for all listeners of the condition." }
            details { summary { (self.participants.len()) " participants" }
                div.scroll tabindex="0" { table {
                    thead { tr { th { "participant" } th { "condition" } th { "hits" } th { "answers" } th { "rate" } th { "p" } th { "p (Holm)" } th { "catch" } } }
                    tbody { @for person in &self.participants {
                        @if person.scores.is_empty() { tr {
                            td { (person.participant) } td.word colspan="6" { (person.excluded.as_deref().unwrap_or("no scored answers")) }
                            td { (person.catch_passed) "/" (person.catch_answered) }
                        } }
                        @for score in &person.scores { tr {
                            td { (person.participant) } td.word { (score.block) ", " (score.condition) }
                            td { (score.hits) } td { (score.answers) } td { (percent(score.rate)) }
                            td { (p_value(score.p)) } td { (p_value(score.p_holm)) }
                            td { (person.catch_passed) "/" (person.catch_answered) }
                        } }
                    } }
                } }
            }
        }
    }

    fn item_table(&self) -> Markup {
        html! {
            h2 { "Each item" }
            details { summary { (self.items.len()) " items" }
                div.scroll tabindex="0" { table {
                    thead { tr { th { "item" } th { "condition" } th { "label" } th { "agreement" } th { "interval" } th { "most frequent answer" } th { "posterior" } } }
                    tbody { @for item in &self.items { tr {
                        td { code { (item.item) } } td.word { (item.block) ", " (item.condition) } td.word { (item.truth) }
                        td { (item.hits) "/" (item.answers) } td { (range(item.interval)) }
                        td.word { @if let Some(answer) = &item.modal_answer { (answer) " (" (percent(item.modal_share)) ")" } }
                        td { @if let Some(posterior) = item.posterior { (format!("{posterior:.5}")) } }
                    } } }
                } }
            }
        }
    }
}

/// The two tests behind each outcome.
fn tests(conditions: &[ConditionReport]) -> Markup {
    html! {
        div.scroll tabindex="0" { table {
            caption { "The tests behind the outcomes: chance two-sided, the margin one-sided. Holm: over all tests of this table. The outcome of a condition is read from its own interval; whoever claims several outcomes at once goes by Holm." }
            thead { tr {
                th { "condition" } th { "outcome" } th { "p of chance" } th { "(Holm)" } th { "p of the margin" } th { "(Holm)" }
            } }
            tbody { @for condition in conditions { tr {
                td { (name(condition)) } td.word { (condition.outcome) }
                td { (p_value(condition.against_chance.p)) }
                td { @if let Some(value) = condition.against_chance.p_holm { (p_value(value)) } }
                td { (p_value(condition.equivalence.p)) }
                td { @if let Some(value) = condition.equivalence.p_holm { (p_value(value)) } }
            } } }
        } }
    }
}

fn figures(condition: &ConditionReport) -> Markup {
    let exact = &condition.exact;
    let guessing = &condition.guessing;
    html! {
        dl {
            dt { "accuracy" } dd {
                (percent(condition.accuracy))
                @if let Some(interval) = condition.bootstrap { ", " (range(interval)) " resampling listeners and items" }
            }
            @if condition.dont_know > 0 {
                dt { "don't know" } dd {
                    (condition.dont_know) " answers; as guesses " (percent(condition.accuracy_dont_know_as_guess))
                    ", as wrong " (percent(condition.accuracy_dont_know_as_wrong))
                    @if let Some(model) = condition.model_other_dont_know.done() {
                        "; the model counting them the other way: " (percent(model.accuracy)) " (" (range(model.interval)) ")"
                    }
                }
            }
            dt { "upper bound" } dd { (percent(condition.equivalence.upper_bound)) " (" (condition.equivalence.method) ")"
            }
            dt { "items" } dd {
                @match &condition.item_spread {
                    Method::Done(spread) => { (items(spread, condition)) }
                    Method::NotDefined(why) => { (why) }
                }
            }
            @if let Some(found) = &condition.discrimination {
                dt { "sensitivity" } dd {
                    "d' " (d_prime(found.differencing)) " by differencing; "
                    (d_prime(found.independent_observation)) " by independent observation"
                }
            }
            dt { "answer bias" } dd {
                @match guessing.expected_accuracy {
                    Some(expected) => {
                        "labels dealt to the items at random would give " (percent(expected))
                        @if let Some(value) = guessing.p { "; actual accuracy: " (p(value)) }
                    }
                    None => { "all items have one label: nothing to permute" }
                }
            }
            dt { "agreement" } dd { (agreement(&condition.agreement)) }
            dt { "Bayes" } dd {
                @match &condition.bayes {
                    Method::Done(estimate) => { (belief(estimate, condition)) }
                    Method::NotDefined(why) => { (why) }
                }
            }
            @if let Some(headphones) = &condition.headphones {
                dt { "headphones" } dd { (headphones.in_words()) }
            }
            @if let Some(seconds) = condition.median_response_s {
                dt { "time to answer" } dd { (format!("{seconds:.1} s (median)")) }
            }
            dt { "if answers were independent" } dd {
                (condition.hits) " hits of " (condition.answers) ", exact " (p(exact.p_above)) ", Clopper-Pearson "
                (range(exact.clopper_pearson)) ", Wilson " (range(exact.wilson))
                ". They are not: listeners and items differ, so these are too sure."
            }
        }
    }
}

/// How much items differ in their accuracy.
fn items(spread: &ItemSpread, condition: &ConditionReport) -> Markup {
    let at = |share: f64| {
        let found = spread.quantiles.iter().find(|quantile| quantile.share == share);
        found.map_or(String::new(), |quantile| percent(quantile.accuracy))
    };
    html! {
        "half of items like these have an accuracy of " (at(0.25)) " to " (at(0.75)) ", nine in ten of "
        (at(0.05)) " to " (at(0.95)) "; below the margin of " (percent(condition.equivalence.margin)) ": "
        (percent(spread.below_margin)) " of them (" (range(spread.below_margin_interval)) ")"
        @if !condition.controls.suffice { ", which shows no absence: the controls do not suffice" }
    }
}

/// How well listeners agree with each other.
fn agreement(agreement: &Agreement) -> Markup {
    html! {
        @match agreement.krippendorff_alpha {
            Some(alpha) => {
                "Krippendorff's alpha " (format!("{alpha:.3}"))
                @if let Some(i) = agreement.interval { " (" (format!("{:.3} to {:.3}", i.low, i.high)) ")" }
            }
            None => { "not defined" }
        }
        @if let Some(kappa) = agreement.fleiss_kappa { "; Fleiss' kappa " (format!("{kappa:.3}")) }
        @if let Some(share) = agreement.modal_share { "; most frequent answer to an item: " (percent(share)) " on average" }
    }
}

fn beside_classifier(found: &ModelComparison) -> Markup {
    html! {
        h3 { "People beside the classifier" }
        p {
            "On " (found.items) " items the classifier's mean posterior of the label is "
            (format!("{:.4}", found.mean_posterior)) "; people gave the label in "
            (percent(found.human_agreement)) " of answers. The gap is " (percent(found.gap))
            @if let Some(interval) = found.gap_interval { " (" (range(interval)) ")" } "."
            @if let (Some(rho), Some(value)) = (found.spearman, found.spearman_p) {
                " Rank correlation over items: " (format!("{rho:.2}")) " (" (p(value)) ")."
            }
            @if let Some(majority) = &found.majority {
                " The classifier is right on " (majority.classifier_right) " of " (majority.items)
                " items, the human majority on " (majority.majority_right) " (McNemar " (p(majority.p)) ")."
            }
        }
    }
}

fn classes(condition: &ConditionReport) -> Markup {
    html! {
        div.scroll tabindex="0" { table {
            caption { "By label. p (Holm): exact against chance, assumes independent answers. Hu: unbiased hit rate (Wagner 1993), beside what answers without knowledge reach. Permuted p (Holm): labels dealt over items, free of answer bias." }
            thead { tr {
                th { "label" } th { "items" } th { "hits" } th { "rate" } th { "Wilson" } th { "p (Holm)" }
                th { "p (BH)" } th { "Hu" } th { "Hu by chance" } th { "permuted p (Holm)" }
            } }
            tbody { @for class in &condition.by_class { tr {
                td { (class.class) } td { (class.items) } td { (class.hits) "/" (class.shown) }
                td { @if let Some(rate) = class.hit_rate { (percent(rate)) } }
                td { (range(class.wilson)) } td { (p_value(class.p_holm)) } td { (p_value(class.p_benjamini_hochberg)) }
                td { @if let Some(rate) = class.unbiased_hit_rate { (format!("{rate:.3}")) } }
                td { @if let Some(rate) = class.unbiased_by_chance { (format!("{rate:.3}")) } }
                td { @if let Some(value) = class.p_permuted_holm { (p_value(value)) } }
            } } }
        } }
    }
}

fn belief(estimate: &Estimate, condition: &ConditionReport) -> Markup {
    html! {
        "accuracy " (percent(estimate.mean)) " (" (range(estimate.interval)) "); above chance with probability "
        (format!("{:.3}", estimate.above_chance)) ", below the margin of " (percent(condition.equivalence.margin))
        " with probability " (format!("{:.3}", estimate.in_region))
        @if let Some(factor) = estimate.factor_for_chance { "; Bayes factor for exactly chance " (significant(factor)) }
    }
}

fn d_prime(found: DPrime) -> String {
    let show = |d: Option<f64>| d.map_or("infinite".to_owned(), |d| format!("{d:.2}"));
    let range = found.low.map(|low| format!(" ({low:.2} to {})", show(found.high)));
    show(found.estimate) + &range.unwrap_or_default()
}

fn methods(report: &Report) -> Markup {
    let plan = &report.plan;
    html! {
        h2 { "How to read the numbers" }
        p { "Intervals hold at " (percent(plan.level)) ", one-sided bounds at " (percent(1.0 - plan.alpha)) ". The headline is a logistic mixed model with crossed random intercepts of listeners and items (Laplace approximation, as in lme4). Its parameter is the accuracy of the average listener on the average item, so chance is 1/k; the test is a profile likelihood ratio whose signed root is referred to Student's t with Satterthwaite's degrees of freedom. Where the model is not defined, the interval is exact (Clopper-Pearson) with the fewer of listeners and items in place of the answers." }
        p { "Each condition has one outcome. Better than chance: the lower end of the interval lies above chance. Within the margin: the one-sided upper bound lies below the margin; below chance counts as within. Better than chance but within the margin: both. Undecided: neither. A test that is not significant claims nothing. The bound is calibrated by " (plan.simulations) " simulated studies of the same listeners and items (parametric bootstrap); its test is the upper half of two one-sided tests (TOST)." }
        p { "The margin is " (plan.equivalence_margin) " on the scale freed of chance, (accuracy - chance) / (1 - chance). Reason, fixed before the data: " (plan.reason()) "." }
        p { "Absence (within the margin) is claimed only where the genuine controls of the same people and block lie above chance by " (plan.controls_above) " on the same scale, with the lower end of their interval; else the study could not have shown a difference." }
        p { "Bootstrap: participants and items resampled independently, " (plan.resamples) " times (Owen 2007). Bayes: uniform prior of the accuracy, half-normal(1) priors of both standard deviations; the accuracies of items are those of the average listener under the same posterior, normal on the logit scale. Agreement: items resampled. Seed " (plan.seed) "." }
        details { summary { "The plan as it was followed (SHA-256 " (&report.plan_sha256[..16]) "…)" }
            pre { (serde_json::to_string_pretty(plan).unwrap_or_default()) }
        }
    }
}

/// The methods as a paper would have them, and what deviates from the preregistration.
fn manuscript(report: &Report) -> Markup {
    html! {
        h2 { "Preregistration" }
        @match &report.deviations {
            None => p { "The study folder holds no preregistration, so nothing shows what was fixed before the data." },
            Some(found) if found.is_empty() => p { "Study, plan and number of people are as registered before the data." },
            Some(found) => {
                p { "Deviations from what was registered before the data:" }
                ul { @for deviation in found { li { (deviation) } } }
            }
        }
        h2 { "Methods, for a paper" }
        p.soft { "The same text, with results in the forms of APA and JASA, is in manuscript.md." }
        @for (title, text) in report.methods() { h3 { (title) } p { (text) } }
    }
}

fn name(condition: &ConditionReport) -> String {
    // a block is named after its medium, with a number if there are several
    let medium = match condition.block.strip_prefix(condition.medium.as_str()) {
        Some(_) => &condition.block,
        None => &condition.medium,
    };
    match condition.condition.split_once(':') {
        Some(("fooling", system)) => format!("Fooling {medium} ({system})"),
        _ => format!("{} {medium}", capital(&condition.condition)),
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn significant(value: f64) -> String {
    if (0.01..1000.0).contains(&value) { format!("{value:.2}") } else { format!("{value:.1e}") }
}
