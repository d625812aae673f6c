//! Times the image side on one thread and prints the figures as one JSON object, in items a
//! second of CPU time:
//! `time_images posteriors MODEL BATCH`, `time_images cppn SIDE`, `time_images search BATCH`.
//! `time_images logits MODEL FILE` scores the raw 8-bit images of a file and prints the logits;
//! `time_images networks SIDE` prints the networks that `cppn` draws.

use anyhow::{Context, Result, bail};
use rand::RngExt;
use trompe::base::random::{Stream, stream};
use trompe::classifiers::ConvolutionalNet;
use trompe::corpora::ImageShape;
use trompe::image::{Cppn, cppn};
use trompe::problem::{GeneratorUsed, Input, Medium, MoveId, Problem, Render, Space, Victim};
use trompe::search::{EmitterSettings, Search, SearchSettings};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global()?;
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let rate = match words[..] {
        ["posteriors", model, batch] => posteriors(model, batch.parse()?)?,
        ["logits", model, images] => return logits(model, images),
        ["networks", side] => {
            println!("{}", serde_json::json!(networks(&generator(side.parse()?))));
            return Ok(());
        }
        ["cppn", side] => drawings(side.parse()?)?,
        ["search", batch] => search(batch.parse()?)?,
        _ => bail!(
            "arguments: posteriors MODEL BATCH | logits MODEL FILE | cppn SIDE | networks SIDE | \
             search BATCH"
        ),
    };
    println!("{}", serde_json::json!({ "per_second": rate }));
    Ok(())
}

/// Seconds of CPU time that this process has used, in steps of a hundredth.
fn cpu_seconds() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").context("needs Linux")?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
    Ok(ticks as f64 / 100.0)
}

/// Items a second, from running `work` (which does `items`) for two seconds of CPU time.
fn rate(items: usize, mut work: impl FnMut() -> Result<()>) -> Result<f64> {
    work()?;
    let start = cpu_seconds()?;
    let mut done = 0;
    loop {
        work()?;
        done += items;
        let used = cpu_seconds()? - start;
        if used >= 2.0 {
            return Ok(done as f64 / used);
        }
    }
}

fn posteriors(model: &str, batch: usize) -> Result<f64> {
    let net = ConvolutionalNet::load(model.as_ref())?;
    let size = net.architecture().input.bytes();
    let mut rng = stream(1, 0, 0, 0);
    let images: Vec<u8> = (0..batch * size).map(|_| rng.random()).collect();
    let mut logits = vec![0.0; batch * 10];
    let rounds = (400 / batch).max(1);
    rate(rounds * batch, || {
        (0..rounds).for_each(|_| net.logits(&images, &mut logits));
        Ok(())
    })
}

fn logits(model: &str, images: &str) -> Result<()> {
    let net = ConvolutionalNet::load(model.as_ref())?;
    let images = std::fs::read(images)?;
    let mut logits = vec![0.0; images.len() / net.architecture().input.bytes() * 10];
    net.logits(&images, &mut logits);
    println!("{}", serde_json::json!(logits));
    Ok(())
}

/// Networks of a random start and twenty mutations, as a search meets them.
fn networks(generator: &Cppn) -> Vec<cppn::Graph> {
    let mut rng = stream(1, 0, 0, 0);
    let mut grown = || {
        let start = generator.sample(&mut rng);
        (0..20).fold(start, |graph, _| generator.vary(&graph, &graph, 0, 1.0, &mut rng))
    };
    (0..20).map(|_| grown()).collect()
}

fn generator(side: usize) -> Cppn {
    Cppn::new(ImageShape::grey(side, side), &cppn::CppnSettings::default())
}

fn drawings(side: usize) -> Result<f64> {
    let generator = generator(side);
    let graphs = networks(&generator);
    rate(graphs.len(), || {
        graphs.iter().for_each(|graph| drop(generator.render(graph)));
        Ok(())
    })
}

/// A hundred genes, which are the input as they are.
#[derive(Clone, PartialEq, serde::Serialize, serde::Deserialize)]
struct Genes(Vec<f32>);

impl Input for Genes {
    const MEDIUM: Medium = Medium::Image;

    type Format = ();

    fn format(&self) {}

    fn check_format(_: &(), _: &()) -> trompe::Result<()> {
        Ok(())
    }
}

/// Ten niches and a fitness that costs nothing: archive and emitter alone.
struct Trivial {
    classes: Vec<String>,
}

impl Victim<Genes> for Trivial {
    fn classes(&self) -> &[String] {
        &self.classes
    }

    /// Class k likes genes 10 k to 10 k + 9.
    fn scores(&self, inputs: &[Genes]) -> trompe::Result<Vec<f64>> {
        let class = |genes: &[f32]| -f64::from(genes.iter().map(|gene| gene * gene).sum::<f32>());
        Ok(inputs.iter().flat_map(|genes| genes.0.chunks_exact(10)).map(class).collect())
    }

    fn batch_size(&self) -> usize {
        64
    }
}

/// Lines of a hundred genes.
struct Line;

impl Render for Line {
    type Genome = Genes;
    type Input = Genes;

    fn render(&self, genome: &Genes) -> Genes {
        genome.clone()
    }
}

impl Space for Line {
    fn format(&self) {}

    fn describe(&self) -> GeneratorUsed {
        GeneratorUsed { name: "line".to_owned(), bank: None, settings: serde_json::json!({}) }
    }

    fn check(&self, _: &Genes) -> std::result::Result<(), String> {
        Ok(())
    }

    fn sample(&self, rng: &mut Stream) -> Genes {
        Genes((0..100).map(|_| rng.random()).collect())
    }

    fn moves(&self) -> &'static [&'static str] {
        &["normal"]
    }

    /// Every gene moves by a nearly normal step of deviation 0.1: the sum of the bytes of a
    /// random word, as the peer's emitter moves every gene by a normal one.
    fn vary(&self, parent: &Genes, _: &Genes, _: MoveId, _: f64, rng: &mut Stream) -> Genes {
        let step = |word: u32| {
            let sum: u32 = word.to_le_bytes().iter().map(|&byte| u32::from(byte)).sum();
            (sum as f32 - 510.0) * (0.1 / 147.8)
        };
        Genes(parent.0.iter().map(|gene| gene + step(rng.random())).collect())
    }

    fn distance(&self, _: &Genes, _: &Genes) -> f64 {
        1.0
    }
}

fn search(batch: usize) -> Result<f64> {
    let mut emitter = EmitterSettings::by_name("map-elites")?;
    if let EmitterSettings::MapElites(map) = &mut emitter {
        (map.initial, map.batch) = (batch, batch);
    }
    let classes = (0..10).map(|class| class.to_string()).collect();
    let problem = Problem::new(Line, Trivial { classes })?;
    let settings = SearchSettings {
        budget: u64::MAX,
        exhibits: 1,
        min_distance: 0.0,
        emitter,
        ..SearchSettings::default()
    };
    let mut search = Search::new(problem, &settings)?;
    let generations = (3_600 / batch).max(1);
    rate(generations * batch, || {
        for _ in 0..generations {
            search.step()?;
        }
        Ok(())
    })
}
