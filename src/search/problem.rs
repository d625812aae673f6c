//! What the search sees of a medium: genomes to draw, vary and score.

use serde::Serialize;
use serde::de::DeserializeOwned;
use trompe_base::random::Stream;

/// Index into [`Problem::moves`].
pub type MoveId = usize;

/// A medium and a classifier, seen by the search as genomes with log-odds.
pub trait Problem: Sync {
    /// What is varied: a composition, an image, a set of gains.
    type Genome: Clone + PartialEq + Send + Sync + Serialize + DeserializeOwned;

    /// Class names, in the order of the log-odds.
    fn classes(&self) -> &[String];

    /// Hash of everything a score depends on (classifier, bank, settings): a run resumes
    /// only on the problem it was started on.
    fn fingerprint(&self) -> String;

    /// Checks a genome that was read from a file: only one that [`Problem::sample`] or
    /// [`Problem::vary`] could have made may be rendered.
    ///
    /// # Errors
    /// What cannot be, in words.
    fn check(&self, genome: &Self::Genome) -> Result<(), String>;

    /// A genome drawn at random.
    fn sample(&self, rng: &mut Stream) -> Self::Genome;

    /// Names of the moves [`Problem::vary`] knows.
    fn moves(&self) -> &'static [&'static str];

    /// A changed copy of `parent`. `mate` is another genome of the archive, for the moves
    /// that recombine two.
    fn vary(
        &self,
        parent: &Self::Genome,
        mate: &Self::Genome,
        move_id: MoveId,
        rng: &mut Stream,
    ) -> Self::Genome;

    /// As [`Problem::vary`] with mutation rates multiplied by `rate`, in (0, 1]. A medium
    /// without such rates varies as always.
    fn vary_at_rate(
        &self,
        parent: &Self::Genome,
        mate: &Self::Genome,
        move_id: MoveId,
        _rate: f64,
        rng: &mut Stream,
    ) -> Self::Genome {
        self.vary(parent, mate, move_id, rng)
    }

    /// A copy of `genome` moved one step up the gradient of the log-odds of `class`, for
    /// problems whose gradient is known.
    fn ascend(&self, _genome: &Self::Genome, _class: usize) -> Option<Self::Genome> {
        None
    }

    /// Writes one log-odds per class and genome to `out` (row by row). Called from several
    /// threads with shards of [`Problem::shard`] genomes; the result must depend on the
    /// shard alone.
    fn log_odds(&self, genomes: &[Self::Genome], out: &mut [f64]);

    /// How many genomes are scored together.
    fn shard(&self) -> usize {
        1
    }

    /// How different two genomes are, in [0, 1]: 0 is a copy, 1 has nothing in common.
    fn distance(&self, a: &Self::Genome, b: &Self::Genome) -> f64;
}
