//! A problem without a medium, for tests of the core: points of the unit cube, each class'
//! log-odds falling with the distance from a peak of its own.

use rand::RngExt;
use trompe_base::random::Stream;

use super::engine::Search;
use crate::error::Result;
use crate::problem::{GeneratorUsed, Input, Medium, MoveId, Problem, Render, Space, Victim};

const DIMENSIONS: usize = 8;

/// Genome and input.
pub(crate) type Point = [f64; DIMENSIONS];

/// The cube, and the peaks in it.
pub(crate) type Toy = Problem<Cube, Peaks>;

pub(crate) type ToySearch<'a> = Search<&'a Cube, &'a Peaks>;

impl Input for Point {
    const MEDIUM: Medium = Medium::Image;

    type Format = ();

    fn format(&self) {}

    fn check_format(_: &(), _: &()) -> Result<()> {
        Ok(())
    }
}

/// The unit cube.
pub(crate) struct Cube;

/// Peaks in the unit cube, one a class.
pub(crate) struct Peaks {
    classes: Vec<String>,
    peaks: Vec<Point>,
    /// Log-odds of a class at a distance from its peak.
    score: fn(class: usize, distance: f64) -> f64,
}

impl Toy {
    /// A toy of so many classes.
    pub(crate) fn of(classes: usize) -> Self {
        Self::new(Cube, Peaks::new(classes)).expect("a cube takes any peaks")
    }

    /// Two classes with one peak. The first has log-odds of 7.2 or more everywhere, the more the
    /// farther from the peak; but it is the label only within 0.4 of it.
    pub(crate) fn eclipsed() -> Self {
        let Peaks { classes, mut peaks, .. } = Peaks::new(2);
        peaks[1] = peaks[0];
        let score =
            |class, distance| if class == 0 { 7.2 + distance } else { 6.4 + 3.0 * distance };
        Self::new(Cube, Peaks { classes, peaks, score }).expect("a cube takes any peaks")
    }
}

impl Peaks {
    fn new(classes: usize) -> Self {
        let mut rng = trompe_base::random::stream(99, 0, 0, 0);
        Self {
            classes: (0..classes).map(|class| format!("class {class}")).collect(),
            peaks: (0..classes).map(|_| std::array::from_fn(|_| rng.random())).collect(),
            score: |_, distance| 10.0 - 20.0 * distance.min(1.0),
        }
    }
}

fn euclidean(a: &Point, b: &Point) -> f64 {
    let squares: f64 = a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum();
    squares.sqrt()
}

impl Victim<Point> for Peaks {
    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn scores(&self, points: &[Point]) -> Result<Vec<f64>> {
        let of_class =
            |point, class: usize| (self.score)(class, euclidean(point, &self.peaks[class]));
        let classes = 0..self.classes.len();
        let row = |point| classes.clone().map(move |class| of_class(point, class));
        Ok(points.iter().flat_map(row).collect())
    }

    fn fingerprint(&self) -> Option<String> {
        Some(format!("peaks of {} classes", self.classes.len()))
    }

    fn batch_size(&self) -> usize {
        3
    }
}

impl Render for Cube {
    type Genome = Point;
    type Input = Point;

    fn render(&self, genome: &Point) -> Point {
        *genome
    }
}

impl Space for Cube {
    fn format(&self) {}

    fn describe(&self) -> GeneratorUsed {
        GeneratorUsed { name: "cube".to_owned(), bank: None, settings: serde_json::json!({}) }
    }

    fn check(&self, genome: &Point) -> Result<(), String> {
        match genome.iter().find(|gene| !(0.0..=1.0).contains(*gene)) {
            Some(gene) => Err(format!("a coordinate of {gene}")),
            None => Ok(()),
        }
    }

    fn sample(&self, rng: &mut Stream) -> Point {
        std::array::from_fn(|_| rng.random())
    }

    fn moves(&self) -> &'static [&'static str] {
        &["redraw", "step", "cross"]
    }

    fn vary(
        &self,
        parent: &Point,
        mate: &Point,
        move_id: MoveId,
        _: f64,
        rng: &mut Stream,
    ) -> Point {
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

    fn distance(&self, a: &Point, b: &Point) -> f64 {
        euclidean(a, b).min(1.0)
    }
}
