//! A built-in set of drawn digits, for tests and trials without a download.
//!
//! Every digit is one or two pen strokes through fixed points of the unit square. A drawing
//! jitters the points, slants, turns, scales and shifts them and varies the width of the pen
//! (all our choice). It is far easier than MNIST and stands for nothing else.

use rand::RngExt;
use trompe_base::random::{Stream, stream};

use super::corpus::ImageCorpus;
use super::image::ImageShape;
use crate::corpus::{Provenance, Split};

/// Side of a drawing in pixels, as MNIST's.
const SIDE: usize = 28;
/// Last number of every key ("digits" in ASCII), so that the streams differ from all others of the seed.
const STREAM: u64 = 0x6469_6769_7473;

/// Pen strokes of a digit: points as (x, y), x to the right and y downward.
type Strokes = &'static [&'static [(f64, f64)]];

const DIGITS: [Strokes; 10] = [
    &[&[
        (0.5, 0.0),
        (0.15, 0.15),
        (0.05, 0.5),
        (0.15, 0.85),
        (0.5, 1.0),
        (0.85, 0.85),
        (0.95, 0.5),
        (0.85, 0.15),
        (0.5, 0.0),
    ]],
    &[&[(0.3, 0.2), (0.55, 0.0), (0.55, 1.0)]],
    &[&[(0.1, 0.2), (0.35, 0.0), (0.7, 0.02), (0.88, 0.25), (0.7, 0.5), (0.1, 1.0), (0.95, 1.0)]],
    &[&[
        (0.1, 0.08),
        (0.5, 0.0),
        (0.85, 0.12),
        (0.8, 0.35),
        (0.45, 0.48),
        (0.85, 0.6),
        (0.9, 0.85),
        (0.5, 1.0),
        (0.1, 0.92),
    ]],
    &[&[(0.35, 0.0), (0.08, 0.6), (0.95, 0.6)], &[(0.7, 0.25), (0.65, 1.0)]],
    &[&[
        (0.9, 0.0),
        (0.25, 0.0),
        (0.15, 0.45),
        (0.55, 0.4),
        (0.88, 0.6),
        (0.8, 0.9),
        (0.45, 1.0),
        (0.1, 0.92),
    ]],
    &[&[
        (0.75, 0.0),
        (0.35, 0.25),
        (0.12, 0.65),
        (0.3, 0.97),
        (0.7, 0.98),
        (0.85, 0.72),
        (0.6, 0.52),
        (0.2, 0.65),
    ]],
    &[&[(0.05, 0.02), (0.92, 0.0), (0.6, 0.5), (0.4, 1.0)]],
    &[&[
        (0.5, 0.0),
        (0.18, 0.12),
        (0.25, 0.38),
        (0.75, 0.58),
        (0.85, 0.85),
        (0.5, 1.0),
        (0.15, 0.85),
        (0.25, 0.6),
        (0.75, 0.4),
        (0.82, 0.12),
        (0.5, 0.0),
    ]],
    &[&[
        (0.85, 0.3),
        (0.5, 0.48),
        (0.18, 0.3),
        (0.35, 0.03),
        (0.75, 0.02),
        (0.87, 0.3),
        (0.75, 1.0),
    ]],
];

/// Draws `train` and `test` digits, the classes in turn. The same seed draws the same set.
pub fn synthetic_digits(train: usize, test: usize, seed: u64) -> ImageCorpus {
    let mut corpus = ImageCorpus::new(
        "synthetic-digits",
        Provenance::Synthetic,
        "drawn by the built-in pen, so the labels are right by construction",
        (0..10).map(|digit| digit.to_string()).collect(),
        ImageShape::grey(SIDE, SIDE),
    );
    for (part, count, split) in [(0, train, Split::Train), (1, test, Split::Test)] {
        for index in 0..count {
            // Every drawing has its own stream, so the size of the set changes no drawing.
            let mut rng = stream(seed, part, index as u64, STREAM);
            corpus.extend(&draw(DIGITS[index % 10], &mut rng), &[index % 10], Some(split));
        }
    }
    corpus
}

