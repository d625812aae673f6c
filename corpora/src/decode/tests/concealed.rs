//! Damaged and missing frames that are read as silence.

use super::odd::{bytes_of, frames, pages, put, split_pages};
use super::*;

/// The file's sound and its only gap.
#[track_caller]
fn one_gap(path: &Path) -> (Audio, Gap) {
    let (audio, gaps) = decode_concealed(path, 0.0, None, &Limits::default()).unwrap();
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    (audio, gaps[0])
}

/// Checks that sound is as in `whole` before a gap, silent in it, and again as in `whole` behind
/// what the codec carries over.
#[track_caller]
fn fits(audio: &Audio, gap: Gap, whole: &Audio, carried: usize) {
    let rate = f64::from(whole.sample_rate);
    let from = (gap.start * rate).round() as usize;
    let to = from + (gap.seconds * rate).round() as usize;
    assert_eq!(audio.samples.len(), whole.samples.len());
    assert_eq!(audio.samples[..from], whole.samples[..from]);
    let fading = (from + carried).min(to);
    assert!(audio.samples[fading..to].iter().all(|x| x.abs() < 1e-6), "{gap}");
    assert_eq!(audio.samples[to + carried..], whole.samples[to + carried..]);
}

#[test]
fn sound_without_damage_is_the_same_and_has_no_gaps() {
    for name in ["tone.flac", "tone.mp3", "mono.mp3", "tone.ogg", "tone.opus", "tone.m4a"] {
        let (audio, gaps) =
            decode_concealed(&fixture(name), 0.0, None, &Limits::default()).unwrap();
        assert_eq!((audio, gaps), (decode_ok(&fixture(name)), Vec::new()), "{name}");
    }
}

#[test]
fn mp3_frames_that_are_damaged_are_as_long_as_they_were() {
    let scratch = Scratch::new();
    let mono = [bytes_of("mono.mp3"), bytes_of("mono.mp3")].concat();
    let whole = decode_ok(&scratch.file("w.mp3", &mono));
    let starts = frames(&mono);
    let frame = 576.0 / 22_050.0;
    for (first, count) in [(10, 1), (5, 1), (12, 3)] {
        let (a, b) = (starts[first], starts[first + count]);
        for (what, bytes) in [
            ("bytes missing", [&mono[..b - 50], &mono[b..]].concat()),
            ("zeros", put(&mono, a, &vec![0; b - a])),
            ("other bytes", put(&mono, a, &vec![0x55; b - a])),
        ] {
            if what == "bytes missing" && count > 1 {
                continue;
            }
            let path = scratch.file("d.mp3", &bytes);
            assert!(decode(&path, &Limits::default()).is_err(), "{what}");
            let (audio, gap) = one_gap(&path);
            assert!((gap.start - first as f64 * frame).abs() < 1e-9, "{what} {first}: {gap}");
            assert!(gap.seconds >= count as f64 * frame - 1e-9, "{what} {first}: {gap}");
            assert!(gap.seconds < (count + 3) as f64 * frame, "{what} {first}: {gap}");
            fits(&audio, gap, &whole, 1152);
        }
    }
    // Bytes that were put between two frames push nothing aside.
    let a = starts[10];
    let path = scratch.file("i.mp3", &[&mono[..a], b"junk", &mono[a..]].concat());
    let (audio, gap) = one_gap(&path);
    assert_eq!((audio, gap.seconds), (whole, 0.0));
    assert!(gap.to_string().contains("unknown length at 0.26 s"), "{gap}");
}

#[test]
fn a_count_of_frames_tells_how_many_an_mp3_lacks() {
    let scratch = Scratch::new();
    let mp3 = bytes_of("tone.mp3");
    let whole = decode_ok(&fixture("tone.mp3"));
    let starts: Vec<usize> = mpeg::walk(&mp3, false).frames.iter().map(|f| f.at).collect();
    for (first, count, left) in [(20, 4, 7), (35, 1, 200), (50, 2, 500)] {
        let junk = vec![b'x'; left];
        let bytes = [&mp3[..starts[first]], &junk, &mp3[starts[first + count]..]].concat();
        let (audio, gap) = one_gap(&scratch.file("c.mp3", &bytes));
        fits(&audio, gap, &whole, 1152);
    }
    // A count that more than doubles the file is none.
    let bytes = [&mp3[..starts[20]], b"junk", &mp3[starts[60]..]].concat();
    let path = scratch.file("c.mp3", &bytes);
    let error = decode_concealed(&path, 0.0, None, &Limits::default()).map(drop).unwrap_err();
    assert_says(&error.to_string(), &["truncated"]);
}

