//! Logits of many images at once.
//!
//! Images lie side by side in the lanes of vectors: one vector holds the same value of 8 or 16
//! images, so every image is computed by the same operations in the same order, whatever the
//! images beside it and however wide the vectors. Products and sums are fused, which rounds
//! the same on every instruction set. Weights are laid out once, in the order of their use.

use std::cell::RefCell;

use pulp::{Arch, Simd, WithSimd};
use trompe_corpora::ImageShape;

use super::architecture::PIXEL_SCALE;
use super::architecture::{Layer, Stage};

/// Groups of one vector's images whose dense layers are computed together: their weights come
/// from beyond the second-level cache once for all of them.
const GROUPS: usize = 4;

/// Images of the widest vector, and of the next.
const WIDE: usize = 16;
const NARROW: usize = 8;

/// Channels that are summed together where four places are pooled: twelve sums, the places'
/// values and the weights fit 16 registers.
const POOLED_WIDTHS: [usize; 3] = [3, 2, 1];

/// Channels that are summed together at one place.
const PLAIN_WIDTHS: [usize; 4] = [12, 4, 2, 1];

/// A net made ready to compute logits.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct InferencePlan {
    mean: Vec<f32>,
    steps: Vec<Step>,
    /// The first step with one place only: from there on groups of images go together.
    together: usize,
    classes: usize,
}

/// One layer, with the pooling and the rectifier that follow it.
#[derive(Debug, Clone, PartialEq)]
struct Step {
    work: LayerWork,
    input: ImageShape,
    output: ImageShape,
    rectify: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum LayerWork {
    /// Weighted sums under square kernels; the largest of 2 x 2 of them if `pooled`. A dense
    /// layer is one of a single place, with all values as its channels.
    Sums { kernel: usize, pooled: bool, blocks: Vec<Block> },
    /// The largest value of squares.
    Pool { side: usize },
}

/// Weights and biases of a few neighbouring channels.
#[derive(Debug, Clone, PartialEq)]
struct Block {
    first: usize,
    /// One per channel.
    biases: Vec<f32>,
    /// One row per value under the kernel, one column per channel.
    weights: Vec<f32>,
}

impl InferencePlan {
    /// Makes a net of `stages` ready.
    pub(super) fn new(stages: &[Stage], mean: &[f32], parameters: &[f32]) -> Self {
        let mut steps = Vec::new();
        let mut stages = stages.iter().peekable();
        while let Some(stage) = stages.next() {
            let (mut input, mut output) = (stage.input, stage.output);
            let work = match stage.layer {
                Layer::Convolution { kernel, .. } => {
                    let pool = stages.next_if(|next| next.layer == Layer::MaxPool { side: 2 });
                    output = pool.map_or(output, |pool| pool.output);
                    let pooled = pool.is_some();
                    let widths = if pooled { &POOLED_WIDTHS[..] } else { &PLAIN_WIDTHS };
                    LayerWork::Sums { kernel, pooled, blocks: blocks(stage, parameters, widths) }
                }
                Layer::Dense { .. } => {
                    input = ImageShape { width: 1, height: 1, channels: input.bytes() };
                    let blocks = blocks(stage, parameters, &PLAIN_WIDTHS);
                    LayerWork::Sums { kernel: 1, pooled: false, blocks }
                }
                Layer::MaxPool { side } => LayerWork::Pool { side },
                Layer::Rectifier => {
                    steps.push(Step {
                        work: LayerWork::Pool { side: 1 },
                        input,
                        output,
                        rectify: true,
                    });
                    continue;
                }
            };
            let rectify = stages.next_if(|next| next.layer == Layer::Rectifier).is_some();
            steps.push(Step { work, input, output, rectify });
        }
        let one_place = |step: &Step| step.input.width * step.input.height == 1;
        let together = steps.iter().position(one_place).unwrap_or(steps.len());
        let classes = steps.last().map_or(0, |step| step.output.channels);
        Self { mean: mean.to_vec(), steps, together, classes }
    }

