//! Pictures without anything but pixels: text, times and profiles could tell where a picture
//! comes from.

use std::io::{Read, Write};
use std::path::Path;

use rand::RngExt;
use trompe_base::random::Stream;

use crate::error::{Error, Result};

const SIGNATURE: &[u8; 8] = b"\x89PNG\r\n\x1a\n";

/// Largest picture taken, in bytes.
const LARGEST: usize = 32 << 20;

/// Most bytes of pixels that are compressed anew.
const LARGEST_PIXELS: u64 = 256 << 20;

/// The PNG in `bytes` with only the chunks that draw it (PNG, 3rd edition, 5.6).
pub(crate) fn strip(path: &Path, bytes: &[u8]) -> Result<Vec<u8>> {
    let bad = |what: &str| Error::bad_file(path, what, "save it again as a PNG file");
    if bytes.len() > LARGEST {
        return Err(bad("it is larger than 32 MiB"));
    }
    let mut rest = bytes.strip_prefix(SIGNATURE).ok_or_else(|| bad("it is not a PNG file"))?;
    let mut kept = SIGNATURE.to_vec();
    loop {
        let (head, _) = rest.split_at_checked(8).ok_or_else(|| bad("it breaks off"))?;
        let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let kind: [u8; 4] = [head[4], head[5], head[6], head[7]];
        let whole = length.checked_add(12).ok_or_else(|| bad("a chunk has no end"))?;
        let (chunk, after) = rest.split_at_checked(whole).ok_or_else(|| bad("it breaks off"))?;
        let mut crc = flate2::Crc::new();
        crc.update(&chunk[4..8 + length]);
        if crc.sum().to_be_bytes() != chunk[8 + length..] {
            return Err(bad("a chunk is damaged (its checksum differs)"));
        }
        if kept.len() == SIGNATURE.len() && &kind != b"IHDR" {
            return Err(bad("it does not start with its size"));
        }
        if [b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"].contains(&&kind) {
            kept.extend_from_slice(chunk);
        }
        if &kind == b"IEND" {
            return Ok(kept);
        }
        rest = after;
    }
}

/// Width and height of a stripped PNG, in words.
pub(crate) fn size(png: &[u8]) -> String {
    let number = |at: usize| {
        let bytes = png.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
        bytes.map_or(0, u32::from_be_bytes)
    };
    format!("{} x {} pixels", number(16), number(20)) // IHDR comes first
}

/// A calm grey gradient: what is shown while the page tells the answer of a catch item.
pub(crate) fn plain(side: u32) -> std::io::Result<Vec<u8>> {
    let mut pixels = Vec::new();
    for row in 0..side {
        pixels.push(0); // filter: none
        pixels.extend((0..side).map(|column| (96 + 64 * (row + column) / (2 * side)) as u8));
    }
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(&pixels)?;
    let mut header = [side.to_be_bytes(), side.to_be_bytes()].concat();
    header.extend([8, 0, 0, 0, 0]); // 8 bits, grey, no interlace
    let mut png = SIGNATURE.to_vec();
    push_chunk(&mut png, *b"IHDR", &header);
    push_chunk(&mut png, *b"IDAT", &encoder.finish()?);
    push_chunk(&mut png, *b"IEND", &[]);
    Ok(png)
}

fn push_chunk(png: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    let mut crc = flate2::Crc::new();
    crc.update(&kind);
    crc.update(data);
    png.extend((data.len() as u32).to_be_bytes());
    png.extend(kind);
    png.extend(data);
    png.extend(crc.sum().to_be_bytes());
}

