//! Sections of a paper, written from the study and its report: methods, and results in the forms
//! of APA and of the Journal of the Acoustical Society of America (JASA).

use trompe_statistics::Interval;

use super::bs1116::Bs1116Report;
use super::condition::ConditionReport;
use super::format::p;
use super::method::Method;
use super::report::Report;
use super::staircase::StaircaseReport;
use super::study_facts::{BlockFacts, StudyFacts};
use crate::staircase::Staircase;
use crate::study::{Medium, Policy, Task};

/// How numbers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// No zero before the point of what cannot pass 1, brackets around intervals.
    Apa,
    /// A zero before the point, no italics, intervals in parentheses with their level.
    Jasa,
}

impl Report {
    /// Methods and results as Markdown.
    pub fn manuscript(&self) -> String {
        let mut text = String::new();
        if self.simulated_participants > 0 {
            text += "**Simulated listeners: nothing here is a finding about people.**\n\n";
        }
        text += "# Methods\n\n";
        for (title, paragraph) in self.methods() {
            text += &format!("## {title}\n\n{paragraph}\n\n");
        }
        for (name, style) in [("APA", Style::Apa), ("JASA", Style::Jasa)] {
            text += &format!("# Results ({name} form)\n\n");
            for paragraph in self.results(style) {
                text += &paragraph;
                text += "\n\n";
            }
        }
        text.trim_end().to_owned() + "\n"
    }

    /// Titles and paragraphs of the methods section.
    pub(super) fn methods(&self) -> Vec<(&'static str, String)> {
        let mut sections = vec![("Participants", self.participants_text())];
        if let Some(facts) = &self.study {
            sections.push(("Stimuli", stimuli(facts)));
            sections.push(("Procedure", procedure(facts)));
        }
        sections.push(("Analysis", self.analysis_text()));
        sections
    }

    fn participants_text(&self) -> String {
        let counts = &self.counts;
        let mut text = format!(
            "{} people consented and came in; {} are analyzed, with {} answers.",
            counts.participants, counts.participants_analyzed, counts.answers_analyzed
        );
        let lost = counts.exclusions.iter().filter(|out| out.participants > 0);
        let lost: Vec<String> =
            lost.map(|out| format!("{} ({})", out.reason, out.participants)).collect();
        if !lost.is_empty() {
            text += &format!(" Excluded, with reasons: {}.", lost.join("; "));
        }
        let Some(facts) = &self.study else { return text };
        text += &format!(" Rules fixed before the data exclude {}.", facts.rules.join(", "));
        if let Some(check) = &facts.headphones {
            let meaning = match check.policy {
                Policy::Gate => "those who failed could not go on",
                _ => {
                    "failing did not exclude by itself, and passing entered a second model as a fixed effect"
                }
            };
            text += &format!(
                " Headphones were checked by Huggins pitch (Milne et al. 2021) and antiphase tones (Woods et al. 2017), \
                 {} trials each, {} right of each to pass: {} of {} passed; {meaning}.",
                check.trials, check.pass, check.passed, check.taken
            );
        }
        for question in &facts.demographics {
            let given = question.answers.iter().filter(|(_, count)| *count > 0);
            let mut given: Vec<String> =
                given.map(|(answer, count)| format!("{answer}: {count}")).collect();
            if question.open > 0 {
                given.push(format!("not answered: {}", question.open));
            }
            text += &format!(" {}: {}.", capital(&question.name), given.join(", "));
        }
        if let Some(minutes) = &facts.minutes {
            text += &format!(
                " From consent to the last answer it took a median of {:.0} min (quartiles {:.0} and {:.0} min, {} people).",
                minutes.median, minutes.quartiles.low, minutes.quartiles.high, minutes.count
            );
        }
        text
    }

