//! The experimenter's page. It always shows progress and warnings, and results only on demand. Every look at
//! results is counted, because stopping a study by its results biases them.

use std::collections::BTreeMap;

use axum::extract::{Form, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use maud::{DOCTYPE, Markup, html};
use serde::Deserialize;

use super::context::Context;
use crate::export::{Export, Participant, export_from};
use crate::refusal::Refusal;
use crate::rejection_log::Rejection;
use crate::session::Sessions;
use crate::study::Exclusions;

const COOKIE: &str = "experimenter";

pub(super) fn routes() -> Router<Context> {
    Router::new()
        .route("/admin", get(dashboard))
        .route("/admin/enter", post(enter))
        .route("/admin/leave", post(leave))
        .route("/admin/look", post(look))
        .route("/admin/export", post(export))
        .route("/admin/pay", post(pay))
        .layer(from_fn(same_origin))
}

/// Refuses cross-origin requests.
async fn same_origin(request: Request, next: Next) -> Response {
    if is_foreign(&request) {
        return Refusal::Forbidden("origin").into_response();
    }
    next.run(request).await
}

fn is_foreign(request: &Request) -> bool {
    let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let host = text(header::HOST).unwrap_or_default();
    match text(header::ORIGIN) {
        Some(origin) => origin.split_once("://").is_none_or(|(_, origin)| origin != host),
        None => request.method() == axum::http::Method::POST,
    }
}

#[derive(Deserialize)]
struct Entrance {
    token: String,
}

async fn enter(
    State(context): State<Context>,
    headers: HeaderMap,
    Form(entrance): Form<Entrance>,
) -> Response {
    let Ok(secret) = crate::random::secret(20) else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let login = match context.admin.lock() {
        Ok(mut auth) => auth.log_in(&entrance.token, secret),
        Err(_) => None,
    };
    match login {
        Some(login) => ([(header::SET_COOKIE, cookie(&login, &headers))], Redirect::to("/admin"))
            .into_response(),
        None => (StatusCode::FORBIDDEN, Html(door(true).into_string())).into_response(),
    }
}

/// The cookie of a login. If the page came by TLS (from a proxy), browsers send the cookie by TLS only.
fn cookie(login: &str, headers: &HeaderMap) -> String {
    let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    let by_tls = origin.is_some_and(|origin| origin.starts_with("https://"));
    let secure = if by_tls { "; Secure" } else { "" };
    format!("{COOKIE}={login}; Path=/admin; HttpOnly; SameSite=Strict; Max-Age=43200{secure}")
}

async fn leave(State(context): State<Context>, headers: HeaderMap) -> Response {
    if let Some(login) = login(&headers)
        && let Ok(mut auth) = context.admin.lock()
    {
        auth.log_out(login);
    }
    Redirect::to("/admin").into_response()
}

/// The login that the request's cookie names.
fn login(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get(header::COOKIE)?.to_str().ok()?;
    cookies
        .split(';')
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, value)| value)
}

fn is_logged_in(context: &Context, headers: &HeaderMap) -> bool {
    let auth = context.admin.lock();
    login(headers).is_some_and(|login| auth.is_ok_and(|auth| auth.is_logged_in(login)))
}

