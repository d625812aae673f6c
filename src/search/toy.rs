//! A problem without a medium, for tests of the core: points of the unit cube, each class'
//! log-odds falling with the distance from a peak of its own.

use rand::RngExt;
use trompe_base::random::Stream;

use super::problem::{MoveId, Problem};

const DIMENSIONS: usize = 8;

/// Peaks in the unit cube, one a class.
pub(crate) struct Toy {
    classes: Vec<String>,
    peaks: Vec<[f64; DIMENSIONS]>,
    /// Log-odds of a class at a distance from its peak.
    score: fn(class: usize, distance: f64) -> f64,
}

impl Toy {
    pub(crate) fn new(classes: usize) -> Self {
        let mut rng = trompe_base::random::stream(99, 0, 0, 0);
        Self {
            classes: (0..classes).map(|class| format!("class {class}")).collect(),
            peaks: (0..classes).map(|_| std::array::from_fn(|_| rng.random())).collect(),
            score: |_, distance| 10.0 - 20.0 * distance.min(1.0),
        }
    }

    /// Two classes with one peak. The first has log-odds of 7.2 or more everywhere, the more the
    /// farther from the peak; but it is the label only within 0.4 of it.
    pub(crate) fn eclipsed() -> Self {
        let Self { classes, mut peaks, .. } = Self::new(2);
        peaks[1] = peaks[0];
        let score =
            |class, distance| if class == 0 { 7.2 + distance } else { 6.4 + 3.0 * distance };
        Self { classes, peaks, score }
    }
}

fn euclidean(a: &[f64; DIMENSIONS], b: &[f64; DIMENSIONS]) -> f64 {
    let squares: f64 = a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum();
    squares.sqrt()
}

impl Problem for Toy {
    type Genome = [f64; DIMENSIONS];

    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn fingerprint(&self) -> String {
        format!("toy of {} classes", self.classes.len())
    }

    fn check(&self, genome: &Self::Genome) -> Result<(), String> {
        match genome.iter().find(|gene| !(0.0..=1.0).contains(*gene)) {
            Some(gene) => Err(format!("a coordinate of {gene}")),
            None => Ok(()),
        }
    }

    fn sample(&self, rng: &mut Stream) -> Self::Genome {
        std::array::from_fn(|_| rng.random())
    }

    fn moves(&self) -> &'static [&'static str] {
        &["redraw", "step", "cross"]
    }

    fn vary(
        &self,
        parent: &Self::Genome,
        mate: &Self::Genome,
        move_id: MoveId,
        rng: &mut Stream,
    ) -> Self::Genome {
        let mut child = *parent;
        let gene = rng.random_range(0..DIMENSIONS);
        match move_id {
            0 => child[gene] = rng.random(),
            1 => {
                let step = rng.random_range(-0.05..0.05);
                child[gene] = (child[gene] + step).clamp(0.0, 1.0);
            }
            _ => child[gene..].copy_from_slice(&mate[gene..]),
        }
        child
    }

    fn log_odds(&self, genomes: &[Self::Genome], out: &mut [f64]) {
        for (genome, row) in genomes.iter().zip(out.chunks_exact_mut(self.classes.len())) {
            for (class, score) in row.iter_mut().enumerate() {
                *score = (self.score)(class, euclidean(genome, &self.peaks[class]));
            }
        }
    }

    fn shard(&self) -> usize {
        3
    }

    fn distance(&self, a: &Self::Genome, b: &Self::Genome) -> f64 {
        euclidean(a, b).min(1.0)
    }
}
