//! Damage to a file: one to eight changes, mostly where its header is, few more often than many.

use rand::RngExt;
use trompe::base::random::Stream;

/// Most changes to one file.
const MOST_CHANGES: usize = 8;
/// Where most changes fall, in bytes from the beginning.
const HEADER: usize = 256;
/// Longest stretch that is copied, removed or inserted.
const LONGEST: usize = 64;

/// Numbers at which headers go wrong.
const NUMBERS: [u64; 16] = [
    0,
    1,
    2,
    7,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0x8000,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_fff0,
    0xffff_ffff,
    0x7fff_ffff_ffff_ffff,
    u64::MAX,
];

/// Pieces of text at which parsers go wrong.
const PIECES: [&[u8]; 24] = [
    b"-1",
    b"1e999",
    b"-0.0",
    b"NaN",
    b"18446744073709551616",
    b"-9223372036854775808",
    b"4294967295",
    b"0x10",
    b"null",
    b"true",
    b"[]",
    b"{}",
    b"[[[[[[[[",
    b"{\"a\":",
    b"\"",
    b"\\u0000",
    b"\\ud800",
    b"\xff\xfe",
    b"\0",
    b"\n",
    b",",
    b"../../x",
    b"\xe2\x80\xae",
    b"=",
];

/// Changes `bytes` one to eight times; `other` lends pieces.
pub fn mutate(bytes: &mut Vec<u8>, other: &[u8], rng: &mut Stream) {
    // Most files stand one change and few stand eight: half have one or two.
    let changes = 1 << rng.random_range(0..=MOST_CHANGES.ilog2());
    for _ in 0..rng.random_range(1..=changes) {
        change(bytes, other, rng);
    }
}

fn change(bytes: &mut Vec<u8>, other: &[u8], rng: &mut Stream) {
    let at = place(bytes.len(), rng);
    match rng.random_range(0..14) {
        0 | 1 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = rng.random();
            }
        }
        2 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << rng.random_range(0..8);
            }
        }
        3 | 4 => overwrite(bytes, at, &number(rng)),
        5 => overwrite(bytes, at, PIECES[rng.random_range(0..PIECES.len())]),
        6 => {
            let piece = PIECES[rng.random_range(0..PIECES.len())];
            bytes.splice(at..at, piece.iter().copied());
        }
        7 => {
            let end = (at + rng.random_range(1..=LONGEST)).min(bytes.len());
            bytes.drain(at..end);
        }
        8 => {
            let piece = stretch(if rng.random() { other } else { bytes }, rng);
            match rng.random() {
                true => overwrite(bytes, at, &piece),
                false => drop(bytes.splice(at..at, piece)),
            }
        }
        9..13 => digit(bytes, at, rng),
        // Seldom, as little is left to read.
        _ => {
            if rng.random_range(0..4) == 0 {
                bytes.truncate(rng.random_range(0..=bytes.len()));
            }
        }
    }
}

/// Changes the next digit of a text, or the number that it begins: the text stays one.
fn digit(bytes: &mut Vec<u8>, at: usize, rng: &mut Stream) {
    let Some(from) = bytes[at..].iter().position(u8::is_ascii_digit) else { return };
    let from = at + from;
    if rng.random() {
        bytes[from] = b'0' + rng.random_range(0..10);
        return;
    }
    let end = from + bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number = NUMBERS[rng.random_range(0..NUMBERS.len())].to_string();
    bytes.splice(from..end, number.into_bytes());
}

/// A place in a file, three times out of four in its first bytes.
fn place(length: usize, rng: &mut Stream) -> usize {
    let reach = if rng.random_range(0..4) == 0 { length } else { length.min(HEADER) };
    rng.random_range(0..=reach)
}

fn overwrite(bytes: &mut [u8], at: usize, piece: &[u8]) {
    for (byte, &new) in bytes[at..].iter_mut().zip(piece) {
        *byte = new;
    }
}

/// One of [`NUMBERS`] in 1, 2, 4 or 8 bytes of either order.
fn number(rng: &mut Stream) -> Vec<u8> {
    let number = NUMBERS[rng.random_range(0..NUMBERS.len())];
    let width = 1 << rng.random_range(0..4);
    let mut bytes = number.to_le_bytes()[..width].to_vec();
    if rng.random() {
        bytes.reverse();
    }
    bytes
}

fn stretch(bytes: &[u8], rng: &mut Stream) -> Vec<u8> {
    let from = rng.random_range(0..=bytes.len());
    let end = (from + rng.random_range(1..=LONGEST)).min(bytes.len());
    bytes[from..end].to_vec()
}

#[cfg(test)]
mod tests {
    use trompe::base::random::stream;

    use super::*;

    #[test]
    fn the_same_run_is_the_same_damage_and_another_is_not() {
        let file: Vec<u8> = (0..2000_u32).map(|n| n as u8).collect();
        let damaged = |seed, run| {
            let mut bytes = file.clone();
            mutate(&mut bytes, b"other", &mut stream(seed, run, 0, 0));
            bytes
        };
        assert_eq!(damaged(1, 5), damaged(1, 5));
        assert_ne!(damaged(1, 5), damaged(1, 6));
        assert_ne!(damaged(1, 5), damaged(2, 5));
        let changed = (0..100).filter(|&run| damaged(1, run) != file).count();
        assert!(changed > 90, "{changed} of 100");
    }

    #[test]
    fn an_empty_file_can_be_damaged_too() {
        let grown = (0..200).filter(|&run| {
            let mut bytes = Vec::new();
            mutate(&mut bytes, b"", &mut stream(1, run, 0, 0));
            assert!(bytes.len() <= MOST_CHANGES * LONGEST, "{} bytes of none", bytes.len());
            !bytes.is_empty()
        });
        let grown = grown.count();
        // An empty file grows only where a piece of text is inserted.
        assert!(grown > 20, "{grown} of 200");
    }
}
