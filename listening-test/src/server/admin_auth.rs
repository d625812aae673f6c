//! Admin authentication: a token of 160 random bits, which nobody finds by trying. Wrong tokens therefore
//! lock nobody out.

use std::time::{Duration, Instant};

/// How long a login lasts.
const SESSION: Duration = Duration::from_secs(12 * 3600);

/// The admin token and the logins that are valid.
pub(crate) struct AdminAuth {
    token: String,
    logins: Vec<(String, Instant)>,
}

impl AdminAuth {
    pub(crate) fn new(token: &str) -> Self {
        Self { token: token.to_owned(), logins: Vec::new() }
    }

    /// Adds the login `secret` if the token is right.
    pub(super) fn log_in(&mut self, token: &str, secret: String) -> Option<String> {
        if !self.has_token(token) {
            return None;
        }
        self.logins.retain(|(_, since)| since.elapsed() < SESSION);
        self.logins.push((secret.clone(), Instant::now()));
        Some(secret)
    }

    /// Whether this is the token.
    pub(super) fn has_token(&self, token: &str) -> bool {
        equal(token.trim(), &self.token)
    }

    /// Ends a login.
    pub(super) fn log_out(&mut self, secret: &str) {
        self.logins.retain(|(known, _)| known != secret);
    }

    /// Whether `secret` is a valid login.
    pub(super) fn is_logged_in(&self, secret: &str) -> bool {
        self.logins.iter().any(|(known, since)| equal(secret, known) && since.elapsed() < SESSION)
    }
}

/// Compares in a time that does not depend on where the texts differ.
fn equal(a: &str, b: &str) -> bool {
    let difference = a.bytes().zip(b.bytes()).fold(0, |sum, (a, b)| sum | (a ^ b));
    a.len() == b.len() && std::hint::black_box(difference) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_tokens_lock_nobody_out() {
        let mut auth = AdminAuth::new("right");
        for _ in 0..100 {
            assert!(auth.log_in("wrong", "v".into()).is_none());
        }
        assert!(auth.log_in("right", "v".into()).is_some());
        assert!(auth.is_logged_in("v") && !auth.is_logged_in("w") && !auth.is_logged_in(""));
        auth.log_out("v");
        assert!(!auth.is_logged_in("v"));
    }
}
