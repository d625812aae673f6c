//! What participants' pages ask for.

use axum::body::Bytes;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tower::ServiceExt;
use tower_http::services::ServeFile;

use super::context::Context;
use super::dither::dithered;
use super::expire::settle_backups;
use crate::answer::StepAnswer;
use crate::calendar::{now, now_ms};
use crate::enrolment::Enrolment;
use crate::error::{Error, Result};
use crate::refusal::Refusal;
use crate::session::{Sessions, Stimulus};
use crate::study_folder::is_stimulus_name;

pub(super) fn routes() -> Router<Context> {
    Router::new()
        .route("/api/study", get(study))
        .route("/api/sessions", post(enrol))
        .route("/api/state", get(state))
        .route("/api/resume", post(resume))
        .route("/api/answers", post(answer))
        .route("/api/record", get(record))
        .route("/api/withdraw", post(withdraw))
        .route("/api/stimuli/{file}", get(stimulus))
        .route("/api/health", get(health))
}

/// `ok` if answers can be stored; 503 with the word `storage` if not, as on a full disk.
async fn health(State(context): State<Context>) -> Response {
    match context.health.look(&context.store).await {
        Ok(()) => "ok".into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

/// The word of a refusal, kept with the response for the rejection log.
#[derive(Debug, Clone, Copy)]
pub(super) struct Why(pub(super) &'static str);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let word = self.word();
        let mut response =
            (self.status(), Json(serde_json::json!({ "error": word }))).into_response();
        response.extensions_mut().insert(Why(word));
        response
    }
}

/// The part of the design that the page needs; no seed, no item, no number of catch items or of
/// items by condition.
pub(crate) fn public_study(sessions: &Sessions) -> Result<Bytes> {
    let folder = &sessions.folder;
    let study = &folder.study;
    let blocks: Vec<_> = study
        .blocks
        .iter()
        .map(|block| {
            serde_json::json!({
                "name": block.name, "task": block.task, "medium": block.medium,
                "classes": block.classes, "class_names": block.class_names,
                "question": block.question, "scale": block.scale, "practice": block.practice,
                "catch": block.catch > 0,
                "intervals": block.staircase.as_ref().map(|settings| settings.intervals),
            })
        })
        .collect();
    let public = serde_json::json!({
        "name": study.name,
        "title": study.title,
        "languages": study.languages,
        "synthetic": study.synthetic,
        "consent": study.consent,
        "consent_version": study.consent_version(),
        "trial": study.trial,
        "headphones": study.headphones.policy,
        "questionnaire": study.questionnaire,
        "parameters": study.crowd.worker_parameter.iter().chain(&study.crowd.other_parameters)
            .collect::<Vec<_>>(),
        "audio": study.has_audio(),
        "minutes": crate::duration::minutes(folder, &sessions.plans),
        "numbers": study.crowd.worker_parameter,
        "number_required": study.recruitment.number_required,
        "returned_url": study.crowd.returned_url,
        "blocks": blocks,
    });
    serde_json::to_vec(&public)
        .map(Bytes::from)
        .map_err(|error| Error::request(error.to_string(), "report this as a defect"))
}

async fn study(State(context): State<Context>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], context.public.clone()).into_response()
}

async fn enrol(State(context): State<Context>, body: Bytes) -> Response {
    let enrolment: Enrolment = match parse(&body) {
        Ok(enrolment) => enrolment,
        Err(refusal) => return refusal.into_response(),
    };
    if !context.doorway.admits() {
        return Refusal::TooMany.into_response();
    }
    reply(&context, move |sessions, connection| sessions.enrol(connection, &enrolment, now())).await
}

async fn state(State(context): State<Context>, headers: HeaderMap) -> Response {
    let code = code(&headers);
    reply(&context, move |sessions, connection| sessions.state(connection, &code?)).await
}

async fn resume(State(context): State<Context>, headers: HeaderMap) -> Response {
    let code = code(&headers);
    reply(&context, move |sessions, connection| sessions.resume(connection, &code?, now())).await
}

