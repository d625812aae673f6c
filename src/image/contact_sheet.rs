//! All images of a fooling set on one image: a row a class, best first.

use std::path::Path;

use trompe_corpora::images::read_png;
use trompe_corpora::{Image, ImageShape, Limits};

use crate::error::Result;
use crate::exhibits::Manifest;

/// Most pixels on a side: what trompe itself reads.
const LARGEST: usize = 4_096;

/// Small images are enlarged towards this side.
const COMFORTABLE: usize = 84;

/// Pixels between images.
const GAP: usize = 4;

/// Between the black and the white that images are made of.
const BACKGROUND: u8 = 128;

/// The contact sheet of the images in the folder `set`; `None` without images, or with more of
/// them than a sheet of 4,096 x 4,096 pixels can show. Every class has its row, empty if
/// nothing reached the threshold; rows that do not fit below one another go on to the right.
///
/// # Errors
/// [`crate::Error::Corpora`] if a file cannot be read.
pub fn contact_sheet(set: &Path, manifest: &Manifest) -> Result<Option<Image>> {
    let Some(first) = manifest.exhibits.first() else { return Ok(None) };
    let shape = read_png(&set.join(&first.file), &Limits::default())?.shape;
    let classes = manifest.origin.classes.len();
    let counts = (0..classes).map(|class| manifest.of_class(class).count());
    let Some(grid) = Grid::new(shape, classes, counts.max().unwrap_or(1)) else { return Ok(None) };
    let mut sheet = grid.empty(shape.channels);
    for class in 0..classes {
        for (column, exhibit) in manifest.of_class(class).enumerate() {
            let image = read_png(&set.join(&exhibit.file), &Limits::default())?;
            grid.paste(&image, class, column, &mut sheet);
        }
    }
    Ok(Some(sheet))
}

/// Where images lie on a sheet.
struct Grid {
    /// One pixel becomes `enlarged / reduced`.
    enlarged: usize,
    reduced: usize,
    /// Width and height of an image on the sheet.
    cell: (usize, usize),
    /// Images of a class, classes below one another, and such stacks side by side.
    columns: usize,
    rows: usize,
    stacks: usize,
}

impl Grid {
    /// The largest grid that fits a sheet.
    fn new(shape: ImageShape, classes: usize, columns: usize) -> Option<Self> {
        let side = shape.width.max(shape.height);
        let enlarged = (COMFORTABLE / side).max(1);
        (1..=side * enlarged).find_map(|reduced| {
            let cell = [shape.width, shape.height].map(|side| (side * enlarged).div_ceil(reduced));
            let rows = ((LARGEST - GAP) / (cell[1] + GAP)).min(classes);
            let stacks = classes.div_ceil(rows.max(1));
            let grid = Self { enlarged, reduced, cell: (cell[0], cell[1]), columns, rows, stacks };
            (rows > 0 && grid.size().0 <= LARGEST).then_some(grid)
        })
    }

    /// Width and height of the sheet.
    fn size(&self) -> (usize, usize) {
        let stack = self.columns * (self.cell.0 + GAP) + GAP;
        (self.stacks * stack, self.rows * (self.cell.1 + GAP) + GAP)
    }

    fn empty(&self, channels: usize) -> Image {
        let (width, height) = self.size();
        let shape = ImageShape { width, height, channels };
        Image { shape, pixels: vec![BACKGROUND; shape.bytes()] }
    }

    /// Puts `image` on the sheet, every pixel that of its nearest.
    fn paste(&self, image: &Image, class: usize, column: usize, sheet: &mut Image) {
        let channels = image.shape.channels;
        let stack = class / self.rows * (self.columns * (self.cell.0 + GAP) + GAP);
        let left = stack + GAP + column * (self.cell.0 + GAP);
        let top = GAP + class % self.rows * (self.cell.1 + GAP);
        for y in 0..self.cell.1 {
            for x in 0..self.cell.0 {
                let [from_y, from_x] = [y, x].map(|place| place * self.reduced / self.enlarged);
                let from = (from_y * image.shape.width + from_x) * channels;
                let to = ((top + y) * sheet.shape.width + left + x) * channels;
                sheet.pixels[to..to + channels]
                    .copy_from_slice(&image.pixels[from..from + channels]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn images_lie_class_by_class() {
        let grid = Grid::new(ImageShape::grey(28, 28), 10, 3).unwrap();
        assert_eq!((grid.enlarged, grid.reduced, grid.cell), (3, 1, (84, 84)));
        assert_eq!(grid.size(), (3 * 88 + 4, 10 * 88 + 4));
        let mut sheet = grid.empty(1);
        let image = Image {
            shape: ImageShape::grey(28, 28),
            pixels: (0..784).map(|i| (i % 251) as u8).collect(),
        };
        grid.paste(&image, 9, 2, &mut sheet);
        let at = |x: usize, y: usize| sheet.pixels[y * sheet.shape.width + x];
        let (left, top) = (4 + 2 * 88, 4 + 9 * 88);
        for (x, y) in [(0, 0), (83, 0), (40, 77), (83, 83)] {
            assert_eq!(at(left + x, top + y), image.pixels[y / 3 * 28 + x / 3]);
        }
        assert_eq!((at(left - 1, top), at(left, top - 1), at(left + 84, top)), (128, 128, 128));
    }

    #[test]
    fn a_thousand_classes_of_large_images_fit() {
        let shape = ImageShape::rgb(224, 224);
        let grid = Grid::new(shape, 1_000, 2).unwrap();
        let (width, height) = grid.size();
        assert!(width <= LARGEST && height <= LARGEST && grid.cell.0 > 30, "{:?}", grid.cell);
        assert!(grid.rows * grid.stacks >= 1_000);
        let mut sheet = grid.empty(3);
        let image = Image { shape, pixels: vec![9; shape.bytes()] };
        grid.paste(&image, 999, 1, &mut sheet);
        assert_eq!(
            sheet.pixels.iter().filter(|&&value| value == 9).count(),
            grid.cell.0 * grid.cell.1 * 3
        );
        assert!(Grid::new(shape, 10_000_000, 1).is_none());
    }
}
