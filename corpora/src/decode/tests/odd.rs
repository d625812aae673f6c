//! Files that are odd and sound, and files that look sound and are not.

use super::concealed::counted;
use super::*;

pub(super) fn bytes_of(name: &str) -> Vec<u8> {
    std::fs::read(fixture(name)).unwrap()
}

/// The file's samples, which must be these many.
#[track_caller]
fn reads(path: &Path, samples: usize) -> Audio {
    let audio = decode_ok(path);
    assert_eq!(audio.samples.len(), samples, "{}", path.display());
    audio
}

pub(super) fn put(bytes: &[u8], at: usize, with: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at..at + with.len()].copy_from_slice(with);
    bytes
}

/// Where each frame of an MP3 without tags begins.
pub(super) fn frames(bytes: &[u8]) -> Vec<usize> {
    let walk = mpeg::walk(bytes, false);
    assert_eq!(walk.fault, None);
    walk.frames.iter().map(|frame| frame.at).collect()
}

#[test]
fn wav_sizes_that_programs_get_wrong_do_no_harm() {
    let scratch = Scratch::new();
    let wav = tone_wav(22_050, 0.5);
    let samples = 11_025;
    let whole = decode_ok(&scratch.file("w.wav", &wav));
    for (riff, data) in [
        (0, 0),
        (u32::MAX, u32::MAX),
        (0x7fff_f024, 0x7fff_f000),
        (0x7fff_f000, 0x7fff_efdc),
        (0x8000_0024, 0x8000_0000),
        (wav.len() as u32 - 16, wav.len() as u32 - 44),
        (7, wav.len() as u32 - 44),
        // A byte of padding that is counted and not there.
        (wav.len() as u32 - 8, wav.len() as u32 - 43),
    ] {
        let bytes = put(&put(&wav, 4, &riff.to_le_bytes()), 40, &data.to_le_bytes());
        let audio = reads(&scratch.file("s.wav", &bytes), samples);
        assert_eq!(audio, whole, "{riff:x} {data:x}");
    }
    // A file without sound that says so.
    let empty = [&put(&wav, 40, &[0; 4])[..44], b"LIST\x04\0\0\0abcd"].concat();
    assert_says(&refusal(&scratch.file("e.wav", &empty)), &["no samples"]);
    // A format chunk of 20 bytes.
    let mut longer = put(&wav, 16, &[20]);
    longer.splice(36..36, [2, 0, 0, 0]);
    assert_eq!(reads(&scratch.file("f.wav", &longer), samples), whole);
}

#[test]
fn bits_that_do_not_fill_their_bytes_lie_at_the_top() {
    let scratch = Scratch::new();
    let wav = tone_wav(22_050, 0.1);
    let whole = decode_ok(&scratch.file("16.wav", &wav));
    assert_eq!(decode_ok(&scratch.file("12.wav", &put(&wav, 34, &[12]))), whole);
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 22_050,
        bits_per_sample: 24,
        sample_format: hound::SampleFormat::Int,
    };
    let deep = wav_bytes(spec, &whole.samples);
    let at = deep.windows(2).position(|two| two == [24, 0]).unwrap();
    let expected = decode_ok(&scratch.file("24.wav", &deep));
    assert_eq!(expected.samples, whole.samples);
    // 20 valid bits, whether the plain or the extended header says so.
    let twenty =
        deep.iter().enumerate().map(|(n, &b)| if n == at { 20 } else { b }).collect::<Vec<_>>();
    assert_eq!(decode_ok(&scratch.file("20.wav", &twenty)), expected);
}

