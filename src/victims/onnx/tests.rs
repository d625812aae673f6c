#![allow(clippy::unwrap_used)]

use std::cell::RefCell as Cell;

use rten_onnx::onnx::{
    AttributeProto, DataLocation, DataType, Dimension, GraphProto, ModelProto, NodeProto,
    OperatorSetIdProto, StringStringEntryProto, TensorProto, TensorShapeProto, TypeProto,
    TypeProtoTensor, ValueInfoProto,
};
use tempfile::TempDir;

use trompe_corpora::{Audio, Image};

use super::*;
use crate::classifiers::posterior_from_log_odds;
use crate::problem::Victim;

/// For the net of [`means`].
pub(super) const DESCRIPTION: &str = r#"corpus = "made up"
provenance = "synthetic"
classes = "classes.txt"
width = 4
height = 3
colour = "rgb"
mean = [127, 127, 127]
deviation = [128, 128, 128]
output = "logits"
"#;

const CLASSES: &str = "red\ngreen\nblue\n";

pub(super) fn folder_with(model: &[u8], description: &str, classes: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in [
        ("model.onnx", model),
        ("model.toml", description.as_bytes()),
        ("classes.txt", classes.as_bytes()),
    ] {
        std::fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn node(operator: &str, inputs: &[&str], output: &str) -> NodeProto {
    NodeProto {
        op_type: text(operator),
        name: text(&format!("the {operator}")),
        input: inputs.iter().map(|&name| name.to_owned()).collect(),
        output: vec![output.to_owned()],
        ..NodeProto::default()
    }
}

fn integers(name: &str, values: &[i64]) -> AttributeProto {
    AttributeProto { name: text(name), ints: values.to_vec(), ..AttributeProto::default() }
}

fn weights(name: &str, dims: &[i64], values: &[f32]) -> TensorProto {
    TensorProto {
        name: text(name),
        dims: dims.to_vec(),
        data_type: Some(DataType::FLOAT),
        raw_data: Some(Cell::new(values.iter().flat_map(|value| value.to_le_bytes()).collect())),
        ..TensorProto::default()
    }
}

fn value(name: &str, dims: &[i64]) -> ValueInfoProto {
    let dim = |&size: &i64| Dimension { dim_value: Some(size), ..Dimension::default() };
    let shape = TensorShapeProto { dim: dims.iter().map(dim).collect() };
    let tensor = TypeProtoTensor { elem_type: Some(DataType::FLOAT), shape: Some(shape) };
    let of = TypeProto { tensor_type: Some(tensor), ..TypeProto::default() };
    ValueInfoProto { name: text(name), r#type: Some(of) }
}

/// A net whose logits are four times the mean of each channel.
fn means() -> ModelProto {
    let scale = [4.0, 0.0, 0.0, 0.0, 4.0, 0.0, 0.0, 0.0, 4.0];
    let graph = GraphProto {
        node: vec![
            node("GlobalAveragePool", &["image"], "pooled"),
            node("Flatten", &["pooled"], "means"),
            node("MatMul", &["means", "scale"], "logits"),
            node("Softmax", &["logits"], "probabilities"),
        ],
        initializer: vec![weights("scale", &[3, 3], &scale)],
        input: vec![value("image", &[1, 3, 3, 4])],
        output: vec![value("logits", &[1, 3]), value("probabilities", &[1, 3])],
        ..GraphProto::default()
    };
    ModelProto {
        ir_version: Some(7),
        graph: Some(graph),
        opset_import: vec![OperatorSetIdProto { version: Some(13), ..Default::default() }],
        ..ModelProto::default()
    }
}

/// [`means`], changed.
fn changed(change: impl FnOnce(&mut GraphProto)) -> Vec<u8> {
    let mut model = means();
    change(model.graph.as_mut().unwrap());
    model.write_buf().unwrap()
}

fn open(model: &[u8], description: &str, classes: &str) -> Result<OnnxImages> {
    let folder = folder_with(model, description, classes);
    open_images(&folder.path().join("model.onnx"))
}

fn open_images(path: &Path) -> Result<OnnxImages> {
    match OnnxNet::open(path)? {
        OnnxNet::Images(net) => Ok(*net),
        OnnxNet::Sound(_) => panic!("its description has no table [audio]"),
    }
}

/// Checks that a net is refused by an error that names its file and `expected`.
fn refused(model: &[u8], expected: &str) {
    let error = open(model, DESCRIPTION, CLASSES).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("model.onnx") && error.contains(expected), "{error}");
}

/// One colour all over, of the description's size.
fn plain(colour: [u8; 3]) -> Vec<u8> {
    colour.repeat(12)
}

#[test]
fn a_field_that_claims_more_than_the_file_holds_is_refused() {
    // 2^56 - 1 bytes: of a producer's name (field 2), alone and behind a net that is whole; of
    // a node (field 1 of a graph, field 7) and within it of its name (field 3).
    let claim = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
    let name = [&[0x12][..], &claim].concat();
    refused(&name, "claims more");
    refused(&[changed(|_| {}), name].concat(), "claims more");
    let node = [&[0x3a, 18, 0x0a][..], &claim, &[0x1a], &claim].concat();
    refused(&node, "claims more");
    // Graphs within attributes within nodes within graphs, without end.
    let deep = (0..3_000).fold(Vec::new(), |inner: Vec<u8>, level| {
        let key = [0x32, 0x2a, 0x0a][level % 3];
        let length = inner.len();
        [&[key, length as u8 | 0x80, (length >> 7) as u8 | 0x80, (length >> 14) as u8], &inner[..]]
            .concat()
    });
    let length = deep.len();
    let whole = [0x3a, length as u8 | 0x80, (length >> 7) as u8 | 0x80, (length >> 14) as u8];
    refused(&[&whole[..], &deep].concat(), "claims more");
}

/// Log-odds of images, their pixels given one after another.
fn scores(net: &OnnxImages, pixels: &[u8]) -> Vec<f64> {
    let shape = net.description().image_shape();
    let image = |pixels: &[u8]| Image { shape, pixels: pixels.to_vec() };
    let images: Vec<Image> = pixels.chunks_exact(shape.bytes()).map(image).collect();
    net.scores(&images).unwrap()
}

#[test]
fn a_net_gives_the_log_odds_of_its_logits_or_probabilities() {
    let file = changed(|_| ());
    let net = open(&file, DESCRIPTION, CLASSES).unwrap();
    assert_eq!(net.classes(), ["red", "green", "blue"]);
    let image = plain([255, 127, 63]);
    let from_logits = scores(&net, &image);
    let logits = [4.0_f64, 0.0, -2.0];
    let sum: f64 = logits.iter().map(|z| z.exp()).sum();
    for (found, logit) in from_logits.iter().zip(logits) {
        let posterior = posterior_from_log_odds(*found);
        approx::assert_relative_eq!(posterior, logit.exp() / sum, max_relative = 1e-6);
    }
    let probabilities = DESCRIPTION.replace("\"logits\"", "\"probabilities\"")
        + "output_name = \"probabilities\"\n";
    let from_probabilities = scores(&open(&file, &probabilities, CLASSES).unwrap(), &image);
    for (found, expected) in from_probabilities.iter().zip(from_logits) {
        approx::assert_relative_eq!(*found, expected, max_relative = 1e-5);
    }
}

#[test]
fn ten_crops_have_the_mean_posterior() {
    let more = "crops = { kind = \"ten\", width = 8, height = 3 }\n";
    let net = open(&changed(|_| ()), &format!("{DESCRIPTION}{more}"), CLASSES).unwrap();
    // Left half red, right half blue: the corners see one colour, the centre half of each.
    let image: Vec<u8> = (0..24)
        .flat_map(|place| if place % 8 < 4 { [255, 127, 127] } else { [127, 127, 255] })
        .collect();
    let log_odds = scores(&net, &image);
    let e = 4.0_f64.exp();
    let half = 2.0_f64.exp() / (2.0 * 2.0_f64.exp() + 1.0);
    let red = (4.0 * e / (e + 2.0) + 4.0 / (e + 2.0) + 2.0 * half) / 10.0;
    approx::assert_relative_eq!(posterior_from_log_odds(log_odds[0]), red, max_relative = 1e-6);
    approx::assert_relative_eq!(log_odds[0], log_odds[2], max_relative = 1e-6);
}

#[test]
fn log_odds_do_not_depend_on_company_or_threads() {
    let net = open(&changed(|_| ()), DESCRIPTION, CLASSES).unwrap();
    let images: Vec<u8> = (0..40 * 36).map(|i: u32| (i * i % 251) as u8).collect();
    let together = scores(&net, &images);
    for threads in [1, 2, 7] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let mut apart = vec![0.0; 120];
        pool.install(|| {
            use rayon::prelude::*;
            apart
                .par_chunks_mut(3)
                .zip(images.par_chunks(36))
                .for_each(|(row, image)| row.copy_from_slice(&scores(&net, image)));
        });
        assert_eq!(apart, together);
    }
}

#[test]
fn a_saved_net_is_the_same_net() {
    let net = open(&changed(|_| ()), DESCRIPTION, CLASSES).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.onnx");
    net.save(&path).unwrap();
    assert_eq!(open_images(&path).unwrap().fingerprint(), net.fingerprint());
    let other = open(&changed(|_| ()), DESCRIPTION, "a\nb\nc\n").unwrap();
    assert_ne!(other.fingerprint(), net.fingerprint());
}

#[test]
fn what_is_no_onnx_file_is_refused() {
    let good = changed(|_| ());
    refused(b"", "not an ONNX file");
    refused(b"<html>no net here</html>", "not an ONNX file");
    for kept in [1, 20, good.len() / 2, good.len() - 1] {
        refused(&good[..kept], "");
    }
    let missing = open_images(Path::new("/nowhere/model.onnx")).map(|_| ());
    assert!(missing.unwrap_err().to_string().contains("/nowhere/model.onnx"));
}

#[test]
fn damage_anywhere_is_an_error_or_another_net_but_never_a_panic() {
    let good = changed(|_| ());
    for place in 0..good.len() {
        for value in [0, 1, 0x7f, 0xff] {
            let mut damaged = good.clone();
            damaged[place] = value;
            drop(open(&damaged, DESCRIPTION, CLASSES));
        }
    }
}

/// [`means`], its weights in another file.
fn with_weights_in(location: &str, offset: &str, length: &str) -> Vec<u8> {
    changed(|graph| {
        let entry =
            |key: &str, value: &str| StringStringEntryProto { key: text(key), value: text(value) };
        let tensor = &mut graph.initializer[0];
        tensor.raw_data = None;
        tensor.data_location = Some(DataLocation::EXTERNAL);
        tensor.external_data =
            vec![entry("location", location), entry("offset", offset), entry("length", length)];
    })
}

#[test]
fn weights_in_files_elsewhere_are_refused_and_not_read() {
    for location in ["../secret.bin", "/etc/passwd", "..", ".hidden", "a/b"] {
        refused(&with_weights_in(location, "0", "36"), "no file beside the net");
    }
    refused(&with_weights_in("weights.bin", "0", "36"), "is not there");
    // A run's folder, which keeps a copy, has files of these names.
    refused(&with_weights_in("run.toml", "0", "36"), "rename");
    refused(&with_weights_in("weights.bin", "-1", "36"), "offset");
}

#[test]
fn weights_in_a_file_beside_the_net_are_read_and_kept() {
    let inside = open(&changed(|_| ()), DESCRIPTION, CLASSES).unwrap();
    let scale: [f32; 9] = [4.0, 0.0, 0.0, 0.0, 4.0, 0.0, 0.0, 0.0, 4.0];
    let bytes: Vec<u8> =
        [7; 8].into_iter().chain(scale.iter().flat_map(|v| v.to_le_bytes())).collect();
    let folder = folder_with(&with_weights_in("net.data", "8", "36"), DESCRIPTION, CLASSES);
    let (path, weights) = (folder.path().join("model.onnx"), folder.path().join("net.data"));
    std::fs::write(&weights, &bytes).unwrap();
    let net = open_images(&path).unwrap();
    assert_eq!(scores(&net, &plain([255, 127, 63])), scores(&inside, &plain([255, 127, 63])));
    let copy = tempfile::tempdir().unwrap();
    net.save(&copy.path().join("model.onnx")).unwrap();
    let kept = open_images(&copy.path().join("model.onnx")).unwrap();
    assert_eq!(kept.fingerprint(), net.fingerprint());
    // Other weights are another net; too few are none.
    std::fs::write(&weights, [&bytes[..43], &[65]].concat()).unwrap();
    assert_ne!(open_images(&path).unwrap().fingerprint(), net.fingerprint());
    std::fs::write(&weights, &bytes[..40]).unwrap();
    let error = open_images(&path).err().unwrap().to_string();
    assert!(error.contains("beyond the end"), "{error}");
    #[cfg(unix)]
    {
        std::fs::rename(&weights, folder.path().join("elsewhere")).unwrap();
        std::os::unix::fs::symlink(folder.path().join("elsewhere"), &weights).unwrap();
        assert!(open_images(&path).err().unwrap().to_string().contains("no plain file"));
    }
}

#[test]
fn operators_that_are_not_run_are_named() {
    for operator in ["NonMaxSuppression", "Loop", "NonZero", "Range", "NoSuchThing"] {
        let change = |graph: &mut GraphProto| graph.node[1].op_type = text(operator);
        refused(&changed(change), operator);
    }
}

#[test]
fn shapes_that_do_not_fit_are_refused() {
    // More weights promised than are there: nothing is allocated for them.
    let promise = |graph: &mut GraphProto| graph.initializer[0].dims = vec![1 << 40, 1 << 20];
    refused(&changed(promise), "scale");
    let negative = |graph: &mut GraphProto| graph.initializer[0].dims = vec![-3, -3];
    refused(&changed(negative), "scale");
    // The description and the net disagree on the size of an image.
    let narrow = |graph: &mut GraphProto| graph.input[0] = value("image", &[1, 3, 5, 5]);
    refused(
        &changed(narrow),
        "takes an input of axes [1, 3, 5, 5], the description makes [?, 3, 3, 4]",
    );
    let flat = |graph: &mut GraphProto| graph.initializer[0].dims = vec![9, 1];
    refused(&changed(flat), "cannot be run");
    let two = |graph: &mut GraphProto| graph.input.push(value("second", &[1, 3, 3, 4]));
    refused(&changed(two), "takes 2 inputs");
    refused(&changed(|graph| graph.output.clear()), "no output");
    refused(&changed(|graph| graph.node.clear()), "no operators");
}

#[test]
fn windows_that_blow_images_up_are_refused() {
    let convolution = |attribute: AttributeProto| {
        changed(|graph| {
            let mut first = node("Conv", &["image", "kernels"], "filtered");
            first.attribute = vec![integers("kernel_shape", &[1, 1]), attribute];
            graph.node[0].input[0] = "filtered".into();
            graph.node.insert(0, first);
            graph.initializer.push(weights("kernels", &[3, 3, 1, 1], &[1.0; 9]));
        })
    };
    assert!(open(&convolution(integers("pads", &[1, 1, 1, 1])), DESCRIPTION, CLASSES).is_ok());
    let pads = convolution(integers("pads", &[100_000, 100_000, 100_000, 100_000]));
    refused(&pads, "padding of 100000");
    refused(&convolution(integers("dilations", &[1 << 40, 1])), "dilation");
    let pooling = changed(|graph| {
        let mut first = node("MaxPool", &["image"], "filtered");
        first.attribute = vec![integers("kernel_shape", &[1 << 20, 1 << 20])];
        graph.node[0].input[0] = "filtered".into();
        graph.node.insert(0, first);
    });
    refused(&pooling, "window of");
}

#[test]
fn paddings_and_scales_that_blow_images_up_are_refused() {
    let with = |first: NodeProto, more: Vec<TensorProto>| {
        changed(|graph| {
            graph.node[0].input[0] = "larger".into();
            graph.node.insert(0, first);
            graph.initializer.extend(more);
        })
    };
    let pad = |pads: &[i64]| {
        let padded = node("Pad", &["image", "pads"], "larger");
        with(padded, vec![super::proto::longs("pads", &[8], pads)])
    };
    assert!(open(&pad(&[0, 0, 1, 2, 0, 0, 3, 4]), DESCRIPTION, CLASSES).is_ok());
    refused(&pad(&[0, 0, 2_000, 0, 0, 0, 0, 0]), "a padding");
    refused(&pad(&[9, 0, 0, 0, 0, 0, 0, 0]), "counts the inputs");
    refused(&pad(&[0, 9, 9, 9, 0, 9, 9, 9]), "more than two axes");
    let scaled = |scale: f32| {
        let resized = node("Resize", &["image", "", "scales"], "larger");
        with(resized, vec![weights("scales", &[4], &[1.0, 1.0, scale, scale])])
    };
    assert!(open(&scaled(2.0), DESCRIPTION, CLASSES).is_ok());
    refused(&scaled(100.0), "enlarges a tensor");
}

#[test]
fn a_number_of_classes_that_does_not_fit_is_told() {
    let error = open(&changed(|_| ()), DESCRIPTION, "a\nb\nc\nd\n").map(|_| ()).unwrap_err();
    let error = error.to_string();
    assert!(error.contains("3 outputs") && error.contains("4 classes"), "{error}");
}

#[test]
fn outputs_that_are_no_numbers_are_refused() {
    for bad in [f32::NAN, f32::INFINITY] {
        let spoil = |graph: &mut GraphProto| {
            graph.initializer[0] = weights("scale", &[3, 3], &[bad; 9]);
        };
        refused(&changed(spoil), "gives an output of");
    }
    // Finite for grey, infinite for others.
    let grow = |graph: &mut GraphProto| {
        graph.node[2].input[0] = "grown".into();
        graph.node.insert(2, node("Exp", &["means"], "grown"));
    };
    let steep = DESCRIPTION.replace("deviation = [128,", "deviation = [0.1,");
    let net = open(&changed(grow), &steep, CLASSES).unwrap();
    let shape = net.description().image_shape();
    let error = net.scores(&[Image { shape, pixels: plain([255, 0, 0]) }]).unwrap_err();
    assert!(error.to_string().contains("gives an output of inf"), "{error}");
}

#[test]
fn outputs_are_told_apart_and_missing_ones_named() {
    let wrong = DESCRIPTION.to_owned() + "output_name = \"scores\"\n";
    let error = open(&changed(|_| ()), &wrong, CLASSES).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("no output \"scores\""), "{error}");
    let scaled = |graph: &mut GraphProto| {
        graph.initializer[0] = weights("scale", &[3, 3], &[1e6; 9]);
    };
    let logits = DESCRIPTION.replace("\"logits\"", "\"probabilities\"");
    let error = open(&changed(scaled), &logits, CLASSES).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("are they logits"), "{error}");
}

