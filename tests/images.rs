//! The image side, on the built-in digits.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::program::{Place, files};

/// A small net trained on the built-in digits, the same for all tests.
pub(crate) fn net() -> &'static Path {
    static NET: OnceLock<(Place, PathBuf)> = OnceLock::new();
    let (_, path) = NET.get_or_init(|| {
        let place = Place::new();
        place.must(&["train", "synthetic-digits", "--classifier", "lenet-5", "--epochs", "3"]);
        let path = place.path("model.safetensors");
        (place, path)
    });
    path
}

fn json(path: &Path) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn every_generator_gives_a_set_that_holds() {
    for generator in ["patches", "pixels", "tiles", "cppn"] {
        let place = Place::new();
        std::fs::write(
            place.path("fool.toml"),
            match generator {
                "tiles" => "[image]\ngenerator = \"tiles\"\ncorpus = \"synthetic-digits\"".into(),
                _ => format!("[image]\ngenerator = \"{generator}\""),
            },
        )
        .unwrap();
        let net = net().to_str().unwrap();
        let options = ["--config", "fool.toml", "--budget", "600", "--threshold", "0.6"];
        place.must(&[&["fool", net], &options[..]].concat());
        let said = place.must(&["verify", "run/fooling-set"]);
        assert!(said.contains(".png"), "{generator}: {said}");
        let manifest = json(&place.path("run/fooling-set/manifest.json"));
        assert_eq!(manifest["origin"]["medium"], "image");
        assert_eq!(manifest["origin"]["generator"]["name"], generator);
        assert_eq!(manifest["origin"]["classifier"]["provenance"], "synthetic");
        let page = std::fs::read_to_string(place.path("run/fooling-set/index.html")).unwrap();
        assert!(page.contains("Contact sheet") && page.to_lowercase().contains("synthetic"));
        let report = json(&place.path("run/report.json"));
        assert_eq!(report["classes"].as_array().unwrap().len(), 10);
    }
}

#[test]
fn an_altered_image_is_found() {
    let place = Place::new();
    place.must(&["fool", net().to_str().unwrap(), "--budget", "400", "--threshold", "0.6"]);
    let set = place.path("run/fooling-set");
    let png = files(&set).into_iter().find(|(name, _)| name.ends_with(".png")).unwrap().0;
    let grey = trompe_corpora::ImageShape::grey(28, 28);
    let blank = trompe_corpora::Image { shape: grey, pixels: vec![0; grey.bytes()] };
    trompe_corpora::images::write_png(&set.join(&png), &blank).unwrap();
    let ran = place.run(&["verify", "run/fooling-set"]);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.stdout.contains("FAILS") && ran.stdout.contains(&png), "{}", ran.stdout);
}

#[test]
fn training_and_evaluation_agree_and_name_the_test_part() {
    let place = Place::new();
    let quick = ["synthetic-digits", "--classifier", "lenet-5", "--epochs", "1"];
    let trained = place.must(&[&["train"], &quick[..], &["--json"]].concat());
    let trained: serde_json::Value = serde_json::from_str(&trained).unwrap();
    assert_eq!((&trained["kind"], &trained["images"]), (&"lenet-5".into(), &4_000.into()));
    let evaluated = |arguments: &[&str]| -> f64 {
        let text = place.must(&[&["evaluate"], arguments, &["--json"]].concat());
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        let (_, evaluation) = value.as_object().unwrap().iter().next().unwrap();
        assert_eq!(evaluation["excerpts"].as_array().unwrap().len(), 1_000);
        1.0 - evaluation["accuracy"]["mean"].as_f64().unwrap()
    };
    let error = trained["test_error"].as_f64().unwrap();
    assert!(error < 0.2, "{error}");
    assert_eq!(evaluated(&["synthetic-digits", "--model", "model.safetensors"]), error);
    assert_eq!(evaluated(&quick), error);
}

#[test]
fn media_are_not_mixed_up() {
    let place = Place::new();
    let checked = place.must(&["corpus", "check", "synthetic-digits"]);
    assert!(checked.contains("5000 images of 28 x 28 grey"), "{checked}");
    let net = net().to_str().unwrap();
    let says = |error: String, words: &str| assert!(error.contains(words), "{error}");
    says(place.refused(&["train", "synthetic-digits"]), "is a corpus of images");
    says(place.refused(&["train", "synthetic", "--classifier", "lenet"]), "is a corpus of clips");
    says(place.refused(&["evaluate", "synthetic", "--model", net]), "is a corpus of clips");
    says(
        place.refused(&["fool", net, "--generator", "loops"]),
        "patches, pixels, tiles, cppn, values",
    );
    assert!(!place.path("run").exists());
}

