//! Records refused requests in the [`crate::rejection_log`].

use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;

use super::context::Context;
use super::participant::{Why, code};
use crate::calendar::now;
use crate::rejection_log::RejectionKind;
use crate::session::code_hash_of;

/// Middleware that records client errors (status 400 to 499). Errors of the server itself are not recorded.
pub(super) async fn note_refusals(
    State(context): State<Context>,
    request: Request,
    next: Next,
) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let code = code(request.headers()).ok();
    let response = next.run(request).await;
    let status = response.status();
    if status.is_client_error() {
        let reason = || status.canonical_reason().unwrap_or("refused");
        let why = match response.extensions().get::<Why>() {
            Some(Why(word)) => (*word).to_owned(),
            None => reason().to_lowercase().replace(' ', "-"),
        };
        let kind = RejectionKind {
            route: route.map_or("other".into(), |route| route.as_str().to_owned()),
            status: status.as_u16(),
            why,
            code_hash: code.map(|code| code_hash_of(&code)),
        };
        context.refused.note(kind, now());
    }
    response
}

/// Writes pending rejections to the database every second; never returns.
pub(super) async fn write_every_second(context: &Context) -> std::convert::Infallible {
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        write(context).await;
    }
}

/// Writes pending rejections. They are dropped if the database is busy, because answers have priority.
pub(super) async fn write(context: &Context) {
    if let Some(batch) = context.refused.take() {
        let _ = context.store.run(move |connection| batch.write(connection)).await;
    }
}
