//! Reasons to refuse a request, with their HTTP status codes.

use axum::http::StatusCode;

/// A request that was not carried out. Nothing was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No such participant, stimulus or page.
    NotFound,
    /// The request is invalid; the word names the part at fault.
    Invalid(&'static str),
    /// The step was answered already, is not yet due, or the study is over; the participant
    /// should ask for the present state.
    Conflict(&'static str),
    /// The participant may not go on: too late, withdrawn or blocked.
    Forbidden(&'static str),
    /// Too many people come in at once; try again in a moment.
    TooMany,
    /// The database could not store it; try again.
    Storage(String),
}

impl Refusal {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::Storage(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// A word the page has a sentence for.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::NotFound => "not-found",
            Self::Invalid(word) | Self::Conflict(word) | Self::Forbidden(word) => word,
            Self::TooMany => "too-many",
            Self::Storage(_) => "storage",
        }
    }
}

/// For messages to the experimenter.
impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Storage(what) => f.write_str(what),
            other => f.write_str(other.word()),
        }
    }
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        match error {
            rusqlite::Error::QueryReturnedNoRows => Self::NotFound,
            error => Self::Storage(error.to_string()),
        }
    }
}
