//! What the experimenter asks for: the page, a look at results, exports, the pay list. Every look at
//! results is counted, because stopping a study by its results biases them.

use axum::extract::{Form, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;

use super::context::Context;
use super::dashboard::{door, page};
use crate::export::{Export, export_from};
use crate::refusal::Refusal;

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
        Some(login) => ([(header::SET_COOKIE, cookie(&login, &headers))], Redirect::to("../admin"))
            .into_response(),
        None => (StatusCode::FORBIDDEN, Html(door(true).into_string())).into_response(),
    }
}

/// The cookie of a login. If the page came by TLS (from a proxy), browsers send the cookie by TLS only.
fn cookie(login: &str, headers: &HeaderMap) -> String {
    let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    let by_tls = origin.is_some_and(|origin| origin.starts_with("https://"));
    let secure = if by_tls { "; Secure" } else { "" };
    // Without a path, browsers keep it for the folder of this request: the experimenter's pages alone, also where
    // a web server has put the study under a path.
    format!("{COOKIE}={login}; HttpOnly; SameSite=Strict; Max-Age=43200{secure}")
}

async fn leave(State(context): State<Context>, headers: HeaderMap) -> Response {
    if let Some(login) = login(&headers)
        && let Ok(mut auth) = context.admin.lock()
    {
        auth.log_out(login);
    }
    Redirect::to("../admin").into_response()
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