    /// Writes the logits of 8-bit `images`, one after another, row by row.
    pub(super) fn logits(&self, images: &[u8], logits: &mut [f32]) {
        let count = logits.len() / self.classes;
        // A few images that would fill half of the widest vectors at most go in narrower ones.
        let few = count % WIDE;
        let wide = if few <= NARROW { count - few } else { count };
        let (images, few_images) = images.split_at(wide * self.mean.len());
        let (logits, few_logits) = logits.split_at_mut(wide * self.classes);
        self.run(Arch::new(), images, logits);
        self.run(narrow(), few_images, few_logits);
    }

    fn run(&self, arch: Arch, images: &[u8], logits: &mut [f32]) {
        ROOM.with_borrow_mut(|room| arch.dispatch(Run { plan: self, images, logits, room }));
    }
}

/// Instructions on vectors of [`NARROW`] images, where the machine has them.
fn narrow() -> Arch {
    #[cfg(target_arch = "x86_64")]
    if let Some(simd) = pulp::x86::V3::try_new() {
        return Arch::V3(simd);
    }
    Arch::new()
}

/// Cuts the channels of `stage` into blocks of the largest of `widths` that fits.
fn blocks(stage: &Stage, parameters: &[f32], widths: &[usize]) -> Vec<Block> {
    let (weights, biases) = stage.split(parameters);
    let mut blocks = Vec::new();
    let mut first = 0;
    while first < biases.len() {
        let left = biases.len() - first;
        let width = widths.iter().copied().find(|&width| width <= left).unwrap_or(1);
        let rows = weights.chunks_exact(biases.len());
        blocks.push(Block {
            first,
            biases: biases[first..first + width].to_vec(),
            weights: rows.flat_map(|row| &row[first..first + width]).copied().collect(),
        });
        first += width;
    }
    blocks
}

/// Values of one group of images before and after a step, and the same of all groups.
#[derive(Default)]
struct Room {
    group: [Vec<f32>; 2],
    groups: [Vec<f32>; 2],
}

thread_local! {
    /// Each thread keeps its room between calls: a fresh one costs more than a small batch.
    static ROOM: RefCell<Room> = RefCell::default();
}

/// `length` values that begin at the begin of a cache line.
fn aligned(buffer: &mut Vec<f32>, length: usize) -> &mut [f32] {
    const LINE: usize = 64;
    if buffer.len() < length + LINE {
        buffer.resize(length + LINE, 0.0);
    }
    let skip = buffer.as_ptr().align_offset(LINE).min(LINE);
    &mut buffer[skip..skip + length]
}

/// A call of [`InferencePlan::logits`].
struct Run<'a> {
    plan: &'a InferencePlan,
    images: &'a [u8],
    logits: &'a mut [f32],
    room: &'a mut Room,
}

impl WithSimd for Run<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { plan, images, logits, room } = self;
        let (lanes, size) = (S::F32_LANES, plan.mean.len());
        let (apart, together) = plan.steps.split_at(plan.together);
        let widest = |steps: &[Step]| {
            steps.iter().map(|step| step.input.bytes().max(step.output.bytes())).max()
        };
        let of_group = widest(apart).unwrap_or(0).max(size);
        let of_groups = widest(together).unwrap_or(0).max(plan.classes);
        let [mut from, mut to] =
            room.group.each_mut().map(|buffer| aligned(buffer, of_group * lanes));
        let [mut all_from, mut all_to] =
            room.groups.each_mut().map(|buffer| aligned(buffer, of_groups * lanes * GROUPS));
        let images = images.chunks(size * lanes * GROUPS);
        for (images, logits) in images.zip(logits.chunks_mut(plan.classes * lanes * GROUPS)) {
            let features = together.first().map_or(plan.classes, |step| step.input.bytes());
            let groups = images.len().div_ceil(size * lanes);
            let rooms = all_from.chunks_exact_mut(features * lanes);
            for (images, room) in images.chunks(size * lanes).zip(rooms) {
                read(images, &plan.mean, lanes, from);
                for step in apart {
                    step.apply(simd, 1, from, to);
                    std::mem::swap(&mut from, &mut to);
                }
                room.copy_from_slice(&from[..room.len()]);
            }
            for step in together {
                step.apply(simd, groups, all_from, all_to);
                std::mem::swap(&mut all_from, &mut all_to);
            }
            for (image, row) in logits.chunks_exact_mut(plan.classes).enumerate() {
                let group = &all_from[image / lanes * plan.classes * lanes..];
                for (logit, values) in row.iter_mut().zip(group.chunks_exact(lanes)) {
                    *logit = values[image % lanes];
                }
            }
        }
    }
}