/// A net of sound: patches of 4 samples; two tags, the sums of a patch and of its negative.
fn of_sound(batch: i64) -> Vec<u8> {
    let graph = GraphProto {
        node: vec![
            node("MatMul", &["samples", "sums"], "logits"),
            node("Sigmoid", &["logits"], "tags"),
        ],
        initializer: vec![weights("sums", &[4, 2], &[1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0])],
        input: vec![value("samples", &[batch, 4])],
        output: vec![value("logits", &[batch, 2]), value("tags", &[batch, 2])],
        ..GraphProto::default()
    };
    let model = ModelProto { graph: Some(graph), ..means() };
    model.write_buf().unwrap()
}

const OF_SOUND: &str = r#"classes = "classes.txt"
output_name = "tags"
[audio]
rate = 8000
input = "waveform"
patch = 4
output = "sigmoid"
"#;

fn open_sound(model: &[u8], description: &str) -> Result<OnnxSound> {
    let folder = folder_with(model, description, "up\ndown\n");
    match OnnxNet::open(&folder.path().join("model.onnx"))? {
        OnnxNet::Sound(net) => Ok(*net),
        OnnxNet::Images(_) => panic!("its description has a table [audio]"),
    }
}

#[test]
fn a_net_of_sound_gives_the_combined_log_odds_of_its_patches() {
    let samples = vec![0.5, 0.5, 0.0, 0.0, 0.25, 0.25, -0.5, -0.5, 1.0, 1.0, 1.0, 0.0, 9.0];
    let audio = || Audio { samples: samples.clone(), sample_rate: 8_000 };
    // Three patches, with sums of 1, -0.5 and 3; the tail is left out.
    let logistic = |x: f64| 1.0 / (1.0 + (-x).exp());
    let mean = (logistic(1.0) + logistic(-0.5) + logistic(3.0)) / 3.0;
    // A net of one patch, of any number, and of two at a time: the same.
    for batch in [1, 2, 3] {
        let net = open_sound(&of_sound(batch), OF_SOUND).unwrap();
        let scores = net.scores(&[audio(), audio()]).unwrap();
        assert_eq!(scores.len(), 4);
        assert_eq!(scores[..2], scores[2..]);
        approx::assert_relative_eq!(posterior_from_log_odds(scores[0]), mean, max_relative = 1e-6);
        approx::assert_relative_eq!(
            posterior_from_log_odds(scores[1]),
            1.0 - mean,
            max_relative = 1e-6
        );
    }
    let most = OF_SOUND.replace("[audio]", "[audio]\ncombine = \"max\"");
    let net = open_sound(&of_sound(1), &most).unwrap();
    approx::assert_relative_eq!(net.scores(&[audio()]).unwrap()[0], 3.0, max_relative = 1e-5);
    let before =
        OF_SOUND.replace("\"tags\"", "\"logits\"").replace("\"sigmoid\"", "\"sigmoid-logits\"");
    let net = open_sound(&of_sound(1), &before).unwrap();
    approx::assert_relative_eq!(net.scores(&[audio()]).unwrap()[0], 3.5 / 3.0, max_relative = 1e-6);
    assert_eq!(net.posterior_kind(), crate::log_odds::PosteriorKind::Sigmoid);
    assert_eq!(net.format().map(|format| (format.sample_rate, format.samples)), Some((8_000, 4)));
}