    fn analysis_text(&self) -> String {
        let plan = &self.plan;
        let mut text = String::new();
        if !self.conditions.is_empty() {
            text += &format!(
                "Accuracy was modeled by logistic regression with crossed random intercepts, answer ~ 1 + (1 | listener) + \
                 (1 | item), for each condition (Laplace approximation, as in lme4); the estimate is the accuracy of the average \
                 listener on the average item, with a profile-likelihood interval. A condition counts as better than chance if the lower end of \
                 its {:.0} % interval lies above chance, and as within the margin if its one-sided {:.0} % upper bound, \
                 calibrated by {} simulated studies, lies below the margin of {} on the scale (accuracy - chance) / (1 - \
                 chance). The margin was chosen because: {}. Absence was only to be claimed where genuine controls lie above chance by {} \
                 on the same scale. ",
                100.0 * plan.level,
                100.0 * (1.0 - plan.alpha),
                plan.simulations,
                plan.equivalence_margin,
                plan.reason(),
                plan.controls_above
            );
        }
        if !self.comparisons.is_empty() {
            text += "Conditions were compared by resampling listeners and items independently (Owen 2007). ";
        }
        if !self.mushra.is_empty() {
            text += "Scores were post-screened by ITU-R BS.1534-3 (a listener is out who scored the hidden reference below 90, or the \
                     mid-range anchor above 90, on more than 15 % of the pages) and are given as medians with quartiles; \
                     differences were tested by Wilcoxon's signed-rank test of the listeners' means. ";
        }
        if !self.bs1116.is_empty() {
            text += &format!(
                "Diff-grades are grades of the object less those of the hidden reference. Listeners were post-screened by ITU-R \
                 BS.1116-3: listeners are left out if a one-sided t-test of all their diff-grades (level {}) does not show that they told objects from the reference. \
                 Intervals of mean diff-grades are Student's over the listeners' means. ",
                plan.alpha
            );
        }
        if !self.staircases.is_empty() {
            text += "The threshold of a track is the mean strength at its last even number of reversals (Levitt 1971). Over all \
                     answers of all listeners a logistic psychometric function with the guess rate of the intervals and a lapse rate \
                     of at most .06 was fitted by maximum likelihood; its intervals come from resampling listeners. ";
        }
        text + &format!(
            "p values are adjusted by Holm within each family. The plan of the analysis has the SHA-256 {}; {} resamples, seed {}. \
             Software: trompe {}.",
            self.plan_sha256, plan.resamples, plan.seed, self.version
        )
    }

    /// Paragraphs of the results section.
    fn results(&self, style: Style) -> Vec<String> {
        let mut text = Vec::new();
        for condition in &self.conditions {
            text.push(condition_text(condition, self.plan.level, style));
        }
        for c in &self.comparisons {
            let interval =
                c.interval.map(|i| interval(i, 100.0, " points", self.plan.level, style));
            text.push(format!(
                "{} against {}: difference {} percentage points{}{}.",
                c.first.join(", "),
                c.second.join(", "),
                number(100.0 * c.difference, 1),
                interval.map(|text| format!(", {text}")).unwrap_or_default(),
                c.p_holm
                    .map(|value| format!(", {} (Holm)", p_text(value, style)))
                    .unwrap_or_default()
            ));
        }
        for found in &self.preferences {
            let model = found.model.done().map(|m| {
                format!(
                    "; by the mixed model {} %, {}, {}",
                    number(100.0 * m.share, 1),
                    interval(m.interval, 100.0, " %", self.plan.level, style),
                    p_text(m.p, style)
                )
            });
            text.push(format!(
                "{} was preferred to {} in {} of {} answers{}; {} % of answers were for the one that was shown first.",
                found.first,
                found.second,
                found.chosen,
                found.answers,
                model.unwrap_or_default(),
                number(100.0 * found.share_of_a, 1)
            ));
        }
        for r in &self.ratings {
            text.push(format!(
                "{}, {}: median rating {} (quartiles {} and {}), mean {}.",
                r.block,
                r.condition,
                r.median,
                r.quartiles.low,
                r.quartiles.high,
                number(r.mean, 2)
            ));
        }
        for found in &self.mushra {
            let out = found.screening.iter().filter(|listener| listener.out).count();
            let scores = found.conditions.iter().map(|c| {
                format!(
                    "{} {} (quartiles {} and {})",
                    c.condition,
                    number(c.median, 1),
                    number(c.quartiles.low, 1),
                    number(c.quartiles.high, 1)
                )
            });
            text.push(format!(
                "{}: post-screening left {out} of {} listeners out. Median scores: {}.",
                found.block,
                found.screening.len(),
                scores.collect::<Vec<_>>().join("; ")
            ));
            for d in found.differences.iter().filter(|d| d.p_holm.is_some()) {
                text.push(format!(
                    "{} less {}: {} points{}, {} (Holm, {} listeners).",
                    d.first,
                    d.second,
                    number(d.difference, 1),
                    d.interval
                        .map(|i| format!(
                            ", {}",
                            interval(i, 1.0, " points", self.plan.level, style)
                        ))
                        .unwrap_or_default(),
                    p_text(d.p_holm.unwrap_or(1.0), style),
                    d.listeners
                ));
            }
        }
        for found in &self.bs1116 {
            text.push(bs1116_text(found, self.plan.level, style));
        }
        for found in &self.staircases {
            text.push(staircase_text(found, self.plan.level, style));
        }
        text
    }
}

