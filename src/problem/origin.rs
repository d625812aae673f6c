//! What the two halves of a problem say of themselves: what manifests keep, and what decides
//! whether a run can be resumed.

use serde::{Deserialize, Serialize};
use trompe_corpora::Provenance;

use super::input::Input;
use super::victim::{Runtime, Victim, VictimRecord};
use crate::log_odds::PosteriorKind;

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
    /// The published data set that this is known of; `None` if it was stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_as: Option<String>,
    /// What it takes: `sample_rate` and fewest `samples` of sound, `width`, `height` and
    /// `channels` of images; null if it takes any input, and in sets of schema 1.
    #[serde(default)]
    pub input: serde_json::Value,
    /// What computes its scores, if not trompe itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime: Option<Runtime>,
}

impl ClassifierUsed {
    /// What a manifest says of `victim`. A victim without a fingerprint has an empty hash.
    pub fn of<I: Input>(victim: &(impl Victim<I> + ?Sized)) -> Self {
        let VictimRecord { kind, corpus, provenance, known_as, runtime } = victim.record();
        let input = victim.format().and_then(|format| serde_json::to_value(format).ok());
        Self {
            kind,
            posterior_kind: victim.posterior_kind(),
            sha256: victim.fingerprint().unwrap_or_default(),
            corpus,
            provenance,
            known_as,
            input: input.unwrap_or_default(),
            runtime,
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
    /// Licence of its material, if that was stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
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
