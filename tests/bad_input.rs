//! Bad input: a clear error that names the file and the remedy, exit code 2, nothing
//! half-written.

use std::fs;
use std::path::Path;

use crate::program::{Place, Ran, model};

/// A WAV file of a tone, `seconds` long.
pub(crate) fn tone(path: &Path, seconds: f64, rate: u32, channels: u16, hertz: f64) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let spec = hound::WavSpec {
        channels,
        sample_rate: rate,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    for n in 0..(seconds * f64::from(rate)) as u32 {
        let phase = std::f64::consts::TAU * hertz * f64::from(n) / f64::from(rate);
        for _ in 0..channels {
            writer.write_sample((12_000.0 * phase.sin()) as i16).unwrap();
        }
    }
    writer.finalize().unwrap();
}

/// A corpus of two classes with `clips` clips each.
pub(crate) fn corpus(place: &Place, clips: usize) {
    for (class, hertz) in [("high", 2_000.0), ("low", 200.0)] {
        for clip in 0..clips {
            let path = place.path(&format!("corpus/{class}/{clip}.wav"));
            tone(&path, 4.0, 22_050, 1, hertz + 10.0 * clip as f64);
        }
    }
}

const TRAIN: [&str; 6] = ["train", "corpus", "--reference-folds", "0", "--rounds=5", "--force"];

#[track_caller]
pub(crate) fn says(error: &str, words: &[&str]) {
    for word in words {
        assert!(error.contains(word), "no '{word}' in: {error}");
    }
}

#[test]
fn folders_that_are_no_corpus() {
    let place = Place::new();
    says(&place.refused(&["train", "nowhere"]), &["nowhere", "corpus list"]);
    corpus(&place, 2);
    says(&place.refused(&["train", "corpus/low/1.wav"]), &["1.wav is not a corpus", "folder"]);
    for out in ["corpus", "nowhere/model.safetensors"] {
        says(
            &place.refused(&["train", "corpus", "--out", out]),
            &[out.split('/').next().unwrap(), "--out"],
        );
    }
    fs::create_dir(place.path("corpus/empty")).unwrap();
    says(&place.refused(&TRAIN), &["empty"]);
    fs::remove_dir(place.path("corpus/empty")).unwrap();
    fs::remove_file(place.path("corpus/low/1.wav")).unwrap();
    says(&place.refused(&TRAIN), &["low", "one clip"]);
    assert!(!place.path("model.safetensors").exists());
    says(&place.refused(&["train", "loops"]), &["loops", "bank"]);
}

#[test]
fn files_that_are_no_audio() {
    let whole = {
        let place = Place::new();
        tone(&place.path("x/whole.wav"), 4.0, 22_050, 1, 440.0);
        fs::read(place.path("x/whole.wav")).unwrap()
    };
    let mut nan = Vec::new();
    {
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: 22_050,
            bits_per_sample: 32,
            sample_format: hound::SampleFormat::Float,
        };
        let mut writer = hound::WavWriter::new(std::io::Cursor::new(&mut nan), spec).unwrap();
        (0..90_000)
            .for_each(|n| writer.write_sample(if n == 40_000 { f32::NAN } else { 0.1 }).unwrap());
        writer.finalize().unwrap();
    }
    let cases: [(&str, &[u8], &str); 5] = [
        ("truncated", &whole[..60_000], "truncated"),
        ("zero length", &[], "empty"),
        ("text", b"this is no sound at all, but long enough to be probed for a header", "audio"),
        ("header alone", &whole[..44], ""),
        ("not a number", &nan, ""),
    ];
    for (case, bytes, word) in cases {
        let place = Place::new();
        corpus(&place, 3);
        fs::write(place.path("corpus/low/bad.wav"), bytes).unwrap();
        says(&place.refused(&TRAIN), &["bad.wav", word, ";"]);
        assert!(!place.path("model.safetensors").exists(), "{case}");
        let mut skipping = TRAIN.to_vec();
        skipping.push("--skip-bad");
        let ran = place.run(&skipping);
        assert_eq!(ran.code, Some(0), "{case}: {}", ran.stderr);
        says(&ran.stderr, &["left out", "bad.wav"]);
        assert_eq!(place.run(&["corpus", "check", "corpus"]).code, Some(1), "{case}");
    }
}

