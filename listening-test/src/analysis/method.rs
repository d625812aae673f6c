//! Results that the data may not define.

use serde::{Deserialize, Serialize};
use trompe_statistics::Undefined;

/// A result, or why there is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method<T> {
    /// The result.
    Done(T),
    /// Why these data do not define one.
    NotDefined(String),
}

impl<T> From<std::result::Result<T, Undefined>> for Method<T> {
    fn from(result: std::result::Result<T, Undefined>) -> Self {
        match result {
            Ok(done) => Self::Done(done),
            Err(Undefined(why)) => Self::NotDefined(why.to_owned()),
        }
    }
}

impl<T> Method<T> {
    /// The result, if there is one.
    pub fn done(&self) -> Option<&T> {
        match self {
            Self::Done(result) => Some(result),
            Self::NotDefined(_) => None,
        }
    }
}
