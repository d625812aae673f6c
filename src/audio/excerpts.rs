//! Composed excerpts as a problem of the search.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};
use trompe_base::encoding::hex;
use trompe_corpora::{Bank, wav};

use super::composition::{Composition, MOVES, Settings};
use super::listener::Listener;
use super::render::Renderer;
use crate::error::{Error, Result};
use crate::search::{MoveId, Problem, Stream};

/// Excerpts composed from a bank, as a classifier hears them.
pub struct Excerpts<'a> {
    bank: &'a Bank,
    listener: &'a Listener<'a>,
    settings: Settings,
    bank_hash: String,
    fingerprint: String,
    renderers: Mutex<Vec<Renderer>>,
}

impl<'a> Excerpts<'a> {
    /// The problem of composing from `bank` what `listener` labels; `model` is the hash of
    /// the model's file.
    ///
    /// # Errors
    /// [`Error::Request`] if the settings do not fit the bank, if the bank's rate is not the
    /// listener's, or if an excerpt is too short to be judged.
    pub fn new(
        bank: &'a Bank,
        listener: &'a Listener<'a>,
        settings: &Settings,
        model: &str,
    ) -> Result<Self> {
        settings.validate(bank.loops.len())?;
        if bank.sample_rate != listener.sample_rate() {
            return Err(Error::request(
                format!(
                    "the bank is at {} Hz, the model hears {} Hz",
                    bank.sample_rate,
                    listener.sample_rate()
                ),
                "read the bank at the model's rate",
            ));
        }
        let renderer = Renderer::new(settings.seconds, bank.sample_rate);
        if renderer.samples() < listener.minimum_samples() {
            return Err(Error::request(
                format!(
                    "an excerpt of {} s is too short: the model needs {:.2} s",
                    settings.seconds,
                    listener.minimum_samples() as f64 / f64::from(bank.sample_rate)
                ),
                "raise seconds",
            ));
        }
        let bank_hash = bank.hash();
        let mut hash = Sha256::new();
        for part in [model, &bank_hash, &format!("{settings:?}")] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        Ok(Self {
            bank,
            listener,
            settings: settings.clone(),
            bank_hash,
            fingerprint: hex(&hash.finalize()),
            renderers: Mutex::new(vec![renderer]),
        })
    }

    /// The bank.
    pub fn bank(&self) -> &'a Bank {
        self.bank
    }

    /// Hash of the bank's loops.
    pub fn bank_hash(&self) -> &str {
        &self.bank_hash
    }

    /// The 16-bit samples of a composition.
    pub fn render(&self, composition: &Composition) -> Vec<i16> {
        let idle = self.renderers().pop();
        let mut renderer =
            idle.unwrap_or_else(|| Renderer::new(self.settings.seconds, self.bank.sample_rate));
        let samples = renderer.render(composition, self.bank);
        self.renderers().push(renderer);
        samples
    }

    /// Writes a composition as a 16-bit WAV file.
    ///
    /// # Errors
    /// An input or output error naming `path`.
    pub fn deliver(&self, composition: &Composition, path: &Path) -> Result<()> {
        Ok(wav::write(path, &self.render(composition), self.bank.sample_rate)?)
    }

    /// Names of the loops that a composition plays, in the order of its layers.
    pub fn loop_names(&self, composition: &Composition) -> Vec<String> {
        composition
            .layers
            .iter()
            .map(|layer| self.bank.loops[layer.loop_index].id.clone())
            .collect()
    }

    fn renderers(&self) -> std::sync::MutexGuard<'_, Vec<Renderer>> {
        self.renderers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Problem for Excerpts<'_> {
    type Genome = Composition;

    fn classes(&self) -> &[String] {
        self.listener.classifier().classes()
    }

    fn fingerprint(&self) -> String {
        self.fingerprint.clone()
    }

    fn check(&self, genome: &Composition) -> Result<(), String> {
        genome.check(&self.settings, self.bank.loops.len())
    }

    fn sample(&self, rng: &mut Stream) -> Composition {
        Composition::sample(&self.settings, self.bank.loops.len(), rng)
    }

    fn moves(&self) -> &'static [&'static str] {
        MOVES
    }

    fn vary(
        &self,
        parent: &Composition,
        mate: &Composition,
        move_id: MoveId,
        rng: &mut Stream,
    ) -> Composition {
        parent.vary(mate, move_id, &self.settings, self.bank.loops.len(), rng)
    }

    fn log_odds(&self, genomes: &[Composition], out: &mut [f64]) {
        for (genome, row) in genomes.iter().zip(out.chunks_exact_mut(self.classes().len())) {
            // What is scored is what the file will hold: rounded to 16 bits and read back.
            let samples = wav::dequantize(&self.render(genome));
            self.listener.log_odds_or_unheard(&samples, row);
        }
    }

    fn distance(&self, a: &Composition, b: &Composition) -> f64 {
        a.distance(b)
    }
}