#[test]
fn what_a_net_of_sound_does_not_take_is_told() {
    let fault =
        |description: &str| open_sound(&of_sound(1), description).err().unwrap().to_string();
    let error = fault(&OF_SOUND.replace("patch = 4", "patch = 5"));
    assert!(error.contains("[1, 4]") && error.contains("[?, 5]"), "{error}");
    let error = fault(&OF_SOUND.replace("patch = 4", "patch = 4\nlayout = \"n1t\""));
    assert!(error.contains("[?, 1, 4]"), "{error}");
    let error = fault(&OF_SOUND.replace("patch = 4", "patch = 0"));
    assert!(error.contains("model.toml") && error.contains("patch"), "{error}");
    let many = open_sound(&of_sound(1 << 40), OF_SOUND).err().unwrap().to_string();
    assert!(many.contains("inputs at a time"), "{many}");
    let error = fault(&OF_SOUND.replace("\"tags\"", "\"logits\""));
    assert!(error.contains("are they logits"), "{error}");
}

#[test]
fn small_files_that_make_large_tensors_are_refused() {
    let of_twice = |operator: &str, input: &str, times: usize| -> Vec<NodeProto> {
        let mut name = input.to_owned();
        let step = |number: usize| {
            let output = format!("{input} {number}");
            let mut node = node(operator, &[&name, &name], &output);
            node.attribute = vec![AttributeProto { i: Some(0), ..integers("axis", &[]) }];
            name = output;
            node
        };
        (0..times).map(step).collect()
    };
    let before = |nodes: Vec<NodeProto>| changed(|graph| drop(graph.node.splice(..0, nodes)));
    refused(&before(of_twice("Concat", "image", 40)), "would be held at once");
    // 33 times 2^27 values: a sum that 32 bits do not hold
    let mut joined = of_twice("Concat", "image", 22);
    joined.push(node("Concat", &["image 21"; 33], "all"));
    joined[22].attribute = joined[0].attribute.clone();
    joined.push(node("Exp", &["all"], "other"));
    refused(&before(joined), "would be held at once");
    // a row plus a column, both from what the file stores
    let sums = |count: usize| {
        changed(|graph| {
            let ones = vec![1.0; count];
            graph.initializer.push(weights("row", &[1, count as i64], &ones));
            graph.initializer.push(weights("column", &[count as i64, 1], &ones));
            graph.node.push(node("Add", &["row", "column"], "square"));
            graph.node.push(node("Exp", &["square"], "other"));
        })
    };
    refused(&sums(40_000), "would be held at once");
    refused(&sums(4_000), "computes constants");
    assert!(open(&sums(100), DESCRIPTION, CLASSES).is_ok());
    let mut constants = of_twice("Concat", "seed", 40);
    constants.push(node("Exp", &["seed 39"], "other"));
    let of_constants = changed(|graph| {
        graph.initializer.push(weights("seed", &[2], &[1.0, 2.0]));
        graph.node.extend(constants);
    });
    refused(&of_constants, "computes constants");
}

