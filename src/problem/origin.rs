//! What the two halves of a problem say of themselves: what manifests keep, and what decides
//! whether a run can be resumed.

use serde::{Deserialize, Serialize};
use trompe_corpora::Provenance;

use super::input::Input;
use super::victim::{PosteriorKind, Victim, VictimRecord};

/// The classifier that was fooled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassifierUsed {
    /// Name of its kind, such as `adaboost-mh`.
    pub kind: String,
    /// What its posterior is.
    pub posterior_kind: PosteriorKind,
    /// Its fingerprint in lower-case hexadecimal: for models in one file the file's SHA-256.
    pub sha256: String,
    /// Name of the corpus that it was trained on.
    pub corpus: String,
    /// Where that corpus comes from.
    pub provenance: Provenance,
}

impl ClassifierUsed {
    /// What a manifest says of `victim`. A victim without a fingerprint has an empty hash.
    pub fn of<I: Input>(victim: &(impl Victim<I> + ?Sized)) -> Self {
        let VictimRecord { kind, corpus, provenance } = victim.record();
        Self {
            kind,
            posterior_kind: victim.posterior_kind(),
            sha256: victim.fingerprint().unwrap_or_default(),
            corpus,
            provenance,
        }
    }
}

/// The bank that exhibits were composed from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BankUsed {
    /// Name as the user gave it.
    pub name: String,
    /// Hash over its content, in lower-case hexadecimal.
    pub sha256: String,
    /// Where its material comes from.
    pub provenance: Provenance,
}

/// The space that candidates were drawn from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GeneratorUsed {
    /// Name, such as `loop composition` or `pixels`.
    pub name: String,
    /// Its bank, for spaces that have one.
    pub bank: Option<BankUsed>,
    /// Every setting that changes what is drawn, varied or rendered, by its name in files.
    pub settings: serde_json::Value,
}
