//! Forward and backward passes of single layers over a few images at a time.
//!
//! A convolution gathers the values under each place of the kernel into a row ("im2col") and
//! multiplies matrices. Every sum runs in a fixed order, so a result does not depend on
//! threads, and an image's result does not depend on the images beside it.

use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2};
use trompe_corpora::ImageShape;

use super::architecture::{Layer, Stage};

/// Rows gathered at a time: the rows and their product stay in the second-level cache.
const ROWS: usize = 128;

/// A row-major matrix in a slice, which may be read transposed.
pub(super) fn matrix(values: &[f32], rows: usize, columns: usize) -> ArrayView2<'_, f32> {
    ArrayView2::from_shape((rows, columns), values).expect("the sizes of a checked net")
}

/// `product = scale * product + a b`.
fn multiply(a: &ArrayView2<'_, f32>, b: &ArrayView2<'_, f32>, scale: f32, product: &mut [f32]) {
    let mut product = ArrayViewMut2::from_shape((a.nrows(), b.ncols()), product)
        .expect("the sizes of a checked net");
    general_mat_mul(1.0, a, b, scale, &mut product);
}

impl Stage {
    /// Computes this layer's output for `images` images.
    pub(super) fn forward(
        &self,
        parameters: &[f32],
        images: usize,
        input: &[f32],
        output: &mut [f32],
        columns: &mut Vec<f32>,
    ) {
        match self.layer {
            Layer::Convolution { kernel, .. } => {
                self.convolve(kernel, parameters, images, input, output, columns);
            }
            Layer::MaxPool { side } => {
                for (input, output) in self.each_image(images, input, output) {
                    pool(input, self.input, side, output, self.output);
                }
            }
            Layer::Rectifier => {
                for (out, &value) in output.iter_mut().zip(input) {
                    *out = value.max(0.0);
                }
            }
            Layer::Dense { units } => {
                let (weights, biases) = self.split(parameters);
                output.chunks_exact_mut(units).for_each(|row| row.copy_from_slice(biases));
                let input = matrix(input, images, self.fan_in);
                multiply(&input, &matrix(weights, self.fan_in, units), 1.0, output);
            }
        }
    }

    /// Input and output of every image.
    fn each_image<'a>(
        &self,
        images: usize,
        input: &'a [f32],
        output: &'a mut [f32],
    ) -> impl Iterator<Item = (&'a [f32], &'a mut [f32])> {
        let outputs = output.chunks_exact_mut(self.output.bytes());
        input.chunks_exact(self.input.bytes()).zip(outputs).take(images)
    }

    fn convolve(
        &self,
        kernel: usize,
        parameters: &[f32],
        images: usize,
        input: &[f32],
        output: &mut [f32],
        columns: &mut Vec<f32>,
    ) {
        let (weights, biases) = self.split(parameters);
        let weights = matrix(weights, self.fan_in, biases.len());
        for (image, output) in self.each_image(images, input, output) {
            for (lines, output) in
                blocks(self.output).zip(output.chunks_mut(block_values(self.output)))
            {
                let rows = lines.len() * self.output.width;
                columns.resize(rows * self.fan_in, 0.0);
                gather(image, self.input, kernel, lines, columns);
                output.chunks_exact_mut(biases.len()).for_each(|row| row.copy_from_slice(biases));
                multiply(&matrix(columns, rows, self.fan_in), &weights, 1.0, output);
            }
        }
    }

    /// From the gradient of the loss by this layer's output, adds the gradient by its
    /// parameters to `gradient` and, if asked for, writes that by its input.
    #[allow(clippy::too_many_arguments)] // the arrays of one layer; a struct would only rename them
    pub(super) fn backward(
        &self,
        parameters: &[f32],
        images: usize,
        input: &[f32],
        output: &[f32],
        by_output: &[f32],
        gradient: &mut [f32],
        mut by_input: Option<&mut [f32]>,
        columns: &mut Vec<f32>,
    ) {
        match self.layer {
            Layer::Convolution { kernel, .. } => {
                self.convolve_back(
                    kernel, parameters, images, input, by_output, gradient, by_input, columns,
                );
            }
            Layer::MaxPool { side } => {
                let Some(by_input) = &mut by_input else { return };
                by_input.fill(0.0);
                let (inputs, outputs) = (self.input.bytes(), self.output.bytes());
                for image in 0..images {
                    let of_input = image * inputs..(image + 1) * inputs;
                    let of_output = image * outputs..(image + 1) * outputs;
                    pool_back(
                        &input[of_input.clone()],
                        &output[of_output.clone()],
                        &by_output[of_output],
                        (self.input, self.output, side),
                        &mut by_input[of_input],
                    );
                }
            }
            Layer::Rectifier => {
                let Some(by_input) = by_input else { return };
                for ((to, &from), &value) in by_input.iter_mut().zip(by_output).zip(output) {
                    *to = if value > 0.0 { from } else { 0.0 };
                }
            }
            Layer::Dense { units } => {
                let (weights, _) = self.split(parameters);
                let (by_weights, by_biases) = self.split_mut(gradient);
                let by_output = matrix(by_output, images, units);
                multiply(&matrix(input, images, self.fan_in).t(), &by_output, 1.0, by_weights);
                for row in by_output.rows() {
                    by_biases.iter_mut().zip(row).for_each(|(sum, &value)| *sum += value);
                }
                if let Some(by_input) = by_input {
                    multiply(&by_output, &matrix(weights, self.fan_in, units).t(), 0.0, by_input);
                }
            }
        }
    }

    #[allow(clippy::too_many_arguments)] // as `backward`
    fn convolve_back(
        &self,
        kernel: usize,
        parameters: &[f32],
        images: usize,
        input: &[f32],
        by_output: &[f32],
        gradient: &mut [f32],
        mut by_input: Option<&mut [f32]>,
        columns: &mut Vec<f32>,
    ) {
        let (weights, biases) = self.split(parameters);
        let weights = matrix(weights, self.fan_in, biases.len());
        let (by_weights, by_biases) = self.split_mut(gradient);
        if let Some(by_input) = &mut by_input {
            by_input.fill(0.0);
        }
        for image in 0..images {
            let of_input = image * self.input.bytes()..(image + 1) * self.input.bytes();
            let of_output = image * self.output.bytes()..(image + 1) * self.output.bytes();
            let by_output = &by_output[of_output];
            for row in by_output.chunks_exact(by_biases.len()) {
                by_biases.iter_mut().zip(row).for_each(|(sum, &value)| *sum += value);
            }
            for (lines, by_output) in
                blocks(self.output).zip(by_output.chunks(block_values(self.output)))
            {
                let rows = lines.len() * self.output.width;
                columns.resize(rows * self.fan_in, 0.0);
                gather(&input[of_input.clone()], self.input, kernel, lines.clone(), columns);
                let by_output = matrix(by_output, rows, biases.len());
                multiply(&matrix(columns, rows, self.fan_in).t(), &by_output, 1.0, by_weights);
                if let Some(by_input) = &mut by_input {
                    multiply(&by_output, &weights.t(), 0.0, columns);
                    scatter(columns, self.input, kernel, lines, &mut by_input[of_input.clone()]);
                }
            }
        }
    }
}

