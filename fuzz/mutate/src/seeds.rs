//! Files as trompe writes or gets them: what the damage starts from.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result};
use ndarray::Array2;
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use rten_onnx::onnx::{
    DataType, Dimension, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto,
    TensorShapeProto, TypeProto, TypeProtoTensor, ValueInfoProto,
};
use trompe::classifiers::adaboost::WeakLearner;
use trompe::classifiers::convolutional::fit_softmax_regression;
use trompe::classifiers::{
    AdaBoostParams, Classifier, Fitted, LogisticParams, Model, SparseParams, TrainedOn,
};
use trompe::corpora::images::{synthetic_digits, write_idx, write_png};
use trompe::corpora::{Image, ImageShape, Provenance, Split, wav};
use trompe::dataset::{Dataset, Excerpt, Source};
use trompe::pipeline::fool::{self, Configuration, Watch};
use trompe::reference::{GenuineItem, Reference, ReferenceKind, ReferenceSource};
use trompe::victims::{AnyModel, AudioModel, Scorer};

/// A file before it is damaged.
#[derive(Debug, Clone)]
pub struct Seed {
    /// Its name on disk; readers that look at names see this one.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

impl Seed {
    /// A seed of this name and content.
    pub fn new(name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self { name: name.to_owned(), bytes: bytes.into() }
    }

