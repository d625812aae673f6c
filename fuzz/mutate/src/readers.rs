//! One function for every reader of files that others made. Each takes a folder and the name of
//! the damaged file in it, and says whether it was accepted; a panic is the caller's to catch.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use trompe::classifiers::Classifier;
use trompe::corpora::decode::{decode, decode_concealed, decode_range};
use trompe::corpora::images::{read_idx, read_image};
use trompe::corpora::layout::{about::About, manifest};
use trompe::corpora::{Audio, Image, Limits, wav};
use trompe::dataset::Dataset;
use trompe::exhibits;
use trompe::listening_test::StudyFolder;
use trompe::listening_test::study::Study;
use trompe::listening_test::study_folder::write_manifest;
use trompe::pipeline::fool::Configuration;
use trompe::pipeline::planned::Plan;
use trompe::pipeline::series::Series;
use trompe::problem::Victim;
use trompe::results::RunReport;
use trompe::search::read_trace;
use trompe::victims::{self, AnyModel, AudioModel, OnnxNet, Program, Scorer};

use crate::seeds::{self, Seed};
use crate::{repair, searches};

/// A reader and what it is tried with.
pub struct Reader {
    /// Name on the command line.
    pub name: &'static str,
    /// Files that it accepts, to be damaged.
    pub seeds: fn() -> Result<Vec<Seed>>,
    /// Writes what must lie beside the damaged file.
    pub surround: fn(&Path) -> Result<()>,
    /// Makes checksums right again.
    pub repair: fn(&mut [u8]),
    /// Reads the file of this name in the folder, and uses what it holds as the program would.
    pub read: fn(&Path, &str) -> bool,
}

/// A reader whose files stand alone and have no checksum.
const ALONE: Reader = Reader {
    name: "",
    seeds: || Ok(Vec::new()),
    surround: |_| Ok(()),
    repair: |_| {},
    read: |_, _| false,
};

/// All of them.
pub const ALL: [Reader; 23] = [
    Reader { name: "audio", seeds: seeds::audio, repair: repair::ogg, read: audio, ..ALONE },
    Reader { name: "au", seeds: seeds::sun_audio, read: audio, ..ALONE },
    Reader { name: "table", seeds: seeds::tables, surround: clips, read: table, ..ALONE },
    Reader { name: "about", seeds: about_seeds, read: about, ..ALONE },
    Reader { name: "idx", seeds: seeds::idx, read: idx, ..ALONE },
    Reader { name: "png", seeds: seeds::png, repair: repair::png, read: image, ..ALONE },
    Reader { name: "jpeg", seeds: seeds::jpeg, read: image, ..ALONE },
    Reader { name: "pictures", seeds: seeds::pictures, read: image, ..ALONE },
    Reader { name: "npz", seeds: seeds::npz, read: npz, ..ALONE },
    Reader { name: "model", seeds: seeds::models, repair: repair::model, read: model, ..ALONE },
    Reader { name: "onnx", seeds: seeds::onnx, surround: described, read: onnx, ..ALONE },
    Reader { name: "description", seeds: descriptions, surround: net, read: onnx, ..ALONE },
    Reader {
        name: "sound-description",
        seeds: sound_descriptions,
        surround: sound_net,
        read: onnx,
        ..ALONE
    },
    Reader { name: "program", seeds: seeds::programs, read: program, ..ALONE },
    Reader {
        name: "configuration",
        seeds: || seeds::run(&["run.toml"]),
        read: configuration,
        ..ALONE
    },
    Reader { name: "series", seeds: seeds::series, read: series, ..ALONE },
    Reader {
        name: "checkpoint",
        seeds: searches::checkpoints,
        repair: repair::sealed,
        read: searches::go_on,
        ..ALONE
    },
    Reader {
        name: "shard",
        seeds: searches::shards,
        repair: repair::sealed,
        read: searches::merge,
        ..ALONE
    },
    Reader { name: "plan", seeds: plans, read: plan, ..ALONE },
    Reader {
        name: "run",
        seeds: || seeds::run(&["trace.jsonl", "report.json"]),
        read: run,
        ..ALONE
    },
    Reader {
        name: "fooling-set",
        seeds: || seeds::run(&["fooling-set/manifest.json"]),
        read: fooling_set,
        ..ALONE
    },
    Reader {
        name: "study",
        seeds: || Ok(vec![Seed::new("study.toml", seeds::STUDY)]),
        read: study,
        ..ALONE
    },
    Reader {
        name: "key",
        seeds: || Ok(vec![Seed::new("key.json", seeds::KEY)]),
        surround: around_key,
        read: key,
        ..ALONE
    },
];

impl Reader {
    /// The reader of this name.
    pub fn named(name: &str) -> Option<Self> {
        ALL.into_iter().find(|reader| reader.name == name)
    }
}

fn audio(folder: &Path, name: &str) -> bool {
    let (path, limits) = (folder.join(name), Limits::default());
    match fs::metadata(&path).map_or(0, |metadata| metadata.len()) % 4 {
        0 => decode(&path, &limits).is_ok(),
        2 => decode_concealed(&path, 0.0, None, &limits).is_ok(),
        // Far enough in that the decoder seeks.
        _ => decode_range(&path, 0.6, Some(0.7), &limits).is_ok(),
    }
}

