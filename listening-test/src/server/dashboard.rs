//! The experimenter's page. It always shows progress and warnings, and results only on demand. It refreshes
//! what it shows of progress by itself (`page/dashboard.js`). Its addresses are relative, so that a web server may
//! put the study under a path.

use std::collections::BTreeMap;

use maud::{DOCTYPE, Markup, html};

use super::context::Context;
use crate::export::{Export, Participant};
use crate::rejection_log::Rejection;
use crate::session::Sessions;
use crate::study::Exclusions;

/// `root` leads from the page's address to the folder of the study.
fn frame(title: &str, root: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                link rel="icon" href={ (root) "page/icon.svg" } type="image/svg+xml";
                link rel="stylesheet" href={ (root) "page/style.css" };
                script defer src={ (root) "page/dashboard.js" } {}
            }
            body class="admin" { main { (body) } }
        }
    }
}

/// Where the token is asked for; `wrong` after another one was given.
pub(super) fn door(wrong: bool) -> Markup {
    let root = if wrong { "../" } else { "" };
    frame(
        "Experimenter",
        root,
        &html! {
            h1 { "Experimenter" }
            @if wrong {
                p role="alert" class="warning" { "That is not the token." }
            }
            form method="post" action={ (root) "admin/enter" } class="stack" {
                label for="token" { "Token that the server printed when it started" }
                input #token name="token" type="password" autocomplete="off" required;
                button class="primary" { "Enter" }
            }
        },
    )
}

/// The page; with results it is the answer to a look, and does not refresh itself.
pub(super) fn page(context: &Context, export: &Export, with_results: bool) -> Markup {
    let study = &context.sessions.folder.study;
    let minutes = context.started.elapsed().as_secs() / 60;
    let root = if with_results { "../" } else { "" };
    let kinds = Kind::ALL.map(|kind| {
        (kind, export.participants.iter().filter(|person| Kind::of(person) == kind).collect())
    });
    frame(
        &study.name,
        root,
        &html! {
            header class="split" {
                h1 { (study.name) }
                form method="post" action={ (root) "admin/leave" } { button { "Leave" } }
            }
            @if export.synthetic {
                p class="warning" { "This study uses synthetic material: a trial of the tool, not of people." }
            }
            div data-live[!with_results] {
                (figures(&kinds, &study.exclusions))
                p { "The server has been up for " (minutes) " minutes; results were looked at " (export.looks) " times." }
                @for (kind, people) in &kinds {
                    @if *kind == Kind::Person || !people.is_empty() {
                        h2 { (kind.heading()) }
                        (participants(people, &study.exclusions))
                    }
                }
                h2 { "Rejection requests" }
                (refusals(&export.refusals))
            }
            h2 { "Results" }
            @if with_results {
                (results(&context.sessions, export))
            } @else {
                p {
                    "Hidden, so that nobody stops or goes on because of what they see. "
                    "A look is counted and exported with the data."
                }
                form method="post" action={ (root) "admin/look" } { button { "Look and count it" } }
            }
            h2 { "Payment" }
            p { "The numbers of the platform with what became of each, as CSV; no answers, so no look." }
            form method="post" action={ (root) "admin/pay" } { button { "Pay list" } }
            h2 { "Export" }
            p { "Everything as JSON, truth included; it counts as a look." }
            form method="post" action={ (root) "admin/export" } { button { "Export and count it" } }
        },
    )
}

/// Who came in: people, the experimenter who tried the study out, and programs are never counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Person,
    DryRun,
    Simulated,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Person, Self::DryRun, Self::Simulated];

    fn of(person: &Participant) -> Self {
        match person {
            Participant { simulated: true, .. } => Self::Simulated,
            Participant { dry_run: true, .. } => Self::DryRun,
            _ => Self::Person,
        }
    }

    fn heading(self) -> &'static str {
        match self {
            Self::Person => "People",
            Self::DryRun => "Dry runs",
            Self::Simulated => "Simulated listeners",
        }
    }
}

