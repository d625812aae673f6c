//! Cross-validation folds: stratified, stratified without dividing a group, or given.
//!
//! The same arguments give the same folds on every machine: the only random numbers come from
//! ChaCha8 keyed by (seed, trial), ties go to the smaller number.

use std::collections::BTreeMap;

use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};

use crate::corpus::Corpus;
use crate::error::Error;

/// Why folds cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FoldError {
    /// Cross-validation needs two folds at least.
    #[error("{folds} folds were asked for; ask for 2 or more")]
    TooFewFolds {
        /// Folds asked for.
        folds: usize,
    },
    /// A class without clips, which no classifier can learn.
    #[error("class {class} has no clips; add some or remove the class")]
    EmptyClass {
        /// Name of the class.
        class: String,
    },
    /// A class with fewer clips than folds would be absent from a fold.
    #[error(
        "class {class} has {clips} clips, fewer than the {folds} folds; add clips or ask for \
         {clips} folds or fewer"
    )]
    ClassTooSmall {
        /// Name of the class.
        class: String,
        /// Its clips.
        clips: usize,
        /// Folds asked for.
        folds: usize,
    },
    /// Fewer groups than folds would leave a fold empty.
    #[error("there are {groups} groups, fewer than the {folds} folds; ask for fewer folds")]
    TooFewGroups {
        /// Groups in all.
        groups: usize,
        /// Folds asked for.
        folds: usize,
    },
    /// A class lies in one fold alone: when that is tested, nothing was trained.
    #[error(
        "class {class} lies in one fold alone, so that it would be tested without being trained; \
         its clips need two groups or more"
    )]
    ClassInOneFold {
        /// Name of the class.
        class: String,
    },
    /// Given folds must cover all clips.
    #[error("clip {clip} has no fold; give every clip one, or none")]
    NoFold {
        /// Name of the clip.
        clip: String,
    },
}

impl From<FoldError> for Error {
    fn from(error: FoldError) -> Self {
        let text = error.to_string();
        let (what, remedy) = text.split_once("; ").unwrap_or((&text, "change the folds"));
        Self::request(what, remedy)
    }
}

/// A class that is absent from some folds, because it has fewer groups than there are folds. Its
/// recall rests on the other folds alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AbsentClass {
    /// Index of the class.
    pub class: usize,
    /// Folds without a clip of it.
    pub folds: Vec<usize>,
}

/// A division of all clips of a corpus into folds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folds {
    /// The fold of every clip, below `count`.
    pub of_clip: Vec<usize>,
    /// Number of folds.
    pub count: usize,
    /// Classes absent from some folds: empty unless groups forbid better, or folds are given.
    pub absent: Vec<AbsentClass>,
}

impl Folds {
    /// Indices of the clips of a fold: tested when it is left out.
    pub fn test(&self, fold: usize) -> Vec<usize> {
        (0..self.of_clip.len()).filter(|&clip| self.of_clip[clip] == fold).collect()
    }

    /// Indices of the clips of all other folds: trained on meanwhile.
    pub fn train(&self, fold: usize) -> Vec<usize> {
        (0..self.of_clip.len()).filter(|&clip| self.of_clip[clip] != fold).collect()
    }

    /// Stratified folds: of every class, any two folds hold equally many clips up to one, and so
    /// of all clips. Different trials are different shuffles.
    ///
    /// # Errors
    /// [`FoldError::TooFewFolds`], [`FoldError::EmptyClass`], [`FoldError::ClassTooSmall`].
    pub fn stratified(
        corpus: &Corpus,
        count: usize,
        seed: u64,
        trial: u64,
    ) -> Result<Self, FoldError> {
        let sizes = check_sizes(corpus, count)?;
        let mut rng = stream(seed, trial);
        let mut of_clip = vec![0; corpus.clips.len()];
        // Dealt like cards, each class beginning where the last one ended.
        let mut next = 0;
        for class in 0..sizes.len() {
            let here = |&clip: &usize| corpus.clips[clip].class == class;
            let mut clips: Vec<usize> = (0..corpus.clips.len()).filter(here).collect();
            shuffle(&mut clips, &mut rng);
            for clip in clips {
                of_clip[clip] = next % count;
                next += 1;
            }
        }
        Ok(Self { of_clip, count, absent: Vec::new() })
    }

