//! The study server. hyper with limits on everything a stranger controls: time for a
//! header, for a request, for a connection; size of header and body; number of connections.

mod admin;
mod admin_auth;
mod assets;
mod context;
mod dashboard;
mod dither;
mod doorway;
mod expire;
mod health;
mod participant;
mod studies;
mod trace;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

pub(crate) use assets::{file as page_file, names as page_files};
pub(crate) use participant::public_study;
pub use studies::ServedStudy;

use context::Context;
use studies::{open_all, under_paths};

use crate::error::{Error, Result};
use crate::study::Study;

/// Resource limits against abuse (our choice).
#[derive(Debug, Clone)]
pub struct Limits {
    /// Time for a request's header, and for the next request on an idle connection.
    pub header: Duration,
    /// Time for a request including its body.
    pub request: Duration,
    /// Time after which a connection is closed once its request is done; twice that ends it.
    pub connection: Duration,
    /// Open connections; further ones wait.
    pub connections: usize,
    /// Bytes of a request's body.
    pub body: usize,
    /// Bytes of a request's header.
    pub header_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header: Duration::from_secs(5),
            request: Duration::from_secs(10),
            connection: Duration::from_secs(60),
            connections: 8192,
            body: 64 << 10,
            header_bytes: 16 << 10,
        }
    }
}

/// What to serve, and where.
#[derive(Debug, Clone)]
pub struct ServeArguments {
    /// Study folders. One has the root of all addresses, of several each has `/NAME/`.
    pub studies: Vec<PathBuf>,
    /// Answers database, made if it does not exist; of several studies a folder, in which each has
    /// `NAME.sqlite`.
    pub database: PathBuf,
    /// Address; loopback unless the experimenter says otherwise.
    pub address: SocketAddr,
    /// Limits on what strangers control.
    pub limits: Limits,
}

/// A server that runs.
#[derive(Debug)]
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// The studies, in the order in which they were named.
    pub studies: Vec<ServedStudy>,
    /// What the experimenter should know.
    pub warnings: Vec<String>,
    stop: watch::Sender<bool>,
    done: tokio::task::JoinHandle<()>,
}

impl Server {
    /// Opens the studies and their databases and starts to listen.
    ///
    /// # Errors
    /// [`trompe_base::Error::BadFile`] for a study that does not hold together, [`trompe_base::Error::Io`] if the
    /// address is taken, [`trompe_base::Error::Request`] if another server has a database or two studies have
    /// one name.
    pub async fn start(arguments: ServeArguments) -> Result<Self> {
        let (studies, contexts): (Vec<_>, Vec<_>) =
            open_all(&arguments.studies, &arguments.database)?.into_iter().unzip();
        let warnings = warnings(&contexts, arguments.address);
        let listener = TcpListener::bind(arguments.address)
            .await
            .map_err(|source| Error::io(arguments.address.to_string(), source))?;
        let address =
            listener.local_addr().map_err(|source| Error::io("the listening address", source))?;
        let (stop, stopped) = watch::channel(false);
        let app = router(&contexts, &arguments.limits);
        let done = tokio::spawn(async move {
            let mut chores = JoinSet::new();
            for context in &contexts {
                chores.spawn(look_after(context.clone()));
            }
            accept(listener, app, arguments.limits, stopped).await;
            chores.shutdown().await;
            for context in &contexts {
                trace::write(context).await;
            }
        });
        Ok(Self { address, studies, warnings, stop, done })
    }

    /// Shuts down gracefully: accepts no more connections and waits for running requests.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        let _ = self.done.await;
    }
}

/// What is done for a study again and again; never returns.
async fn look_after(context: Context) {
    tokio::select! {
        _ = trace::write_every_second(&context) => {}
        _ = expire::look_every_hour(&context) => {}
        _ = context.health.look_every_minute(&context.store) => {}
    }
}

fn warnings(contexts: &[Context], address: SocketAddr) -> Vec<String> {
    let studies = contexts.iter().map(|context| &context.sessions.folder.study);
    let mut warnings: Vec<String> = studies.filter_map(too_late).collect();
    if !address.ip().is_loopback() {
        warnings.push(format!(
            "{address} can be reached by others, without TLS: put a reverse proxy before it"
        ));
    }
    warnings
}

