//! Whole candidates: compose, render, compute features, score. Bank: 1,200 synthetic loops;
//! classifier: AdaBoost.MH of 4,000 stumps; excerpts of 30 s.

use divan::counter::ItemsCount;
use trompe::Dataset;
use trompe::audio::{Composition, CompositionSettings, Excerpts};
use trompe::base::random::stream;
use trompe::classifiers::{AdaBoostParams, Fitted, Listener, Model, TrainedOn};
use trompe::corpora::{Bank, Provenance, synthetic};
use trompe::dataset::{Excerpt, Source};
use trompe::features::AdaBffs;
use trompe::problem::{Problem, Render, Space};

fn main() {
    divan::main();
}

/// Candidates of one generation of the benchmark.
const GENERATION: u64 = 32;

fn model() -> Model {
    let settings = trompe::features::FeatureSettings::AdaBffs(AdaBffs::default());
    let (corpus, audio) = synthetic::corpus(12, 1);
    let mut extractor = settings.extractor().expect("default settings are valid");
    let (mut values, mut excerpt_of, mut excerpts) = (Vec::new(), Vec::new(), Vec::new());
    for (clip, audio) in corpus.clips.iter().zip(&audio) {
        let vectors =
            extractor.extract(&audio.samples, &mut values).expect("clips are long enough");
        excerpt_of.extend(std::iter::repeat_n(excerpts.len(), vectors));
        excerpts.push(Excerpt {
            id: clip.id.clone(),
            class: clip.class,
            group: clip.group.clone(),
            split: None,
            fold: None,
        });
    }
    let vectors =
        ndarray::Array2::from_shape_vec((excerpt_of.len(), settings.dimensions()), values)
            .expect("whole rows");
    let dataset = Dataset {
        vectors,
        excerpt_of,
        excerpts,
        classes: corpus.classes.clone(),
        feature_names: settings.names(),
        settings: Some(settings),
        source: Source {
            name: corpus.name,
            provenance: Some(Provenance::Synthetic),
            known_as: None,
        },
    };
    let fitted = AdaBoostParams::default().fit(&dataset, &mut |_| {}).expect("separable classes");
    Model::new(Fitted::AdaBoost(fitted), TrainedOn::new(&dataset)).expect("fits together")
}

fn bank() -> Bank {
    let loops = (0..20).flat_map(|seed| {
        let rename = move |mut sound: trompe::corpora::Loop| {
            sound.id = format!("{seed}/{}", sound.id);
            sound
        };
        synthetic::bank(seed).loops.into_iter().map(rename)
    });
    Bank {
        name: "synthetic-loops, 20 seeds".into(),
        provenance: Provenance::Synthetic,
        licence: None,
        sample_rate: 22_050,
        loops: loops.collect(),
    }
}

fn genomes(space: &Excerpts<'_>) -> Vec<Composition> {
    (0..GENERATION).map(|slot| space.sample(&mut stream(1, 0, 0, slot))).collect()
}

/// Candidates per second with all threads: `RAYON_NUM_THREADS=1` for one core.
#[divan::bench(sample_count = 20)]
fn whole_candidates(bencher: divan::Bencher<'_, '_>) {
    let (model, bank) = (model(), bank());
    let listener = Listener::of_model(&model).expect("a model of audio");
    let space =
        Excerpts::new(&bank, &CompositionSettings::default()).expect("the bank is large enough");
    let genomes = genomes(&space);
    let problem = Problem::new(space, &listener).expect("the model's rate");
    bencher
        .counter(ItemsCount::new(GENERATION))
        .bench_local(|| problem.scores(divan::black_box(&genomes)));
}

#[divan::bench(sample_count = 20)]
fn rendering(bencher: divan::Bencher<'_, '_>) {
    let bank = bank();
    let space =
        Excerpts::new(&bank, &CompositionSettings::default()).expect("the bank is large enough");
    let genomes = genomes(&space);
    let length = |genome| space.render(genome).samples.len();
    bencher
        .counter(ItemsCount::new(GENERATION))
        .bench_local(|| genomes.iter().map(length).sum::<usize>());
}