async fn answer(State(context): State<Context>, headers: HeaderMap, body: Bytes) -> Response {
    let code = code(&headers);
    let answer: StepAnswer = match parse(&body) {
        Ok(answer) => answer,
        Err(refusal) => return refusal.into_response(),
    };
    reply(&context, move |sessions, connection| {
        sessions.answer(connection, &code?, &answer, now_ms())
    })
    .await
}

async fn record(State(context): State<Context>, headers: HeaderMap) -> Response {
    let code = code(&headers);
    reply(&context, move |sessions, connection| sessions.record(connection, &code?)).await
}

/// Erases the participant, truncates the write-ahead log, and only then confirms. A repeated request finds
/// no participant; it, too, is confirmed only once the log is empty.
async fn withdraw(State(context): State<Context>, headers: HeaderMap) -> Response {
    let code = code(&headers);
    let erased = context.store.run(move |connection| Sessions::withdraw(connection, &code?)).await;
    let gone = match erased {
        Ok(()) | Err(Refusal::NotFound) => context.store.checkpoint().await.and(erased),
        refused => refused,
    };
    match gone {
        Ok(()) => {
            settle_backups(&context).await;
            Json(serde_json::json!({ "erased": true })).into_response()
        }
        Err(refusal) => refusal.into_response(),
    }
}

/// A stimulus of the present or next step, by its opaque name; answers Range requests.
async fn stimulus(
    State(context): State<Context>,
    Path(file): Path<String>,
    headers: HeaderMap,
    mut request: Request,
) -> Response {
    if !is_stimulus_name(&file) {
        return Refusal::NotFound.into_response();
    }
    let code = code(&headers);
    let shared = context.clone();
    let name = file.clone();
    let found = context
        .store
        .run(move |connection| shared.sessions.stimulus(connection, &code?, &name))
        .await;
    let path = match found {
        Ok(Stimulus { path, dithered: false }) => path,
        Ok(Stimulus { path, dithered: true }) => return interval(path, file).await,
        Err(refusal) => return refusal.into_response(),
    };
    // A file's time could reveal where a stimulus comes from: it is neither told nor compared with.
    for condition in [
        header::IF_MATCH,
        header::IF_NONE_MATCH,
        header::IF_MODIFIED_SINCE,
        header::IF_UNMODIFIED_SINCE,
        header::IF_RANGE,
    ] {
        request.headers_mut().remove(condition);
    }
    let mut response = match ServeFile::new(path).oneshot(request).await {
        Ok(response) => response.into_response(),
        Err(never) => match never {},
    };
    for told in [header::LAST_MODIFIED, header::ETAG] {
        response.headers_mut().remove(told);
    }
    response
}

/// An interval of a track, read away from the threads that serve. It is short and played whole, so
/// that nobody asks for a part.
async fn interval(path: std::path::PathBuf, name: String) -> Response {
    let read = tokio::task::spawn_blocking(move || dithered(&path, &name)).await;
    let failed = match read {
        Ok(Ok(bytes)) => return ([(header::CONTENT_TYPE, "audio/wav")], bytes).into_response(),
        Ok(Err(error)) => error.to_string(),
        Err(error) => error.to_string(),
    };
    Refusal::Storage(failed).into_response()
}

async fn reply<T: Serialize + Send + 'static>(
    context: &Context,
    work: impl FnOnce(&Sessions, &rusqlite::Connection) -> Result<T, Refusal> + Send + 'static,
) -> Response {
    let shared = context.clone();
    match context.store.run(move |connection| work(&shared.sessions, connection)).await {
        Ok(value) => (StatusCode::OK, Json(value)).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

/// The participant's code, from `Authorization: Bearer CODE`.
pub(super) fn code(headers: &HeaderMap) -> Result<String, Refusal> {
    let header = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let code = header.and_then(|text| text.strip_prefix("Bearer "));
    match code {
        Some(code) if code.len() <= 64 => Ok(code.to_owned()),
        _ => Err(Refusal::NotFound),
    }
}

fn parse<T: DeserializeOwned>(body: &Bytes) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|_| Refusal::Invalid("json"))
}