#[test]
fn the_relatives_of_wav_are_read() {
    let scratch = Scratch::new();
    let integers: Vec<i16> = (0..2000).map(|n| (n * 37 % 30_000) as i16 - 15_000).collect();
    let expected = wav::dequantize(&integers);
    let little: Vec<u8> = integers.iter().flat_map(|i| i.to_le_bytes()).collect();
    let big: Vec<u8> = integers.iter().flat_map(|i| i.to_be_bytes()).collect();
    let format = |order: fn(u32, usize) -> Vec<u8>| {
        [(1, 2), (1, 2), (22_050, 4), (44_100, 4), (2, 2), (16, 2)]
            .into_iter()
            .flat_map(|(value, bytes)| order(value, bytes))
            .collect::<Vec<u8>>()
    };
    let le = |value: u32, bytes: usize| value.to_le_bytes()[..bytes].to_vec();
    let be = |value: u32, bytes: usize| value.to_be_bytes()[4 - bytes..].to_vec();
    let size = little.len() as u32;

    let rifx = [
        b"RIFX",
        &be(size + 36, 4)[..],
        b"WAVEfmt ",
        &be(16, 4),
        &format(be),
        b"data",
        &be(size, 4),
        &big,
    ]
    .concat();
    assert_eq!(decode_ok(&scratch.file("x.wav", &rifx)).samples, expected);
    for magic in [b"RF64", b"BW64"] {
        let sizes = [u64::from(size) + 72, u64::from(size), 2000].map(u64::to_le_bytes).concat();
        let all = [
            &magic[..],
            &[0xff; 4],
            b"WAVEds64",
            &le(28, 4),
            &sizes,
            &[0; 4],
            b"fmt ",
            &le(16, 4),
            &format(le),
            b"data",
            &[0xff; 4],
            &little,
        ];
        let rf64 = all.concat();
        assert_eq!(decode_ok(&scratch.file("6.wav", &rf64)).samples, expected);
        let cut = scratch.file("c.wav", &rf64[..rf64.len() - 500]);
        assert_says(&refusal(&cut), &["truncated"]);
    }
    let tail = b"\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a";
    let wide = |bytes: u32| u64::from(bytes).to_le_bytes();
    let w64 = [
        &wave::W64_MAGIC[..],
        &wide(size + 104),
        b"wave",
        tail,
        b"fmt ",
        tail,
        &wide(40),
        &format(le),
        b"data",
        tail,
        &wide(size + 24),
        &little,
    ]
    .concat();
    assert_eq!(decode_ok(&scratch.file("x.w64", &w64)).samples, expected);
    let header = [24, size, 3, 22_050, 1].map(u32::to_le_bytes).concat();
    let dns = [&b"dns."[..], &header, &little].concat();
    assert_eq!(decode_ok(&scratch.file("d.au", &dns)).samples, expected);
}

#[test]
fn mp3_in_wav_is_read() {
    let scratch = Scratch::new();
    let mp3 = bytes_of("mono.mp3");
    let bare = decode_ok(&fixture("mono.mp3"));
    let mut wav = b"RIFF\0\0\0\0WAVEfmt \x1e\0\0\0\x55\0\x01\0".to_vec();
    wav.extend(22_050_u32.to_le_bytes());
    wav.extend(3000_u32.to_le_bytes());
    wav.extend([1, 0, 0, 0, 12, 0]);
    wav.extend([1, 0, 2, 0, 0, 0, 0, 2, 1, 0, 0, 0]);
    wav.extend(b"data");
    wav.extend((mp3.len() as u32).to_le_bytes());
    wav.extend(&mp3);
    assert_eq!(decode_ok(&scratch.file("m.wav", &wav)), bare);
    wav.truncate(wav.len() - 200);
    assert_says(&refusal(&scratch.file("m.wav", &wav)), &["truncated"]);
}

#[test]
fn an_mp3_is_as_long_as_its_frames() {
    let scratch = Scratch::new();
    let mono = bytes_of("mono.mp3");
    let count = frames(&mono).len();
    let whole = reads(&fixture("mono.mp3"), 576 * count);
    // Joined files: the encoder began anew, so that the second half sounds as the first.
    let joined = reads(&scratch.file("j.mp3", &[&mono[..], &mono].concat()), 2 * 576 * count);
    assert_eq!(joined.samples[..576 * count], whole.samples);
    assert_eq!(joined.samples[576 * (count + 3)..], whole.samples[3 * 576..]);
    // Tags between and behind them.
    let mut tag = b"TAG".to_vec();
    tag.resize(128, b' ');
    let tagged = [&mono[..], &tag, b"ID3\x04\0\0\0\0\0\x05abcde", &mono, &tag].concat();
    assert_eq!(decode_ok(&scratch.file("t.mp3", &tagged)), joined);
    // Zeros and junk before the first frame, zeros behind the last.
    for junk in [vec![0; 9000], b"junk, but no frame ".repeat(300)] {
        let bytes = [&junk[..], &mono, &[0; 3000]].concat();
        assert_eq!(decode_ok(&scratch.file("z.mp3", &bytes)), whole);
    }
}

#[test]
fn a_wrong_count_of_frames_is_not_believed_where_the_bytes_agree() {
    let scratch = Scratch::new();
    let mp3 = bytes_of("tone.mp3");
    let at = mp3.windows(4).position(|four| four == b"Info" || four == b"Xing").unwrap();
    assert_eq!(mp3[at + 7] & 3, 3, "frames and bytes are stated");
    let count = u32::from_be_bytes(mp3[at + 8..at + 12].try_into().unwrap());
    for wrong in [count / 2, count * 2] {
        let bytes = put(&mp3, at + 8, &wrong.to_be_bytes());
        reads(&scratch.file("x.mp3", &bytes), 44_100);
    }
    // With bytes that do not agree either, more frames are a promise.
    let bytes = put(&put(&mp3, at + 8, &(count * 2).to_be_bytes()), at + 12, &[0, 1, 0, 0]);
    assert_says(&refusal(&scratch.file("x.mp3", &bytes)), &["truncated"]);
}

