//! A spectrogram as a small picture inside a page: ink of sixteen strengths on nothing, so that it
//! stands on light ground as it is and on dark ground inverted.

use maud::{Markup, html};
use png::{BitDepth, ColorType, Compression, Encoder, EncodingError};
use trompe_base::encoding::base64;

use crate::exhibits::Spectrogram;

/// Strengths of ink: four bits a cell keep thirty pictures below 200 kB.
const STRENGTHS: usize = 16;

/// The ink of light pages; the style sheet inverts it on dark ones.
const INK: [u8; 3] = [0x1e, 0x1d, 0x1b];

/// The picture; nothing for a spectrogram without cells. It says nothing that the sound beside it does
/// not, so that it has no text of its own.
pub(super) fn picture(spectrogram: &Spectrogram) -> Markup {
    match png(spectrogram) {
        Ok(Some(png)) => html! {
            img.spectrogram src={ "data:image/png;base64," (base64(&png)) } alt="";
        },
        // A picture in memory fails for its size alone, which `png` checks.
        Ok(None) | Err(_) => html! {},
    }
}

/// The PNG file, `None` without cells.
fn png(spectrogram: &Spectrogram) -> Result<Option<Vec<u8>>, EncodingError> {
    let Spectrogram { columns, levels } = spectrogram;
    let rows = levels.len().checked_div(*columns).unwrap_or(0);
    let sides = u32::try_from(*columns).ok().zip(u32::try_from(rows).ok());
    let Some((width, height)) = sides.filter(|_| rows > 0) else { return Ok(None) };
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, width, height);
    encoder.set_color(ColorType::Indexed);
    encoder.set_depth(BitDepth::Four);
    encoder.set_compression(Compression::High);
    encoder.set_palette(INK.repeat(STRENGTHS));
    let alpha = |strength| (strength * 255 / (STRENGTHS - 1)) as u8;
    encoder.set_trns((0..STRENGTHS).map(alpha).collect::<Vec<u8>>());
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&packed(levels, *columns, rows))?;
    writer.finish()?;
    Ok(Some(file))
}

/// Rows from the highest band to the lowest, two cells a byte.
fn packed(levels: &[f32], columns: usize, rows: usize) -> Vec<u8> {
    let cell = |column: usize, row: usize| match column < columns {
        true => {
            let level = levels[column * rows + rows - 1 - row].clamp(0.0, 1.0);
            (level * (STRENGTHS - 1) as f32).round() as u8
        }
        false => 0,
    };
    let pair = |row: usize, column: usize| cell(column, row) << 4 | cell(column + 1, row);
    (0..rows).flat_map(|row| (0..columns).step_by(2).map(move |column| pair(row, column))).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn cells_become_ink_with_high_bands_on_top() {
        let levels = vec![0.0, 1.0, 0.5, 0.2, f32::NAN, 9.0];
        assert_eq!(packed(&levels, 3, 2), [0xf3, 0xf0, 0x08, 0x00]);
        let spectrogram = Spectrogram { columns: 3, levels };
        let file = png(&spectrogram).unwrap().unwrap();
        assert_eq!(png(&spectrogram).unwrap().unwrap(), file, "the same bytes again");
        let mut decoder = png::Decoder::new(std::io::Cursor::new(&file));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.width, info.height), (3, 2));
        let alphas: Vec<u8> = pixels.chunks(4).map(|pixel| pixel[3]).collect();
        assert_eq!(alphas, [255, 51, 255, 0, 136, 0]);
        assert!(pixels.chunks(4).all(|pixel| pixel[..3] == INK));
    }

    #[test]
    fn no_cells_are_no_picture() {
        for (columns, cells) in [(0, 0), (0, 3), (4, 0), (4, 3)] {
            let empty = Spectrogram { columns, levels: vec![0.5; cells] };
            assert_eq!(picture(&empty).into_string(), "");
        }
        let one = Spectrogram { columns: 1, levels: vec![0.5] };
        assert!(picture(&one).into_string().starts_with("<img class=\"spectrogram\" src=\"data:"));
    }
}
