//! What is laid beside the exhibits of a set: genuine items of their classes and the loops that they are
//! made of, as copies where licences allow them and the files are at hand, else by name and reason.

mod collections;
mod copies;
mod images;
mod licences;
mod sound;

use std::path::Path;

use trompe_corpora::Bank;

use self::copies::Copies;
use crate::error::Result;
use crate::exhibits::companions::Companions;
use crate::exhibits::{Manifest, Medium};
use crate::reference::Reference;

/// Where the companions of a set come from.
#[derive(Clone, Copy)]
pub(super) struct Sources<'a> {
    /// The genuine items of the victim.
    pub(super) reference: Option<&'a Reference>,
    /// The loops that excerpts are composed of.
    pub(super) bank: Option<&'a Bank>,
}

/// Writes the companions of the exhibits of `manifest` into the folder `set`, and their list.
///
/// # Errors
/// Whatever reading a collection that is at hand, or writing, meets.
pub(super) fn write(set: &Path, manifest: &Manifest, sources: Sources<'_>) -> Result<Companions> {
    let mut companions = Companions::default();
    let copies = Copies::of(set);
    match manifest.origin.medium {
        Medium::Audio => {
            if let Some(bank) = sources.bank {
                companions.parts = sound::parts(&copies, manifest, bank)?;
                if let Some(reference) = sources.reference {
                    companions.genuine =
                        sound::genuine(&copies, manifest, reference, bank.sample_rate)?;
                }
            }
        }
        Medium::Image => {
            if let Some(reference) = sources.reference {
                companions.nearest = images::nearest(&copies, manifest, reference)?;
            }
        }
    }
    companions.write(set)?;
    copies.finish()?;
    Ok(companions)
}
