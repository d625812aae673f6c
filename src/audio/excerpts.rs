//! Composed excerpts as a space of the search.

use std::sync::{Mutex, PoisonError};

use trompe_corpora::{Audio, Bank};

use super::composition::{Composition, CompositionSettings, MOVES};
use super::render::Renderer;
use crate::error::Result;
use crate::problem::{AudioFormat, BankUsed, GeneratorUsed, MoveId, Render, Space};
use trompe_base::random::Stream;

/// Excerpts composed from a bank.
pub struct Excerpts<'a> {
    bank: &'a Bank,
    settings: CompositionSettings,
    bank_hash: String,
    samples: usize,
    renderers: Mutex<Vec<Renderer>>,
}

impl<'a> Excerpts<'a> {
    /// The space of what can be composed from `bank`.
    ///
    /// # Errors
    /// [`crate::Error::Request`] if the settings do not fit the bank.
    pub fn new(bank: &'a Bank, settings: &CompositionSettings) -> Result<Self> {
        settings.validate(bank.loops.len())?;
        let renderer = Renderer::new(settings.seconds, bank.sample_rate);
        Ok(Self {
            bank,
            settings: settings.clone(),
            bank_hash: bank.hash(),
            samples: renderer.samples(),
            renderers: Mutex::new(vec![renderer]),
        })
    }

    /// The samples of a composition, as a file of 16 bits holds them.
    fn samples_of(&self, composition: &Composition) -> Vec<f32> {
        let idle = self.renderers().pop();
        let mut renderer =
            idle.unwrap_or_else(|| Renderer::new(self.settings.seconds, self.bank.sample_rate));
        let samples = renderer.render(composition, self.bank);
        self.renderers().push(renderer);
        samples
    }

    fn renderers(&self) -> std::sync::MutexGuard<'_, Vec<Renderer>> {
        self.renderers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Render for Excerpts<'_> {
    type Genome = Composition;
    type Input = Audio;

    /// What is scored is what the file will hold: rounded to 16 bits and read back.
    fn render(&self, genome: &Composition) -> Audio {
        Audio { samples: self.samples_of(genome), sample_rate: self.bank.sample_rate }
    }

    /// Names of the loops, in the order of the layers.
    fn descriptions(&self, genome: &Composition) -> Vec<String> {
        let name = |layer: &super::Layer| self.bank.loops[layer.loop_index].id.clone();
        genome.layers.iter().map(name).collect()
    }
}

impl Space for Excerpts<'_> {
    fn format(&self) -> AudioFormat {
        AudioFormat { sample_rate: self.bank.sample_rate, samples: self.samples }
    }

    fn describe(&self) -> GeneratorUsed {
        GeneratorUsed {
            name: "loop composition".to_owned(),
            bank: Some(BankUsed {
                name: self.bank.name.clone(),
                sha256: self.bank_hash.clone(),
                provenance: self.bank.provenance,
                licence: self.bank.licence.clone(),
            }),
            settings: serde_json::to_value(&self.settings).unwrap_or_default(),
        }
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
        _: f64,
        rng: &mut Stream,
    ) -> Composition {
        parent.vary(mate, move_id, &self.settings, self.bank.loops.len(), rng)
    }

    fn distance(&self, a: &Composition, b: &Composition) -> f64 {
        a.distance(b)
    }
}
