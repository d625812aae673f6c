//! Draws a network's image: every node's value at many pixels at once.

use std::cell::RefCell;

use trompe_corpora::ImageShape;

use super::graph::Graph;
use super::program::{MULTIPLE, PLANES, Program};
use super::settings::Coordinates;

/// Places drawn together: the values of a dozen nodes at these stay in the nearest cache.
const STRIP: usize = 16 * MULTIPLE;

/// The inputs of the network at every place that is drawn.
#[derive(Debug, Clone)]
pub(super) struct Canvas {
    channels: usize,
    places: usize,
    /// Column, row and distance of every place, one after another, and zeros up to a multiple
    /// of [`MULTIPLE`].
    inputs: [Vec<f32>; PLANES],
}

thread_local! {
    /// The values of all nodes for a strip.
    static VALUES: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

impl Canvas {
    /// A canvas of `columns` x `rows` places spread evenly over an image of `shape`.
    pub(super) fn new(
        shape: ImageShape,
        coordinates: Coordinates,
        (columns, rows): (usize, usize),
    ) -> Self {
        let spread = |index: usize, places: usize, pixels: usize| {
            (index as f32 + 0.5) * pixels as f32 / places as f32 - 0.5
        };
        let centred = |value: f32, pixels: usize| match pixels {
            0 | 1 => 0.0,
            _ => 2.0 * value / (pixels - 1) as f32 - 1.0,
        };
        let mut inputs: [Vec<f32>; PLANES] = Default::default();
        for row in 0..rows {
            for column in 0..columns {
                let (x, y) =
                    (spread(column, columns, shape.width), spread(row, rows, shape.height));
                let (u, v) = (centred(x, shape.width), centred(y, shape.height));
                let distance = ((u * u + v * v) * 0.5).sqrt();
                let place = match coordinates {
                    Coordinates::Raw => [x, y, distance],
                    Coordinates::Centred => [u, v, distance],
                };
                inputs.iter_mut().zip(place).for_each(|(input, value)| input.push(value));
            }
        }
        let places = columns * rows;
        for input in &mut inputs {
            input.resize(places.next_multiple_of(MULTIPLE), 0.0);
        }
        Self { channels: shape.channels, places, inputs }
    }

    /// Number of bytes of a rendering.
    pub(super) fn bytes(&self) -> usize {
        self.places * self.channels
    }

    /// Writes the image of `graph`; black if the graph is not feed-forward.
    pub(super) fn render(&self, graph: &Graph, pixels: &mut [u8]) {
        let program = Program::new(graph).filter(|_| graph.outputs() == self.channels);
        let Some(program) = program else { return pixels.fill(0) };
        VALUES.with_borrow_mut(|values| {
            let strips = pixels.chunks_mut(STRIP * self.channels);
            for (strip, pixels) in strips.enumerate() {
                let start = strip * STRIP;
                let count = STRIP.min(self.inputs[0].len() - start);
                values.resize(program.planes() * count, 0.0);
                for (plane, input) in values.chunks_exact_mut(count).zip(&self.inputs) {
                    plane.copy_from_slice(&input[start..start + count]);
                }
                program.run(values);
                let plane = |output: usize| &values[program.outputs()[output] * count..][..count];
                if self.channels == 1 {
                    pulp::Arch::new().dispatch(|| write_grey(plane(0), pixels));
                } else {
                    write_colour([0, 1, 2].map(plane), pixels);
                }
            }
        });
    }
}

/// |value| as a byte, as the authors' code has it: negative values are folded.
#[inline(always)]
fn write_grey(values: &[f32], pixels: &mut [u8]) {
    for (pixel, &value) in pixels.iter_mut().zip(values) {
        *pixel = byte(value.abs());
    }
}

/// The nearest byte of a value in [0, 1].
#[inline(always)]
fn byte(value: f32) -> u8 {
    // From 2^23 on, floats are whole numbers: the low bits are the rounded value.
    ((value.min(1.0) * 255.0 + 8_388_608.0).to_bits() & 0xff) as u8
}

/// Hue, saturation and value of every place as RGB pixels.
fn write_colour(planes: [&[f32]; 3], pixels: &mut [u8]) {
    for (place, pixel) in pixels.chunks_exact_mut(3).enumerate() {
        let [hue, saturation, value] = planes.map(|plane| plane[place].abs().min(1.0));
        // Each channel is the value, less its share outside the two sixths it dominates.
        for (channel, offset) in pixel.iter_mut().zip([5.0, 3.0, 1.0]) {
            let k = (offset + hue * 6.0) % 6.0;
            let outside = k.min(4.0 - k).clamp(0.0, 1.0);
            *channel = byte(value - value * saturation * outside);
        }
    }
}

#[cfg(test)]
mod tests {
    use trompe_base::random::stream;

    use super::super::graph::INPUTS;
    use super::*;
    use crate::image::Cppn;
    use crate::image::cppn::{Activation, CppnSettings};
    use crate::problem::{Render, Space};

    /// The network by its definition, in f64.
    fn plain(graph: &Graph, inputs: [f64; 4], node: usize) -> f64 {
        if node < INPUTS {
            return inputs[node];
        }
        let into = graph.links().iter().filter(|link| link.to == node);
        let x: f64 = into.map(|link| link.weight * plain(graph, inputs, link.from)).sum();
        match graph.activations()[node - INPUTS] {
            Activation::Sine => libm::sin(x),
            Activation::Sigmoid => 2.0 / (1.0 + libm::exp(-x)) - 1.0,
            Activation::Gaussian => libm::exp(-x * x),
            Activation::Linear => x.clamp(-3.0, 3.0) / 3.0,
        }
    }

    #[test]
    fn a_drawing_shows_what_the_network_computes() {
        let shape = ImageShape::grey(28, 28);
        for (slot, coordinates) in [(1, Coordinates::Centred), (2, Coordinates::Raw)] {
            let generator =
                Cppn::new(shape, &CppnSettings { coordinates, ..CppnSettings::default() });
            let mut rng = stream(slot, 0, 0, 0);
            let mut graph = generator.sample(&mut rng);
            for _ in 0..6 {
                graph = generator.vary(&graph, &graph, 0, 1.0, &mut rng);
            }
            let pixels = generator.render(&graph).pixels;
            let mut off = 0;
            for (place, &pixel) in pixels.iter().enumerate() {
                let (x, y) = ((place % 28) as f64, (place / 28) as f64);
                let (u, v) = (x / 13.5 - 1.0, y / 13.5 - 1.0);
                let distance = ((u * u + v * v) / 2.0).sqrt();
                let at = if coordinates == Coordinates::Raw { (x, y) } else { (u, v) };
                let value = plain(&graph, [at.0, at.1, distance, 1.0], INPUTS);
                off += usize::from((value.abs() * 255.0 - f64::from(pixel)).abs() > 0.6);
            }
            assert!(off <= 4, "{off} of 784 pixels are off");
        }
    }

    #[test]
    fn hue_saturation_and_value_become_the_known_colours() {
        let colours = [
            ([0.0, 1.0, 1.0], [255, 0, 0]),
            ([1.0 / 3.0, 1.0, 1.0], [0, 255, 0]),
            ([2.0 / 3.0, 1.0, 0.5], [0, 0, 128]),
            ([1.0 / 6.0, 1.0, 1.0], [255, 255, 0]),
            ([0.77, 0.0, 1.0], [255, 255, 255]),
            ([0.5, 0.5, 1.0], [128, 255, 255]),
            ([1.0, 1.0, 1.0], [255, 0, 0]),
        ];
        for (planes, expected) in colours {
            let mut pixel = [0; 3];
            write_colour(planes.each_ref().map(std::slice::from_ref), &mut pixel);
            for (found, expected) in pixel.into_iter().zip(expected) {
                assert!(u8::abs_diff(found, expected) <= 1, "{planes:?}: {pixel:?}");
            }
        }
    }

    #[test]
    fn large_colour_images_are_drawn_strip_by_strip() {
        let shape = ImageShape::rgb(90, 70);
        let generator = Cppn::new(shape, &CppnSettings::default());
        let mut rng = stream(3, 0, 0, 0);
        let graph = generator.sample(&mut rng);
        let mut pixels = vec![0; shape.bytes()];
        generator.canvas.render(&graph, &mut pixels);
        assert!(pixels.chunks(STRIP).all(|strip| strip.iter().any(|&value| value > 0)));
        let mut again = vec![9; shape.bytes()];
        generator.canvas.render(&graph, &mut again);
        assert_eq!(again, pixels);
    }
}