/// Diff-grades of one block of BS.1116.
fn bs1116_text(found: &Bs1116Report, level: f64, style: Style) -> String {
    let out = found.screening.iter().filter(|listener| listener.out).count();
    let grades = found.conditions.iter().map(|c| {
        let ends = c.interval.map(|ends| format!(", {}", interval(ends, 1.0, "", level, style)));
        format!("{} {}{}", c.condition, number(c.diff, 2), ends.unwrap_or_default())
    });
    format!(
        "{}: post-screening left {out} of {} listeners out. Mean diff-grades: {}.",
        found.block,
        found.screening.len(),
        grades.collect::<Vec<_>>().join("; ")
    )
}

/// Thresholds of one condition of adaptive tracks.
fn staircase_text(found: &StaircaseReport, level: f64, style: Style) -> String {
    let unit = match found.settings.unit.as_str() {
        "" => String::new(),
        unit => format!(" {unit}"),
    };
    let mut text = format!("{}, {}: ", found.block, found.condition);
    text += &match &found.mean {
        Method::Done(mean) => format!(
            "the mean threshold of {} listeners was {}{unit} (SD {}), {}.",
            mean.participants,
            number(mean.mean, 2),
            number(mean.sd, 2),
            interval(mean.interval, 1.0, &unit, level, style)
        ),
        Method::NotDefined(why) => format!("there is no mean threshold, because {why}."),
    };
    text += &match &found.function {
        Method::Done(f) => {
            let at = match (f.at_target, f.at_target_interval) {
                (Some(at), Some(ends)) => {
                    format!("{}{unit}, {}", number(at, 2), interval(ends, 1.0, &unit, level, style))
                }
                (Some(at), None) => format!("{}{unit}", number(at, 2)),
                (None, _) => "not reached".to_owned(),
            };
            format!(
                " By the psychometric function, the strength at {} % right answers was {at}; its slope was {} log-odds per unit, its \
                 lapse rate {} %.",
                number(100.0 * found.target, 1),
                number(f.slope, 2),
                number(100.0 * f.lapse, 1)
            )
        }
        Method::NotDefined(why) => {
            format!(" No psychometric function could be fitted, because {why}.")
        }
    };
    text
}

fn condition_text(c: &ConditionReport, level: f64, style: Style) -> String {
    let (estimate, bounds) = c.headline();
    let test = match &c.model {
        Method::Done(model) => {
            let df = number(model.df, 1);
            format!("t({df}) = {}, {}", number(model.t, 2), p_text(c.against_chance.p, style))
        }
        Method::NotDefined(_) => p_text(c.against_chance.p, style),
    };
    format!(
        "{}, {}: {}. Accuracy was {} %, {} ({} listeners, {} items, {} of {} answers equal to the label; chance {} %: {test}); \
         the upper bound is {} %, the margin {} % ({} against the margin).",
        c.block,
        c.condition,
        c.outcome,
        number(100.0 * estimate, 1),
        interval(bounds, 100.0, " %", level, style),
        c.participants,
        c.items,
        c.hits,
        c.answers,
        number(100.0 * c.chance, 1),
        number(100.0 * c.equivalence.upper_bound, 1),
        number(100.0 * c.equivalence.margin, 1),
        p_text(c.equivalence.p, style)
    ) + &headphones(c, level, style)
}

/// The effect of passing the headphone check, where there is one.
fn headphones(c: &ConditionReport, level: f64, style: Style) -> String {
    let Some(model) = c.headphones.as_ref().and_then(|found| found.model.done()) else {
        return String::new();
    };
    format!(
        " Passing the headphone check changed the log-odds of a hit by {}, {} ({}).",
        number(model.log_odds, 2),
        interval(model.interval, 1.0, "", level, style),
        p_text(model.p, style)
    )
}

/// With a true minus.
fn number(value: f64, digits: usize) -> String {
    format!("{value:.digits$}").replace('-', "\u{2212}")
}

fn p_text(value: f64, style: Style) -> String {
    match style {
        Style::Apa => p(value),
        Style::Jasa if value < 0.001 => "p < 0.001".to_owned(),
        Style::Jasa => format!("p = {value:.3}"),
    }
}

