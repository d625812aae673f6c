//! The hot paths, each alone and a given number of times, for counting their instructions:
//! `hot_paths features|modulations|stumps|sparse|excerpts|lenet|cppn|archive COUNT`, on one
//! thread. `benches/instructions.py` runs it under callgrind.

use anyhow::{Result, bail};
use ndarray::Array2;
use rand::RngExt;
use trompe::Dataset;
use trompe::audio::{Composition, Renderer};
use trompe::base::random::stream;
use trompe::classifiers::AdaBoostParams;
use trompe::classifiers::convolutional::{Architecture, TrainingSettings, train};
use trompe::classifiers::sparse::{Dictionary, homotopy};
use trompe::corpora::images::synthetic_digits;
use trompe::corpora::{ImageShape, Split, synthetic};
use trompe::dataset::{Excerpt, Source};
use trompe::features::{AdaBffs, FeatureSettings, Modulations};
use trompe::image::{Cppn, cppn};
use trompe::log_odds::Labelling;
use trompe::problem::{Render, Space};
use trompe::reference::Limits;
use trompe::search::{Archive, Elite, Ranking, Rules};

fn main() -> Result<()> {
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global()?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, count] = arguments.as_slice() else { bail!("usage: hot_paths NAME COUNT") };
    let count = count.parse()?;
    match name.as_str() {
        "features" => features(&FeatureSettings::AdaBffs(AdaBffs::default()), count),
        "modulations" => features(&FeatureSettings::Modulations(Modulations::default()), count),
        "stumps" => stumps(count),
        "sparse" => sparse(count),
        "excerpts" => excerpts(count),
        "lenet" => lenet(count),
        "cppn" => drawings(count),
        "archive" => archive(count),
        _ => bail!("no hot path '{name}'"),
    }
}

fn noise(length: usize) -> Vec<f32> {
    let mut rng = stream(1, 0, 0, 0);
    (0..length).map(|_| rng.random_range(-0.5..0.5)).collect()
}

/// The vectors of a 30-s clip.
fn features(settings: &FeatureSettings, count: usize) -> Result<()> {
    let clip = noise(30 * 22_050);
    let mut extractor = settings.extractor()?;
    let mut vectors = Vec::new();
    for _ in 0..count {
        vectors.clear();
        extractor.extract(&clip, &mut vectors)?;
    }
    Ok(())
}

/// Rounds of stumps on 900 vectors of 120 features, 10 classes.
fn stumps(count: usize) -> Result<()> {
    let (clips, vectors, dimensions) = (100, 9, 120);
    let values = noise(clips * vectors * dimensions);
    let mut vectors = Array2::from_shape_vec((clips * vectors, dimensions), values)?;
    for (row, mut vector) in vectors.outer_iter_mut().enumerate() {
        vector[row / 9 % 10] += 0.5;
    }
    let excerpt = |clip: usize| Excerpt {
        id: clip.to_string(),
        class: clip % 10,
        group: None,
        split: None,
        fold: None,
    };
    let data = Dataset {
        excerpt_of: (0..vectors.nrows()).map(|row| row / 9).collect(),
        vectors,
        excerpts: (0..clips).map(excerpt).collect(),
        classes: (0..10).map(|class| class.to_string()).collect(),
        feature_names: (0..dimensions).map(|column| column.to_string()).collect(),
        settings: None,
        source: Source { name: "noise".into(), provenance: None, known_as: None },
    };
    AdaBoostParams { rounds: count, ..AdaBoostParams::default() }.fit(&data, &mut |_| {})?;
    Ok(())
}

/// A signal's sparse code over 300 atoms of 256 dimensions.
fn sparse(count: usize) -> Result<()> {
    let (dimensions, atoms) = (256, 300);
    let unit = |vector: &[f32]| -> Vec<f64> {
        let norm = vector.iter().map(|v| f64::from(*v) * f64::from(*v)).sum::<f64>().sqrt();
        vector.iter().map(|v| f64::from(*v) / norm).collect()
    };
    let values = noise(dimensions * (atoms + 1));
    let mut rows = values.chunks_exact(dimensions).map(unit);
    let signal = rows.next().unwrap_or_default();
    let dictionary = Dictionary::new(dimensions, rows.flatten().collect())
        .map_err(|fault| anyhow::anyhow!("{fault:?}"))?;
    for _ in 0..count {
        let correlations = dictionary.correlations_of_all(std::slice::from_ref(&signal));
        homotopy(&dictionary, &correlations[0], 1.0, 0.5);
    }
    Ok(())
}

/// Excerpts of 30 s, composed and rendered.
fn excerpts(count: usize) -> Result<()> {
    let bank = synthetic::bank(1);
    let settings = trompe::audio::CompositionSettings::default();
    let mut renderer = Renderer::new(settings.seconds, bank.sample_rate);
    let mut rng = stream(1, 0, 0, 0);
    for _ in 0..count {
        let composition = Composition::sample(&settings, bank.loops.len(), &mut rng);
        renderer.render(&composition, &bank);
    }
    Ok(())
}

/// Batches of 32 images through the LeNet of 431,080 weights.
fn lenet(count: usize) -> Result<()> {
    let corpus = synthetic_digits(20, 0, 1);
    let indices = corpus.split(Split::Train);
    let settings = TrainingSettings { epochs: 1, ..TrainingSettings::default() };
    let architecture = Architecture::lenet(corpus.shape, corpus.classes.len());
    let net = train(architecture, &corpus, &indices, &settings, |_| {})?;
    let mut rng = stream(1, 0, 0, 0);
    let images: Vec<u8> = (0..32 * corpus.shape.bytes()).map(|_| rng.random()).collect();
    let mut logits = vec![0.0; 32 * corpus.classes.len()];
    (0..count).for_each(|_| net.logits(&images, &mut logits));
    Ok(())
}

/// Networks of twenty mutations, drawn at 28 x 28.
fn drawings(count: usize) -> Result<()> {
    let generator = Cppn::new(ImageShape::grey(28, 28), &cppn::CppnSettings::default());
    let mut rng = stream(1, 0, 0, 0);
    let mut graph = generator.sample(&mut rng);
    for _ in 0..20 {
        graph = generator.vary(&graph, &graph, 0, 1.0, &mut rng);
    }
    (0..count).for_each(|_| drop(generator.render(&graph)));
    Ok(())
}

/// Insertions into ten niches of eight elites that are told apart.
fn archive(count: usize) -> Result<()> {
    let rules = Rules {
        capacity: 8,
        min_distance: 0.1,
        ranking: Ranking::LogOdds,
        threshold: Limits::Same(7.0),
        labelling: Labelling::Single,
    };
    let mut archive = Archive::new(10, rules);
    let mut rng = stream(1, 0, 0, 0);
    for evaluation in 1..=count as u64 {
        let genome: f64 = rng.random();
        let log_odds = (0..10).map(|_| rng.random_range(-10.0..10.0)).collect();
        let emitter = "random".to_owned();
        let elite = Elite { evaluation, parent: None, emitter, made_by: None, log_odds, genome };
        archive.insert(&elite, |a, b| (a - b).abs());
    }
    Ok(())
}