#[test]
fn unusual_rates_and_channels_are_read() {
    let place = Place::new();
    corpus(&place, 2);
    tone(&place.path("corpus/low/rate8000.wav"), 4.0, 8_000, 1, 210.0);
    tone(&place.path("corpus/low/rate192000.wav"), 4.0, 192_000, 1, 210.0);
    tone(&place.path("corpus/low/six.wav"), 4.0, 44_100, 6, 210.0);
    place.must(&TRAIN);
    tone(&place.path("corpus/low/rate4000.wav"), 4.0, 4_000, 1, 210.0);
    says(&place.refused(&TRAIN), &["rate4000.wav", "4000"]);
}

#[test]
fn clips_shorter_than_a_vector() {
    let place = Place::new();
    corpus(&place, 2);
    tone(&place.path("corpus/low/short.wav"), 1.0, 22_050, 1, 210.0);
    says(&place.refused(&TRAIN), &["short.wav", "too short", "--skip-bad"]);
}

#[test]
fn manifests_with_wrong_columns() {
    let place = Place::new();
    corpus(&place, 2);
    fs::write(place.path("corpus/manifest.csv"), "file,genre\nlow/0.wav,low\n").unwrap();
    says(&place.refused(&TRAIN), &["manifest.csv", "path", "label"]);
    fs::write(place.path("corpus/manifest.csv"), "path,label\nlow/0.wav,low\nlow/9.wav,low\n")
        .unwrap();
    says(&place.refused(&TRAIN), &["manifest.csv", "9.wav"]);
}

#[test]
fn unknown_genres_of_gtzan() {
    let place = Place::new();
    for (genre, hertz) in [("blues", 300.0), ("polka", 900.0)] {
        for clip in 0..2 {
            let path = place.path(&format!("genres/{genre}/{genre}.0000{clip}.wav"));
            tone(&path, 4.0, 22_050, 1, hertz);
        }
    }
    says(&place.refused(&["train", "genres"]), &["polka"]);
}

#[test]
fn models_that_cannot_be_used() {
    let place = Place::new();
    let fool = |model: &str| place.refused(&["fool", model, "--bank", "synthetic-loops"]);
    says(&fool("nowhere.safetensors"), &["nowhere.safetensors"]);
    let bytes = fs::read(model()).unwrap();
    for length in [0, 7, 100, bytes.len() / 2, bytes.len() - 1] {
        fs::write(place.path("cut.safetensors"), &bytes[..length]).unwrap();
        says(&fool("cut.safetensors"), &["cut.safetensors", "train"]);
    }
    // A model of features from elsewhere cannot hear.
    corpus(&place, 3);
    let mut train = TRAIN.to_vec();
    train.extend(["--save-features", "features.npz"]);
    place.must(&train);
    let script = "import numpy, sys; d = dict(numpy.load('features.npz')); \
                  numpy.savez('elsewhere.npz', X=d['X'], y=d['y'])";
    let python = std::process::Command::new("python3")
        .args(["-c", script])
        .current_dir(place.path("."))
        .output();
    match python {
        Ok(output) if output.status.success() => {
            let train =
                ["train", "elsewhere.npz", "--reference-folds", "0", "--rounds=5", "--force"];
            place.must(&train);
            says(&fool("model.safetensors"), &["features from elsewhere"]);
        }
        _ => eprintln!("skipped the part on features from elsewhere: no python3 with numpy"),
    }
    assert!(!place.path("run").exists());
}

#[test]
fn banks_that_cannot_be_used() {
    let place = Place::new();
    let model = model().to_str().unwrap();
    says(&place.refused(&["fool", model, "--bank", "nowhere"]), &["nowhere"]);
    for n in 0..8 {
        tone(&place.path(&format!("silent/{n}.wav")), 1.0, 22_050, 1, 0.0);
    }
    says(&place.refused(&["fool", model, "--bank", "silent"]), &["silent"]);
    tone(&place.path("small/1.wav"), 1.0, 22_050, 1, 440.0);
    says(&place.refused(&["fool", model, "--bank", "small"]), &["1 loop ", "max_loops"]);
    assert!(!place.path("run").exists());
}

#[test]
fn searches_that_cannot_find() {
    let place = Place::new();
    let model = model().to_str().unwrap();
    let fool = |more: &[&str]| {
        let mut arguments = vec!["fool", model, "--bank", "synthetic-loops"];
        arguments.extend(more);
        place.refused(&arguments)
    };
    says(&fool(&["--budget", "0"]), &["budget"]);
    says(&fool(&["--seconds", "-3"]), &["seconds = -3", "between"]);
    says(&fool(&["--threshold", "1"]), &["threshold"]);
    says(&fool(&["--emitter", "oracle"]), &["oracle", "climber"]);
    says(&fool(&["--seconds", "1"]), &["too short"]);
    fs::write(place.path("bad.toml"), "[search]\nbugdet = 9\n").unwrap();
    says(&fool(&["--config", "bad.toml"]), &["bad.toml", "bugdet", "--print-config"]);
    assert!(!place.path("run").exists());
}