    fn of_file(folder: &Path, name: &str) -> Result<Self> {
        let path = folder.join(name);
        let bytes = std::fs::read(&path).with_context(|| path.display().to_string())?;
        Ok(Self::new(name, bytes))
    }
}

const RATE: u32 = 8000;

fn tone(samples: usize) -> Vec<i16> {
    (0..samples).map(|n| ((n * 997 % 8000) as i16 - 4000) * 4).collect()
}

/// Sound in every format that is read: headers of all kinds, little sound.
///
/// # Errors
/// If a fixture is not there.
pub fn audio() -> Result<Vec<Seed>> {
    let short = tone(800);
    let mut seeds = vec![
        Seed::new("mono.wav", wav::encode(&short, RATE)?),
        Seed::new("long.wav", wav::encode(&tone(9000), RATE)?),
        Seed::new("float.wav", pcm_wav(32, hound::SampleFormat::Float, 2)?),
        Seed::new("deep.wav", pcm_wav(24, hound::SampleFormat::Int, 6)?),
        Seed::new("bytes.wav", pcm_wav(8, hound::SampleFormat::Int, 1)?),
        Seed::new("ms-adpcm.wav", coded_wav(2, &[&[32, 0, 7, 0][..], &MS_COEFFICIENTS].concat())),
        Seed::new("ima-adpcm.wav", coded_wav(0x11, &[2, 0, 249, 1])),
        Seed::new("a-law.wav", coded_wav(6, &[0, 0])),
        Seed::new("sound.aiff", aiff(&short)),
        Seed::new("frames.aac", adts()),
    ];
    for (encoding, bytes) in [(1, 1), (3, 2), (5, 4), (6, 4), (7, 8), (27, 1)] {
        let data = vec![0x3c; 400 * bytes];
        seeds.push(Seed::new("sound.au", au(encoding, &data)));
    }
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpora/tests/formats");
    seeds.push(Seed::new("sixty-four.wav", rf64(&wav::encode(&short, RATE)?)));
    seeds.push(Seed::new("guids.w64", w64(&wav::encode(&short, RATE)?)));
    const FIXTURES: [&str; 12] = [
        "tone.flac",
        "tone.mp3",
        "stereo.mp3",
        "mono.mp3",
        "tone.ogg",
        "tone.m4a",
        "opus.mp4",
        "stereo.ogg",
        "tone.opus",
        "tone.webm",
        "tone.mka",
        "tone.caf",
    ];
    for name in FIXTURES {
        let whole = Seed::of_file(&fixtures, name)?;
        // The beginning alone is as hostile and takes a quarter of the time.
        if !["tone.m4a", "opus.mp4"].contains(&name) {
            let part = whole.bytes[..whole.bytes.len() / 4].to_vec();
            seeds.extend([Seed::new(name, part.clone()), Seed::new(name, part)]);
        }
        seeds.push(whole);
    }
    Ok(seeds)
}

/// Sun audio alone, as its reader is our own.
///
/// # Errors
/// As [`audio`].
pub fn sun_audio() -> Result<Vec<Seed>> {
    let mut seeds = audio()?;
    seeds.retain(|seed| seed.name.ends_with(".au"));
    Ok(seeds)
}

/// A WAV file with a 64-bit size of its data.
fn rf64(wav: &[u8]) -> Vec<u8> {
    let mut bytes = b"RF64\xff\xff\xff\xffWAVEds64\x1c\0\0\0".to_vec();
    for size in [wav.len() as u64 + 28, wav.len() as u64 - 44, 800, 0] {
        bytes.extend(size.to_le_bytes());
    }
    bytes.truncate(20 + 28);
    bytes.extend(&wav[12..40]);
    bytes.extend([0xff; 4]);
    bytes.extend(&wav[44..]);
    bytes
}

/// The same as Wave64: names are GUIDs, sizes count their headers.
fn w64(wav: &[u8]) -> Vec<u8> {
    const TAIL: &[u8] = b"\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a";
    let mut bytes = b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\0\0".to_vec();
    bytes.extend((wav.len() as u64 + 60).to_le_bytes());
    bytes.extend([b"wave", TAIL].concat());
    for (name, content) in [(b"fmt ", &wav[20..36]), (b"data", &wav[44..])] {
        bytes.extend([name, TAIL].concat());
        bytes.extend((24 + content.len() as u64).to_le_bytes());
        bytes.extend(content);
    }
    bytes
}

fn pcm_wav(bits: u16, format: hound::SampleFormat, channels: u16) -> Result<Vec<u8>> {
    let spec = hound::WavSpec {
        channels,
        sample_rate: RATE,
        bits_per_sample: bits,
        sample_format: format,
    };
    let mut bytes = Vec::new();
    let mut writer = hound::WavWriter::new(std::io::Cursor::new(&mut bytes), spec)?;
    for n in 0..400 * i32::from(channels) {
        match format {
            hound::SampleFormat::Float => writer.write_sample(n as f32 / 4000.0)?,
            hound::SampleFormat::Int => writer.write_sample(n % 100)?,
        }
    }
    writer.finalize()?;
    Ok(bytes)
}

/// The seven pairs of coefficients that every MS ADPCM header states.
const MS_COEFFICIENTS: [u8; 28] = {
    let pairs: [i16; 14] = [256, 0, 512, -256, 0, 0, 192, 64, 240, 0, 460, -208, 392, -232];
    let mut bytes = [0; 28];
    let mut at = 0;
    while at < pairs.len() {
        let pair = pairs[at].to_le_bytes();
        bytes[2 * at] = pair[0];
        bytes[2 * at + 1] = pair[1];
        at += 1;
    }
    bytes
};

/// A WAV file of another codec, in blocks of 256 bytes; `extra` ends its format chunk.
fn coded_wav(codec: u16, extra: &[u8]) -> Vec<u8> {
    let block: u16 = if codec == 6 { 1 } else { 256 };
    let bits: u16 = if codec == 6 { 8 } else { 4 };
    let mut format = Vec::new();
    format.extend(codec.to_le_bytes());
    format.extend(1_u16.to_le_bytes());
    format.extend(RATE.to_le_bytes());
    format.extend(4096_u32.to_le_bytes());
    format.extend(block.to_le_bytes());
    format.extend(bits.to_le_bytes());
    format.extend((extra.len() as u16).to_le_bytes());
    format.extend(extra);
    let data: Vec<u8> = (0..1024_u32).map(|n| if n % 256 < 7 { 0 } else { n as u8 }).collect();
    let mut body = b"WAVE".to_vec();
    for (tag, chunk) in [(b"fmt ", &format), (b"data", &data)] {
        body.extend(tag);
        body.extend((chunk.len() as u32).to_le_bytes());
        body.extend(chunk);
    }
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((body.len() as u32).to_le_bytes());
    bytes.extend(body);
    bytes
}

fn aiff(samples: &[i16]) -> Vec<u8> {
    let mut common = vec![0, 1];
    common.extend((samples.len() as u32).to_be_bytes());
    // 16 bits; 8,000 Hz as an 80-bit float: 2^12 x 1.953125.
    common.extend([0, 16, 0x40, 0x0b, 0xfa, 0, 0, 0, 0, 0, 0, 0]);
    let mut sound = vec![0; 8];
    sound.extend(samples.iter().flat_map(|sample| sample.to_be_bytes()));
    let mut body = b"AIFF".to_vec();
    for (tag, chunk) in [(b"COMM", &common), (b"SSND", &sound)] {
        body.extend(tag);
        body.extend((chunk.len() as u32).to_be_bytes());
        body.extend(chunk.iter());
    }
    let mut bytes = b"FORM".to_vec();
    bytes.extend((body.len() as u32).to_be_bytes());
    bytes.extend(body);
    bytes
}

fn au(encoding: u32, data: &[u8]) -> Vec<u8> {
    let mut bytes = b".snd".to_vec();
    for word in [24, data.len() as u32, encoding, RATE, 1] {
        bytes.extend(u32::to_be_bytes(word));
    }
    bytes.extend(data);
    bytes
}

/// Frames with ADTS headers around bytes that are no AAC.
fn adts() -> Vec<u8> {
    let mut bytes = Vec::new();
    for frame in 0..20_u8 {
        // AAC-LC, 8,000 Hz, mono, 40 bytes with the header.
        bytes.extend([0xff, 0xf1, 0x6c, 0x40, 0x05, 0x1f, 0xfc]);
        bytes.extend((0..33).map(|n| if n < 4 { 0 } else { frame ^ n }));
    }
    bytes
}

/// Tables of clips; `a.wav` and `b.wav` must lie beside them.
///
/// # Errors
/// None.
pub fn tables() -> Result<Vec<Seed>> {
    let csv = "path,label,split,fold,group,start,end,id\n\
               a.wav,blues,train,0,anna,0,0.05,first\n\
               a.wav,rock,test,1,\"bob, jr\",0.05,,\nb.wav,rock,,,,,,\n";
    Ok(vec![
        Seed::new("manifest.csv", csv),
        Seed::new("manifest.tsv", csv.replace(',', "\t")),
        Seed::new("manifest.csv", "\u{feff}label,path\r\nblues,a.wav\r\nrock,b.wav\r\n"),
    ])
}

/// IDX files, plain and compressed.
///
/// # Errors
/// If they cannot be written.
pub fn idx() -> Result<Vec<Seed>> {
    let folder = tempfile::tempdir()?;
    let pixels: Vec<u8> = (0..600_u32).map(|n| n as u8).collect();
    write_idx(&folder.path().join("images"), &[6, 10, 10], &pixels)?;
    let plain = Seed::of_file(folder.path(), "images")?;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut encoder, &plain.bytes)?;
    Ok(vec![Seed::new("images.gz", encoder.finish()?), plain])
}

