//! Whether a bank and the training corpus of the classifier have sounds in common.

use std::path::Path;

use trompe_base::words::counted;
use trompe_corpora::Cache;
use trompe_corpora::sources::{Shared, Sources};

use crate::error::Result;

/// Most names that are written out.
const SHOWN: usize = 5;

/// What the bank called `bank` shares with the corpus called `corpus`, in a sentence; `None` where
/// nothing is known to be shared. Of a corpus, only a recipe's sources are known: a model keeps
/// the name of what it was trained on, and no files.
///
/// # Errors
/// If the cache or a file of the bank cannot be read.
pub(super) fn shared_sources(bank: &str, corpus: &str) -> Result<Option<String>> {
    let cache = Cache::of_user()?;
    let Some(training) = Sources::of_recipe(corpus, &cache)? else { return Ok(None) };
    let of_bank = match Sources::of_recipe(bank, &cache)? {
        Some(sources) => sources,
        None => Sources::of_folder(Path::new(bank), &cache)?,
    };
    Ok(of_bank.shared_with(&training).map(|shared| in_words(bank, corpus, &shared)))
}

fn in_words(bank: &str, corpus: &str, shared: &Shared) -> String {
    let listed = |names: &[String]| {
        let more = if names.len() > SHOWN { ", ..." } else { "" };
        format!("{}{more}", names[..names.len().min(SHOWN)].join(", "))
    };
    let mut parts = Vec::new();
    if !shared.names.is_empty() {
        parts.push(format!("sources ({})", listed(&shared.names)));
    }
    if !shared.files.is_empty() {
        parts.push(format!("{} ({})", counted(shared.files.len(), "file"), listed(&shared.files)));
    }
    format!(
        "bank {bank} and the training corpus {corpus} share {}: the classifier may know these \
         sounds from training",
        parts.join(" and ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shared_is_named_and_counted() {
        let files = (0..7).map(|number| format!("{number}.wav")).collect();
        let shared = Shared { names: vec!["mma".to_owned()], files };
        let text = in_words("loops", "styles", &shared);
        assert!(text.contains("sources (mma) and 7 files (0.wav, 1.wav"), "{text}");
        assert!(text.contains("4.wav, ...)") && !text.contains("5.wav"), "{text}");
    }
}
