//! The page's files, built into the program.

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use rust_embed::RustEmbed;
use trompe_base::encoding::hex;

use super::context::Context;

/// `page/`, embedded.
#[derive(RustEmbed)]
#[folder = "page/"]
pub(crate) struct Page;

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
    let Some(content) = Page::get(file) else { return StatusCode::NOT_FOUND.into_response() };
    let tag = format!("\"{}\"", &hex(&content.metadata.sha256_hash())[..32]);
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
    (headers, content.data.into_owned()).into_response()
}
