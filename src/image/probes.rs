//! Images without content, and one image taken apart, as [`crate::audio::probes`] for sound.

use trompe_base::random::{index, shuffle, stream};
use trompe_corpora::{Image, ImageShape};

/// Key of the random streams.
const STREAM: u64 = 0x7072_6f62;

/// Probes of a size, each with its name: uniform noise, flat grey, black and white.
pub fn probes(shape: ImageShape) -> Vec<(&'static str, Image)> {
    let mut rng = stream(0, STREAM, 0, 0);
    let noise = (0..shape.bytes()).map(|_| index(256, &mut rng) as u8).collect();
    let flat = |value: u8| vec![value; shape.bytes()];
    [("noise", noise), ("flat grey", flat(128)), ("black", flat(0)), ("white", flat(255))]
        .map(|(name, pixels)| (name, Image { shape, pixels }))
        .into()
}

/// An image as it is, and with its pixels shuffled.
pub fn probes_of_image(image: &Image) -> Vec<(&'static str, Image)> {
    let channels = (image.shape.bytes() / (image.shape.width * image.shape.height).max(1)).max(1);
    let mut pixels: Vec<&[u8]> = image.pixels.chunks(channels).collect();
    shuffle(&mut pixels, &mut stream(0, STREAM, 1, 0));
    let shuffled = Image { shape: image.shape, pixels: pixels.concat() };
    vec![("the image as it is", image.clone()), ("the image with shuffled pixels", shuffled)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probes_have_the_size_that_is_asked_for() {
        let shape = ImageShape::grey(8, 6);
        let made = probes(shape);
        assert!(made.iter().all(|(_, image)| image.shape == shape && image.pixels.len() == 48));
        let apart = probes_of_image(&made[0].1);
        let sorted = |image: &Image| {
            let mut pixels = image.pixels.clone();
            pixels.sort_unstable();
            pixels
        };
        assert_eq!(sorted(&apart[0].1), sorted(&apart[1].1));
        assert_ne!(apart[0].1, apart[1].1);
    }
}
