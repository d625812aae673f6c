//! Copies of companions within a set.

use std::path::Path;

use trompe_base::files::sync_folder;

use crate::error::{Error, Result};
use crate::exhibits::companions::{COMPANIONS_FOLDER, Companion, CopyOf};
use crate::reference::{GenuineItem, Reference};

/// The folder of copies within a set.
pub(super) struct Copies<'a> {
    /// The folder of the set.
    pub(super) set: &'a Path,
}

impl<'a> Copies<'a> {
    /// Those of the set in this folder.
    pub(super) fn of(set: &'a Path) -> Self {
        Self { set }
    }

    /// Has `write` make the copy called `name`.
    pub(super) fn add(
        &self,
        name: &str,
        write: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<CopyOf> {
        let folder = self.set.join(COMPANIONS_FOLDER);
        std::fs::create_dir_all(&folder).map_err(|source| Error::io(&folder, source))?;
        write(&folder.join(name))?;
        Ok(CopyOf::File(format!("{COMPANIONS_FOLDER}/{name}")))
    }

    /// Makes the copies last.
    pub(super) fn finish(&self) -> Result<()> {
        let folder = self.set.join(COMPANIONS_FOLDER);
        match folder.exists() {
            true => sync_folder(&folder).map_err(|source| Error::io(&folder, source)),
            false => Ok(()),
        }
    }
}

/// A genuine item as a companion.
pub(super) fn genuine(item: &GenuineItem, reference: &Reference, copy: CopyOf) -> Companion {
    Companion {
        name: item.name.clone(),
        class: reference.classes().get(item.class).cloned(),
        collection: reference.source().corpus.clone(),
        licence: reference.source().licence.clone(),
        copy,
    }
}