#[test]
fn the_offline_demo_fools_a_net_with_both_encodings() {
    let place = Place::new();
    let demo = ["demo", "--image", "--offline", "--budget", "2000", "--out", "demo"];
    let said = place.must(&demo);
    assert!(said.contains("test error"), "{said}");
    for encoding in ["patches", "cppn"] {
        let set = format!("demo/{encoding}/fooling-set");
        place.must(&["verify", &set]);
        let manifest = json(&place.path(&format!("{set}/manifest.json")));
        assert_eq!(manifest["origin"]["classifier"]["provenance"], "synthetic");
        let exhibits = manifest["exhibits"].as_array().unwrap();
        assert!(exhibits.iter().all(|exhibit| exhibit["posterior"].as_f64().unwrap() >= 0.9999));
        assert!(exhibits.len() >= 10, "{}", exhibits.len());
    }
    // Ending again what has ended changes nothing, and one document tells of both runs.
    let said = place.must(&[&demo[..], &["--json"]].concat());
    let runs: serde_json::Value = serde_json::from_str(&said).unwrap();
    for (run, encoding) in runs.as_array().unwrap().iter().zip(["patches", "cppn"]) {
        assert!(run["fooling_set"].as_str().unwrap().contains(encoding), "{run}");
        let sheet = place.path(&format!("demo/{encoding}/contact-sheet.png"));
        let sheet =
            trompe::corpora::images::read_png(&sheet, &trompe::corpora::Limits::default()).unwrap();
        assert_eq!(sheet.shape.height, 10 * 88 + 4, "a row a class");
        assert!(sheet.pixels.iter().any(|&pixel| pixel != 128), "images on it");
    }
}

#[test]
fn presets_are_the_papers_and_many_looks_of_a_class_are_kept() {
    let place = Place::new();
    let net = net().to_str().unwrap();
    let paper = ["--preset", "nguyen-direct", "--budget", "1500", "--out", "paper"];
    place.must(&[&["fool", net], &paper[..]].concat());
    let report = json(&place.path("paper/report.json"));
    assert_eq!(report["evaluations"], 1_500, "the whole budget is spent");
    let diverse = ["--preset", "diverse", "--budget", "3000", "--threshold", "0.6"];
    place.must(&[&["fool", net], &diverse[..], &["--out", "diverse"]].concat());
    let manifest = json(&place.path("diverse/fooling-set/manifest.json"));
    let exhibits = manifest["exhibits"].as_array().unwrap();
    let mut looks: Vec<(u64, u64)> = exhibits
        .iter()
        .map(|e| (e["class"].as_u64().unwrap(), e["genome"]["cell"].as_u64().unwrap()))
        .collect();
    looks.sort_unstable();
    let count = looks.len();
    looks.dedup();
    assert_eq!(looks.len(), count, "no class has two elites of one look");
    assert!(count > 20, "{count}");
}

/// Refused before anything large is allocated, and nothing is written.
#[test]
fn image_files_that_cannot_be_are_refused_in_little_memory() {
    let place = Place::new();
    let refused = |arguments: &[&str], word: &str| {
        // 600 MB of addresses for everything: the program, its threads, the file.
        let line = format!("ulimit -v 600000; exec \"$0\" {}", arguments.join(" "));
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", &line, env!("CARGO_BIN_EXE_trompe")]).current_dir(place.path(""));
        let output = shell.output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains(word) && !error.contains("panicked"), "{word}: {error}");
        assert!(!place.path("model.safetensors").exists());
    };
    let train = ["train", "corpus", "--classifier", "logistic", "--threads", "2"];
    let folder = place.path("corpus");
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    };
    let labels = [&[0, 0, 8, 1, 0, 0, 0, 2][..], &[0, 1]].concat();
    let images = [&[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2][..], &[7; 8]].concat();
    write("train-labels-idx1-ubyte", &labels);
    write("train-images-idx3-ubyte", &images[..20]);
    refused(&train, "fewer bytes");
    let mut wrong = images.clone();
    wrong[2] = 13;
    write("train-images-idx3-ubyte", &wrong);
    refused(&train, "not an IDX file");
    let mut vast = images.clone();
    vast[4..8].copy_from_slice(&[0xff; 4]);
    write("train-images-idx3-ubyte", &vast);
    refused(&train, "more than the file can hold");
    std::fs::remove_dir_all(&folder).unwrap();
    refused(&train, "corpus");

    // A PNG whose header claims 50,000 x 50,000 pixels.
    let mut bomb = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\xc3\x50\0\0\xc3\x50\x08\0\0\0\0".to_vec();
    bomb.extend(crc32(&bomb[12..]).to_be_bytes());
    bomb.extend([0, 0, 0, 1, b'I', b'D', b'A', b'T', 0, 0, 0, 0, 0]);
    write("a/bomb.png", &bomb);
    write("b/bomb.png", &bomb);
    refused(&train, "50000 x 50000");
    write("a/bomb.png", b"\x89PNG");
    refused(&train, "not a readable PNG");
}

/// The checksum of a PNG chunk (ISO 3309).
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 }
        })
    };
    !bytes.iter().fold(u32::MAX, step)
}