    /// Stratified folds that never divide a group. A clip without a group is its own.
    ///
    /// The groups, shuffled, then the largest first, go each to the fold where its classes are
    /// scarcest: where the sum over classes of (clips in fold)^2 / (clips of class) grows least,
    /// then where the fewest clips are. Balance is as good as this greedy rule makes it. A class
    /// with fewer groups than folds is allowed and listed in [`Folds::absent`].
    ///
    /// # Errors
    /// As [`Folds::stratified`]; also [`FoldError::TooFewGroups`] and
    /// [`FoldError::ClassInOneFold`].
    pub fn grouped(
        corpus: &Corpus,
        count: usize,
        seed: u64,
        trial: u64,
    ) -> Result<Self, FoldError> {
        let sizes = check_sizes(corpus, count)?;
        let mut groups = groups(corpus);
        if groups.len() < count {
            return Err(FoldError::TooFewGroups { groups: groups.len(), folds: count });
        }
        shuffle(&mut groups, &mut stream(seed, trial));
        groups.sort_by_key(|clips| std::cmp::Reverse(clips.len()));

        let mut of_clip = vec![0; corpus.clips.len()];
        let mut held = vec![vec![0usize; sizes.len()]; count];
        for clips in groups {
            let mut brings = vec![0usize; sizes.len()];
            clips.iter().for_each(|&clip| brings[corpus.clips[clip].class] += 1);
            let growth = |fold: &[usize]| -> f64 {
                let classes = fold.iter().zip(&brings).zip(&sizes);
                classes.map(|((&n, &g), &size)| ((2 * n + g) * g) as f64 / size as f64).sum()
            };
            let total = |fold: &[usize]| fold.iter().sum::<usize>();
            let better = |a: &usize, b: &usize| {
                let (x, y) = (&held[*a], &held[*b]);
                growth(x).total_cmp(&growth(y)).then(total(x).cmp(&total(y))).then(a.cmp(b))
            };
            // There are two folds or more.
            let fold = (0..count).min_by(better).unwrap_or(0);
            for clip in clips {
                of_clip[clip] = fold;
                held[fold][corpus.clips[clip].class] += 1;
            }
        }
        Self::checked(corpus, of_clip, count)
    }

    /// The folds that the corpus itself states, renumbered without gaps.
    ///
    /// # Errors
    /// [`FoldError::NoFold`], [`FoldError::TooFewFolds`], [`FoldError::EmptyClass`],
    /// [`FoldError::ClassInOneFold`].
    pub fn given(corpus: &Corpus) -> Result<Self, FoldError> {
        let mut stated = Vec::with_capacity(corpus.clips.len());
        for clip in &corpus.clips {
            let fold = clip.fold.ok_or_else(|| FoldError::NoFold { clip: clip.id.clone() })?;
            stated.push(fold);
        }
        let mut numbers = stated.clone();
        numbers.sort_unstable();
        numbers.dedup();
        if numbers.len() < 2 {
            return Err(FoldError::TooFewFolds { folds: numbers.len() });
        }
        if let Some(class) = class_sizes(corpus).iter().position(|&size| size == 0) {
            return Err(FoldError::EmptyClass { class: corpus.classes[class].clone() });
        }
        let of_clip = stated.iter().map(|fold| numbers.partition_point(|n| n < fold)).collect();
        Self::checked(corpus, of_clip, numbers.len())
    }

    /// Finds absent classes; refuses a class that lies in one fold alone.
    fn checked(corpus: &Corpus, of_clip: Vec<usize>, count: usize) -> Result<Self, FoldError> {
        let mut present = vec![vec![false; count]; corpus.classes.len()];
        for (clip, &fold) in corpus.clips.iter().zip(&of_clip) {
            present[clip.class][fold] = true;
        }
        let mut absent = Vec::new();
        for (class, present) in present.iter().enumerate() {
            let folds: Vec<usize> = (0..count).filter(|&fold| !present[fold]).collect();
            if folds.len() + 1 >= count {
                return Err(FoldError::ClassInOneFold { class: corpus.classes[class].clone() });
            }
            if !folds.is_empty() {
                absent.push(AbsentClass { class, folds });
            }
        }
        Ok(Self { of_clip, count, absent })
    }
}

/// Clips of every class.
pub(crate) fn class_sizes(corpus: &Corpus) -> Vec<usize> {
    let mut sizes = vec![0; corpus.classes.len()];
    corpus.clips.iter().for_each(|clip| sizes[clip.class] += 1);
    sizes
}

/// Clips of every class, if there are enough for the folds.
fn check_sizes(corpus: &Corpus, folds: usize) -> Result<Vec<usize>, FoldError> {
    if folds < 2 {
        return Err(FoldError::TooFewFolds { folds });
    }
    let sizes = class_sizes(corpus);
    for (class, &clips) in corpus.classes.iter().zip(&sizes) {
        let class = class.clone();
        if clips == 0 {
            return Err(FoldError::EmptyClass { class });
        }
        if clips < folds {
            return Err(FoldError::ClassTooSmall { class, clips, folds });
        }
    }
    Ok(sizes)
}

