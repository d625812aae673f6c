//! What every request handler can reach.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use axum::body::Bytes;

use super::admin_auth::AdminAuth;
use super::doorway::Doorway;
use super::health::Health;
use crate::rejection_log::PendingRejections;
use crate::session::Sessions;
use crate::store::Store;

/// The state that all handlers share.
pub(crate) struct Shared {
    pub(crate) sessions: Sessions,
    pub(crate) store: Store,
    pub(crate) admin: Mutex<AdminAuth>,
    /// The public part of the design, as JSON.
    pub(crate) public: Bytes,
    pub(crate) started: Instant,
    pub(crate) refused: PendingRejections,
    pub(crate) doorway: Doorway,
    pub(crate) health: Health,
}

/// The shared state, as handlers get it.
pub(crate) type Context = Arc<Shared>;
