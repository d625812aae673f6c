//! Clips that a model was not trained on: some groups of a corpus are left out, and a model
//! like a given one is trained on the rest.

use std::collections::{BTreeMap, BTreeSet};

use rand::RngExt;
use trompe_base::random::stream;
use trompe_base::words::counted;
use trompe_corpora::{Clip, Corpus, Limits, Progress};

use crate::classifiers::{Fitted, Model, TrainedOn};
use crate::dataset::Dataset;
use crate::dataset::extract::{BadClips, extract};
use crate::error::{Error, Result};

/// Key of the random streams that draw groups.
const STREAM: u64 = 0x686f_6c64;

/// A model and clips of groups that it has heard nothing of.
pub struct HeldOut {
    /// The model.
    pub model: Model,
    /// Numbers of the clips in the corpus, as many of every class.
    pub clips: Vec<usize>,
}

/// Holds out groups of every class of `corpus` at random and trains a model with the features
/// and settings of `like` on all clips of the other groups. Gives `per_class` clips a class of
/// the groups held out, taken from them in turn.
///
/// # Errors
/// [`Error::Request`] if a class has too few clips or groups; whatever reading or training
/// meets.
pub fn hold_out(
    corpus: &Corpus,
    like: &Model,
    per_class: usize,
    seed: u64,
    progress: &dyn Progress,
) -> Result<HeldOut> {
    let clips = choose(corpus, per_class, seed)?;
    let groups: BTreeSet<&str> = clips.iter().map(|&clip| group(&corpus.clips[clip])).collect();
    let mut rest = corpus.clone();
    rest.clips.retain(|clip| !groups.contains(group(clip)));
    if let Some(name) = absent_class(&rest) {
        return Err(Error::request(
            format!("class {name} of {}: every clip is of a group held out", corpus.name),
            "hold out fewer clips (--per-class), or add groups to the class",
        ));
    }
    let settings = like.trained_on().settings.as_ref().ok_or_else(|| {
        Error::request(
            "the model was trained on features from elsewhere, so no model like it can be trained",
            "give a model that was trained on a corpus of audio",
        )
    })?;
    let (dataset, _) = extract(&rest, settings, &Limits::default(), BadClips::Refuse, progress)?;
    let model = Model::new(fit(like.fitted(), &dataset, progress)?, TrainedOn::new(&dataset))?;
    Ok(HeldOut { model, clips })
}

/// What keeps clips together: a clip without a group is its own.
fn group(clip: &Clip) -> &str {
    clip.group.as_deref().unwrap_or(&clip.id)
}

fn absent_class(corpus: &Corpus) -> Option<&String> {
    let has_clip = |class| corpus.clips.iter().any(|clip| clip.class == class);
    (0..corpus.classes.len()).find(|&class| !has_clip(class)).map(|class| &corpus.classes[class])
}

/// Fits the kind of `like` with its settings.
fn fit(like: &Fitted, dataset: &Dataset, progress: &dyn Progress) -> Result<Fitted> {
    Ok(match like {
        Fitted::AdaBoost(like) => Fitted::AdaBoost(like.params().fit(dataset, &mut |round| {
            progress.report("boosting", round.number as u64, round.of as u64);
        })?),
        Fitted::Logistic(like) => Fitted::Logistic(like.params().fit(dataset)?),
        Fitted::Sparse(like) => Fitted::Sparse(like.params().fit(dataset)?),
    })
}

