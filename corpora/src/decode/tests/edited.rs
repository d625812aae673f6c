//! MPEG-4 files of which an edit list or a comment leaves out the beginning and the end.

use super::odd::{bytes_of, put};
use super::*;

/// Where the content of a box begins; names from the outermost inwards.
fn content(bytes: &[u8], names: &[&[u8; 4]]) -> usize {
    names.iter().fold(0, |from, name| {
        let at = bytes[from..].windows(4).position(|four| four == *name).unwrap();
        from + at + 4
    })
}

/// The list of edits: where its first entry lies.
fn first_edit(bytes: &[u8]) -> usize {
    content(bytes, &[b"moov", b"elst"]) + 8
}

#[test]
fn an_edit_list_leaves_out_what_the_encoder_added() {
    // 2 s of sound at 22,050 Hz, 1.2 s at 48,000 Hz.
    let aac = decode_ok(&fixture("tone.m4a"));
    assert_eq!((aac.samples.len(), aac.sample_rate), (44_100, 22_050));
    let opus = decode_ok(&fixture("opus.mp4"));
    assert_eq!((opus.samples.len(), opus.sample_rate), (57_600, 48_000));
    // The same sound in Ogg, where ffmpeg and libopus agree with us.
    let ogg = decode_ok(&fixture("tone.opus"));
    let worst =
        opus.samples.iter().zip(&ogg.samples).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst < 1e-6, "{worst}");
    // The tones begin where they should: the louder second one after one second.
    let (before, after) = (&aac.samples[20_000..22_000], &aac.samples[22_100..24_100]);
    assert!(level_at(before, 22_050, 3000.0) < 0.01);
    assert!((level_at(after, 22_050, 3000.0) - 0.125).abs() < 0.01);
}

#[test]
fn edits_cut_where_they_say_and_stretches_are_those_of_the_whole() {
    let scratch = Scratch::new();
    let bytes = bytes_of("tone.m4a");
    let whole = decode_ok(&fixture("tone.m4a"));
    let at = first_edit(&bytes);
    assert_eq!(bytes[at..at + 8], [0, 0, 7, 0xd0, 0, 0, 4, 0], "2,000 ms from sample 1,024 on");
    // One second from sample 5,000 on.
    let cut = put(&bytes, at, &[0, 0, 3, 0xe8, 0, 0, 0x13, 0x88]);
    let path = scratch.file("e.m4a", &cut);
    let edited = decode_ok(&path);
    assert_eq!(edited.samples, whole.samples[5000 - 1024..][..22_050]);
    let part = decode_range(&path, 0.25, Some(0.5), &Limits::default()).unwrap();
    assert_eq!(part.samples[..], edited.samples[5513..11_025]);
    // A duration of 0 means all, and one that is a millisecond off is rounded.
    for duration in [0, 1999, 2001] {
        let path = scratch.file("d.m4a", &put(&bytes, at, &u32::to_be_bytes(duration)));
        assert_eq!(decode_ok(&path), whole, "{duration}");
    }
    // What is more than to leave out sound is refused: another speed, a beginning behind the end.
    for (place, with) in [(at + 8, [0, 2, 0, 0]), (at + 4, [0, 1, 0, 0])] {
        let message = refusal(&scratch.file("r.m4a", &put(&bytes, place, &with)));
        assert_says(&message, &["edit list"]);
    }
}

#[test]
fn the_comment_of_apple_s_encoders_counts_where_no_edit_list_does() {
    let scratch = Scratch::new();
    let bytes = bytes_of("tone.m4a");
    let whole = decode_ok(&fixture("tone.m4a"));
    // Without its name, the list is passed over.
    let list = first_edit(&bytes) - 12;
    let plain = put(&bytes, list, b"free");
    let all = decode_ok(&scratch.file("p.m4a", &plain));
    assert_eq!(all.samples.len(), 44_100 + 1024);
    assert_eq!(all.samples[1024..], whole.samples[..]);
    // A comment in `ilst`, which is empty here; all boxes around it grow.
    let text = b" 00000000 00000400 00000000 000000000000AC00 00000000";
    let sized = |name: &[u8; 4], content: &[u8]| {
        [&(content.len() as u32 + 8).to_be_bytes()[..], name, content].concat()
    };
    let item = sized(
        b"----",
        &[
            sized(b"mean", b"\0\0\0\0com.apple.iTunes"),
            sized(b"name", b"\0\0\0\0iTunSMPB"),
            sized(b"data", &[&[0, 0, 0, 1, 0, 0, 0, 0][..], text].concat()),
        ]
        .concat(),
    );
    let mut noted = plain.clone();
    let at = content(&noted, &[b"moov", b"ilst"]);
    noted.splice(at..at, item.iter().copied());
    for name in [b"moov", b"udta", b"meta", b"ilst"] {
        let inside: &[&[u8; 4]] = if name == b"moov" { &[b"moov"] } else { &[b"moov", name] };
        let size = content(&plain, inside) - 8;
        let old = u32::from_be_bytes(plain[size..size + 4].try_into().unwrap());
        noted[size..size + 4].copy_from_slice(&(old + item.len() as u32).to_be_bytes());
    }
    let samples = decode_ok(&scratch.file("n.m4a", &noted)).samples;
    assert_eq!(samples, whole.samples[..0xac00]);
}