#[test]
fn counts_of_ogg_pages_tell_how_much_is_missing() {
    let scratch = Scratch::new();
    for name in ["tone.ogg", "tone.opus"] {
        let whole = decode_ok(&fixture(name));
        // Every page states the samples so far.
        let split = counted(&split_pages(&bytes_of(name)), name);
        assert_eq!(decode_ok(&scratch.file(name, &split)), whole, "{name}");
        for (first, count) in [(12, 1), (20, 3)] {
            let lost = pages(&split, |number, page| {
                if (first..first + count).contains(&number) {
                    page.clear();
                }
            });
            let mut number = 0;
            let mut at = 0;
            while number < first {
                let segments = usize::from(split[at + 26]);
                let lengths = &split[at + 27..at + 27 + segments];
                at += 27 + segments + lengths.iter().map(|&n| usize::from(n)).sum::<usize>();
                number += 1;
            }
            let damaged = put(&split, at + 30, &[split[at + 30] ^ 1]);
            let files = [Some(lost), (count == 1).then_some(damaged)];
            for bytes in files.into_iter().flatten() {
                let path = scratch.file(name, &bytes);
                assert!(decode(&path, &Limits::default()).is_err());
                let (audio, gap) = one_gap(&path);
                assert!(gap.seconds > 0.0, "{name}");
                let rate = f64::from(whole.sample_rate);
                let to = ((gap.start + gap.seconds) * rate).round() as usize;
                assert_eq!(audio.samples.len(), whole.samples.len(), "{name}");
                let from = (gap.start * rate).round() as usize;
                assert_eq!(audio.samples[..from], whole.samples[..from], "{name}");
                assert!(audio.samples[from..to].iter().all(|x| *x == 0.0), "{name}");
                // Vorbis needs no state of before; Opus finds it again.
                let apart = |n: usize| (audio.samples[n] - whole.samples[n]).abs();
                let settled = to + if name == "tone.opus" { 4800 } else { 0 };
                let worst = (settled..whole.samples.len()).map(apart).fold(0.0, f32::max);
                assert!(worst < if name == "tone.opus" { 0.02 } else { 1e-9 }, "{name}: {worst}");
            }
        }
        // The beginning and the end of a stream are not made up.
        for which in [1, usize::MAX] {
            let all = {
                let mut count = 0;
                pages(&split, |_, _| count += 1);
                count
            };
            let which = which.min(all - 1);
            let cut = pages(&split, |number, page| {
                if number == which {
                    page.clear();
                }
            });
            let path = scratch.file(name, &cut);
            assert!(decode_concealed(&path, 0.0, None, &Limits::default()).is_err(), "{which}");
        }
    }
}

/// An Ogg file whose pages of one packet state how many samples have gone by.
pub(super) fn counted(bytes: &[u8], name: &str) -> Vec<u8> {
    let walk = ogg::walk(bytes, false);
    let source = ogg_source::OggSource::new(walk).unwrap();
    let times = source.packet_times();
    assert!(times.len() > 20, "{name}");
    let headers = if name == "tone.opus" { 2 } else { 3 };
    let mut packets = 0;
    pages(bytes, |_, page| {
        let segments = usize::from(page[26]);
        packets += page[27..27 + segments].iter().filter(|&&length| length < 255).count();
        let is_last = page[5] & 4 != 0;
        if packets > headers && !is_last {
            page[6..14].copy_from_slice(&times[packets - headers].to_le_bytes());
        }
    })
}

#[test]
fn numbers_of_flac_frames_tell_how_much_is_missing() {
    let scratch = Scratch::new();
    let samples: Vec<u8> = bytes_of("tone.flac");
    let whole = decode_ok(&fixture("tone.flac"));
    let middle = samples.len() - 1500;
    for bytes in [
        put(&samples, middle, &[samples[middle] ^ 0x10]),
        [&samples[..middle], &samples[middle + 40..]].concat(),
        put(&samples, middle, &[0; 200]),
    ] {
        let path = scratch.file("d.flac", &bytes);
        assert!(decode(&path, &Limits::default()).is_err());
        match decode_concealed(&path, 0.0, None, &Limits::default()) {
            Ok((audio, gaps)) => {
                assert_eq!(gaps.len(), 1);
                fits(&audio, gaps[0], &whole, 0);
            }
            Err(error) => assert_says(&error.to_string(), &["damaged or missing"]),
        }
    }
}

#[test]
fn a_file_of_which_more_than_half_is_missing_is_refused() {
    let scratch = Scratch::new();
    let mono = bytes_of("mono.mp3");
    let starts = frames(&mono);
    let (a, b) = (starts[5], starts[starts.len() - 5]);
    let path = scratch.file("h.mp3", &put(&mono, a, &vec![0; b - a]));
    let error = decode_concealed(&path, 0.0, None, &Limits::default()).map(drop).unwrap_err();
    assert_says(&error.to_string(), &["h.mp3", "are damaged or missing"]);
    // A stretch before the damage is whole.
    let whole = decode_range(&path, 0.0, Some(0.05), &Limits::default()).unwrap();
    let (audio, gaps) = decode_concealed(&path, 0.0, Some(0.05), &Limits::default()).unwrap();
    assert_eq!((audio, gaps), (whole, Vec::new()));
}
