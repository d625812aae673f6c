//! The exhibits that the page of a comparison holds, with their content.

use std::path::Path;

use trompe_corpora::{Limits, decode::decode, wav};

use crate::error::{Error, Result};
use crate::exhibits::{Exhibit, Medium, Waveform};
use crate::report::comparison::{Content, Shown};
use crate::results::comparison::Group;

/// Length of a sound on a page in seconds: a page of thirty stays below 20 MB (our choice).
const SECONDS: f64 = 10.0;

/// Columns of a waveform's picture.
const COLUMNS: usize = 300;

/// Most bytes of images on a page for one group.
const IMAGE_BYTES: usize = 4 << 20;

/// The best exhibit of every class of a group: of sounds from the first seed that has one, of
/// images from every seed, as far as 4 MB hold them.
///
/// # Errors
/// Whatever reading a file meets.
pub fn exhibits(group: &Group) -> Result<Vec<Shown>> {
    let mut shown = Vec::new();
    let mut bytes = 0;
    for class in 0..group.origin().classes.len() {
        for run in group.runs() {
            let Some(exhibit) = run.manifest.of_class(class).next() else { continue };
            let path = run.folder.join("fooling-set").join(&exhibit.file);
            let seed = run.report.origin.seed;
            match group.origin().medium {
                Medium::Audio => {
                    shown.push(of(exhibit, seed, sound(&path)?));
                    break;
                }
                Medium::Image => {
                    let png = std::fs::read(&path).map_err(|e| Error::io(&path, e))?;
                    bytes += png.len();
                    if bytes > IMAGE_BYTES {
                        return Ok(shown);
                    }
                    shown.push(of(exhibit, seed, Content::Image(png)));
                }
            }
        }
    }
    Ok(shown)
}

fn of(exhibit: &Exhibit, seed: u64, content: Content) -> Shown {
    Shown {
        seed,
        class: exhibit.class,
        label: exhibit.label.clone(),
        posterior: exhibit.posterior,
        content,
    }
}

fn sound(path: &Path) -> Result<Content> {
    let audio = decode(path, &Limits::default())?;
    let most = (SECONDS * f64::from(audio.sample_rate)) as usize;
    let start = &audio.samples[..most.min(audio.samples.len())];
    Ok(Content::Sound {
        waveform: Waveform::from_samples(start, audio.sample_rate, COLUMNS),
        wav: wav::encode(&wav::quantize(start), audio.sample_rate)?,
    })
}