/// Spreads up to `lanes` images over the lanes; lanes without an image keep what they have.
#[inline(always)]
fn read(images: &[u8], mean: &[f32], lanes: usize, values: &mut [f32]) {
    for (lane, image) in images.chunks_exact(mean.len()).enumerate() {
        let values = values[lane..].iter_mut().step_by(lanes);
        for ((value, &pixel), &mean) in values.zip(image).zip(mean) {
            *value = (f32::from(pixel) - mean) * PIXEL_SCALE;
        }
    }
}

impl Step {
    /// Computes this step for `groups` groups of images.
    #[inline(always)]
    fn apply<S: Simd>(&self, simd: S, groups: usize, input: &[f32], output: &mut [f32]) {
        let input = S::as_simd_f32s(input).0;
        let output = S::as_mut_simd_f32s(output).0;
        let (inputs, outputs) = (self.input.bytes(), self.output.bytes());
        match &self.work {
            // One place: a block of weights serves all groups before the next one is read.
            LayerWork::Sums { kernel, pooled: false, blocks }
                if outputs == self.output.channels =>
            {
                for block in blocks {
                    for (input, output) in input
                        .chunks_exact(inputs)
                        .zip(output.chunks_exact_mut(outputs))
                        .take(groups)
                    {
                        self.sum_plain(simd, *kernel, block, input, output);
                    }
                }
            }
            LayerWork::Sums { kernel, pooled, blocks } => {
                for (input, output) in
                    input.chunks_exact(inputs).zip(output.chunks_exact_mut(outputs)).take(groups)
                {
                    self.convolve(simd, (*kernel, *pooled), blocks, input, output);
                }
            }
            LayerWork::Pool { side } => {
                for (input, output) in
                    input.chunks_exact(inputs).zip(output.chunks_exact_mut(outputs)).take(groups)
                {
                    self.pool(simd, *side, input, output);
                }
            }
        }
    }

    /// The sums of all blocks at every place of one group.
    #[inline(always)]
    fn convolve<S: Simd>(
        &self,
        simd: S,
        (kernel, pooled): (usize, bool),
        blocks: &[Block],
        input: &[S::f32s],
        output: &mut [S::f32s],
    ) {
        let stride = if pooled { 2 } else { 1 };
        for (place, output) in output.chunks_exact_mut(self.output.channels).enumerate() {
            let (y, x) = (place / self.output.width * stride, place % self.output.width * stride);
            let input = &input[(y * self.input.width + x) * self.input.channels..];
            for block in blocks {
                if pooled {
                    self.sum_pooled(simd, kernel, block, input, output);
                } else {
                    self.sum_plain(simd, kernel, block, input, output);
                }
            }
        }
    }

    /// The sums of `block` at the place where `input` begins.
    #[inline(always)]
    fn sum_plain<S: Simd>(
        &self,
        simd: S,
        kernel: usize,
        block: &Block,
        input: &[S::f32s],
        output: &mut [S::f32s],
    ) {
        match block.biases.len() {
            12 => self.sum::<S, 1, 12>(simd, kernel, block, [input], output),
            4 => self.sum::<S, 1, 4>(simd, kernel, block, [input], output),
            2 => self.sum::<S, 1, 2>(simd, kernel, block, [input], output),
            _ => self.sum::<S, 1, 1>(simd, kernel, block, [input], output),
        }
    }

