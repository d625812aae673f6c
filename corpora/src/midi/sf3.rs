//! SF3: a SoundFont whose samples are Ogg Vorbis streams, as MuseScore writes it.
//!
//! The synthesizer reads SoundFont 2 only, so the samples are decoded once and the file is put
//! together again in memory. SF3 differs from SoundFont 2 in one chunk and one table: a header of
//! `shdr` whose type has the bit 16 gives its stream's place in `smpl` in bytes, and its loop in
//! samples from the sample's own beginning.

use crate::decode::decode_ogg;

/// Bytes of a sample's header in `shdr`.
const HEADER: usize = 46;
/// Bit of a header's type: the sample is a Vorbis stream.
const VORBIS: u16 = 0x10;
/// Zeros behind every sample, which SoundFont 2 demands.
const GAP: usize = 46;
/// The most samples that a file may unpack to: 1 GiB.
const MAX_SAMPLES: usize = 1 << 29;

/// The same SoundFont with its samples as 16-bit integers; `None` if it has no packed ones.
/// `step` is called after every sample.
///
/// # Errors
/// What is wrong with the file.
pub(super) fn unpack(bytes: &[u8], step: impl Fn()) -> Result<Option<Vec<u8>>, String> {
    let Some(body) = form(bytes) else { return Ok(None) };
    let lists = chunks(body)?;
    let list = |kind: &[u8]| {
        let found = lists.iter().find(|(id, data)| id == b"LIST" && data.starts_with(kind));
        found.map(|(_, data)| &data[kind.len()..])
    };
    let (Some(sound), Some(tables)) = (list(b"sdta"), list(b"pdta")) else { return Ok(None) };
    let (sound, tables) = (chunks(sound)?, chunks(tables)?);
    let chunk = |chunks: &[Chunk<'_>], id: &[u8]| {
        chunks.iter().find(|(found, _)| found == id).map(|(_, data)| data.to_vec())
    };
    let (Some(packed), Some(mut headers)) = (chunk(&sound, b"smpl"), chunk(&tables, b"shdr"))
    else {
        return Ok(None);
    };
    if !headers.chunks_exact(HEADER).any(|header| kind(header) & VORBIS != 0) {
        return Ok(None);
    }
    let mut samples: Vec<u8> = Vec::new();
    // The last header only marks the table's end.
    let count = (headers.len() / HEADER).saturating_sub(1);
    for header in headers.chunks_exact_mut(HEADER).take(count) {
        convert(header, &packed, &mut samples)?;
        if samples.len() / 2 > MAX_SAMPLES {
            return Err(format!("its samples unpack to more than {MAX_SAMPLES}"));
        }
        step();
    }
    let mut body = Vec::new();
    for (id, data) in &lists {
        match (id, data.get(..4)) {
            (b"LIST", Some(b"sdta")) => put_list(&mut body, b"sdta", &[(*b"smpl", &samples)]),
            (b"LIST", Some(b"pdta")) => {
                let replaced = tables.iter().map(|&(id, data)| match &id {
                    b"shdr" => (id, headers.as_slice()),
                    _ => (id, data),
                });
                put_list(&mut body, b"pdta", &replaced.collect::<Vec<_>>());
            }
            _ => put(&mut body, id, data),
        }
    }
    let mut out = Vec::with_capacity(body.len() + 12);
    out.extend_from_slice(b"RIFF");
    out.extend_from_slice(&((body.len() + 4) as u32).to_le_bytes());
    out.extend_from_slice(b"sfbk");
    out.extend_from_slice(&body);
    Ok(Some(out))
}

/// Appends the samples of one header and corrects its places.
fn convert(header: &mut [u8], packed: &[u8], samples: &mut Vec<u8>) -> Result<(), String> {
    let name = String::from_utf8_lossy(&header[..20]).trim_end_matches('\0').to_owned();
    let [start, end, loop_start, loop_end] = [20, 24, 28, 32].map(|at| number(header, at) as usize);
    let begin = samples.len() / 2;
    let (first, last) = match kind(header) & VORBIS {
        0 => {
            let stretch = packed.get(2 * start..2 * end);
            samples.extend_from_slice(stretch.ok_or_else(|| outside(&name))?);
            (loop_start.saturating_sub(start), loop_end.saturating_sub(start))
        }
        _ => {
            let stream = packed.get(start..end).ok_or_else(|| outside(&name))?;
            let sound = decode_ogg(stream).map_err(|what| format!("sample {name}: {what}"))?;
            let integers = crate::wav::quantize(&sound);
            samples.extend(integers.iter().flat_map(|sample| sample.to_le_bytes()));
            (loop_start, loop_end)
        }
    };
    let length = samples.len() / 2 - begin;
    samples.resize(samples.len() + 2 * GAP, 0);
    let places = [begin, begin + length, begin + first.min(length), begin + last.min(length)];
    for (at, place) in [20, 24, 28, 32].into_iter().zip(places) {
        header[at..at + 4].copy_from_slice(&(place as u32).to_le_bytes());
    }
    let plain = kind(header) & !VORBIS;
    header[44..46].copy_from_slice(&plain.to_le_bytes());
    Ok(())
}

fn outside(name: &str) -> String {
    format!("sample {name} lies outside the file's samples")
}

/// A header's type.
fn kind(header: &[u8]) -> u16 {
    u16::from_le_bytes([header[44], header[45]])
}

fn number(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

type Chunk<'a> = ([u8; 4], &'a [u8]);