type Test<'a> = &'a dyn Fn(&Participant) -> bool;

type Kinds<'a> = [(Kind, Vec<&'a Participant>); 3];

/// How many of each kind came in, and what became of them.
fn figures(kinds: &Kinds<'_>, rules: &Exclusions) -> Markup {
    let columns: [(&str, Test<'_>); 5] = [
        ("consented", &|_| true),
        ("finished", &|person| person.finished),
        ("under way or left", &Participant::under_way),
        ("screened out", &|person| person.screened_out),
        ("excluded by the rules", &|person| {
            !person.simulated && !person.dry_run && person.out_so_far(rules).is_some()
        }),
    ];
    html! {
        div class="scroll" tabindex="0" role="region" aria-label="Counts" {
            table class="counts" {
                thead { tr { th scope="col" { "who" } @for (name, _) in &columns { th scope="col" { (name) } } } }
                tbody {
                    @for (kind, people) in kinds {
                        tr {
                            th scope="row" { (kind.heading()) }
                            @for (_, test) in &columns {
                                td { (people.iter().filter(|person| test(person)).count()) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn participants(people: &[&Participant], rules: &Exclusions) -> Markup {
    html! {
        @if people.is_empty() { p { "Nobody yet." } }
        @else {
            div class="scroll" tabindex="0" role="region" aria-label="Participants" {
                table {
                    thead { tr {
                        th { "code" } th { "steps" } th { "plan" } th { "came back" }
                        th { "median s" } th { "failed catch" } th { "missed gold" } th { "headphones" } th { "flags" }
                    } }
                    tbody {
                        @for person in people.iter().rev().take(500) {
                            tr {
                                td { code { (person.participant) } }
                                td { (person.steps.len()) @if person.finished { " ✓" } }
                                td { (person.plan) }
                                td { (person.interruptions) }
                                td { @if let Some(s) = person.median_seconds { (format!("{s:.1}")) } }
                                td { (person.failed_catch) }
                                td { (person.failed_gold) }
                                td {
                                    @if let Some(check) = &person.headphones {
                                        @if check.passed { "passed" } @else { "failed" }
                                    }
                                }
                                td { (flags(person, rules).join(", ")) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Refused requests, latest first. Most come from a second tab or an old page, a few from tampering.
fn refusals(refused: &[Rejection]) -> Markup {
    let mut latest: Vec<&Rejection> = refused.iter().collect();
    latest.sort_by_key(|refused| std::cmp::Reverse(refused.last_at));
    html! {
        @if latest.is_empty() { p { "None." } }
        @else {
            div class="scroll" tabindex="0" role="region" aria-label="Rejection requests" {
                table {
                    thead { tr {
                        th { "last" } th { "times that day" } th { "route" } th { "why" } th { "code" }
                    } }
                    tbody {
                        @for refused in latest.iter().take(200) {
                            tr {
                                td { (crate::calendar::second_of(refused.last_at)) }
                                td { (refused.times) }
                                td { (refused.route) }
                                td { (refused.status) " " (refused.why) }
                                td { @if let Some(code) = &refused.participant { code { (code) } } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The exclusion that the rules give so far, and other signs of trouble with this participant.
fn flags(person: &Participant, rules: &Exclusions) -> Vec<String> {
    let mut flags: Vec<String> = person.out_so_far(rules).into_iter().collect();
    let choices: Vec<_> = person.steps.iter().filter_map(|answer| answer.choice.as_ref()).collect();
    let mut counts = BTreeMap::new();
    for choice in &choices {
        *counts.entry(choice).or_insert(0usize) += 1;
    }
    // a genre named in more than 60 % of 15 answers or more is rarely judgement (our choice)
    if choices.len() >= 15 && counts.values().any(|&count| 10 * count > 6 * choices.len()) {
        flags.push("same answer".into());
    }
    let stalls: u32 = person.steps.iter().map(|answer| answer.stalls).sum();
    if stalls > 3 {
        flags.push(format!("{stalls} stalls"));
    }
    flags
}

/// Answers of the participants kept so far, by condition and truth.
fn results(sessions: &Sessions, export: &Export) -> Markup {
    let kept: Vec<_> = export
        .answers
        .iter()
        .filter(|row| {
            row.excluded.is_none() && !["catch", "gold"].contains(&row.condition.as_str())
        })
        .collect();
    let mut conditions: Vec<_> = kept.iter().map(|row| (&row.block, &row.condition)).collect();
    conditions.sort();
    conditions.dedup();
    html! {
        p { "Counts only; the analysis gives intervals that know who and what was asked." }
        @for (block, condition) in conditions {
            @let rows: Vec<_> = kept.iter()
                .filter(|row| &row.block == block && &row.condition == condition).collect();
            @let right = rows.iter().filter(|row| row.answer.as_ref() == Some(&row.truth)).count();
            h3 { (block) " · " (condition) }
            p { (right) " of " (rows.len()) " answers equal the label" }
            @if let Some(classes) = sessions.folder.study.block(block).map(|block| &block.classes) {
                @if !classes.is_empty() {
                    div class="scroll" tabindex="0" role="region" aria-label="Confusion" {
                        table {
                            thead { tr {
                                th { "label ↓ answer →" }
                                @for class in classes { th { (class) } }
                                th { "don't know" }
                            } }
                            tbody { @for truth in classes { tr {
                                th { (truth) }
                                @for answer in classes {
                                    td { (rows.iter().filter(|row| &row.truth == truth
                                        && row.answer.as_ref() == Some(answer)).count()) }
                                }
                                td { (rows.iter().filter(|row| &row.truth == truth
                                    && row.answer.is_none()).count()) }
                            } } }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person() -> Participant {
        Participant {
            participant: "p-1".into(),
            simulated: false,
            dry_run: false,
            attempt: 0,
            plan: 0,
            language: "en".into(),
            consent_version: String::new(),
            finished: false,
            screened_out: false,
            interruptions: 0,
            headphones: None,
            failed_catch: 0,
            failed_gold: 0,
            median_seconds: Some(0.2),
            times: crate::answer_times::Times {
                claimed_seconds: 5.0,
                server_seconds: Some(9.0),
                sooner_than_claimed: 0,
            },
            impossible_times: false,
            excluded: Some("unfinished".into()),
            questionnaire: BTreeMap::new(),
            steps: Vec::new(),
            server_ms: Vec::new(),
        }
    }

    #[test]
    fn programs_and_dry_runs_are_counted_apart_from_people() {
        let program = Participant { simulated: true, dry_run: true, finished: true, ..person() };
        let tried = Participant { dry_run: true, ..person() };
        let all = [person(), program, tried];
        let kinds = Kind::ALL
            .map(|kind| (kind, all.iter().filter(|person| Kind::of(person) == kind).collect()));
        let table = figures(&kinds, &Exclusions::default()).into_string();
        let row = |heading: &str, counts: [u8; 5]| {
            let cells = counts.map(|count| format!("<td>{count}</td>")).concat();
            format!("<th scope=\"row\">{heading}</th>{cells}")
        };
        assert!(table.contains(&row("People", [1, 0, 1, 0, 1])), "{table}");
        assert!(table.contains(&row("Dry runs", [1, 0, 1, 0, 0])), "{table}");
        assert!(table.contains(&row("Simulated listeners", [1, 1, 0, 0, 0])), "{table}");
    }

    #[test]
    fn who_hurries_is_flagged_while_under_way() {
        let mut person = person();
        let rules = Exclusions::default();
        assert_eq!(flags(&person, &rules), ["too fast"]);
        person.median_seconds = Some(5.0);
        assert!(flags(&person, &rules).is_empty(), "nobody is excluded before the end");
    }
}
