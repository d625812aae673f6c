//! Whether an Ogg file is complete. The decoding library ends quietly at the last whole page,
//! so that a cut file would pass as a shorter one.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

/// Fixed part of a page's header (RFC 3533, section 6), in bytes.
const HEADER: usize = 27;
/// A page has at most this many bytes: header, 255 segment lengths, 255 segments of 255.
const LARGEST_PAGE: usize = HEADER + 255 + 255 * 255;
const END_OF_STREAM: u8 = 0x04;

/// Whether the file's last page is whole and marked as the end of its stream.
pub(crate) fn ends_properly(file: &mut File) -> std::io::Result<bool> {
    let length = file.seek(SeekFrom::End(0))?;
    let tail = length.min(2 * LARGEST_PAGE as u64);
    file.seek(SeekFrom::Start(length - tail))?;
    let mut bytes = Vec::with_capacity(tail as usize);
    file.take(tail).read_to_end(&mut bytes)?;
    Ok(last_page_is_final(&bytes))
}

fn last_page_is_final(bytes: &[u8]) -> bool {
    let Some(start) = bytes.windows(4).rposition(|window| window == b"OggS") else {
        return false;
    };
    let page = &bytes[start..];
    let (Some(&flags), Some(&segments)) = (page.get(5), page.get(HEADER - 1)) else {
        return false;
    };
    let Some(lengths) = page.get(HEADER..HEADER + usize::from(segments)) else {
        return false;
    };
    let body: usize = lengths.iter().map(|&length| usize::from(length)).sum();
    flags & END_OF_STREAM != 0 && page.len() >= HEADER + lengths.len() + body
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(flags: u8, body: &[u8]) -> Vec<u8> {
        let mut page = b"OggS\0".to_vec();
        page.push(flags);
        page.extend([0; 20]);
        page.push(1);
        page.push(body.len() as u8);
        page.extend(body);
        page
    }

    #[test]
    fn only_a_whole_page_marked_as_last_ends_a_file() {
        let whole = [page(0, b"abc"), page(END_OF_STREAM, b"defg")].concat();
        assert!(last_page_is_final(&whole));
        for end in 0..whole.len() {
            assert!(!last_page_is_final(&whole[..end]), "cut at {end}");
        }
        assert!(!last_page_is_final(&page(0, b"abc")));
        let followed_by_a_tag = [whole, b"TAG and other bytes".to_vec()].concat();
        assert!(last_page_is_final(&followed_by_a_tag));
    }
}
