//! Checkpoints and shards of a small search for images, and what the program does with them.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result};
use trompe::classifiers::ConvolutionalNet;
use trompe::classifiers::convolutional::fit_softmax_regression;
use trompe::corpora::Split;
use trompe::corpora::images::synthetic_digits;
use trompe::image::{Patches, Raster, patches};
use trompe::problem::Problem;
use trompe::search::rounds::{Division, Parents, Shard};
use trompe::search::sealed::{seal, unseal};
use trompe::search::{EmitterSettings, Rounds, RunFolder, Search, SearchSettings, ShardId};

use crate::seeds::Seed;

type Images = Problem<Patches, &'static ConvolutionalNet>;

static NET: LazyLock<ConvolutionalNet> = LazyLock::new(|| {
    let corpus = synthetic_digits(100, 0, 1);
    fit_softmax_regression(&corpus, &corpus.split(Split::Train), 1.0).expect("digits are learnt")
});

static PROBLEM: LazyLock<Images> = LazyLock::new(|| {
    let net = &*NET;
    let shape = net.architecture().input;
    let space = Patches::new(shape, &patches::PatchSettings::default()).expect("patches fit");
    Problem::new(space, net).expect("sizes agree")
});

static FINGERPRINT: LazyLock<String> =
    LazyLock::new(|| PROBLEM.fingerprint().expect("a trained net has a fingerprint"));

/// Emitters whose state is in a checkpoint.
const EMITTERS: [&str; 3] = ["climber", "map-elites", "random"];

fn settings(emitter: &str) -> Result<SearchSettings> {
    let emitter = EmitterSettings::by_name(emitter)?;
    Ok(SearchSettings { emitter, budget: 1 << 20, exhibits: 1, ..SearchSettings::default() })
}

/// Checkpoints after a few generations.
///
/// # Errors
/// If a search fails.
pub fn checkpoints() -> Result<Vec<Seed>> {
    EMITTERS
        .iter()
        .map(|emitter| {
            let folder = tempfile::tempdir()?;
            let place = folder.path().join("run");
            let mut search = Search::new(PROBLEM.by_ref(), &settings(emitter)?)?;
            let mut files = RunFolder::create(&place, "", &FINGERPRINT)?;
            for _ in 0..3 {
                files.append(&search.step()?)?;
            }
            files.checkpoint(search.state())?;
            Ok(Seed::new("checkpoint.json", fs::read(place.join("checkpoint.json"))?))
        })
        .collect()
}

/// Reads a checkpoint and searches on for one generation, with every emitter.
pub fn go_on(folder: &Path, _: &str) -> bool {
    // As if the trace were there: reading cuts it to the length that the checkpoint states.
    let trace = fs::File::create(RunFolder::trace_path(folder));
    if trace.and_then(|file| file.set_len(1 << 20)).is_err() {
        return false;
    }
    let Ok((_, Some(state))) = RunFolder::resume::<Raster>(folder, &FINGERPRINT) else {
        return false;
    };
    EMITTERS.iter().any(|emitter| {
        let Ok(settings) = settings(emitter) else { return false };
        Search::resume(PROBLEM.by_ref(), &settings, state.clone())
            .and_then(|mut search| search.step())
            .is_ok()
    })
}

const ONLY: ShardId = ShardId { round: 0, shard: 0 };

fn division(settings: &SearchSettings) -> Division<'_, Patches, &'static ConvolutionalNet> {
    let rounds = Rounds { rounds: 1, shards: 1, evaluations: 60 };
    Division { problem: &PROBLEM, settings, rounds }
}

/// A shard of a run of one round and shard.
///
/// # Errors
/// If it cannot be computed.
pub fn shards() -> Result<Vec<Seed>> {
    let settings = settings("climber")?;
    let division = division(&settings);
    let nothing: Parents<Raster> = division.nothing()?;
    let shard = division
        .compute(ONLY, &nothing, &AtomicBool::new(false), |_| {})?
        .context("nobody stops it")?;
    Ok(vec![Seed::new("shard-0.json", seal(&shard)?)])
}

/// Reads a shard as `fool merge --verify` does; also merged where it would be refused, as
/// without `--verify` it may be.
pub fn merge(folder: &Path, name: &str) -> bool {
    let Some((json, _)) = fs::read(folder.join(name)).ok().and_then(|bytes| unseal(&bytes)) else {
        return false;
    };
    let Ok(shard) = serde_json::from_slice::<Shard<Raster>>(&json) else { return false };
    let Ok(settings) = settings("climber") else { return false };
    let division = division(&settings);
    let Ok(nothing) = division.nothing() else { return false };
    let verdicts = [true, false].map(|rescore| division.check(ONLY, &nothing, &shard, rescore));
    let unverified = matches!(verdicts[1], Ok(None));
    if unverified {
        drop(division.merge(&nothing.content, std::slice::from_ref(&shard)));
    }
    matches!(verdicts[0], Ok(None))
}