/// What a RIFF file of the form `sfbk` holds.
fn form(bytes: &[u8]) -> Option<&[u8]> {
    let is_font = bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"sfbk");
    is_font.then(|| &bytes[12..])
}

fn chunks(mut bytes: &[u8]) -> Result<Vec<Chunk<'_>>, String> {
    let mut chunks = Vec::new();
    while bytes.len() >= 8 {
        let id = [bytes[0], bytes[1], bytes[2], bytes[3]];
        let size = number(bytes, 4) as usize;
        let rest = &bytes[8..];
        let data = rest.get(..size).ok_or("truncated: a chunk is longer than the file")?;
        chunks.push((id, data));
        bytes = &rest[size..];
        // RIFF pads chunks to even sizes; MuseScore does not. No name begins with a zero.
        if size % 2 == 1 && bytes.first() == Some(&0) {
            bytes = &bytes[1..];
        }
    }
    Ok(chunks)
}

fn put(out: &mut Vec<u8>, id: &[u8; 4], data: &[u8]) {
    out.extend_from_slice(id);
    out.extend_from_slice(&(data.len() as u32).to_le_bytes());
    out.extend_from_slice(data);
    out.resize(out.len() + data.len() % 2, 0);
}

fn put_list(out: &mut Vec<u8>, kind: &[u8; 4], chunks: &[Chunk<'_>]) {
    let mut list = kind.to_vec();
    chunks.iter().for_each(|(id, data)| put(&mut list, id, data));
    put(out, b"LIST", &list);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// A file of the smallest tables: one sample and the end's header.
    fn font(smpl: &[u8], header: [u32; 4], kind: u16) -> Vec<u8> {
        let mut headers = vec![0; 2 * HEADER];
        headers[..4].copy_from_slice(b"tone");
        for (at, value) in [20, 24, 28, 32].into_iter().zip(header) {
            headers[at..at + 4].copy_from_slice(&value.to_le_bytes());
        }
        headers[44..46].copy_from_slice(&kind.to_le_bytes());
        let mut body = Vec::new();
        put_list(&mut body, b"INFO", &[(*b"INAM", b"test\0")]);
        put_list(&mut body, b"sdta", &[(*b"smpl", smpl)]);
        put_list(&mut body, b"pdta", &[(*b"shdr", &headers)]);
        let mut file = b"RIFF".to_vec();
        file.extend_from_slice(&((body.len() + 4) as u32).to_le_bytes());
        file.extend_from_slice(b"sfbk");
        file.extend_from_slice(&body);
        file
    }

    fn unpacked(file: &[u8]) -> Result<Option<Vec<u8>>, String> {
        unpack(file, || ())
    }

    #[test]
    fn a_vorbis_sample_becomes_the_samples_that_its_stream_decodes_to() {
        let stream = include_bytes!("../../tests/formats/tone.ogg");
        let sound = crate::wav::quantize(&decode_ogg(stream).unwrap());
        let mut smpl = vec![7; 10];
        smpl.extend_from_slice(stream);
        let end = smpl.len() as u32;
        let file = unpacked(&font(&smpl, [10, end, 100, 900], VORBIS | 1)).unwrap().unwrap();
        let lists = chunks(form(&file).unwrap()).unwrap();
        assert_eq!(lists[0], (*b"LIST", b"INFOINAM\x05\0\0\0test\0\0".as_slice()));
        let (samples, tables) =
            (chunks(&lists[1].1[4..]).unwrap(), chunks(&lists[2].1[4..]).unwrap());
        let bytes: Vec<u8> = sound.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        assert!(sound.iter().any(|sample| sample.abs() > 1_000));
        assert_eq!(samples[0].1[..bytes.len()], bytes);
        assert_eq!(samples[0].1[bytes.len()..], [0; 2 * GAP]);
        let header = tables[0].1;
        let places = [20, 24, 28, 32].map(|at| number(header, at));
        assert_eq!(places, [0, sound.len() as u32, 100, 900]);
        assert_eq!(kind(header), 1);
        // What is unpacked is left as it is.
        assert_eq!(unpacked(&file).unwrap(), None);
    }

    #[test]
    fn chunks_of_odd_sizes_may_be_padded_or_not() {
        let padded = b"abcd\x03\0\0\0xyz\0efgh\0\0\0\0";
        let plain = b"abcd\x03\0\0\0xyzefgh\0\0\0\0";
        for bytes in [&padded[..], plain] {
            let found = chunks(bytes).unwrap();
            assert_eq!(found, [(*b"abcd", &b"xyz"[..]), (*b"efgh", &b""[..])]);
        }
    }

    #[test]
    fn faults_are_named() {
        let stream = include_bytes!("../../tests/formats/tone.ogg");
        let end = stream.len() as u32;
        for (file, word) in [
            (font(stream, [0, end + 1, 0, 0], VORBIS), "outside"),
            (font(&stream[..600], [0, 600, 0, 0], VORBIS), "tone"),
            (font(b"none of it", [0, 10, 0, 0], VORBIS), "tone"),
        ] {
            let what = unpacked(&file).unwrap_err();
            assert!(what.contains(word), "{what}");
        }
        let mut cut = font(stream, [0, end, 0, 0], VORBIS);
        cut.truncate(300);
        assert!(unpacked(&cut).unwrap_err().contains("truncated"));
        assert_eq!(unpacked(b"RIFF").unwrap(), None);
    }
}
