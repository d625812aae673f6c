//! What is searched: genomes to draw, vary, compare and render.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::input::Input;
use super::origin::GeneratorUsed;
use super::victim::Gradient;
use trompe_base::random::Stream;

/// Index into [`Space::moves`].
pub type MoveId = usize;

/// Genomes that become inputs: what delivering an exhibit needs of a space.
pub trait Render: Sync {
    /// What is varied: a composition, an image, a set of gains.
    type Genome: Clone + PartialEq + Send + Sync + Serialize + DeserializeOwned;

    /// What is rendered.
    type Input: Input;

    /// The input of `genome`, exactly as a delivered file will hold it: rounded to 16-bit samples
    /// or 8-bit pixels.
    fn render(&self, genome: &Self::Genome) -> Self::Input;

    /// What `genome` is made of, in words, such as the names of its loops.
    fn descriptions(&self, _genome: &Self::Genome) -> Vec<String> {
        Vec::new()
    }
}

/// A space of genomes. It knows no victim.
pub trait Space: Render {
    /// Format of every input that is rendered.
    fn format(&self) -> <Self::Input as Input>::Format;

    /// Name, bank and every setting that changes what is drawn, varied or rendered.
    fn describe(&self) -> GeneratorUsed;

    /// Raised when the same settings draw, vary or render otherwise than before, so that a run is
    /// not resumed by another algorithm.
    fn version(&self) -> u32 {
        1
    }

    /// Checks a genome that was read from a file: only one that [`Space::sample`] or
    /// [`Space::vary`] could have made may be rendered.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    fn check(&self, genome: &Self::Genome) -> Result<(), String>;

    /// A genome drawn at random.
    fn sample(&self, rng: &mut Stream) -> Self::Genome;

    /// Names of the moves that [`Space::vary`] knows.
    fn moves(&self) -> &'static [&'static str];

    /// A changed copy of `parent`. `mate` is another genome of the archive, for the moves that
    /// recombine two. Mutation rates are multiplied by `rate`, in (0, 1]; a space without such
    /// rates ignores it.
    fn vary(
        &self,
        parent: &Self::Genome,
        mate: &Self::Genome,
        move_id: MoveId,
        rate: f64,
        rng: &mut Stream,
    ) -> Self::Genome;

    /// A copy of `genome` moved one step up a gradient that is asked for by the input as real
    /// values (pixels in [0, 255], samples in [-1, 1]); `None` if there is no gradient, or if
    /// genomes of this space cannot follow one.
    fn ascend(
        &self,
        _genome: &Self::Genome,
        _gradient: &dyn Fn(&[f32]) -> Option<Gradient>,
    ) -> Option<Self::Genome> {
        None
    }

    /// How different two genomes are, in [0, 1]: 0 is a copy, 1 has nothing in common.
    fn distance(&self, a: &Self::Genome, b: &Self::Genome) -> f64;
}

impl<S: Render> Render for &S {
    type Genome = S::Genome;
    type Input = S::Input;

    fn render(&self, genome: &S::Genome) -> S::Input {
        (**self).render(genome)
    }

    fn descriptions(&self, genome: &S::Genome) -> Vec<String> {
        (**self).descriptions(genome)
    }
}

impl<S: Space> Space for &S {
    fn format(&self) -> <S::Input as Input>::Format {
        (**self).format()
    }

    fn describe(&self) -> GeneratorUsed {
        (**self).describe()
    }

    fn version(&self) -> u32 {
        (**self).version()
    }

    fn check(&self, genome: &S::Genome) -> Result<(), String> {
        (**self).check(genome)
    }

    fn sample(&self, rng: &mut Stream) -> S::Genome {
        (**self).sample(rng)
    }

    fn moves(&self) -> &'static [&'static str] {
        (**self).moves()
    }

    fn vary(
        &self,
        parent: &S::Genome,
        mate: &S::Genome,
        move_id: MoveId,
        rate: f64,
        rng: &mut Stream,
    ) -> S::Genome {
        (**self).vary(parent, mate, move_id, rate, rng)
    }

    fn ascend(
        &self,
        genome: &S::Genome,
        gradient: &dyn Fn(&[f32]) -> Option<Gradient>,
    ) -> Option<S::Genome> {
        (**self).ascend(genome, gradient)
    }

    fn distance(&self, a: &S::Genome, b: &S::Genome) -> f64 {
        (**self).distance(a, b)
    }
}
