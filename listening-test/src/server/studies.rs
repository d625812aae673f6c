//! The studies of one server. One alone has the root of all addresses; of several each has a path, an
//! experimenter's token and a database of its own, and nothing at the root lists them to strangers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Json, Router};
use tokio::task::JoinSet;
use tower::ServiceExt;

use super::admin_auth::AdminAuth;
use super::context::{Context, Shared};
use super::doorway::Doorway;
use super::health::Health;
use super::participant::public_study;
use crate::error::{Error, Result};
use crate::random::secret;
use crate::rejection_log::PendingRejections;
use crate::session::Sessions;
use crate::store::Store;
use crate::study_folder::StudyFolder;

/// The first part of the root's own addresses, so that no study may have it as its path.
const RESERVED: &str = "api";

/// A study as it is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServedStudy {
    /// Its name in `study.toml`.
    pub name: String,
    /// Where its addresses begin: `/`, or `/NAME/` beside others.
    pub path: String,
    /// The secret of its experimenter's page, new at every start.
    pub admin_token: String,
}

/// Opens every study and its database. One study has `database` itself, of several each has
/// `NAME.sqlite` in the folder `database`.
pub(super) fn open_all(
    studies: &[PathBuf],
    database: &Path,
) -> Result<Vec<(ServedStudy, Context)>> {
    let folders: Vec<StudyFolder> =
        studies.iter().map(|root| StudyFolder::open(root)).collect::<Result<_>>()?;
    match &folders[..] {
        [] => return Err(Error::request("there is no study to serve", "name a study folder")),
        [alone] if database.is_dir() => {
            return Err(Error::request(
                format!("{} is a folder", database.display()),
                format!("name a file, such as {}", place(database, alone).display()),
            ));
        }
        [_] => {}
        several => {
            check_names(several)?;
            make_folder(database)?;
        }
    }
    let several = folders.len() > 1;
    let opened = |folder: StudyFolder| -> Result<(ServedStudy, Context)> {
        let (file, path) = match several {
            true => (place(database, &folder), format!("/{}/", folder.study.name)),
            false => (database.to_owned(), "/".to_owned()),
        };
        let name = folder.study.name.clone();
        let admin_token = secret(20)?;
        let context = open(folder, &file, &admin_token)?;
        Ok((ServedStudy { name, path, admin_token }, context))
    };
    folders.into_iter().map(opened).collect()
}

fn place(folder: &Path, study: &StudyFolder) -> PathBuf {
    folder.join(format!("{}.sqlite", study.study.name))
}

fn make_folder(path: &Path) -> Result<()> {
    if path.is_file() {
        return Err(Error::request(
            format!("{} is a file", path.display()),
            "name a folder: with several studies it holds NAME.sqlite of each",
        ));
    }
    std::fs::create_dir_all(path).map_err(|source| Error::io(path, source))
}

/// Names are paths and names of databases, so no two may be the same, not even on a disk that
/// takes capital letters for small ones.
fn check_names(folders: &[StudyFolder]) -> Result<()> {
    let mut known: BTreeMap<String, &StudyFolder> = BTreeMap::new();
    for folder in folders {
        let name = &folder.study.name;
        let remedy = "before data collection, change the name in study.toml and run `listen reseal`, \
                      or serve it by a server of its own";
        if name.eq_ignore_ascii_case(RESERVED) {
            let what = format!("{}: {name:?} is a path of the server", folder.root.display());
            return Err(Error::request(what, remedy));
        }
        if let Some(other) = known.insert(name.to_ascii_lowercase(), folder) {
            let (one, two) = (other.root.display(), folder.root.display());
            let what =
                format!("{one} and {two} are both named {name:?}, which would be their path");
            return Err(Error::request(what, remedy));
        }
    }
    Ok(())
}

fn open(folder: StudyFolder, database: &Path, admin_token: &str) -> Result<Context> {
    let store = Store::open(database, &folder.sha256)?;
    let health = Health::of(&folder.study.name);
    let sessions = Sessions::new(folder);
    let public = public_study(&sessions)?;
    Ok(Arc::new(Shared {
        sessions,
        store,
        admin: Mutex::new(AdminAuth::new(admin_token)),
        public,
        started: std::time::Instant::now(),
        refused: PendingRejections::default(),
        doorway: Doorway::new(),
        health,
    }))
}

/// A study behind its path.
struct Behind {
    context: Context,
    router: Router,
}

type Paths = Arc<BTreeMap<String, Behind>>;

/// The router of several studies. Each router gets its requests without the study's path, as if
/// it were served alone.
pub(super) fn under_paths(studies: Vec<(String, Context, Router)>) -> Router {
    let behind = studies
        .into_iter()
        .map(|(name, context, router)| (name, Behind { context, router }))
        .collect();
    Router::new()
        .route("/api/health", get(health))
        .fallback(to_study)
        .with_state(Arc::new(behind) as Paths)
}

async fn to_study(State(paths): State<Paths>, mut request: Request) -> Response {
    let path = request.uri().path().strip_prefix('/').unwrap_or_default().to_owned();
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    let (name, rest) = match path.split_once('/') {
        Some((name, rest)) => (name, Some(rest)),
        None => (path.as_str(), None),
    };
    let Some(study) = paths.get(name) else { return StatusCode::NOT_FOUND.into_response() };
    let Some(rest) = rest else {
        // Addresses of the page are relative to its folder.
        return Redirect::temporary(&format!("{name}/{query}")).into_response();
    };
    let mut parts = std::mem::take(request.uri_mut()).into_parts();
    parts.path_and_query = format!("/{rest}{query}").parse().ok();
    match Uri::from_parts(parts) {
        Ok(uri) if uri.path().starts_with('/') => *request.uri_mut() = uri,
        _ => return StatusCode::BAD_REQUEST.into_response(),
    }
    match study.router.clone().oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// `ok` if the answers of all studies can be stored, or 503. To who shows the token of a study
/// (`Authorization: Bearer TOKEN`) it names each; strangers do not learn what studies there are.
async fn health(State(paths): State<Paths>, headers: HeaderMap) -> Response {
    let mut looks = JoinSet::new();
    for (name, Behind { context, .. }) in paths.iter() {
        let (name, context) = (name.clone(), context.clone());
        looks.spawn(async move { (name, context.health.look(&context.store).await) });
    }
    let mut words = BTreeMap::new();
    let mut first = None;
    while let Some(Ok((name, found))) = looks.join_next().await {
        words.insert(name, found.as_ref().err().map_or("ok", |refusal| refusal.word()));
        first = first.or(found.err());
    }
    let status = first.as_ref().map_or(StatusCode::OK, |refusal| refusal.status());
    if holds_a_token(&paths, &headers) {
        return (status, Json(words)).into_response();
    }
    first.map_or_else(|| "ok".into_response(), IntoResponse::into_response)
}

fn holds_a_token(paths: &Paths, headers: &HeaderMap) -> bool {
    let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some(token) = shown.and_then(|text| text.strip_prefix("Bearer ")) else { return false };
    let has = |study: &Behind| study.context.admin.lock().is_ok_and(|auth| auth.has_token(token));
    paths.values().any(has)
}