/// The same pixels in other bytes: a stripped PNG whose image data are compressed anew, with
/// the compressor flushed at places that `stream` draws. Two copies of a picture share their
/// pixels, not their bytes.
pub(crate) fn encode_anew(path: &Path, png: &[u8], stream: &mut Stream) -> Result<Vec<u8>> {
    let bad = |what: String| Error::bad_file(path, what, "save it again as a PNG file");
    let (mut before, mut data, mut anew) = (Vec::new(), Vec::new(), SIGNATURE.to_vec());
    let mut rest = png.get(SIGNATURE.len()..).unwrap_or_default();
    while let Some((head, after)) = rest.split_at_checked(8) {
        let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let kind = [head[4], head[5], head[6], head[7]];
        let Some((content, after)) = after.split_at_checked(length) else { break };
        match &kind {
            b"IDAT" => data.extend_from_slice(content),
            b"IEND" => {}
            _ => before.push((kind, content)),
        }
        rest = after.get(4..).unwrap_or_default();
    }
    let mut pixels = Vec::new();
    flate2::read::ZlibDecoder::new(data.as_slice())
        .take(LARGEST_PIXELS + 1)
        .read_to_end(&mut pixels)
        .map_err(|error| bad(format!("its pixels are damaged ({error})")))?;
    if pixels.len() as u64 > LARGEST_PIXELS {
        return Err(bad("it has more than 256 MiB of pixels".into()));
    }
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    let mut cuts: Vec<usize> =
        (0..4).map(|_| stream.random_range(0..=pixels.len() as u64) as usize).collect();
    cuts.sort_unstable();
    let mut from = 0;
    let failed = |source| Error::io(path, source);
    for cut in cuts {
        encoder.write_all(&pixels[from..cut]).map_err(failed)?;
        encoder.flush().map_err(failed)?;
        from = cut;
    }
    encoder.write_all(&pixels[from..]).map_err(failed)?;
    let data = encoder.finish().map_err(failed)?;
    for (kind, content) in before {
        push_chunk(&mut anew, kind, content);
    }
    push_chunk(&mut anew, *b"IDAT", &data);
    push_chunk(&mut anew, *b"IEND", &[]);
    Ok(anew)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn with_text(png: &[u8]) -> Vec<u8> {
        let data = b"Comment\0label: rock, posterior 0.9999";
        let mut crc = flate2::Crc::new();
        crc.update(b"tEXt");
        crc.update(data);
        let mut chunk = (data.len() as u32).to_be_bytes().to_vec();
        chunk.extend(b"tEXt");
        chunk.extend(data);
        chunk.extend(crc.sum().to_be_bytes());
        let end = png.len() - 12;
        [&png[..end], &chunk, &png[end..]].concat()
    }

    #[test]
    fn text_is_gone_and_pixels_stay() {
        let png = plain(16).unwrap();
        assert_eq!(size(&png), "16 x 16 pixels");
        assert_eq!(strip(Path::new("a.png"), &with_text(&png)).unwrap(), png);
    }

    #[test]
    fn a_picture_encoded_anew_has_the_same_pixels_in_other_bytes() {
        let pixels = |png: &[u8]| {
            let length = u32::from_be_bytes(png[33..37].try_into().unwrap()) as usize;
            assert_eq!(&png[37..41], b"IDAT");
            let mut pixels = Vec::new();
            let data = &png[41..41 + length];
            flate2::read::ZlibDecoder::new(data).read_to_end(&mut pixels).unwrap();
            pixels
        };
        let png = plain(64).unwrap();
        let path = Path::new("a.png");
        let of = |place| {
            let mut stream = crate::random::stream(1, crate::random::Purpose::Encoding, 0, place);
            encode_anew(path, &png, &mut stream).unwrap()
        };
        let copies = [of(0), of(1), of(2)];
        for (place, copy) in copies.iter().enumerate() {
            assert_eq!(pixels(copy), pixels(&png));
            assert_eq!(&strip(path, copy).unwrap(), copy);
            assert!(copies.iter().enumerate().all(|(at, other)| at == place || other != copy));
        }
        assert_eq!(of(1), copies[1], "the same seed gives the same bytes");
    }

    #[test]
    fn no_cut_or_changed_picture_passes_or_panics() {
        let png = plain(16).unwrap();
        for length in 0..png.len() {
            assert!(strip(Path::new("a.png"), &png[..length]).is_err());
        }
        for index in 0..png.len() {
            let mut wrong = png.clone();
            wrong[index] ^= 1;
            let _ = strip(Path::new("a.png"), &wrong).map(|kept| assert!(kept.len() <= png.len()));
        }
    }
}