fn clips(folder: &Path) -> Result<()> {
    for name in ["a.wav", "b.wav"] {
        wav::write(&folder.join(name), &[1; 800], 8000)?;
    }
    Ok(())
}

fn table(folder: &Path, name: &str) -> bool {
    manifest::open(&folder.join(name), &Limits::default())
        .is_ok_and(|corpus| corpus.check_for_training(None).is_ok() || !corpus.clips.is_empty())
}

fn about_seeds() -> Result<Vec<Seed>> {
    let text = "name = \"styles\"\nprovenance = \"rendered\"\nlabels = \"those of the files\"\n";
    Ok(vec![Seed::new("about.toml", text)])
}

fn about(folder: &Path, _: &str) -> bool {
    About::read(folder, &Limits::default()).is_ok()
}

fn idx(folder: &Path, name: &str) -> bool {
    read_idx(&folder.join(name), 3, &Limits::default()).is_ok()
}

fn image(folder: &Path, name: &str) -> bool {
    read_image(&folder.join(name), &Limits::default()).is_ok()
}

fn npz(folder: &Path, name: &str) -> bool {
    Dataset::read_npz(&folder.join(name)).is_ok()
}

/// Loads a model and lets it judge.
fn model(folder: &Path, name: &str) -> bool {
    let Ok(model) = AnyModel::load(&folder.join(name)) else { return false };
    match model.scorer() {
        Scorer::Audio(model) => {
            let AudioModel::Trained(model) = &**model else { return false };
            let mut out = vec![0.0; model.classes().len()];
            model.log_odds(&vec![0.5; model.dimensions()], &mut out);
            true
        }
        Scorer::Image(model) => {
            let shape = model.shape();
            let grey = Image { shape, pixels: vec![128; shape.bytes()] };
            model.victim().scores(&[grey]).is_ok()
        }
    }
}

fn described(folder: &Path) -> Result<()> {
    fs::write(folder.join("model.toml"), seeds::DESCRIPTION)?;
    Ok(fs::write(folder.join("classes.txt"), seeds::CLASSES)?)
}

fn descriptions() -> Result<Vec<Seed>> {
    Ok(vec![Seed::new("model.toml", seeds::DESCRIPTION)])
}

fn net(folder: &Path) -> Result<()> {
    fs::write(folder.join("classes.txt"), seeds::CLASSES)?;
    for seed in seeds::onnx()? {
        fs::write(folder.join(seed.name), seed.bytes)?;
    }
    Ok(())
}

fn sound_descriptions() -> Result<Vec<Seed>> {
    let seed = |text: &str| Seed::new("model.toml", text);
    Ok(seeds::SOUND_DESCRIPTIONS.map(seed).to_vec())
}

fn sound_net(folder: &Path) -> Result<()> {
    fs::write(folder.join("classes.txt"), seeds::CLASSES)?;
    Ok(fs::write(folder.join("model.onnx"), seeds::sound_net()?)?)
}

/// Opening runs the net.
fn onnx(folder: &Path, _: &str) -> bool {
    OnnxNet::open(&folder.join("model.onnx")).is_ok()
}

/// Lets a program say what the file holds, and asks it about inputs twice.
fn program(folder: &Path, name: &str) -> bool {
    let command = PathBuf::from(format!("command:cat {}", folder.join(name).display()));
    victims::program::name(&command);
    let Ok(program) = Program::start(&command) else { return false };
    let scored = |_| match &program.hello().audio {
        Some(taken) => {
            let audio = Audio { samples: vec![0.5; 8], sample_rate: taken.rate };
            program.scores(&[audio.clone(), audio]).is_ok()
        }
        None => {
            let shape = program.image_shape();
            let grey = Image { shape, pixels: vec![128; shape.bytes()] };
            program.scores(&[grey]).is_ok()
        }
    };
    [1, 2].into_iter().all(scored)
}

fn configuration(folder: &Path, name: &str) -> bool {
    Configuration::read(&folder.join(name))
        .is_ok_and(|configuration| configuration.search.validate().is_ok())
}

fn series(folder: &Path, _: &str) -> bool {
    Series::read(folder).is_ok()
}

fn plans() -> Result<Vec<Seed>> {
    let text = "rounds = 2\nshards = 4\nevaluations = 40\n";
    Ok(vec![Seed::new("plan.toml", text)])
}

fn plan(folder: &Path, _: &str) -> bool {
    Plan::read(folder).is_ok()
}

fn run(folder: &Path, name: &str) -> bool {
    match name {
        "trace.jsonl" => read_trace(&folder.join(name)).is_ok(),
        _ => RunReport::read(folder).is_ok(),
    }
}

fn fooling_set(folder: &Path, _: &str) -> bool {
    exhibits::load(folder).is_ok() || exhibits::read_manifest(folder).is_ok()
}

fn study(folder: &Path, name: &str) -> bool {
    Study::read(&folder.join(name)).is_ok()
}

fn around_key(folder: &Path) -> Result<()> {
    fs::write(folder.join("study.toml"), seeds::STUDY)?;
    fs::create_dir(folder.join("stimuli"))?;
    Ok(wav::write(&folder.join("stimuli/0123456789abcdef.wav"), &[1; 800], 8000)?)
}

/// The list of hashes is made right again before.
fn key(folder: &Path, _: &str) -> bool {
    write_manifest(folder).is_ok() && StudyFolder::open(folder).is_ok()
}
