//! The page's files, built into the program.

use std::borrow::Cow;

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};
use trompe_base::DESIGN;
use trompe_base::encoding::hex;

use super::context::Context;

/// `page/`, embedded.
#[derive(RustEmbed)]
#[folder = "page/"]
struct Page;

/// Names of the page's files.
pub(crate) fn names() -> impl Iterator<Item = Cow<'static, str>> {
    Page::iter()
}

/// A file of the page; its style sheet begins with the one that all pages share.
pub(crate) fn file(name: &str) -> Option<Cow<'static, [u8]>> {
    let own = Page::get(name)?.data;
    Some(match name {
        "style.css" => [DESIGN.as_bytes(), &own].concat().into(),
        _ => own,
    })
}

pub(super) fn routes() -> Router<Context> {
    Router::new()
        .route("/", get(|headers: HeaderMap| async move { asset("index.html", &headers) }))
        .route(
            "/page/{*file}",
            get(|Path(file): Path<String>, headers: HeaderMap| async move {
                asset(&file, &headers)
            }),
        )
}

fn asset(file: &str, headers: &HeaderMap) -> Response {
    let Some(content) = self::file(file) else { return StatusCode::NOT_FOUND.into_response() };
    let tag = format!("\"{}\"", &hex(&Sha256::digest(&content))[..32]);
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known == tag.as_str()) {
        return StatusCode::NOT_MODIFIED.into_response();
    }
    let kind = match file.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    };
    let headers =
        [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-cache"), (header::ETAG, &tag)];
    (headers, content.into_owned()).into_response()
}