/// Fixtures of the corpora's tests whose names end so.
fn pictures_ending(ending: &str) -> Result<Vec<Seed>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpora/tests/pictures");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&folder)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.retain(|name| name.ends_with(ending));
    names.sort();
    names.iter().map(|name| Seed::of_file(&folder, name)).collect()
}

/// PNG files of every kind of colour, depth and order of lines.
///
/// # Errors
/// If they cannot be read or written.
pub fn png() -> Result<Vec<Seed>> {
    let folder = tempfile::tempdir()?;
    let mut seeds = pictures_ending(".png")?;
    for (name, shape) in
        [("grey.png", ImageShape::grey(28, 28)), ("rgb.png", ImageShape::rgb(16, 9))]
    {
        let pixels = (0..shape.bytes()).map(|n| (n * n % 251) as u8).collect();
        write_png(&folder.path().join(name), &Image { shape, pixels })?;
        seeds.push(Seed::of_file(folder.path(), name)?);
    }
    Ok(seeds)
}

/// A picture in the formats that the `image` crate reads.
///
/// # Errors
/// If one cannot be written.
pub fn pictures() -> Result<Vec<Seed>> {
    use image::{DynamicImage, ImageFormat};
    let picture = image::RgbImage::from_fn(16, 9, |x, y| image::Rgb([x as u8, y as u8, 7]));
    let picture = DynamicImage::ImageRgb8(picture);
    let formats = [ImageFormat::WebP, ImageFormat::Bmp, ImageFormat::Gif, ImageFormat::Tiff];
    let mut seeds = Vec::new();
    for (number, format) in formats.into_iter().enumerate() {
        let mut bytes = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format)?;
        seeds.push(Seed::new(&format!("{number}.picture"), bytes.into_inner()));
    }
    Ok(seeds)
}