async fn dashboard(State(context): State<Context>, headers: HeaderMap) -> Response {
    if !is_logged_in(&context, &headers) {
        return (StatusCode::UNAUTHORIZED, Html(door(false).into_string())).into_response();
    }
    match read(&context, None).await {
        Ok(export) => Html(page(&context, &export, false).into_string()).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

async fn look(State(context): State<Context>, headers: HeaderMap) -> Response {
    if !is_logged_in(&context, &headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    match read(&context, Some("results")).await {
        Ok(export) => Html(page(&context, &export, true).into_string()).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

async fn export(State(context): State<Context>, headers: HeaderMap) -> Response {
    if !is_logged_in(&context, &headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    match read(&context, Some("export")).await {
        Ok(export) => {
            let attachment =
                format!("attachment; filename=\"{}.json\"", context.sessions.folder.study.name);
            ([(header::CONTENT_DISPOSITION, attachment)], Json(export)).into_response()
        }
        Err(refusal) => refusal.into_response(),
    }
}

/// The pay list as CSV: numbers and codes, no answers, so no look at results.
async fn pay(State(context): State<Context>, headers: HeaderMap) -> Response {
    if !is_logged_in(&context, &headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let shared = context.clone();
    let work =
        move |connection: &rusqlite::Connection| crate::payment::list(&shared.sessions, connection);
    let csv = match context.store.run(work).await {
        Ok(payments) => crate::payment::pay_csv(&payments),
        Err(refusal) => return refusal.into_response(),
    };
    match csv {
        Ok(csv) => {
            let name = &context.sessions.folder.study.name;
            let headers = [
                (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
                (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}-pay.csv\"")),
            ];
            (headers, csv).into_response()
        }
        Err(error) => Refusal::Storage(error.to_string()).into_response(),
    }
}

/// Exports the database. Records a look first, if `look` names one.
async fn read(context: &Context, look: Option<&'static str>) -> Result<Export, Refusal> {
    let shared = context.clone();
    context
        .store
        .run(move |connection| {
            if let Some(what) = look {
                crate::access_log::record(connection, what)?;
            }
            export_from(&shared.sessions, connection)
        })
        .await
}

fn frame(title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                link rel="icon" href="/page/icon.svg" type="image/svg+xml";
                link rel="stylesheet" href="/page/style.css";
            }
            body class="admin" { main { (body) } }
        }
    }
}

fn door(wrong: bool) -> Markup {
    frame(
        "Experimenter",
        &html! {
            h1 { "Experimenter" }
            @if wrong {
                p role="alert" class="warning" { "That is not the token." }
            }
            form method="post" action="/admin/enter" class="stack" {
                label for="token" { "Token that the server printed when it started" }
                input #token name="token" type="password" autocomplete="off" required;
                button class="primary" { "Enter" }
            }
        },
    )
}

fn page(context: &Context, export: &Export, with_results: bool) -> Markup {
    let study = &context.sessions.folder.study;
    let people = &export.participants;
    let simulated = people.iter().filter(|person| person.simulated).count();
    let count = |test: &dyn Fn(&Participant) -> bool| people.iter().filter(|p| test(p)).count();
    let minutes = context.started.elapsed().as_secs() / 60;
    frame(
        &study.name,
        &html! {
            header class="split" {
                h1 { (study.name) }
                form method="post" action="/admin/leave" { button { "Leave" } }
            }
            @if export.synthetic {
                p class="warning" { "This study uses synthetic material: a trial of the tool, not of people." }
            }
            @if simulated > 0 {
                p class="warning" {
                    (simulated) " of " (people.len()) " participants are simulated listeners."
                }
            }
            dl class="figures" {
                (figure("consented", people.len()))
                (figure("finished", count(&|p| p.finished)))
                (figure("under way or left", count(&Participant::under_way)))
                (figure("screened out", count(&|p| p.screened_out)))
                (figure("excluded by the rules", count(&|p| p.out_so_far(&study.exclusions).is_some())))
                (figure("minutes up", minutes as usize))
                (figure("looks at results", export.looks as usize))
            }
            h2 { "Participants" }
            (participants(people, &study.exclusions))
            h2 { "Rejection requests" }
            (refusals(&export.refusals))
            h2 { "Results" }
            @if with_results {
                (results(&context.sessions, export))
            } @else {
                p {
                    "Hidden, so that nobody stops or goes on because of what they see. "
                    "A look is counted and exported with the data."
                }
                form method="post" action="/admin/look" { button { "Look and count it" } }
            }
            h2 { "Payment" }
            p { "The numbers of the platform with what became of each, as CSV; no answers, so no look." }
            form method="post" action="/admin/pay" { button { "Pay list" } }
            h2 { "Export" }
            p { "Everything as JSON, truth included; it counts as a look." }
            form method="post" action="/admin/export" { button { "Export and count it" } }
        },
    )
}

fn figure(name: &str, value: usize) -> Markup {
    html! { div { dt { (name) } dd { (value) } } }
}

fn participants(people: &[Participant], rules: &Exclusions) -> Markup {
    html! {
        @if people.is_empty() { p { "Nobody yet." } }
        @else {
            div class="scroll" tabindex="0" role="region" aria-label="Participants" {
                table {
                    thead { tr {
                        th { "code" } th { "steps" } th { "plan" } th { "came back" }
                        th { "median s" } th { "failed catch" } th { "headphones" } th { "flags" }
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
        .filter(|row| row.excluded.is_none() && row.condition != "catch")
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

    #[test]
    fn who_hurries_is_flagged_while_under_way() {
        let mut person = Participant {
            participant: "p-1".into(),
            simulated: false,
            dry_run: false,
            plan: 0,
            language: "en".into(),
            consent_version: String::new(),
            finished: false,
            screened_out: false,
            interruptions: 0,
            headphones: None,
            failed_catch: 0,
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
        };
        let rules = Exclusions::default();
        assert_eq!(flags(&person, &rules), ["too fast"]);
        person.median_seconds = Some(5.0);
        assert!(flags(&person, &rules).is_empty(), "whoever is under way is not out yet");
    }
}