#[test]
fn room_is_told_for_each_shape_of_the_input() {
    // the sum of a column of all values and a row of them, four for each input
    let mut column = node("Reshape", &["samples", "as column"], "column");
    column.attribute = Vec::new();
    let graph = GraphProto {
        node: vec![
            column,
            node("Reshape", &["samples", "as row"], "row"),
            node("Add", &["column", "row"], "square"),
            node("ReduceMax", &["square"], "most"),
        ],
        initializer: vec![
            super::proto::longs("as column", &[2], &[-1, 1]),
            super::proto::longs("as row", &[2], &[1, -1]),
        ],
        input: vec![value("samples", &[1, 4])],
        output: vec![value("most", &[1, 1])],
        ..GraphProto::default()
    };
    let mut model = ModelProto { graph: Some(graph), ..means() };
    let sizes = super::sizes::Sizes::new(&mut model, "samples").unwrap();
    assert_eq!(model.graph.as_ref().unwrap().output.len(), 1, "the net stays as it is");
    let error = sizes.check(&[6_000, 4]).unwrap_err();
    assert!(error.contains("Add \"the Add\"") && error.contains("held at once"), "{error}");
    sizes.check(&[5_000, 4]).unwrap();
    sizes.check(&[4_999, 3]).unwrap();
    assert!(sizes.check(&[7_000, 4]).is_err());
    assert!(sizes.check(&[5_001, 4]).is_ok(), "a longer one is looked at by itself");
}
