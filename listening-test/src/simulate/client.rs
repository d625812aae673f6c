//! A small HTTP client for loopback: one connection, opened again when it breaks.

use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Method, Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::task::JoinHandle;

/// What came back, or that nothing did.
#[derive(Debug)]
pub(crate) enum Failure {
    /// No answer: the server is away or cut the line. Trying again is right.
    Unreachable,
    /// The server refused, with its word.
    Rejection(StatusCode, String),
}

/// One participant's line to the server.
pub(crate) struct Client {
    address: SocketAddr,
    code: String,
    connection: Option<Connection>,
}

/// The line and the task that drives it.
type Connection = (SendRequest<Full<Bytes>>, JoinHandle<hyper::Result<()>>);

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address, code: String::new(), connection: None }
    }

    /// The secret sent with every request from now on.
    pub(crate) fn identify(&mut self, code: &str) {
        code.clone_into(&mut self.code);
    }

    pub(crate) async fn get(&mut self, path: &str) -> Result<Bytes, Failure> {
        self.ask(Method::GET, path, Bytes::new()).await
    }

    pub(crate) async fn post<T: DeserializeOwned>(
        &mut self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        let body = serde_json::to_vec(body)
            .map_err(|error| Failure::Rejection(StatusCode::BAD_REQUEST, error.to_string()))?;
        let answer = self.ask(Method::POST, path, body.into()).await?;
        serde_json::from_slice(&answer)
            .map_err(|error| Failure::Rejection(StatusCode::OK, error.to_string()))
    }

    /// Sends one request; a connection that the server closed meanwhile is opened once more.
    async fn ask(&mut self, method: Method, path: &str, body: Bytes) -> Result<Bytes, Failure> {
        let had_connection = self.connection.is_some();
        match self.ask_once(method.clone(), path, body.clone()).await {
            Err(Failure::Unreachable) if had_connection => self.ask_once(method, path, body).await,
            other => other,
        }
    }

    async fn ask_once(
        &mut self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Bytes, Failure> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, self.address.to_string())
            .header(header::CONTENT_TYPE, "application/json");
        if !self.code.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", self.code));
        }
        let request = request
            .body(Full::new(body))
            .map_err(|error| Failure::Rejection(StatusCode::BAD_REQUEST, error.to_string()))?;
        let exchange = async {
            let (mut sender, mut driver) = self.connected().await?;
            // a request put in while the server closes an idle line can wait for ever
            let response = tokio::select! {
                biased;
                response = sender.send_request(request) => response,
                _ = &mut driver => return Err(Failure::Unreachable),
            };
            let response = response.map_err(|_| Failure::Unreachable)?;
            let status = response.status();
            let body = response.into_body().collect().await.map_err(|_| Failure::Unreachable)?;
            Ok(((sender, driver), status, body.to_bytes()))
        };
        let (connection, status, body) = tokio::time::timeout(Duration::from_secs(30), exchange)
            .await
            .map_err(|_| Failure::Unreachable)??;
        self.connection = Some(connection);
        match status {
            status if status.is_success() => Ok(body),
            status
                if status.is_server_error()
                    || status == StatusCode::REQUEST_TIMEOUT
                    || status == StatusCode::TOO_MANY_REQUESTS =>
            {
                Err(Failure::Unreachable)
            }
            status => Err(Failure::Rejection(status, String::from_utf8_lossy(&body).into_owned())),
        }
    }

    async fn connected(&mut self) -> Result<Connection, Failure> {
        if let Some((mut sender, driver)) = self.connection.take()
            && sender.ready().await.is_ok()
        {
            return Ok((sender, driver));
        }
        let stream =
            tokio::net::TcpStream::connect(self.address).await.map_err(|_| Failure::Unreachable)?;
        let _ = stream.set_nodelay(true);
        let (sender, connection) =
            handshake(TokioIo::new(stream)).await.map_err(|_| Failure::Unreachable)?;
        Ok((sender, tokio::spawn(connection)))
    }
}