/// `per_class` clips of every class, from as many groups as there are clips, but from no more
/// than half of the groups of the class where these have enough.
fn choose(corpus: &Corpus, per_class: usize, seed: u64) -> Result<Vec<usize>> {
    let mut chosen = Vec::new();
    for (class, name) in corpus.classes.iter().enumerate() {
        let mut by_group: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (number, clip) in corpus.clips.iter().enumerate().filter(|(_, c)| c.class == class) {
            by_group.entry(group(clip)).or_default().push(number);
        }
        let mut groups: Vec<Vec<usize>> = by_group.into_values().collect();
        let mut rng = stream(seed, STREAM, class as u64, 0);
        for last in (1..groups.len()).rev() {
            groups.swap(last, rng.random_range(0..=last));
        }
        let (clips, count) = (groups.iter().map(Vec::len).sum::<usize>(), groups.len());
        let enough = |held_out: usize| {
            held_out < count && groups[..held_out].iter().map(Vec::len).sum::<usize>() >= per_class
        };
        let wished = per_class.min(count / 2).max(1);
        let held_out = (wished..count).find(|&held_out| enough(held_out)).ok_or_else(|| {
            Error::request(
                format!(
                    "class {name} of {}: {} of {}. To hold out {per_class} of each class and train on the \
                     rest, one group at least must be left",
                    corpus.name,
                    counted(clips, "clip"),
                    counted(count, "group")
                ),
                "hold out fewer clips (--per-class), or add groups to the class",
            )
        })?;
        chosen.extend(dealt(&groups[..held_out], per_class));
    }
    Ok(chosen)
}

/// The first `count` clips when every group gives one in turn.
fn dealt(groups: &[Vec<usize>], count: usize) -> Vec<usize> {
    let longest = groups.iter().map(Vec::len).max().unwrap_or(0);
    let turns = (0..longest).flat_map(|turn| groups.iter().filter_map(move |g| g.get(turn)));
    turns.copied().take(count).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::path::PathBuf;

    use trompe_corpora::Provenance;

    use super::*;

    /// A corpus whose class `i` has groups of `sizes[i]` clips.
    fn corpus(sizes: &[&[usize]]) -> Corpus {
        let mut clips = Vec::new();
        for (class, groups) in sizes.iter().enumerate() {
            for (number, &size) in groups.iter().enumerate() {
                clips.extend((0..size).map(|clip| Clip {
                    group: Some(format!("{class}/{number}")),
                    ..Clip::new(format!("{class}/{number}/{clip}"), PathBuf::new(), class)
                }));
            }
        }
        Corpus {
            known_as: None,
            licence: None,
            name: "toy".into(),
            provenance: Provenance::Synthetic,
            labels: String::new(),
            classes: (0..sizes.len()).map(|class| format!("class {class}")).collect(),
            clips,
        }
    }

    #[test]
    fn every_class_gives_its_clips_from_groups_that_leave_others_to_train_on() {
        let corpus = corpus(&[&[3; 10], &[1, 1, 1, 1, 1, 1], &[5, 5]]);
        let chosen = choose(&corpus, 5, 1).unwrap();
        for (class, wanted) in [(0, 5), (1, 5), (2, 1)] {
            let clips = chosen.iter().map(|&clip| &corpus.clips[clip]);
            let own: Vec<&Clip> = clips.filter(|clip| clip.class == class).collect();
            let groups: BTreeSet<&str> = own.iter().map(|clip| group(clip)).collect();
            assert_eq!((own.len(), groups.len()), (5, wanted));
        }
        assert_eq!(choose(&corpus, 5, 1).unwrap(), chosen);
        assert_ne!(choose(&corpus, 5, 2).unwrap(), chosen);
        // Six clips of the last class would leave no group.
        let error = choose(&corpus, 6, 1).unwrap_err().to_string();
        assert!(error.contains("class 1 of toy: 6 clips of 6 groups"), "{error}");
        let error = choose(&super::tests::corpus(&[&[9]]), 1, 1).unwrap_err().to_string();
        assert!(error.contains("9 clips of 1 group"), "{error}");
    }

    #[test]
    fn a_clip_without_a_group_is_its_own() {
        let mut corpus = corpus(&[&[4]]);
        corpus.clips.iter_mut().for_each(|clip| clip.group = None);
        assert_eq!(choose(&corpus, 3, 1).unwrap().len(), 3);
        assert!(choose(&corpus, 4, 1).is_err());
    }
}