#[test]
fn damage_within_an_mp3_is_reported_with_its_time() {
    let scratch = Scratch::new();
    let mono = [bytes_of("mono.mp3"), bytes_of("mono.mp3")].concat();
    let starts = frames(&mono);
    let (a, b) = (starts[10], starts[11]);
    let time = 10.0 * 576.0 / 22_050.0;
    for (what, bytes) in [
        ("bytes missing", [&mono[..a + 30], &mono[b..]].concat()),
        ("junk between frames", [&mono[..a], b"junk", &mono[a..]].concat()),
        ("zeros over a frame", put(&mono, a, &vec![0; b - a])),
    ] {
        let message = refusal(&scratch.file("d.mp3", &bytes));
        assert_says(&message, &["sound is damaged or missing at "]);
        let at: f64 = message.rsplit(' ').nth(1).unwrap().parse().unwrap();
        assert!((at - time).abs() < 0.06, "{what}: {message}, not {time}");
        // Before the damage all is well.
        let path = scratch.file("d.mp3", &bytes);
        decode_range(&path, 0.0, Some(0.2), &Limits::default()).unwrap();
    }
    // Whole frames that are missing show by the bits that the next one borrows.
    let noticed = (4..starts.len() - 4).filter(|&n| {
        let bytes = [&mono[..starts[n]], &mono[starts[n + 3]..]].concat();
        mpeg::walk(&bytes, false).fault.is_some()
    });
    assert!(noticed.count() > 0);
}

#[test]
fn channels_may_change_within_an_mp3() {
    let scratch = Scratch::new();
    let (mono, stereo) = (bytes_of("mono.mp3"), bytes_of("stereo.mp3"));
    let (ones, twos) = (frames(&mono).len(), frames(&stereo).len());
    let alone = [decode_ok(&fixture("mono.mp3")), decode_ok(&fixture("stereo.mp3"))];
    for order in [[0, 1], [1, 0]] {
        let bytes: Vec<u8> = order.iter().flat_map(|&n| [&mono, &stereo][n].clone()).collect();
        let audio = reads(&scratch.file("c.mp3", &bytes), 576 * (ones + twos));
        let (first, second) = (&alone[order[0]].samples, &alone[order[1]].samples);
        assert_eq!(audio.samples[..first.len()], first[..]);
        // What the first part's last frame leaves behind sounds for two frames.
        assert_eq!(audio.samples[first.len() + 1152..], second[1152..]);
    }
}