/// A warning if the day is over by which the answers were to be erased.
fn too_late(study: &Study) -> Option<String> {
    let last_day = &study.consent.retain_until;
    (*last_day < crate::calendar::day_of(crate::calendar::now())).then(|| {
        format!(
            "{}: participants were promised that answers are erased by {last_day}, and that day is over: \
             nobody comes in, and everything is erased when the day has been over for a day; \
             `listen expire` does it now",
            study.name
        )
    })
}

/// Serves studies until the process is told to stop (Ctrl-C or SIGTERM). `ready` gets the
/// running server, to print its addresses and tokens.
///
/// # Errors
/// Those of [`Server::start`].
pub fn serve(arguments: ServeArguments, ready: impl FnOnce(&Server)) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|source| Error::io("the server's threads", source))?;
    runtime.block_on(async {
        let server = Server::start(arguments).await?;
        ready(&server);
        wait_for_signal().await;
        server.stop().await;
        Ok(())
    })
}

async fn wait_for_signal() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    if let Ok(mut terminate) =
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
    {
        tokio::select! { _ = interrupt => {}, _ = terminate.recv() => {} }
        return;
    }
    let _ = interrupt.await;
}

fn router(contexts: &[Context], limits: &Limits) -> Router {
    let app = match contexts {
        [alone] => study_router(alone, limits),
        several => under_paths(
            several
                .iter()
                .map(|context| {
                    let name = context.sessions.folder.study.name.clone();
                    (name, context.clone(), study_router(context, limits))
                })
                .collect(),
        ),
    };
    app.layer(axum::middleware::map_response(secure))
}

fn study_router(shared: &Context, limits: &Limits) -> Router {
    Router::new()
        .merge(assets::routes())
        .merge(participant::routes())
        .merge(admin::routes())
        .with_state(shared.clone())
        .layer(RequestBodyLimitLayer::new(limits.body))
        .layer(TimeoutLayer::with_status_code(
            axum::http::StatusCode::REQUEST_TIMEOUT,
            limits.request,
        ))
        .layer(axum::middleware::from_fn_with_state(shared.clone(), trace::note_refusals))
}

/// Security headers of every response: no foreign or inline content, no caching.
async fn secure(mut response: Response) -> Response {
    const HEADERS: [(&str, &str); 7] = [
        (
            "content-security-policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; \
             media-src blob:; connect-src 'self'; form-action 'self'; base-uri 'none'; \
             frame-ancestors 'none'",
        ),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("permissions-policy", "camera=(), microphone=(), geolocation=()"),
        ("x-robots-tag", "noindex"),
    ];
    for (name, value) in HEADERS {
        response
            .headers_mut()
            .insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    let cache = HeaderName::from_static("cache-control");
    if !response.headers().contains_key(&cache) {
        response.headers_mut().insert(cache, HeaderValue::from_static("no-store"));
    }
    response
}

async fn accept(
    listener: TcpListener,
    app: Router,
    limits: Limits,
    mut stopped: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(limits.connections));
    let mut connections = JoinSet::new();
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { break };
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(_) => {
                    // Out of file descriptors: wait until some are closed.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            _ = stopped.changed() => break,
        };
        let (app, limits, stopped) = (app.clone(), limits.clone(), stopped.clone());
        connections.spawn(async move {
            converse(stream, app, &limits, stopped).await;
            drop(place);
        });
        while connections.try_join_next().is_some() {}
    }
    let all_done = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(limits.request, all_done).await;
}

/// One connection, from accept to its end within twice [`Limits::connection`].
async fn converse(
    stream: TcpStream,
    app: Router,
    limits: &Limits,
    mut stopped: watch::Receiver<bool>,
) {
    let _ = stream.set_nodelay(true);
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header)
        .max_headers(64)
        .max_buf_size(limits.header_bytes);
    let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(app));
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        () = tokio::time::sleep(limits.connection) => {}
        _ = stopped.changed() => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = tokio::time::timeout(limits.connection, connection).await;
}