#[test]
fn outputs_that_cannot_be_written() {
    let place = Place::new();
    corpus(&place, 2);
    fs::write(place.path("file"), "in the way").unwrap();
    let mut train = TRAIN.to_vec();
    train.extend(["--out", "file/model.safetensors"]);
    says(&place.refused(&train), &["file/model.safetensors"]);
    let model = model().to_str().unwrap();
    let fool = ["fool", model, "--bank", "synthetic-loops", "--out", "file/run"];
    says(&place.refused(&fool), &["file"]);
    assert_eq!(fs::read(place.path("file")).unwrap(), b"in the way");
    let into_corpus = ["fool", model, "--bank", "synthetic-loops", "--out", "corpus"];
    says(&place.refused(&into_corpus), &["corpus is not empty", "--out"]);
    says(&place.refused(&[&into_corpus[..], &["--seeds", "2"]].concat()), &["corpus is not empty"]);
    assert_eq!(fs::read_dir(place.path("corpus")).unwrap().count(), 2);
}

#[cfg(target_os = "linux")]
#[test]
fn results_that_cannot_be_printed_are_an_error() {
    let place = Place::new();
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let ran = place.command(&["fool", "--print-config"]).stdout(full).output().unwrap();
    assert_eq!(ran.status.code(), Some(2));
    says(&String::from_utf8(ran.stderr).unwrap(), &["stdout", "No space"]);
}

/// A disk of 64 kB, which holds the search but no excerpt: a small file system in a mount
/// namespace of its own, where the machine lets us make one.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_leaves_nothing_half_written() {
    const SCRIPT: &str = r#"
        mount -t tmpfs -o size=64k none disk && cd disk || exit 9
        "$TROMPE" fool "$MODEL" --bank synthetic-loops --budget 100 --seconds 8 --threshold 0.5 --quiet
        echo "full: $?"
        echo "left:" $(ls -A run)
        cd .. && mount -o remount,size=64m disk && cd disk || exit 9
        "$TROMPE" fool --resume run --quiet && "$TROMPE" verify run/fooling-set
        echo "with room again: $?"
    "#;
    let place = Place::new();
    fs::create_dir(place.path("disk")).unwrap();
    // The bank is in the cache, which is on another disk, before this one is full.
    place.must(&["corpus", "fetch", "synthetic-loops"]);
    let command = place.command(&[]);
    let output = std::process::Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", SCRIPT])
        .current_dir(place.path("."))
        .env("TROMPE", env!("CARGO_BIN_EXE_trompe"))
        .env("MODEL", model())
        .envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .output()
        .unwrap();
    let ran = Ran::of(output);
    if matches!(ran.code, Some(1 | 9)) && std::env::var_os("CI").is_none() {
        eprintln!("SKIPPED: this machine lets nobody mount a small file system: {}", ran.stderr);
        return;
    }
    says(&ran.stderr, &["error: ", "run/", "No space left on device"]);
    says(&ran.stdout, &["full: 2", "with room again: 0"]);
    let left = ran.stdout.lines().find(|line| line.starts_with("left:")).unwrap();
    assert!(left.contains("trace.jsonl") && !left.contains("fooling-set"), "{left}");
    assert!(!left.contains(".partial"), "{left}");
}

#[test]
fn onnx_files_that_are_no_net() {
    let place = Place::new();
    let refused = |model: &str, words: &[&str]| {
        says(&place.refused(&["fool", model, "--generator", "cppn", "--budget", "10"]), words);
        assert!(!place.path("run").exists());
    };
    refused("onnx:nowhere.onnx", &["nowhere.onnx"]);
    fs::write(place.path("net.onnx"), "<html>not found</html>").unwrap();
    refused("net.onnx", &["net.toml", "missing"]);
    let description = "corpus = 'made up'\nprovenance = 'synthetic'\nclasses = '../classes.txt'\n\
                       width = 8\nheight = 8\ncolour = 'grey'\nmean = [0]\ndeviation = [255]\n\
                       output = 'logits'\n";
    fs::write(place.path("net.toml"), description).unwrap();
    refused("net.onnx", &["net.toml", "plain name"]);
    fs::write(place.path("net.toml"), description.replace("../", "")).unwrap();
    fs::write(place.path("classes.txt"), "a\nb\n").unwrap();
    refused("onnx:net.onnx", &["net.onnx", "not an ONNX file"]);
    refused("no-such-recipe", &["no-such-recipe"]);
}