/// The clips of every group, named groups in the order of names before single clips.
fn groups(corpus: &Corpus) -> Vec<Vec<usize>> {
    let mut named: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let mut single = Vec::new();
    for (index, clip) in corpus.clips.iter().enumerate() {
        match &clip.group {
            Some(group) => named.entry(group).or_default().push(index),
            None => single.push(vec![index]),
        }
    }
    named.into_values().chain(single).collect()
}

fn stream(seed: u64, trial: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&trial.to_le_bytes());
    key[16..21].copy_from_slice(b"folds");
    ChaCha8Rng::from_seed(key)
}

/// Fisher and Yates' shuffle, written out so that it never changes with a library.
fn shuffle<T>(items: &mut [T], rng: &mut ChaCha8Rng) {
    for last in (1..items.len()).rev() {
        // The high half of a 128-bit product is uniform below `last + 1` up to 2^-64.
        let pick = (u128::from(rng.next_u64()) * (last as u128 + 1)) >> 64;
        items.swap(pick as usize, last);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::PathBuf;

    use proptest::prelude::*;

    use super::*;
    use crate::corpus::{Clip, Provenance};

    /// A corpus of clips given by class and group.
    fn corpus(classes: usize, clips: &[(usize, Option<u32>)]) -> Corpus {
        let clip = |(index, &(class, group)): (usize, &(usize, Option<u32>))| Clip {
            id: format!("{index:04}"),
            path: PathBuf::new(),
            class,
            split: None,
            fold: None,
            group: group.map(|group| group.to_string()),
            start: 0.0,
            end: None,
        };
        Corpus {
            name: "test".to_owned(),
            provenance: Provenance::Synthetic,
            labels: String::new(),
            classes: (0..classes).map(|class| format!("c{class}")).collect(),
            clips: clips.iter().enumerate().map(clip).collect(),
        }
    }

    fn count(corpus: &Corpus, folds: &Folds, fold: usize, class: usize) -> usize {
        folds.test(fold).iter().filter(|&&clip| corpus.clips[clip].class == class).count()
    }

    fn spread(counts: impl Iterator<Item = usize> + Clone) -> usize {
        counts.clone().max().unwrap() - counts.min().unwrap()
    }

    proptest! {
        #[test]
        fn stratified_folds_are_a_balanced_partition(
            sizes in prop::collection::vec(5usize..40, 2..6),
            count_ in 2usize..6,
            seed: u64,
        ) {
            let clips: Vec<_> =
                sizes.iter().enumerate().flat_map(|(class, &n)| vec![(class, None); n]).collect();
            let corpus = corpus(sizes.len(), &clips);
            let folds = Folds::stratified(&corpus, count_, seed, 0).unwrap();
            prop_assert!(folds.of_clip.iter().all(|&fold| fold < count_));
            for fold in 0..count_ {
                let mut both = [folds.test(fold), folds.train(fold)].concat();
                both.sort_unstable();
                prop_assert_eq!(both, (0..clips.len()).collect::<Vec<_>>());
            }
            prop_assert!(spread((0..count_).map(|fold| folds.test(fold).len())) <= 1);
            for class in 0..sizes.len() {
                prop_assert!(spread((0..count_).map(|f| count(&corpus, &folds, f, class))) <= 1);
            }
            prop_assert_eq!(&folds, &Folds::stratified(&corpus, count_, seed, 0).unwrap());
        }

        #[test]
        fn grouped_folds_divide_no_group_and_leave_none_empty(
            clips in prop::collection::vec((0usize..4, prop::option::of(0u32..30)), 60..200),
            count_ in 2usize..6,
            seed: u64,
        ) {
            let corpus = corpus(4, &clips);
            let Ok(folds) = Folds::grouped(&corpus, count_, seed, 3) else {
                // Only a class that is too small may be in the way.
                let least = class_sizes(&corpus).into_iter().min().unwrap();
                prop_assert!(least < count_);
                return Ok(());
            };
            let mut fold_of: BTreeMap<&str, usize> = BTreeMap::new();
            for (clip, &fold) in corpus.clips.iter().zip(&folds.of_clip) {
                if let Some(group) = &clip.group {
                    prop_assert_eq!(*fold_of.entry(group).or_insert(fold), fold);
                }
            }
            for fold in 0..count_ {
                prop_assert!(!folds.test(fold).is_empty());
                for class in 0..4 {
                    let listed = folds.absent.iter().any(|a| a.class == class && a.folds.contains(&fold));
                    prop_assert_eq!(count(&corpus, &folds, fold, class) == 0, listed);
                    let trained = folds.train(fold);
                    prop_assert!(trained.iter().any(|&clip| corpus.clips[clip].class == class));
                }
            }
            prop_assert_eq!(&folds, &Folds::grouped(&corpus, count_, seed, 3).unwrap());
        }
    }

    /// Three classes with ten groups of three clips each.
    fn even() -> Corpus {
        let clips: Vec<_> = (0..90).map(|i| (i / 30, Some(i as u32 / 3))).collect();
        corpus(3, &clips)
    }

    #[test]
    fn equal_groups_are_spread_evenly() {
        let corpus = even();
        let folds = Folds::grouped(&corpus, 5, 1, 0).unwrap();
        for fold in 0..5 {
            for class in 0..3 {
                assert_eq!(count(&corpus, &folds, fold, class), 6);
            }
        }
        assert!(folds.absent.is_empty());
    }

    #[test]
    fn seed_and_trial_change_the_folds() {
        let corpus = even();
        let make: [fn(&Corpus, u64, u64) -> Folds; 2] = [
            |corpus, seed, trial| Folds::stratified(corpus, 5, seed, trial).unwrap(),
            |corpus, seed, trial| Folds::grouped(corpus, 5, seed, trial).unwrap(),
        ];
        for make in make {
            assert_ne!(make(&corpus, 1, 0), make(&corpus, 2, 0));
            assert_ne!(make(&corpus, 1, 0), make(&corpus, 1, 1));
            assert_ne!(make(&corpus, 1, 0), make(&corpus, 0, 1));
        }
    }

    #[test]
    fn the_shuffle_is_frozen() {
        let mut items: Vec<u32> = (0..8).collect();
        shuffle(&mut items, &mut stream(1, 2));
        assert_eq!(items, [1, 4, 6, 2, 7, 5, 0, 3]);
    }

    #[test]
    fn every_impossible_request_has_its_error() {
        let both = |corpus: &Corpus, count| {
            let plain = Folds::stratified(corpus, count, 0, 0).unwrap_err();
            assert_eq!(plain, Folds::grouped(corpus, count, 0, 0).unwrap_err());
            plain
        };
        let all = even();
        assert_eq!(both(&all, 0), FoldError::TooFewFolds { folds: 0 });
        assert_eq!(both(&all, 1), FoldError::TooFewFolds { folds: 1 });
        let class = "c0".to_owned();
        assert_eq!(both(&all, 31), FoldError::ClassTooSmall { class, clips: 30, folds: 31 });
        let empty = corpus(3, &[(0, None), (0, None), (1, None), (1, None)]);
        assert_eq!(both(&empty, 2), FoldError::EmptyClass { class: "c2".to_owned() });

        let few = corpus(2, &[(0, Some(1)), (0, Some(1)), (1, Some(1)), (1, Some(1))]);
        assert_eq!(
            Folds::grouped(&few, 2, 0, 0),
            Err(FoldError::TooFewGroups { groups: 1, folds: 2 })
        );
        let lone = corpus(2, &[(0, Some(1)), (0, Some(1)), (1, Some(2)), (1, Some(3))]);
        assert_eq!(
            Folds::grouped(&lone, 2, 0, 0),
            Err(FoldError::ClassInOneFold { class: "c0".to_owned() })
        );
        let error = Error::from(FoldError::TooFewFolds { folds: 1 });
        assert_eq!(error.to_string(), "1 folds were asked for; ask for 2 or more");
    }

    #[test]
    fn a_class_with_fewer_groups_than_folds_is_listed_as_absent() {
        let clips: Vec<_> =
            (0..12).map(|i| (0, Some(i))).chain((0..6).map(|i| (1, Some(100 + i / 3)))).collect();
        let folds = Folds::grouped(&corpus(2, &clips), 3, 0, 0).unwrap();
        assert_eq!(folds.absent.len(), 1);
        assert_eq!((folds.absent[0].class, folds.absent[0].folds.len()), (1, 1));
    }

    #[test]
    fn given_folds_are_taken_as_they_are() {
        let mut corpus = corpus(1, &[(0, None); 4]);
        assert_eq!(Folds::given(&corpus), Err(FoldError::NoFold { clip: "0000".to_owned() }));
        for (clip, fold) in corpus.clips.iter_mut().zip([7, 2, 7, 4]) {
            clip.fold = Some(fold);
        }
        let folds = Folds::given(&corpus).unwrap();
        assert_eq!((folds.of_clip, folds.count), (vec![2, 0, 2, 1], 3));
        corpus.clips.iter_mut().for_each(|clip| clip.fold = Some(1));
        assert_eq!(Folds::given(&corpus), Err(FoldError::TooFewFolds { folds: 1 }));
    }
}