/// JPEG files as cameras and programs write them, and grey ones of one and two blocks of equal pixels,
/// every bit of which counts.
///
/// # Errors
/// If a fixture is not there.
pub fn jpeg() -> Result<Vec<Seed>> {
    let file = |width: u8, data: &[u8]| {
        let mut file = vec![0xff, 0xd8];
        let mut segment = |marker: u8, content: &[u8]| {
            file.extend([0xff, marker]);
            file.extend((content.len() as u16 + 2).to_be_bytes());
            file.extend(content);
        };
        segment(0xe0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
        segment(0xdb, &[&[0][..], &[1; 64]].concat());
        segment(0xc0, &[8, 0, 8, 0, width, 1, 1, 0x11, 0]);
        for (class, symbol) in [(0x00, 10), (0x10, 0)] {
            let mut table = vec![class, 1];
            table.extend([0; 15]);
            table.push(symbol);
            segment(0xc4, &table);
        }
        segment(0xdd, &[0, 1]);
        segment(0xda, &[1, 1, 0, 0, 63, 0]);
        file.extend(data);
        file.extend([0xff, 0xd9]);
        file
    };
    let block = [0b0011_1111, 0b1110_1111];
    let restarted = [&block[..], &[0xff, 0xd0], &block].concat();
    let mut seeds = pictures_ending(".jpg")?;
    seeds.push(Seed::new("flat.jpg", file(8, &block)));
    seeds.push(Seed::new("two.jpg", file(16, &restarted)));
    Ok(seeds)
}

/// Three classes of vectors of five values.
fn dataset() -> Dataset {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let (excerpts, each) = (24, 2);
    Dataset {
        vectors: Array2::from_shape_fn((excerpts * each, 5), |(row, column)| {
            rng.random::<f32>() + if column == row / each % 3 { 1.0 } else { 0.0 }
        }),
        excerpt_of: (0..excerpts * each).map(|row| row / each).collect(),
        excerpts: (0..excerpts)
            .map(|n| Excerpt {
                id: format!("clip {n}"),
                class: n % 3,
                group: Some(format!("artist {}", n / 2)),
                split: Some(if n % 2 == 0 { Split::Train } else { Split::Test }),
                fold: None,
            })
            .collect(),
        classes: ["blues", "rock", "jazz"].map(str::to_owned).to_vec(),
        feature_names: (0..5).map(|n| format!("feature {n}")).collect(),
        settings: None,
        source: Source { name: "made up".to_owned(), provenance: None, known_as: None },
    }
}

/// A model of every kind that is fast to fit.
///
/// # Errors
/// If one cannot be fitted.
pub fn models() -> Result<Vec<Seed>> {
    let data = dataset();
    let trained_on = TrainedOn::new(&data);
    let mut fitted = Vec::new();
    for learner in [WeakLearner::Stump, WeakLearner::TwoNodeTree] {
        let params = AdaBoostParams { rounds: 8, learner, ..AdaBoostParams::default() };
        fitted.push(Fitted::AdaBoost(params.fit(&data, &mut |_| {})?));
    }
    fitted.push(Fitted::Sparse(SparseParams::default().fit(&data)?));
    fitted.push(Fitted::Logistic(LogisticParams::default().fit(&data)?));
    let mut seeds = Vec::new();
    let folder = tempfile::tempdir()?;
    for fitted in fitted {
        let model = Model::new(fitted, trained_on.clone())?;
        seeds.push(Seed::new("model.safetensors", model.to_bytes()?));
        if let Fitted::Logistic(_) = model.fitted() {
            let reference = reference(&model)?;
            let model = AnyModel::new(
                Scorer::Audio(Box::new(AudioModel::Trained(model))),
                Some(reference),
            )?;
            model.save(&folder.path().join("model.safetensors"))?;
            seeds.push(Seed::of_file(folder.path(), "model.safetensors")?);
        }
    }
    save_net(&folder.path().join("model.safetensors"))?;
    seeds.push(Seed::of_file(folder.path(), "model.safetensors")?);
    Ok(seeds)
}

/// A genuine reference of a model.
fn reference(model: &Model) -> Result<Reference> {
    let source = ReferenceSource {
        kind: ReferenceKind::HeldOut,
        corpus: "made up".to_owned(),
        provenance: Provenance::Synthetic,
        licence: None,
        folds: None,
        samples: None,
        notes: Vec::new(),
    };
    let classes = model.classes().to_vec();
    let item = |n: usize| GenuineItem {
        name: format!("item {n}"),
        sha256: "00".repeat(32),
        group: Some(format!("group {}", n / 2)),
        class: n % classes.len(),
        other_tags: Vec::new(),
        log_odds: (0..classes.len()).map(|class| (class * n % 7) as f64 - 3.0).collect(),
    };
    let items = (0..30).map(item).collect();
    let (kind, victim) = (model.posterior_kind(), model.fingerprint().to_owned());
    Ok(Reference::new(source, classes.clone(), kind, victim, items)?)
}

fn save_net(path: &Path) -> Result<()> {
    let corpus = synthetic_digits(100, 0, 1);
    Ok(fit_softmax_regression(&corpus, &corpus.split(Split::Train), 1.0)?.save(path)?)
}

/// Feature files, compressed as ours are.
///
/// # Errors
/// If they cannot be written.
pub fn npz() -> Result<Vec<Seed>> {
    let folder = tempfile::tempdir()?;
    dataset().write_npz(&folder.path().join("features.npz"))?;
    Ok(vec![Seed::of_file(folder.path(), "features.npz")?])
}

/// Files of a finished run: a search for images that fool a small linear net.
///
/// # Errors
/// If the run fails.
pub fn run(names: &[&str]) -> Result<Vec<Seed>> {
    let folder = tempfile::tempdir()?;
    let model = folder.path().join("net.safetensors");
    save_net(&model)?;
    let mut configuration = Configuration { model, ..Configuration::default() };
    configuration.base_rate_candidates = 20;
    configuration.search.budget = 60;
    configuration.search.threshold = Some(0.3);
    configuration.search.exhibits = 1;
    let place = folder.path().join("run");
    let watch = Watch {
        progress: &|_: &str, _, _| {},
        standing: &mut |_| {},
        stop: &AtomicBool::new(false),
    };
    fool::start(&configuration, &place, watch)?;
    names
        .iter()
        .map(|name| {
            let seed = Seed::of_file(&place, name)?;
            let leaf = name.rsplit('/').next().unwrap_or(name);
            Ok(Seed::new(leaf, seed.bytes))
        })
        .collect()
}

/// The configuration of a series.
///
/// # Errors
/// If a configuration cannot be written as TOML.
pub fn series() -> Result<Vec<Seed>> {
    let series = trompe::pipeline::series::Series { seeds: 3, run: Configuration::default() };
    Ok(vec![Seed::new("series.toml", toml::to_string(&series)?)])
}

/// A description of an ONNX net.
pub const DESCRIPTION: &str = "corpus = \"made up\"\nprovenance = \"synthetic\"\n\
    classes = \"classes.txt\"\nwidth = 4\nheight = 3\ncolour = \"rgb\"\nmean = [127, 127, 127]\n\
    deviation = [128, 128, 128]\noutput = \"logits\"\n";

/// Three class names.
pub const CLASSES: &str = "red\ngreen\nblue\n";

/// Descriptions of the net of [`sound_net`].
pub const SOUND_DESCRIPTIONS: [&str; 2] = [
    "classes = \"classes.txt\"\n[audio]\nrate = 8000\ninput = \"waveform\"\npatch = 3\n\
     patch_hop = 2\nscale = 2.0\nmean = 0.1\ndeviation = 0.5\ntail = \"repeat\"\nlayout = \"nt\"\n\
     combine = \"median\"\noutput = \"logits\"\n",
    "corpus = \"made up\"\nprovenance = \"synthetic\"\nclasses = \"classes.txt\"\n[audio]\nrate = 8000\n\
     input = \"mel\"\nframe = 64\nfft = 128\nhop = 32\nwindow = \"hann\"\npad = \"reflect\"\n\
     remove_dc = true\npreemphasis = 0.9\nscale = 1.0\npower = 2\n\
     mel = { bands = 3, scale = \"htk\", norm = \"none\", low = 50, high = 3900 }\n\
     log = { kind = \"db\", floor = 1e-6, top_db = 80 }\nmean = -20\ndeviation = 10\npatch = 1\n\
     patch_hop = 1\ntail = \"zero\"\nlayout = \"n1tm\"\ncombine = \"mean\"\noutput = \"logits\"\n",
];

/// What programs write: what they are, and their answers to two questions.
pub fn programs() -> Result<Vec<Seed>> {
    let seed = |text: &str| Seed::new("program.jsonl", text);
    Ok([
        "{\"trompe\": 1, \"classes\": [\"a\", \"b\"], \"audio\": {\"rate\": 8000}, \"output\": \"logits\", \
         \"input\": \"pcm\", \"batch\": 2, \"samples\": 4, \"seconds\": 2.5}\n\
         {\"id\": 1, \"scores\": [[0.5, -1], [2e0, 30]]}\n{\"id\": 2, \"scores\": [[0, 1], [1, 0]]}\n",
        "{\"trompe\": 1, \"classes\": [\"red\", \"green\", \"blue\"], \"output\": \"probabilities\", \
         \"image\": {\"width\": 4, \"height\": 3, \"channels\": 3}, \"version\": \"2\", \
         \"corpus\": \"made up\", \"provenance\": \"synthetic\"}\n\
         {\"id\": 1, \"scores\": [[0.5, 0.25, 0.25]]}\n{\"id\": 2, \"scores\": [[1, 0, 0]]}\n",
        "{\"trompe\": 1, \"classes\": [\"one\", \"two\"], \"output\": \"sigmoid\", \"input\": \"png\", \
         \"image\": {\"width\": 2, \"height\": 2, \"channels\": 1}}\n\
         {\"id\": 1, \"scores\": [[0.5, 1]], \"error\": null}\n{\"id\": 2, \"scores\": [[0.5, 0.1]]}\n",
    ]
    .map(seed)
    .to_vec())
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn node(operator: &str, inputs: &[&str], output: &str) -> NodeProto {
    NodeProto {
        op_type: text(operator),
        input: inputs.iter().map(|&name| name.to_owned()).collect(),
        output: vec![output.to_owned()],
        ..NodeProto::default()
    }
}

/// A value of these dimensions; -1 for one that is not fixed.
fn value(name: &str, dims: &[i64]) -> ValueInfoProto {
    let dim = |&size: &i64| match size {
        -1 => Dimension { dim_param: text("any"), ..Dimension::default() },
        _ => Dimension { dim_value: Some(size), ..Dimension::default() },
    };
    let shape = TensorShapeProto { dim: dims.iter().map(dim).collect() };
    let tensor = TypeProtoTensor { elem_type: Some(DataType::FLOAT), shape: Some(shape) };
    let of = TypeProto { tensor_type: Some(tensor), ..TypeProto::default() };
    ValueInfoProto { name: text(name), r#type: Some(of) }
}

/// A net that multiplies the output of `nodes` by 4.
fn scaled(mut nodes: Vec<NodeProto>, input: ValueInfoProto) -> Result<Vec<u8>> {
    let scale: [f32; 9] = [4.0, 0.0, 0.0, 0.0, 4.0, 0.0, 0.0, 0.0, 4.0];
    let scale = TensorProto {
        name: text("scale"),
        dims: vec![3, 3],
        data_type: Some(DataType::FLOAT),
        raw_data: Some(scale.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>().into()),
        ..TensorProto::default()
    };
    nodes.push(node("MatMul", &["means", "scale"], "logits"));
    let graph = GraphProto {
        node: nodes,
        initializer: vec![scale],
        input: vec![input],
        output: vec![value("logits", &[-1, 3])],
        ..GraphProto::default()
    };
    let model = ModelProto {
        ir_version: Some(7),
        graph: Some(graph),
        opset_import: vec![OperatorSetIdProto { version: Some(13), ..Default::default() }],
        ..ModelProto::default()
    };
    model.write_buf().map_err(|e| anyhow::anyhow!("net: {e:?}"))
}

/// A net that takes means of channels as logits.
///
/// # Errors
/// If it cannot be written.
pub fn onnx() -> Result<Vec<Seed>> {
    let nodes = vec![
        node("GlobalAveragePool", &["image"], "pooled"),
        node("Flatten", &["pooled"], "means"),
    ];
    let bytes = scaled(nodes, value("image", &[1, 3, 3, 4]))?;
    Ok(vec![Seed::new("model.onnx", bytes)])
}

/// A net of sound, of patches of three values.
///
/// # Errors
/// If it cannot be written.
pub fn sound_net() -> Result<Vec<u8>> {
    let nodes = vec![node("Flatten", &["patches"], "means")];
    let graph_input = ValueInfoProto { name: text("patches"), ..value("patches", &[]) };
    let any = TypeProtoTensor { elem_type: Some(DataType::FLOAT), shape: None };
    let of = TypeProto { tensor_type: Some(any), ..TypeProto::default() };
    scaled(nodes, ValueInfoProto { r#type: Some(of), ..graph_input })
}

/// The design of a study.
pub const STUDY: &str = "schema_version = 1\nname = \"small\"\nlanguages = [\"en\", \"de\"]\n\
    seed = 7\nsynthetic = true\n[title]\nen = \"Small\"\n[consent]\ncontact = \"lab\"\n\
    minimum_age = 18\nretain_until = \"2030-12-31\"\n[headphones]\npolicy = \"off\"\n[[blocks]]\nname = \"genres\"\n\
    task = \"choice\"\nmedium = \"audio\"\nclasses = [\"blues\", \"rock\"]\ncatch = 1\n\
    [blocks.items]\nreal = 1\n\"fooling:boosted\" = 1\n";

/// The key to the study.
pub const KEY: &str = r#"{"warning": "do not open", "systems": [{"kind": "boosted"}], "items": [
    {"name": "i1", "role": "trial", "block": "genres", "medium": "audio", "stimuli": ["0123456789abcdef.wav"],
     "condition": "real", "truth": "blues", "source": "a.wav", "source_sha256": "00", "seconds": 1.0},
    {"name": "i2", "role": "trial", "block": "genres", "medium": "audio", "stimuli": ["0123456789abcdef.wav"],
     "condition": "fooling:boosted", "truth": "rock", "source": "b.wav", "source_sha256": "00", "posterior": 0.999},
    {"name": "i3", "role": "catch", "block": "genres", "medium": "audio", "stimuli": ["0123456789abcdef.wav"],
     "condition": "catch", "truth": "rock", "source": "made here", "source_sha256": ""}]}"#;
