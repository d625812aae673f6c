//! Compositional pattern-producing networks: "regular images" (Nguyen, Yosinski & Clune 2015,
//! section 2.2, after Stanley 2007). A small network maps the place of a pixel to its value.

mod activation;
mod canvas;
mod graph;
mod program;
mod settings;

use rand::RngExt;
use trompe_corpora::{Image, ImageShape};

pub use activation::Activation;
pub use graph::{Graph, Link};
pub use settings::{Coordinates, CppnSettings, Moves};

use self::canvas::Canvas;
use super::raster::unlikeness;
use super::record::record;
use crate::problem::{GeneratorUsed, MoveId, Render, Space};
use trompe_base::random::Stream;

/// Side of the renderings that two networks are compared by.
const THUMBNAIL: usize = 16;

/// Makes grey images from one output, or RGB images from three: hue, saturation and value.
#[derive(Debug, Clone)]
pub struct Cppn {
    shape: ImageShape,
    settings: CppnSettings,
    canvas: Canvas,
    thumbnail: Canvas,
}

impl Cppn {
    /// Makes images of `shape`.
    pub fn new(shape: ImageShape, settings: &CppnSettings) -> Self {
        let coordinates = settings.coordinates;
        let columns = THUMBNAIL.min(shape.width);
        let rows = THUMBNAIL.min(shape.height);
        Self {
            shape,
            settings: settings.clone(),
            canvas: Canvas::new(shape, coordinates, (shape.width, shape.height)),
            thumbnail: Canvas::new(shape, coordinates, (columns, rows)),
        }
    }

    fn thumbnail(&self, genome: &Graph) -> Vec<u8> {
        let mut pixels = vec![0; self.thumbnail.bytes()];
        self.thumbnail.render(genome, &mut pixels);
        pixels
    }
}

impl Render for Cppn {
    type Genome = Graph;
    type Input = Image;

    fn render(&self, genome: &Graph) -> Image {
        let mut pixels = vec![0; self.shape.bytes()];
        self.canvas.render(genome, &mut pixels);
        Image { shape: self.shape, pixels }
    }

    fn descriptions(&self, genome: &Graph) -> Vec<String> {
        vec![format!(
            "a network of {} nodes and {} links",
            genome.activations().len(),
            genome.links().len()
        )]
    }
}

impl Space for Cppn {
    fn format(&self) -> ImageShape {
        self.shape
    }

    fn describe(&self) -> GeneratorUsed {
        record("cppn", None, &self.settings)
    }

    fn check(&self, genome: &Graph) -> Result<(), String> {
        genome.check(self.shape.channels)
    }

    fn sample(&self, rng: &mut Stream) -> Graph {
        Graph::random(self.shape.channels, rng)
    }

    fn moves(&self) -> &'static [&'static str] {
        match self.settings.moves {
            Moves::Published => &["mutation"],
            Moves::Single => &["mutation", "weights", "one weight", "activation", "structure"],
        }
    }

    /// The mate is not used: in the authors' code, too, crossover leaves networks as they are.
    fn vary(&self, parent: &Graph, _: &Graph, move_id: MoveId, _: f64, rng: &mut Stream) -> Graph {
        let mut child = parent.clone();
        match move_id {
            0 => child.mutate(rng),
            1 => child.mutate_weights(rng),
            2 => child.redraw_weight(rng),
            3 => child.redraw_activation(rng),
            _ => child.mutate_structure(rng),
        }
        child
    }

    /// Unlikeness of small renderings.
    fn distance(&self, a: &Graph, b: &Graph) -> f64 {
        if a == b {
            return 0.0;
        }
        unlikeness(&self.thumbnail(a), &self.thumbnail(b))
    }
}

impl Graph {
    /// Every mutation at its published rate.
    fn mutate(&mut self, rng: &mut Stream) {
        for (rate, mutation) in graph::STRUCTURAL {
            if rng.random_bool(rate) {
                mutation(self, rng);
            }
        }
        self.mutate_activations(rng);
        self.mutate_weights(rng);
    }

    /// One structural mutation, drawn in proportion to the published rates.
    fn mutate_structure(&mut self, rng: &mut Stream) {
        let total: f64 = graph::STRUCTURAL.iter().map(|(rate, _)| rate).sum();
        let mut left = rng.random::<f64>() * total;
        for (rate, mutation) in graph::STRUCTURAL {
            left -= rate;
            if left < 0.0 {
                return mutation(self, rng);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use trompe_base::random::stream;

    use super::*;

    #[test]
    fn every_move_renders_differently_and_the_distance_sees_it() {
        let generator = Cppn::new(ImageShape::grey(28, 28), &CppnSettings::default());
        let mut changed = [0; 5];
        for slot in 0..200 {
            let mut rng = stream(1, 0, 0, slot);
            let mut parent = generator.sample(&mut rng);
            for _ in 0..5 {
                parent.mutate(&mut rng);
            }
            let move_id = slot as usize % 5;
            let child = generator.vary(&parent, &parent, move_id, 1.0, &mut rng);
            let distance = generator.distance(&parent, &child);
            assert!((0.0..=1.0).contains(&distance));
            changed[move_id] += usize::from(distance > 0.0);
        }
        assert!(changed.iter().all(|&count| count >= 8), "{changed:?}");
    }

    #[test]
    fn a_network_survives_its_text() {
        let mut rng = stream(7, 0, 0, 0);
        let mut graph = Graph::random(3, &mut rng);
        for _ in 0..30 {
            graph.mutate(&mut rng);
        }
        let text = serde_json::to_string(&graph).unwrap();
        assert_eq!(serde_json::from_str::<Graph>(&text).unwrap(), graph);
    }
}
