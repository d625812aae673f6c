//! Files made to do harm: a small file that claims much is refused with its name, at little cost.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::bad_input::{says, tone};
use crate::images::net;
use crate::program::{Place, Ran, model};

/// Address space that a command may have, in KiB: what a claim takes to be believed is more.
const MEMORY: u32 = 1 << 20;

/// Runs the command with little memory.
fn run_small(place: &Place, arguments: &[&str]) -> Ran {
    let command = place.command(&[]);
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &format!("ulimit -v {MEMORY}; exec \"$0\" \"$@\"")])
        .arg(command.get_program())
        .args(arguments)
        .args(["--threads", "1"])
        .current_dir(command.get_current_dir().unwrap())
        .envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    Ran::of(shell.output().unwrap())
}

/// Runs a command that must fail with exit code 2 and an error that contains `words`.
#[track_caller]
fn refused_small(place: &Place, arguments: &[&str], words: &[&str]) {
    let ran = run_small(place, arguments);
    assert_eq!(ran.code, Some(2), "{arguments:?}: {}{}", ran.stdout, ran.stderr);
    says(&ran.stderr, words);
}

/// The bytes of a WAV header with these claims, and little sound.
fn wav(channels: u16, rate: u32, bits: u16, block: u16, claimed: u32) -> Vec<u8> {
    let mut bytes = b"RIFF".to_vec();
    bytes.extend(claimed.saturating_add(36).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0");
    bytes.extend(channels.to_le_bytes());
    bytes.extend(rate.to_le_bytes());
    bytes.extend(rate.wrapping_mul(block.into()).to_le_bytes());
    bytes.extend(block.to_le_bytes());
    bytes.extend(bits.to_le_bytes());
    bytes.extend(b"data");
    bytes.extend(claimed.to_le_bytes());
    bytes.extend([1; 4000]);
    bytes
}

/// A box of an MP4 file.
fn mp4_box(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    [&(content.len() as u32 + 8).to_be_bytes()[..], kind, content].concat()
}

fn sound_bombs() -> Vec<(&'static str, Vec<u8>)> {
    let au = |words: [u32; 5]| {
        let mut bytes = b".snd".to_vec();
        words.iter().for_each(|word| bytes.extend(word.to_be_bytes()));
        bytes.extend([0; 400]);
        bytes
    };
    let aiff = |channels: u16, frames: u32, exponent: u16| {
        let mut common = channels.to_be_bytes().to_vec();
        common.extend(frames.to_be_bytes());
        common.extend(16_u16.to_be_bytes());
        common.extend(exponent.to_be_bytes());
        common.extend([0xfa, 0, 0, 0, 0, 0, 0, 0]);
        let mut bytes = b"FORM\x7f\xff\xff\xffAIFFCOMM\0\0\0\x12".to_vec();
        bytes.extend(common);
        bytes.extend(b"SSND\x7f\xff\xff\xff\0\0\0\0\0\0\0\0");
        bytes.extend([1; 400]);
        bytes
    };
    // A FLAC header of the largest blocks, 8 channels and 2^36 - 1 samples.
    let mut flac =
        b"fLaC\x80\0\0\x22\xff\xff\xff\xff\0\0\0\0\0\0\x0a\xc4\x4e\xff\xff\xff\xff\xff".to_vec();
    flac.extend([0; 16]);
    flac.extend([0xff, 0xf8, 0x79, 0x18, 0, 0, 0]);
    // An ID3 tag of 256 MiB, and a frame in it that claims 2 GiB.
    let mut id3 = b"ID3\x03\0\0\x7f\x7f\x7f\x7fAPIC\x7f\xff\xff\xff\0\0".to_vec();
    id3.extend([0; 400]);
    let nested = (0..2000).fold(Vec::new(), |inner, _| mp4_box(b"moov", &inner));
    let endless = b"\0\0\0\x01ftyp\xff\xff\xff\xff\xff\xff\xff\xffM4A ".to_vec();
    // An Ogg page of 255 segments of 255 bytes, without them.
    let mut ogg = b"OggS\0\x02\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\xff".to_vec();
    ogg.extend([0xff; 255]);
    vec![
        ("4-gibibytes.wav", wav(1, 22_050, 16, 2, 0xffff_fff0)),
        ("2-to-the-32.wav", wav(1, 8_000, 8, 1, 0xffff_ff00)),
        ("255-channels.wav", wav(255, 44_100, 16, 510, 4000)),
        ("65535-channels.wav", wav(65_535, 44_100, 16, 65_534, 4000)),
        ("1-hertz.wav", wav(1, 1, 16, 2, 4000)),
        ("10-megahertz.wav", wav(1, 10_000_000, 16, 2, 4000)),
        ("0-hertz.wav", wav(1, 0, 16, 2, 4000)),
        ("0-channels.wav", wav(0, 22_050, 16, 2, 4000)),
        ("0-bits.wav", wav(1, 22_050, 0, 0, 4000)),
        ("block-0.wav", wav(1, 22_050, 16, 0, 4000)),
        ("0-length.wav", wav(1, 22_050, 16, 2, 0)[..44].to_vec()),
        ("huge.au", au([24, 0xffff_fffe, 3, 22_050, 1])),
        ("255-channels.au", au([24, 400, 3, 22_050, 255])),
        ("far-data.au", au([0xffff_fff0, 400, 3, 22_050, 1])),
        ("10-megahertz.au", au([24, 400, 3, 10_000_000, 1])),
        ("huge.aiff", aiff(1, u32::MAX, 0x400b)),
        ("rate.aiff", aiff(1, 200, 0x7ffe)),
        ("65535-channels.aiff", aiff(65_535, 200, 0x400b)),
        ("huge.flac", flac),
        ("tag.mp3", id3),
        ("nested.m4a", nested),
        ("endless.m4a", endless),
        ("page.ogg", ogg),
    ]
}

#[test]
fn sound_that_claims_much_is_refused_by_name() {
    let place = Place::new();
    for clip in ["low/0.wav", "low/1.wav", "high/2.wav"] {
        tone(&place.path("corpus").join(clip), 4.0, 22_050, 1, 200.0);
    }
    for (name, bytes) in sound_bombs() {
        let path = place.path("corpus/high").join(name);
        fs::write(&path, bytes).unwrap();
        refused_small(&place, &["train", "corpus", "--reference-folds", "0"], &[name, ";"]);
        fs::remove_file(path).unwrap();
    }
}

/// A PNG of these sizes whose pixels are `data`, compressed.
fn png(width: u32, height: u32, extra: &[(&[u8; 4], Vec<u8>)], data: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 0, 0, 0, 0]].concat();
    let mut chunk = |kind: &[u8; 4], content: &[u8]| {
        bytes.extend((content.len() as u32).to_be_bytes());
        let mut crc = flate2::Crc::new();
        crc.update(kind);
        crc.update(content);
        bytes.extend(kind);
        bytes.extend(content);
        bytes.extend(crc.sum().to_be_bytes());
    };
    chunk(b"IHDR", &header);
    extra.iter().for_each(|(kind, content)| chunk(kind, content));
    chunk(b"IDAT", data);
    chunk(b"IEND", b"");
    bytes
}