fn interval(interval: Interval, scale: f64, unit: &str, level: f64, style: Style) -> String {
    let end = |value: f64| number(scale * value, 1);
    let (low, high, level) = (end(interval.low), end(interval.high), 100.0 * level);
    match style {
        Style::Apa => format!("{level:.0}% CI [{low}, {high}]"),
        Style::Jasa => format!("{level:.0} % confidence interval from {low} to {high}{unit}"),
    }
}

fn stimuli(facts: &StudyFacts) -> String {
    let mut text = facts.blocks.iter().map(block_stimuli).collect::<Vec<_>>().join(" ");
    if let Some(lufs) = facts.lufs {
        text += &format!(
            " Sounds were brought to one loudness (ITU-R BS.1770; median {} LUFS as delivered) offline and were played \
             without any further change of gain but the participant's own volume.",
            number(lufs, 1)
        );
    }
    text
}

fn block_stimuli(block: &BlockFacts) -> String {
    let items: Vec<String> =
        block.items.iter().map(|(condition, count)| format!("{count} {condition}")).collect();
    let length = match block.seconds {
        Some(seconds) if seconds.high - seconds.low < 0.05 => {
            format!(" of {:.1} s", seconds.high)
        }
        Some(seconds) => format!(" of {:.1} to {:.1} s", seconds.low, seconds.high),
        None => String::new(),
    };
    let kind = match (block.task, block.medium) {
        (Task::Mushra, _) => "pages",
        (Task::Bs1116, _) => "triples",
        (Task::Staircase, _) => "tracks, with intervals",
        (Task::Abx | Task::Ab, _) => "pairs",
        (_, Medium::Audio) => "sounds",
        (_, Medium::Image) => "pictures",
    };
    format!("Block {:?}: {kind}{length}, by condition: {}.", block.name, items.join(", "))
}

fn procedure(facts: &StudyFacts) -> String {
    let blocks: Vec<String> = facts.blocks.iter().map(block_procedure).collect();
    let mut text = blocks.join(" ");
    text += &format!(
        " Items were assigned by balanced incomplete blocks and ordered by rows of Williams squares, in {} plans (seed {}); a \
         participant got the plan that fewest others had, and blocks came in balanced order.",
        facts.plans, facts.seed
    );
    let pairs = facts.blocks.iter().any(|block| matches!(block.task, Task::Ab | Task::Abx));
    if pairs {
        text += if facts.balance_pairs {
            " The two of a pair changed places equally often within and between participants."
        } else {
            " Every pair was shown in one order to all participants."
        };
    }
    let free = |block: &BlockFacts| block.medium == Medium::Audio && block.staircase.is_none();
    if facts.blocks.iter().any(free) {
        text += &format!(
            " At least {} s of each sound had to be heard before an answer.",
            facts.least_heard_seconds
        );
    }
    if facts.blocks.iter().any(|block| block.staircase.is_some()) {
        text += " Intervals of tracks were played once, in turn, to the end before an answer; the strength of each trial was chosen by \
                 the server from the stored answers, and the interval that differed was drawn for each participant and trial.";
    }
    text
}

fn block_procedure(block: &BlockFacts) -> String {
    let asked = match block.task {
        Task::Choice => format!("named each item among {} classes", block.classes),
        Task::Abx => "said which of A and B was X".to_owned(),
        Task::Ab => "said which of A and B they preferred".to_owned(),
        Task::Likert => format!("rated each item from 1 to {}", block.scale),
        Task::Bs1116 => "graded B and C from 1.0 to 5.0 in steps of 0.1 on the five-grade impairment scale beside the open reference A; one \
                         of the two was the reference again, hidden (ITU-R BS.1116-3)"
            .to_owned(),
        Task::Staircase => format!(
            "named the interval that differed from the others ({})",
            block.staircase.as_ref().map_or(String::new(), Staircase::in_words)
        ),
        Task::Mushra => "scored each page's stimuli from 0 to 100 beside the reference, with a hidden reference and \
                         low-pass anchors among them (ITU-R BS.1534-3)"
            .to_owned(),
    };
    let each: Vec<String> =
        block.each.iter().map(|(condition, count)| format!("{count} {condition}")).collect();
    let mut text =
        format!("In block {:?} participants {asked}: {} each", block.name, each.join(", "));
    if block.practice > 0 {
        text += &format!(", after {} practice item(s) with feedback", block.practice);
    }
    if block.catch > 0 {
        text += &format!(", with {} catch item(s) that stated the answer", block.catch);
    }
    if block.gold > 0 {
        text += &format!(
            ", with {} gold item(s), which looked like all others and whose answer was taken for known",
            block.gold
        );
    }
    text + "."
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
