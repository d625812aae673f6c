//! From 8-bit images to the numbers a net is shown.

use trompe_corpora::ImageShape;

use super::description::{Colour, Crops, ImageDescription, Layout};

/// One part of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Crop {
    /// First column.
    left: usize,
    /// First row.
    top: usize,
    /// Whether left and right change places.
    mirrored: bool,
}

impl ImageDescription {
    /// The parts of an image that the net is shown, in a fixed order.
    pub(super) fn parts(&self) -> Vec<Crop> {
        let image = self.image_shape();
        let (right, bottom) = (image.width - self.width, image.height - self.height);
        let places: &[(usize, usize)] = match self.crops {
            Crops::Whole => return vec![Crop { left: 0, top: 0, mirrored: false }],
            Crops::Ten { .. } => {
                &[(0, 0), (right, 0), (0, bottom), (right, bottom), (right / 2, bottom / 2)]
            }
        };
        [false, true]
            .into_iter()
            .flat_map(|mirrored| {
                places.iter().map(move |&(left, top)| Crop { left, top, mirrored })
            })
            .collect()
    }

    /// Axes of the input for one image.
    pub(super) fn input_axes(&self) -> [usize; 4] {
        let channels = self.colour.channels();
        match self.layout {
            Layout::Nchw => [1, channels, self.height, self.width],
            Layout::Nhwc => [1, self.height, self.width, channels],
        }
    }

    /// Writes one part of `image` to `input` as the net wants it.
    pub(super) fn write_input(&self, image: &[u8], part: Crop, input: &mut [f32]) {
        let ImageShape { width: columns, channels, .. } = self.image_shape();
        let plane = self.width * self.height;
        for place in 0..plane {
            let (row, column) = (place / self.width, place % self.width);
            let column = if part.mirrored { self.width - 1 - column } else { column };
            let start = ((part.top + row) * columns + part.left + column) * channels;
            for channel in 0..channels {
                let from = match self.colour {
                    Colour::Grey | Colour::Rgb => channel,
                    Colour::Bgr => channels - 1 - channel,
                };
                let byte = f32::from(image[start + from]);
                let to = match self.layout {
                    Layout::Nchw => channel * plane + place,
                    Layout::Nhwc => place * channels + channel,
                };
                input[to] = (byte - self.mean[channel]) / self.deviation[channel];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::tests::DESCRIPTION;
    use super::*;

    fn description(changes: &[(&str, &str)], more: &str) -> ImageDescription {
        let text = changes.iter().fold(DESCRIPTION.to_owned(), |text, (a, b)| text.replace(a, b));
        toml::from_str(&format!("{text}{more}")).unwrap()
    }

    fn inputs(description: &ImageDescription, image: &[u8]) -> Vec<Vec<f32>> {
        let size = description.input_axes().iter().product();
        let write = |part| {
            let mut input = vec![f32::NAN; size];
            description.write_input(image, part, &mut input);
            input
        };
        description.parts().into_iter().map(write).collect()
    }

    #[test]
    fn bytes_go_to_their_channel_and_place() {
        let image: Vec<u8> = (0..36).collect();
        let plain = &inputs(&description(&[], ""), &image)[0];
        // Channel 2 of the second row's first pixel: byte 4 * 3 + 2.
        assert_eq!(plain[2 * 12 + 4], (14.0 - 127.0) / 128.0);
        let changes = [("\"rgb\"", "\"bgr\""), ("deviation = [128,", "deviation = [2,")];
        let reversed = &inputs(&description(&changes, "layout = \"nhwc\"\n"), &image)[0];
        assert_eq!(reversed[4 * 3], (14.0 - 127.0) / 2.0);
        assert_eq!(reversed[4 * 3 + 2], (12.0 - 127.0) / 128.0);
        let grey =
            [("\"rgb\"", "\"grey\""), ("[127, 127, 127]", "[0]"), ("[128, 128, 128]", "[1]")];
        let grey = &inputs(&description(&grey, ""), &image[..12])[0];
        assert_eq!(*grey, (0..12).map(|value| value as f32).collect::<Vec<_>>());
    }

    #[test]
    fn ten_crops_are_corners_centre_and_their_mirrors() {
        let grey =
            [("\"rgb\"", "\"grey\""), ("[127, 127, 127]", "[0]"), ("[128, 128, 128]", "[1]")];
        let ten = "crops = { kind = \"ten\", width = 6, height = 5 }\n";
        let inputs = inputs(&description(&grey, ten), &(0..30).collect::<Vec<u8>>());
        let firsts: Vec<f32> = inputs.iter().map(|input| input[0]).collect();
        assert_eq!(firsts, [0.0, 2.0, 12.0, 14.0, 7.0, 3.0, 5.0, 15.0, 17.0, 10.0]);
        let rows = |input: &[f32]| input.chunks(4).map(<[f32]>::to_vec).collect::<Vec<_>>();
        for (plain, mirrored) in inputs[..5].iter().zip(&inputs[5..]) {
            for (row, mirrored) in rows(plain).into_iter().zip(rows(mirrored)) {
                assert_eq!(row.into_iter().rev().collect::<Vec<_>>(), mirrored);
            }
        }
    }
}
