//! Genuine clips beside excerpts, and the loops of excerpts one by one.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use trompe_base::encoding::hex;
use trompe_base::hash::sha256_file;
use trompe_corpora::{Audio, Bank, Clip, Limits, layout, wav};

use super::copies::{self, Copies};
use super::{collections, licences};
use crate::error::Result;
use crate::exhibits::Manifest;
use crate::exhibits::companions::{Companion, CopyOf};
use crate::exhibits::names::class_stems;
use crate::log_odds::label;
use crate::reference::{GenuineItem, Reference, ReferenceSource};

/// A genuine clip of every class with exhibits, by the class' name, at `rate` hertz.
pub(super) fn genuine(
    copies: &Copies<'_>,
    manifest: &Manifest,
    reference: &Reference,
    rate: u32,
) -> Result<BTreeMap<String, Companion>> {
    let classes = &manifest.origin.classes;
    let source = reference.source();
    let why_not = licences::why_not(source.licence.as_deref());
    let clips = match why_not {
        None => AtHand::of(&source.corpus)?,
        Some(_) => AtHand::default(),
    };
    let mut companions = BTreeMap::new();
    for (class, stem) in class_stems(classes).iter().enumerate() {
        if manifest.of_class(class).next().is_none() {
            continue;
        }
        let Some(item) = typical(reference, class) else { continue };
        let found = match &why_not {
            Some(why) => Err(why.clone()),
            None => clips.read(item, rate),
        };
        let copy = match found {
            Err(why) => CopyOf::NotCopied(why),
            Ok(audio) => copies.add(&format!("genuine-{stem}.wav"), |path| {
                let most = longest(manifest, source, rate).min(audio.samples.len());
                let samples = &audio.samples[..most];
                Ok(wav::write(path, &wav::quantize(samples), audio.sample_rate)?)
            })?,
        };
        companions.insert(classes[class].clone(), copies::genuine(item, reference, copy));
    }
    Ok(companions)
}

/// The length of excerpts in samples, or, if that is less, of what was scored of genuine items.
fn longest(manifest: &Manifest, source: &ReferenceSource, rate: u32) -> usize {
    let seconds = manifest.origin.generator.settings.get("seconds").and_then(Value::as_f64);
    let excerpts = seconds.map_or(usize::MAX, |seconds| (seconds * f64::from(rate)) as usize);
    excerpts.min(source.samples.unwrap_or(usize::MAX))
}

/// The item of `class` with the median score among those that their scorer labels with it; where it
/// labels none so, among all of the class. The first of equals.
fn typical(reference: &Reference, class: usize) -> Option<&GenuineItem> {
    let of_class = || reference.items().iter().filter(|item| item.class == class);
    let mut items: Vec<&GenuineItem> =
        of_class().filter(|item| label(&item.log_odds) == Some(class)).collect();
    if items.is_empty() {
        items = of_class().collect();
    }
    items.sort_by(|a, b| {
        let scores = a.log_odds[class].total_cmp(&b.log_odds[class]);
        scores.then_with(|| a.name.cmp(&b.name))
    });
    items.get(items.len().saturating_sub(1) / 2).copied()
}

/// The clips of a corpus in the cache, which may be there several times, made with other options.
#[derive(Default)]
struct AtHand {
    corpus: String,
    clips: BTreeMap<String, Vec<Clip>>,
    /// What could not be opened, and why.
    faults: Vec<String>,
}

impl AtHand {
    fn of(corpus: &str) -> Result<Self> {
        let mut all = Self { corpus: corpus.to_owned(), ..Self::default() };
        for folder in collections::installed(corpus)? {
            match layout::open(&folder, &Limits::default()) {
                Ok(corpus) => corpus.clips.into_iter().for_each(|clip| {
                    all.clips.entry(clip.id.clone()).or_default().push(clip);
                }),
                Err(error) => all.faults.push(error.to_string()),
            }
        }
        Ok(all)
    }

    /// The sound of an item at `rate` hertz, or why there is none.
    fn read(&self, item: &GenuineItem, rate: u32) -> Result<Audio, String> {
        let same = |clip: &&Clip| sha256_file(&clip.path).is_ok_and(|of| hex(&of) == item.sha256);
        let known = self.clips.get(&item.name).into_iter().flatten();
        match known.into_iter().find(same) {
            Some(clip) => clip.read(rate, &Limits::default()).map_err(|error| error.to_string()),
            None if self.faults.is_empty() => Err(collections::not_at_hand(&self.corpus)),
            None => Err(self.faults.join("; ")),
        }
    }
}

/// The loops that the exhibits are made of, by name.
pub(super) fn parts(
    copies: &Copies<'_>,
    manifest: &Manifest,
    bank: &Bank,
) -> Result<BTreeMap<String, Companion>> {
    let used: BTreeSet<&str> = manifest
        .exhibits
        .iter()
        .flat_map(|exhibit| &exhibit.descriptions)
        .map(String::as_str)
        .collect();
    let why_not = licences::why_not(bank.licence.as_deref());
    let loops = bank.loops.iter().filter(|of| used.contains(of.id.as_str()));
    let mut parts = BTreeMap::new();
    for (number, of) in (1..).zip(loops) {
        let copy = match &why_not {
            Some(why) => CopyOf::NotCopied(why.clone()),
            None => copies.add(&format!("loop-{number:03}.wav"), |path| {
                Ok(wav::write(path, &of.samples, bank.sample_rate)?)
            })?,
        };
        let companion = Companion {
            name: of.id.clone(),
            class: None,
            collection: bank.name.clone(),
            licence: bank.licence.clone(),
            copy,
        };
        parts.insert(of.id.clone(), companion);
    }
    Ok(parts)
}