/// Ranges of output lines that are convolved together.
fn blocks(output: ImageShape) -> impl Iterator<Item = std::ops::Range<usize>> {
    let lines = lines_per_block(output);
    (0..output.height).step_by(lines).map(move |first| first..(first + lines).min(output.height))
}

fn lines_per_block(output: ImageShape) -> usize {
    (ROWS / output.width).clamp(1, output.height)
}

/// Output values of a whole block.
fn block_values(output: ImageShape) -> usize {
    lines_per_block(output) * output.width * output.channels
}

/// For every place of the kernel in the output lines `lines`, the values under it as one row.
fn gather(
    image: &[f32],
    shape: ImageShape,
    kernel: usize,
    lines: std::ops::Range<usize>,
    columns: &mut [f32],
) {
    let (line, segment) = (shape.width * shape.channels, kernel * shape.channels);
    let places = shape.width - kernel + 1;
    for (row, values) in columns.chunks_exact_mut(segment * kernel).enumerate() {
        let (y, x) = (lines.start + row / places, row % places);
        let start = y * line + x * shape.channels;
        for (dy, values) in values.chunks_exact_mut(segment).enumerate() {
            values.copy_from_slice(&image[start + dy * line..][..segment]);
        }
    }
}

/// The reverse of [`gather`]: adds every row back to the values it came from.
fn scatter(
    columns: &[f32],
    shape: ImageShape,
    kernel: usize,
    lines: std::ops::Range<usize>,
    image: &mut [f32],
) {
    let (line, segment) = (shape.width * shape.channels, kernel * shape.channels);
    let places = shape.width - kernel + 1;
    for (row, values) in columns.chunks_exact(segment * kernel).enumerate() {
        let (y, x) = (lines.start + row / places, row % places);
        let start = y * line + x * shape.channels;
        for (dy, values) in values.chunks_exact(segment).enumerate() {
            let image = &mut image[start + dy * line..][..segment];
            image.iter_mut().zip(values).for_each(|(sum, &value)| *sum += value);
        }
    }
}

fn pool(input: &[f32], shape: ImageShape, side: usize, output: &mut [f32], pooled: ImageShape) {
    let channels = shape.channels;
    for (place, out) in output.chunks_exact_mut(channels).enumerate() {
        let (y, x) = (place / pooled.width * side, place % pooled.width * side);
        for dy in 0..side {
            for dx in 0..side {
                let values = &input[((y + dy) * shape.width + x + dx) * channels..][..channels];
                if dy + dx == 0 {
                    out.copy_from_slice(values);
                } else {
                    for (best, &value) in out.iter_mut().zip(values) {
                        *best = if value > *best { value } else { *best };
                    }
                }
            }
        }
    }
}

/// Hands each gradient to the first value of its square that is the largest.
fn pool_back(
    input: &[f32],
    output: &[f32],
    by_output: &[f32],
    (shape, pooled, side): (ImageShape, ImageShape, usize),
    by_input: &mut [f32],
) {
    let channels = shape.channels;
    for (place, largest) in output.iter().enumerate() {
        let (place, channel) = (place / channels, place % channels);
        let (y, x) = (place / pooled.width * side, place % pooled.width * side);
        let source = (0..side * side)
            .map(|i| ((y + i / side) * shape.width + x + i % side) * channels + channel)
            .find(|&source| input[source] == *largest);
        if let Some(source) = source {
            by_input[source] = by_output[place * channels + channel];
        }
    }
}