fn draw(strokes: Strokes, rng: &mut Stream) -> Vec<u8> {
    let angle: f64 = rng.random_range(-0.18..0.18);
    let slant: f64 = rng.random_range(-0.25..0.25);
    let (width, height) = (rng.random_range(9.0..15.0), rng.random_range(17.0..21.0));
    let (x0, y0) = (13.5 + rng.random_range(-1.5..1.5), 13.5 + rng.random_range(-1.5..1.5));
    let pen: f64 = rng.random_range(0.9..1.6);
    let (sin, cos) = (libm::sin(angle), libm::cos(angle));
    let mut place = |(x, y): (f64, f64)| {
        let y = (y - 0.5 + rng.random_range(-0.04..0.04)) * height;
        let x = (x - 0.5 + rng.random_range(-0.04..0.04)) * width - slant * y;
        (x0 + cos * x - sin * y, y0 + sin * x + cos * y)
    };
    let placed: Vec<Vec<(f64, f64)>> =
        strokes.iter().map(|stroke| stroke.iter().map(|&point| place(point)).collect()).collect();
    let segments: Vec<_> = placed.iter().flat_map(|stroke| stroke.windows(2)).collect();
    (0..SIDE * SIDE)
        .map(|pixel| {
            let point = ((pixel % SIDE) as f64, (pixel / SIDE) as f64);
            let nearest = segments
                .iter()
                .map(|segment| distance(point, segment[0], segment[1]))
                .fold(f64::INFINITY, f64::min);
            // One pixel of soft edge around the pen.
            ((pen + 0.5 - nearest).clamp(0.0, 1.0) * 255.0) as u8
        })
        .collect()
}

/// Distance of a point from a segment.
fn distance((x, y): (f64, f64), (ax, ay): (f64, f64), (bx, by): (f64, f64)) -> f64 {
    let (dx, dy) = (bx - ax, by - ay);
    let along = ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy).max(1e-12);
    let along = along.clamp(0.0, 1.0);
    let (ex, ey) = (x - ax - along * dx, y - ay - along * dy);
    (ex * ex + ey * ey).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_set_and_size_changes_no_drawing() {
        let small = synthetic_digits(20, 10, 3);
        let large = synthetic_digits(40, 10, 3);
        assert_eq!(small.provenance, Provenance::Synthetic);
        assert_eq!(small.split(Split::Test).len(), 10);
        for index in 0..20 {
            assert_eq!(small.image(index), large.image(index));
        }
        assert_eq!(small.image(20), large.image(40), "first test drawing");
        assert_ne!(small.image(0), synthetic_digits(20, 10, 4).image(0));
        assert_ne!(small.image(0), small.image(10), "two drawings of one digit differ");
    }

    #[test]
    fn a_nearest_mean_tells_the_digits_apart() {
        let corpus = synthetic_digits(400, 100, 1);
        let mut means = vec![vec![0.0; corpus.shape.bytes()]; 10];
        for index in corpus.split(Split::Train) {
            let mean = &mut means[corpus.item(index).class];
            for (sum, &pixel) in mean.iter_mut().zip(corpus.image(index)) {
                *sum += f64::from(pixel) / 40.0;
            }
        }
        let squared = |mean: &[f64], image: &[u8]| -> f64 {
            mean.iter().zip(image).map(|(m, &p)| (m - f64::from(p)) * (m - f64::from(p))).sum()
        };
        let right = corpus
            .split(Split::Test)
            .into_iter()
            .filter(|&index| {
                let image = corpus.image(index);
                let best = (0..10).min_by(|&a, &b| {
                    squared(&means[a], image).total_cmp(&squared(&means[b], image))
                });
                best == Some(corpus.item(index).class)
            })
            .count();
        assert!(right >= 85, "{right} of 100");
    }
}
