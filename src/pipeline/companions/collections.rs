//! The collections that a genuine reference may have come from. A reference keeps the name of its
//! corpus and the SHA-256 of every item, but no path: it outlives folders that are moved.

use std::path::PathBuf;

use trompe_corpora::{Cache, recipes};

use crate::error::Result;

/// The folders of the collection called `name` in the cache; none if it is not one of the program's.
///
/// # Errors
/// If the cache cannot be found.
pub(super) fn installed(name: &str) -> Result<Vec<PathBuf>> {
    let known = recipes::list(&Cache::of_user()?)?;
    Ok(known.into_iter().find(|recipe| recipe.name == name).map_or_else(Vec::new, |r| r.installed))
}

/// Why an item is not copied although its licence allows it.
pub(super) fn not_at_hand(corpus: &str) -> String {
    format!("the corpus {corpus} is not in the cache of collections")
}
