//! The nearest genuine image beside every image of a set.

use std::collections::BTreeMap;

use rayon::prelude::*;
use trompe_base::hash::FieldHasher;
use trompe_corpora::images::{read_png, write_png};
use trompe_corpora::{Image, ImageCorpus, Limits};

use super::copies::{self, Copies};
use super::{collections, licences};
use crate::error::Result;
use crate::exhibits::Manifest;
use crate::exhibits::companions::{Companion, CopyOf};
use crate::reference::{GenuineItem, Reference};

/// The genuine item of any class that is nearest to each exhibit, by the exhibit's file; nothing where
/// the pixels of the items are not at hand.
pub(super) fn nearest(
    copies: &Copies<'_>,
    manifest: &Manifest,
    reference: &Reference,
) -> Result<BTreeMap<String, Companion>> {
    let Some(genuine) = at_hand(reference)? else { return Ok(BTreeMap::new()) };
    let why_not = licences::why_not(reference.source().licence.as_deref());
    let mut companions = BTreeMap::new();
    for exhibit in &manifest.exhibits {
        let image = read_png(&copies.set.join(&exhibit.file), &Limits::default())?;
        if image.shape != genuine.corpus.shape {
            continue;
        }
        let Some((item, pixels)) = genuine.nearest(&image.pixels) else { continue };
        let copy = match &why_not {
            Some(why) => CopyOf::NotCopied(why.clone()),
            None => copies.add(&format!("genuine-{}.png", item.name), |path| {
                let (shape, pixels) = (image.shape, pixels.to_vec());
                Ok(write_png(path, &Image { shape, pixels })?)
            })?,
        };
        companions.insert(exhibit.file.clone(), copies::genuine(item, reference, copy));
    }
    Ok(companions)
}

/// Genuine items with their pixels.
struct AtHand<'a> {
    corpus: ImageCorpus,
    /// Items with their number in the corpus.
    items: Vec<(&'a GenuineItem, usize)>,
}

/// The items of a reference, if a collection in the cache holds them all as they were scored.
fn at_hand(reference: &Reference) -> Result<Option<AtHand<'_>>> {
    for folder in collections::installed(&reference.source().corpus)? {
        // A folder that cannot be opened is not the one.
        let Ok(corpus) = ImageCorpus::open(&folder, &Limits::default()) else { continue };
        let place = |item: &GenuineItem| {
            let index = item.name.parse().ok().filter(|&index: &usize| index < corpus.len())?;
            let mut hash = FieldHasher::default();
            hash.field(corpus.image(index));
            (hash.finish() == item.sha256).then_some(index)
        };
        let places: Option<Vec<usize>> = reference.items().par_iter().map(place).collect();
        if let Some(places) = places {
            let items = reference.items().iter().zip(places).collect();
            return Ok(Some(AtHand { corpus, items }));
        }
    }
    Ok(None)
}

impl AtHand<'_> {
    /// The item with the least sum of squared differences of pixels, and its pixels. Of equals the
    /// first.
    fn nearest(&self, pixels: &[u8]) -> Option<(&GenuineItem, &[u8])> {
        let distances = self.items.par_iter().enumerate().map(|(place, &(_, index))| {
            (squared_distance(pixels, self.corpus.image(index)), place)
        });
        let (_, place) = distances.min()?;
        let (item, index) = self.items[place];
        Some((item, self.corpus.image(index)))
    }
}

fn squared_distance(a: &[u8], b: &[u8]) -> u64 {
    a.iter().zip(b).map(|(&a, &b)| u64::from(a.abs_diff(b)).pow(2)).sum()
}

#[cfg(test)]
mod tests {
    use trompe_corpora::Provenance;
    use trompe_corpora::images::ImageShape;

    use super::*;

    #[test]
    fn the_nearest_image_is_found_and_of_equals_the_first() {
        let classes = vec!["a".to_owned(), "b".to_owned()];
        let shape = ImageShape::grey(2, 1);
        let mut corpus = ImageCorpus::new("toy", Provenance::Synthetic, "", classes, shape);
        corpus.extend(&[0, 0, 200, 200, 90, 110, 110, 90], &[0, 1, 0, 1], None);
        let items: Vec<GenuineItem> = (0..4)
            .map(|index| GenuineItem {
                name: format!("{index}"),
                sha256: String::new(),
                group: None,
                class: index % 2,
                other_tags: Vec::new(),
                log_odds: vec![0.0, 0.0],
            })
            .collect();
        // The third image was not scored.
        let items = [0, 1, 3].map(|index| (&items[index], index)).into();
        let genuine = AtHand { corpus, items };
        let name = |pixels: [u8; 2]| genuine.nearest(&pixels).map(|(item, _)| item.name.clone());
        assert_eq!(name([10, 0]).as_deref(), Some("0"));
        assert_eq!(name([255, 255]).as_deref(), Some("1"));
        assert_eq!(name([90, 110]).as_deref(), Some("3"));
        assert_eq!(name([55, 45]).as_deref(), Some("0"), "as near to 0 as to 3");
    }
}