/// Zeros, compressed.
fn zeros(count: u64) -> Vec<u8> {
    let encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut encoder = encoder;
    std::io::copy(&mut std::io::Read::take(std::io::repeat(0), count), &mut encoder).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn images_that_claim_much_are_refused_by_name() {
    let place = Place::new();
    let text = [&b"Comment\0\0"[..], &zeros(1 << 28)].concat();
    let international = [&b"Comment\0\x01\0\0\0"[..], &zeros(1 << 28)].concat();
    let bombs = [
        ("50k.png", png(50_000, 50_000, &[], &zeros(1000))),
        ("most.png", png(u32::MAX, u32::MAX, &[], &zeros(1000))),
        ("flat.png", png(0, 10, &[], &zeros(1000))),
        ("short.png", png(4000, 4000, &[], &zeros(1000))),
        ("text.png", png(28, 28, &[(b"zTXt", text)], &zeros(100))),
        ("international.png", png(28, 28, &[(b"iTXt", international)], &zeros(100))),
        ("profile.png", png(28, 28, &[(b"iCCP", [&b"p\0\0"[..], &zeros(1 << 28)].concat())], b"")),
        ("50k.jpg", b"\xff\xd8\xff\xc0\0\x0b\x08\xc3\x50\xc3\x50\x01\x01\x11\0\xff\xda".to_vec()),
        ("0.jpg", b"\xff\xd8\xff\xc0\0\x0b\x08\0\0\0\0\x01\x01\x11\0\xff\xda".to_vec()),
    ];
    for (name, bytes) in bombs {
        let _ = fs::remove_dir_all(place.path("corpus"));
        for class in ["a", "b"] {
            fs::create_dir_all(place.path("corpus").join(class)).unwrap();
            fs::write(place.path("corpus").join(class).join(name), &bytes).unwrap();
        }
        let train = ["train", "corpus", "--classifier", "lenet-5", "--epochs", "1"];
        refused_small(&place, &train, &[name, ";"]);
    }
    let digits = place.path("digits");
    fs::create_dir(&digits).unwrap();
    let sizes = |sizes: &[u32]| -> Vec<u8> {
        let dimensions = [0, 0, 8, sizes.len() as u8];
        dimensions.into_iter().chain(sizes.iter().flat_map(|size| size.to_be_bytes())).collect()
    };
    fs::write(digits.join("train-labels-idx1-ubyte"), sizes(&[1])).unwrap();
    for claim in [[u32::MAX; 3], [1, 1 << 16, 1 << 15]] {
        fs::write(digits.join("train-images-idx3-ubyte"), sizes(&claim)).unwrap();
        let train = ["train", "digits", "--classifier", "lenet-5", "--epochs", "1"];
        refused_small(&place, &train, &["train-images-idx3-ubyte", "more than"]);
    }
}

/// `text` repeated 10,000 times.
fn deep(text: &str) -> String {
    text.repeat(10_000)
}

#[test]
fn nested_and_endless_texts_are_refused_by_name() {
    let place = Place::new();
    let write = |name: &str, text: &str| {
        let path = place.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let model = model().to_str().unwrap();
    for text in [
        format!("budget = {}", deep("[")),
        format!("a = {}", deep("{a=")),
        deep("a.") + "a = 1",
        format!("[{}a]", deep("a.")),
        format!("seed = {}", "9".repeat(100_000)),
        "\u{0}".to_owned(),
    ] {
        write("fool.toml", &text);
        let fool = ["fool", model, "--bank", "synthetic-loops", "--config", "fool.toml"];
        refused_small(&place, &fool, &["fool.toml", ";"]);
        write("series/series.toml", &text);
        refused_small(&place, &["fool", "--resume", "series"], &["series.toml", ";"]);
        write("study/study.toml", &text);
        refused_small(
            &place,
            &["listen", "serve", "study", "--database", "answers.sqlite"],
            &["study"],
        );
    }
    for text in [deep("["), deep("{\"a\":"), format!("{{\"schema_version\":{}", deep("["))] {
        write("set/manifest.json", &text);
        refused_small(&place, &["verify", "set", "--model", model], &["manifest.json", ";"]);
    }
    // A header of a model that claims to be as long as memory, and one that nests.
    let mut long = (1_u64 << 40).to_le_bytes().to_vec();
    long.extend(b"{}");
    let json = format!("{{\"__metadata__\":{{\"trompe\":\"{}\"}}}}", deep("["));
    let mut nested = (json.len() as u64).to_le_bytes().to_vec();
    nested.extend(json.as_bytes());
    for (name, bytes) in [("long.safetensors", long), ("nested.safetensors", nested)] {
        fs::write(place.path(name), bytes).unwrap();
        let fool = ["fool", name, "--bank", "synthetic-loops"];
        refused_small(&place, &fool, &[name, ";"]);
    }
}

/// A checkpoint is sealed: no bit of it can change unseen. Every 97th bit is tried here, every
/// one where it is sealed.
#[test]
fn damage_to_a_checkpoint_is_found() {
    let place = Place::new();
    fs::write(place.path("quick.toml"), "base_rate_candidates = 5\n").unwrap();
    let net = net().to_str().unwrap();
    let quick = ["--config", "quick.toml", "--budget", "100", "--threshold", "0.9999"];
    place.must(&[&["fool", net, "--generator", "patches", "--quiet"], &quick[..]].concat());
    let path = place.path("run/checkpoint.json");
    let good = fs::read(&path).unwrap();
    let mut damaged: Vec<Vec<u8>> =
        (0..12).map(|cut| good[..good.len() * cut / 12].to_vec()).collect();
    damaged.extend((0..24).map(|n| {
        let bit = (n * good.len() * 8 / 24) + n % 8;
        let mut bytes = good.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        bytes
    }));
    for bytes in damaged {
        fs::write(&path, bytes).unwrap();
        refused_here(&place, &path);
    }
}

#[track_caller]
fn refused_here(place: &Place, path: &Path) {
    let error = place.refused(&["fool", "--resume", "run", "--quiet"]);
    says(&error, &[path.file_name().unwrap().to_str().unwrap(), "damaged"]);
}