#[test]
fn tags_behind_flac_and_unknown_block_sizes_do_no_harm() {
    let scratch = Scratch::new();
    let flac = bytes_of("tone.flac");
    let whole = decode_ok(&fixture("tone.flac"));
    let mut tag = b"TAG".to_vec();
    tag.resize(128, 0);
    let mut ape = b"APETAGEX".to_vec();
    ape.extend([0xd0, 7, 0, 0, 40, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let ape = [&[b'x'; 8][..], &ape].concat();
    for tail in [tag.clone(), ape.clone(), [ape, tag].concat()] {
        let bytes = [&flac[..], &tail].concat();
        assert_eq!(decode_ok(&scratch.file("t.flac", &bytes)), whole);
    }
    for zeros in [&[0; 2][..], &[0; 4]] {
        assert_eq!(decode_ok(&scratch.file("b.flac", &put(&flac, 8, zeros))), whole);
    }
}

#[test]
fn damage_within_flac_is_reported_with_its_time() {
    let scratch = Scratch::new();
    let flac = bytes_of("tone.flac");
    // Before that lies padding.
    let middle = flac.len() - 1500;
    for (what, bytes) in [
        ("bits", put(&flac, middle, &[flac[middle] ^ 0x10])),
        ("bytes missing", [&flac[..middle], &flac[middle + 40..]].concat()),
        ("zeros", put(&flac, middle, &[0; 200])),
    ] {
        let message = refusal(&scratch.file("d.flac", &bytes));
        assert!(message.contains(" at "), "{what}: {message}");
    }
}

#[test]
fn large_tags_before_the_sound_do_no_harm() {
    let scratch = Scratch::new();
    let mut tag = b"ID3\x04\0\0\0\x10\0\0".to_vec();
    tag.resize(10 + (0x10 << 14), 0xff);
    for name in ["tone.flac", "mono.mp3", "tone.ogg"] {
        let whole = decode_ok(&fixture(name));
        let bytes = [&tag[..], &tag, &bytes_of(name)].concat();
        assert_eq!(decode_ok(&scratch.file(name, &bytes)), whole, "{name}");
    }
}

#[test]
fn an_aiff_whose_size_of_the_whole_is_too_small_is_read() {
    let scratch = Scratch::new();
    let aiff = aiff_bytes(22_050, &[5; 1000]);
    let whole = decode_ok(&scratch.file("w.aiff", &aiff));
    for size in [0, 30, aiff.len() as u32 - 20] {
        let bytes = put(&aiff, 4, &size.to_be_bytes());
        assert_eq!(decode_ok(&scratch.file("s.aiff", &bytes)), whole, "{size}");
    }
    let message = refusal(&scratch.file("c.aiff", &put(&aiff, 4, &[0; 4])[..aiff.len() - 100]));
    assert!(!message.is_empty());
}

/// The pages of an Ogg file, changed and their checksums made right.
pub(super) fn pages(bytes: &[u8], mut change: impl FnMut(usize, &mut Vec<u8>)) -> Vec<u8> {
    let (mut out, mut at, mut number) = (Vec::new(), 0, 0);
    while at < bytes.len() {
        let lengths = &bytes[at + 27..at + 27 + usize::from(bytes[at + 26])];
        let length =
            27 + lengths.len() + lengths.iter().map(|&length| usize::from(length)).sum::<usize>();
        let mut page = bytes[at..at + length].to_vec();
        change(number, &mut page);
        if !page.is_empty() {
            page[22..26].fill(0);
            let sum = page.iter().fold(0_u32, |sum, &byte| {
                (0..8).fold(sum ^ u32::from(byte) << 24, |sum, _| {
                    if sum >> 31 == 1 { sum << 1 ^ 0x04c1_1db7 } else { sum << 1 }
                })
            });
            page[22..26].copy_from_slice(&sum.to_le_bytes());
        }
        out.extend(page);
        at += length;
        number += 1;
    }
    out
}

/// Sixteen small pages of sound instead of one, so that pages can be lost.
pub(super) fn split_pages(bytes: &[u8]) -> Vec<u8> {
    let mut next = 0_u32;
    let mut out = Vec::new();
    pages(bytes, |number, page| {
        let segments = usize::from(page[26]);
        let lengths = page[27..27 + segments].to_vec();
        let mut body = &page[27 + segments..];
        let parts: Vec<&[u8]> = if number < 2 {
            vec![&lengths]
        } else {
            lengths.split_inclusive(|length| *length < 255).collect()
        };
        for (index, part) in parts.iter().enumerate() {
            let last = index + 1 == parts.len();
            let length: usize = part.iter().map(|&length| usize::from(length)).sum();
            let mut header = page[..27].to_vec();
            if !last {
                header[5] &= !4;
                header[6..14].fill(0xff);
            }
            header[18..22].copy_from_slice(&next.to_le_bytes());
            header[26] = part.len() as u8;
            next += 1;
            out.extend([&header, *part, &body[..length]].concat());
            body = &body[length..];
        }
    });
    pages(&out, |_, _| {})
}

#[test]
fn each_page_marked_as_the_last_is_cut_to_its_count_and_the_stream_goes_on() {
    let scratch = Scratch::new();
    for name in ["tone.ogg", "tone.opus"] {
        let whole = decode_ok(&fixture(name)).samples;
        let marked = pages(&counted(&split_pages(&bytes_of(name)), name), |number, page| {
            if number >= 8 {
                page[5] |= 4;
                let count = u64::from_le_bytes(page[6..14].try_into().unwrap());
                page[6..14].copy_from_slice(&(count - 100).to_le_bytes());
            }
        });
        let path = scratch.file(name, &marked);
        let cut = decode_ok(&path);
        let samples = &cut.samples;
        assert_eq!(samples.len() + 100, whole.len(), "{name}");
        let at = samples.iter().zip(&whole).position(|(a, b)| a != b).unwrap();
        assert!(at > 100 && at < samples.len() - 100, "{name}: {at}");
        assert_eq!(samples[at..], whole[at + 100..], "{name}");
        let part = decode_range(&path, 0.5, Some(1.0), &Limits::default()).unwrap();
        let from = cut.sample_rate as usize / 2;
        assert_eq!(part.samples[..], samples[from..from + part.samples.len()], "{name}");
        let lost = pages(&marked, |number, page| {
            if number == 12 {
                page.clear();
            }
        });
        assert_says(&refusal(&scratch.file(name, &lost)), &["sound is missing"]);
    }
}

#[test]
fn ogg_is_cut_at_its_end_alone_and_chains_are_read_to_theirs() {
    let scratch = Scratch::new();
    for name in ["tone.ogg", "tone.opus"] {
        let bytes = bytes_of(name);
        let whole = decode_ok(&fixture(name));
        let other = pages(&bytes, |_, page| page[14] ^= 0x55);
        let chained = decode_ok(&scratch.file(name, &[&bytes[..], &other].concat()));
        assert_eq!(chained.samples, [&whole.samples[..], &whole.samples].concat(), "{name}");
        let second = whole.seconds() + 0.4;
        let path = scratch.file(name, &[&bytes[..], &other].concat());
        let part = decode_range(&path, second, Some(second + 0.1), &Limits::default()).unwrap();
        let rate = f64::from(whole.sample_rate);
        let from = (second * rate).round() as usize;
        assert_eq!(part.samples[..], chained.samples[from..from + part.samples.len()], "{name}");

        let split = split_pages(&bytes);
        assert_eq!(decode_ok(&scratch.file(name, &split)), whole, "{name}");
        // Counts of pages in the middle that are a little off cut nothing.
        let off = pages(&split, |number, page| {
            if number == 12 {
                page[6..14].copy_from_slice(&100_u64.to_le_bytes());
            }
        });
        assert_eq!(decode_ok(&scratch.file(name, &off)), whole, "{name}");
        // A page that is missing, damaged or followed by a stream before its end.
        let lost = pages(&split, |number, page| {
            if number == 12 {
                page.clear();
            }
        });
        assert_says(&refusal(&scratch.file(name, &lost)), &["sound is missing", " at "]);
        let at = split.len() / 2;
        let damaged = put(&split, at, &[split[at] ^ 1]);
        assert_says(&refusal(&scratch.file(name, &damaged)), &["damaged or missing", " at "]);
        let unended = pages(&bytes, |_, page| page[5] &= !4);
        let message = refusal(&scratch.file(name, &[&unended[..], &other].concat()));
        assert_says(&message, &["truncated"]);
    }
}

#[test]
fn what_is_not_read_is_named() {
    let scratch = Scratch::new();
    let speex = {
        let mut page = b"OggS\0\x02".to_vec();
        page.extend([0; 20]);
        page.extend([1, 80]);
        page.extend(b"Speex   ");
        page.extend([0; 72]);
        pages(&page, |_, _| {})
    };
    // Layer II of MPEG-1, 64 kbit/s, 44,100 Hz: 208 bytes a frame.
    let mp2 = [&[0xff, 0xfd, 0x40, 0xc0][..], &[0; 204]].concat().repeat(8);
    let mut wma = b"RIFF\0\0\0\0WAVEfmt \x12\0\0\0\x61\x01\x02\0\x44\xac\0\0".to_vec();
    wma.extend([0, 0, 0, 0, 0xb9, 5, 16, 0, 0, 0]);
    let mut aifc = b"FORM\0\0\0\x2aAIFCCOMM\0\0\0\x18\0\x01\0\0\0\x01\0\x10".to_vec();
    aifc.extend(b"\x40\x0d\xac\x44\0\0\0\0\0\0ima4\0\0SSND\0\0\0\x08\0\0\0\0\0\0\0\0");
    for (bytes, name) in [
        (aifc, "ima4"),
        (speex, "Speex"),
        (mp2, "MP2"),
        (wma, "WMA"),
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9".to_vec(), "WMA"),
        (b"wvpk\0\0\0\0".to_vec(), "WavPack"),
        (b"\x0b\x77\0\0\0\0".to_vec(), "AC-3"),
        (b"MAC \0\0\0\0".to_vec(), "APE"),
    ] {
        assert_says(&refusal(&scratch.file("x.mp3", &bytes)), &[name, "not read"]);
    }
}

#[test]
fn caf_gives_its_integers_exactly() {
    let audio = reads(&fixture("tone.caf"), 4000);
    let expected = sine(8000, 1000.0, 0.25, 0.5);
    let worst = audio.samples.iter().zip(&expected).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max);
    assert!(worst <= 1.0 / 32_768.0, "{worst}");
    let bytes = bytes_of("tone.caf");
    let scratch = Scratch::new();
    assert_says(&refusal(&scratch.file("c.caf", &bytes[..bytes.len() - 900])), &["truncated"]);
}
