//! The seam between a search and what it fools: a [`Space`] of genomes that are rendered to
//! inputs, and a [`Victim`] that scores inputs.
//!
//! A space knows no victim, a victim knows no genome, and the search knows neither. Sound and
//! images are two types of [`Input`]. Whoever brings a model implements [`Victim`] (two methods
//! are required); a closure becomes one with [`Closure`].

mod input;
mod origin;
mod space;
mod victim;

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use trompe_base::encoding::hex;

pub use crate::log_odds::PosteriorKind;

pub(crate) use victim::check_row;

pub use input::{AudioFormat, Input, Medium};
pub use origin::{BankUsed, ClassifierUsed, GeneratorUsed};
pub use space::{MoveId, Render, Space};
pub use victim::{
    CALLABLE, Closure, Gradient, Observed, Runtime, SILENCE_SCORE, Victim, VictimRecord,
    WithReference, observe_all, score_all,
};

/// Version of what [`Problem::fingerprint`] hashes.
const FINGERPRINT_VERSION: u32 = 1;

/// A space and the victim that is searched for in it.
#[derive(Debug, Clone, Copy)]
pub struct Problem<S, V> {
    space: S,
    victim: V,
}

impl<S: Space, V: Victim<S::Input>> Problem<S, V> {
    /// Joins the two.
    ///
    /// # Errors
    /// [`Error::Request`] if the victim has no class, or does not take the inputs that the space
    /// renders.
    pub fn new(space: S, victim: V) -> Result<Self> {
        if victim.classes().is_empty() {
            return Err(Error::request("the victim has no class", "give it at least one"));
        }
        if let Some(wanted) = victim.format() {
            S::Input::check_format(&space.format(), &wanted)?;
        }
        Ok(Self { space, victim })
    }

    /// The space.
    pub fn space(&self) -> &S {
        &self.space
    }

    /// The victim.
    pub fn victim(&self) -> &V {
        &self.victim
    }

    /// The same problem, borrowed: a search owns its problem, and this may be it.
    pub fn by_ref(&self) -> Problem<&S, &V> {
        Problem { space: &self.space, victim: &self.victim }
    }

    /// Class names of the victim, in the order of the log-odds.
    pub fn classes(&self) -> &[String] {
        self.victim.classes()
    }

    /// Hash of everything that a score depends on, in hexadecimal: a run resumes only on the
    /// problem that it was started on.
    ///
    /// It covers the victim's fingerprint and the space's name, version and settings by the names
    /// that they have in files, the format of its inputs, and the content of its bank. The path of a bank is left out, so a
    /// bank may be moved.
    ///
    /// # Errors
    /// [`Error::Request`] if the victim has no fingerprint: nothing tells it from another one.
    pub fn fingerprint(&self) -> Result<String> {
        let victim = self.victim.fingerprint().ok_or_else(|| {
            Error::request(
                "the victim has no fingerprint, so that a run of it cannot be resumed",
                "give it one that changes with its weights, or search without a run folder",
            )
        })?;
        let GeneratorUsed { name, bank, settings } = self.space.describe();
        // Keys of JSON objects are sorted, so the text is canonical.
        let mut named = serde_json::json!({
            "version": FINGERPRINT_VERSION,
            "victim": victim,
            "space": { "name": name, "version": self.space.version(), "settings": settings },
            "format": serde_json::to_value(self.space.format()).unwrap_or_default(),
            "bank": bank.map(|bank| bank.sha256),
        });
        // Other runtimes give other last bits, and a search grows them.
        if let Some(runtime) = self.victim.record().runtime.filter(|runtime| runtime.chosen) {
            named["runtime"] = runtime.name.into();
        }
        Ok(hex(&Sha256::digest(named.to_string())))
    }

    /// One log-odds per class for each genome, row by row, computed in parallel. The numbers do
    /// not depend on the number of threads.
    ///
    /// # Errors
    /// As [`score_all`].
    pub fn scores(&self, genomes: &[S::Genome]) -> Result<Vec<f64>> {
        score_all(&self.victim, genomes, |genome| self.space.render(genome))
    }

    /// The same scores, with an embedding of every input.
    ///
    /// # Errors
    /// As [`score_all`].
    pub fn observe(&self, genomes: &[S::Genome]) -> Result<Observed> {
        observe_all(&self.victim, genomes, |genome| self.space.render(genome))
    }

    /// A copy of `genome` moved one step up the gradient of the log-odds of `class`; `None` if
    /// the space or the victim has no gradient.
    pub fn ascend(&self, genome: &S::Genome, class: usize) -> Option<S::Genome> {
        self.space.ascend(genome, &|values| self.victim.gradient(values, class))
    }
}

#[cfg(test)]
mod tests;