    /// The largest of the sums of `block` at the four places from where `input` begins.
    #[inline(always)]
    fn sum_pooled<S: Simd>(
        &self,
        simd: S,
        kernel: usize,
        block: &Block,
        input: &[S::f32s],
        output: &mut [S::f32s],
    ) {
        let (right, below) = (self.input.channels, self.input.width * self.input.channels);
        let places = [0, right, below, below + right].map(|start| &input[start..]);
        match block.biases.len() {
            3 => self.sum::<S, 4, 3>(simd, kernel, block, places, output),
            2 => self.sum::<S, 4, 2>(simd, kernel, block, places, output),
            _ => self.sum::<S, 4, 1>(simd, kernel, block, places, output),
        }
    }

    /// Sums of `C` channels at `P` places, of which the largest counts. Each is its bias and
    /// then the products in the order of the weights' rows.
    #[inline(always)]
    fn sum<S: Simd, const P: usize, const C: usize>(
        &self,
        simd: S,
        kernel: usize,
        block: &Block,
        places: [&[S::f32s]; P],
        output: &mut [S::f32s],
    ) {
        let line = self.input.width * self.input.channels;
        let segment = kernel * self.input.channels;
        let mut sums = [[simd.splat_f32s(0.0); C]; P];
        for sums in &mut sums {
            for (sum, &bias) in sums.iter_mut().zip(&block.biases) {
                *sum = simd.splat_f32s(bias);
            }
        }
        for (y, weights) in block.weights.chunks_exact(segment * C).enumerate() {
            let values = places.map(|place| &place[y * line..][..segment]);
            for (x, weights) in weights.as_chunks::<C>().0.iter().enumerate() {
                for (sums, values) in sums.iter_mut().zip(&values) {
                    for (sum, &weight) in sums.iter_mut().zip(weights) {
                        *sum = simd.mul_add_f32s(simd.splat_f32s(weight), values[x], *sum);
                    }
                }
            }
        }
        for (channel, out) in output[block.first..][..C].iter_mut().enumerate() {
            let mut most = sums[0][channel];
            for sums in &sums[1..] {
                most = simd.max_f32s(most, sums[channel]);
            }
            *out = self.rectified(simd, most);
        }
    }

    /// The largest value of every square, channel by channel.
    #[inline(always)]
    fn pool<S: Simd>(&self, simd: S, side: usize, input: &[S::f32s], output: &mut [S::f32s]) {
        let channels = self.output.channels;
        for (place, output) in output.chunks_exact_mut(channels).enumerate() {
            let (y, x) = (place / self.output.width * side, place % self.output.width * side);
            for (channel, out) in output.iter_mut().enumerate() {
                let value = |square: usize| {
                    let (y, x) = (y + square / side, x + square % side);
                    input[(y * self.input.width + x) * channels + channel]
                };
                let mut most = value(0);
                for square in 1..side * side {
                    most = simd.max_f32s(most, value(square));
                }
                *out = self.rectified(simd, most);
            }
        }
    }

    #[inline(always)]
    fn rectified<S: Simd>(&self, simd: S, value: S::f32s) -> S::f32s {
        if self.rectify { simd.max_f32s(value, simd.splat_f32s(0.0)) } else { value }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Architecture;
    use super::super::tests::{noise, untrained};
    use super::*;

    #[test]
    fn every_instruction_set_gives_the_same_bits() {
        let shape = ImageShape::grey(28, 28);
        let net = untrained(Architecture::lenet5(shape, 10), 2);
        let images = noise(5 * shape.bytes());
        let by = |arch: Arch| {
            let mut logits = vec![0.0; 50];
            net.plan.run(arch, &images, &mut logits);
            logits.into_iter().map(f32::to_bits).collect::<Vec<_>>()
        };
        let found = by(Arch::new());
        assert_eq!(found, by(Arch::Scalar));
        assert_eq!(found, by(narrow()));
    }
}
