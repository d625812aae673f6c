//! Collections: clips, images, and what there is to fetch.

use std::path::PathBuf;

use pyo3::prelude::*;
use serde_json::json;
use trompe::corpora::recipes::{self, Options};
use trompe::corpora::{Cache, Clip, Corpus, GroupKind, ImageCorpus, Limits, Split};
use trompe::exhibits::Codec;
use trompe::image::PngCodec;
use trompe::pipeline::open;

use crate::arrays;
use crate::errors::{bad, raised};
use crate::worker::run;

/// The collections that can be fetched, as JSON.
#[pyfunction]
pub(crate) fn list_collections() -> PyResult<String> {
    let list = Cache::of_user().and_then(|cache| recipes::list(&cache));
    let rows = list.map_err(|error| raised(error.into()))?.into_iter().map(|recipe| {
        json!({
            "name": recipe.name,
            "kind": match recipe.kind {
                recipes::RecipeKind::Corpus => "corpus",
                recipes::RecipeKind::Bank => "bank",
                recipes::RecipeKind::Images => "images",
                recipes::RecipeKind::Model => "model",
            },
            "about": recipe.about,
            "provenance": recipe.provenance,
            "licence": recipe.licence,
            "labels": recipe.labels,
        })
    });
    Ok(serde_json::Value::from_iter(rows).to_string())
}

fn options(seed: u64, clips_per_class: Option<usize>, group_by: Option<&str>) -> PyResult<Options> {
    let kind = |name: &str| {
        GroupKind::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| {
            bad("group_by", format!("'{name}' is not artist, album, track or source"))
        })
    };
    let group_by = group_by.map(kind).transpose()?;
    Ok(Options { seed, clips_per_class, group_by, ..Options::default() })
}

/// Whether a name or path is that of a corpus of images.
#[pyfunction]
pub(crate) fn is_images(name: &str) -> PyResult<bool> {
    open::is_images(name).map_err(raised)
}

/// The clips of a corpus, as JSON, and notes. What is not in the cache is fetched.
#[pyfunction]
#[pyo3(signature = (name, seed, clips_per_class=None, group_by=None))]
pub(crate) fn open_clips(
    py: Python<'_>,
    name: &str,
    seed: u64,
    clips_per_class: Option<usize>,
    group_by: Option<&str>,
) -> PyResult<(String, Vec<String>)> {
    let options = options(seed, clips_per_class, group_by)?;
    let (corpus, notes) =
        run(py, None, None, |_, reports| open::corpus_with_tags(name, &options, reports))?;
    Ok((clips_as_json(&corpus), notes))
}

fn split_name(split: Option<Split>) -> Option<&'static str> {
    split.map(|split| match split {
        Split::Train => "train",
        Split::Valid => "valid",
        Split::Test => "test",
    })
}

fn clips_as_json(corpus: &Corpus) -> String {
    let clip = |clip: &Clip| {
        json!({
            "id": clip.id,
            "path": clip.path,
            "class": clip.class,
            "other_labels": clip.other_labels,
            "split": split_name(clip.split),
            "fold": clip.fold,
            "group": clip.group,
            "start": clip.start,
            "end": clip.end,
        })
    };
    json!({
        "name": corpus.name,
        "provenance": corpus.provenance,
        "licence": corpus.licence,
        "labels": corpus.labels,
        "classes": corpus.classes,
        "clips": corpus.clips.iter().map(clip).collect::<Vec<_>>(),
    })
    .to_string()
}

/// Images, class indices, what is known of the corpus as JSON with the split of every image, notes.
type Opened<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>, String, Vec<String>);

/// A corpus of images. What is not in the cache is fetched.
#[pyfunction]
#[pyo3(signature = (name, seed, clips_per_class=None))]
pub(crate) fn open_images<'py>(
    py: Python<'py>,
    name: &str,
    seed: u64,
    clips_per_class: Option<usize>,
) -> PyResult<Opened<'py>> {
    let options = options(seed, clips_per_class, None)?;
    let (corpus, notes): (ImageCorpus, _) =
        run(py, None, None, |_, reports| open::images(name, &options, reports))?;
    let (count, shape) = (corpus.len(), corpus.shape);
    let mut pixels = Vec::with_capacity(count * shape.bytes());
    (0..count).for_each(|index| pixels.extend_from_slice(corpus.image(index)));
    let classes: Vec<i64> = (0..count).map(|index| corpus.item(index).class as i64).collect();
    let splits: Vec<_> = (0..count).map(|index| split_name(corpus.item(index).split)).collect();
    let about = json!({
        "name": corpus.name,
        "provenance": corpus.provenance,
        "licence": corpus.licence,
        "labels": corpus.labels,
        "classes": corpus.classes,
        "splits": splits,
    });
    let dimensions = [count, shape.height, shape.width, shape.channels];
    let pixels = arrays::array(py, pixels, &dimensions)?;
    Ok((pixels, arrays::array(py, classes, &[count])?, about.to_string(), notes))
}

/// Mono sound of a file, or of a stretch of it in seconds, at `sample_rate` hertz.
#[pyfunction]
#[pyo3(signature = (path, sample_rate, start=0.0, end=None))]
pub(crate) fn read_sound<'py>(
    py: Python<'py>,
    path: PathBuf,
    sample_rate: u32,
    start: f64,
    end: Option<f64>,
) -> PyResult<Bound<'py, PyAny>> {
    if sample_rate == 0 {
        return Err(bad("sample_rate", "0 is no sample rate in hertz"));
    }
    let clip = Clip { start, end, ..Clip::new("", path, 0) };
    let read = py.detach(|| clip.read(sample_rate, &Limits::default()));
    let samples = read.map_err(|error| raised(error.into()))?.samples;
    let count = samples.len();
    arrays::array(py, samples, &[count])
}

/// An image file as an array (rows, columns, channels).
#[pyfunction]
pub(crate) fn read_image<'py>(py: Python<'py>, path: PathBuf) -> PyResult<Bound<'py, PyAny>> {
    let image = PngCodec.read(&path).map_err(raised)?;
    let shape = image.shape;
    arrays::array(py, image.pixels, &[shape.height, shape.width, shape.channels])
}
