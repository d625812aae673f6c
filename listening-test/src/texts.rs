//! Texts of a study in the languages of its page.

use std::collections::BTreeMap;

/// Languages the page speaks.
pub const LANGUAGES: [&str; 5] = ["en", "de", "fr", "es", "ar"];

/// A text per language; `en` is the fallback.
pub type Texts = BTreeMap<String, String>;
