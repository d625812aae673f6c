//! Cross-validation folds: stratified, stratified without dividing a group, or given.
//!
//! A group that holds all clips of a class cannot be tested: nothing of the class would be left
//! to train on. Folds by group keep such a group in training always, and say so.
//!
//! The same arguments give the same folds on every machine: the only random numbers come from
//! ChaCha8 keyed by (seed, trial), ties go to the smaller number.

use std::collections::BTreeMap;

use rand::Rng;
use trompe_base::Error;
use trompe_base::random::{Stream, stream};
use trompe_base::words::counted;

use crate::corpus::Corpus;

/// Why folds cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FoldError {
    /// Cross-validation needs two folds at least.
    #[error("{} asked for; ask for 2 or more", folds_in_words(.folds))]
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
        "class {class} has {}, fewer than the {folds} folds; add clips{}", clips_in_words(.clips),
        or_fewer_folds(.clips)
    )]
    ClassTooSmall {
        /// Name of the class.
        class: String,
        /// Its clips.
        clips: usize,
        /// Folds asked for.
        folds: usize,
    },
    /// Nearly every group holds all clips of a class, so that nothing is left to test.
    #[error(
        "groups cannot be kept apart: all clips of {} are of one group, and {} \
         can be held out, 2 are needed; add clips of other groups (artists, albums, \
         sources), or use random folds", classes_in_words(.classes), groups_in_words(.groups)
    )]
    NothingToHoldOut {
        /// Names of the classes that lie in one group each.
        classes: Vec<String>,
        /// Groups that can be held out.
        groups: usize,
    },
    /// A class lies in one fold alone: when that is tested, nothing was trained.
    #[error(
        "class {class} lies in one fold alone, so that it would be tested without being trained; \
         spread its clips over two folds or more, or change the seed"
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

fn folds_in_words(folds: &usize) -> String {
    counted(*folds, "fold")
}

fn clips_in_words(clips: &usize) -> String {
    counted(*clips, "clip")
}

fn groups_in_words(groups: &usize) -> String {
    counted(*groups, "group")
}

/// Fewer folds, where two would do.
fn or_fewer_folds(clips: &usize) -> String {
    match clips {
        0 | 1 => String::new(),
        2 => " or ask for 2 folds".to_owned(),
        clips => format!(" or ask for {clips} folds or fewer"),
    }
}

/// "class a", or "each of the classes a, b".
fn classes_in_words(classes: &[String]) -> String {
    let word = if classes.len() == 1 { "class" } else { "each of the classes" };
    format!("{word} {}", classes.join(", "))
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

/// A group that is always in training and never tested, because it holds all clips of a class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptInTraining {
    /// Name of the group; of the clip, if that has no group.
    pub group: String,
    /// Classes that lie wholly in it, by index: they are not tested.
    pub classes: Vec<usize>,
    /// Its clips, by index.
    pub clips: Vec<usize>,
}

/// A division of the clips of a corpus into folds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folds {
    /// The fold of every clip, below `count`; `None` for a clip that is always in training and
    /// never tested.
    pub of_clip: Vec<Option<usize>>,
    /// Number of folds: fewer than asked for where there are fewer groups to hold out.
    pub count: usize,
    /// Classes absent from some folds: empty unless groups forbid better, or folds are given.
    pub absent: Vec<AbsentClass>,
    /// Groups without a fold: empty unless folds are made by group.
    pub kept: Vec<KeptInTraining>,
}

impl Folds {
    /// Indices of the clips of a fold: tested when it is left out.
    pub fn test(&self, fold: usize) -> Vec<usize> {
        (0..self.of_clip.len()).filter(|&clip| self.of_clip[clip] == Some(fold)).collect()
    }

    /// Indices of all other clips: trained on meanwhile.
    pub fn train(&self, fold: usize) -> Vec<usize> {
        (0..self.of_clip.len()).filter(|&clip| self.of_clip[clip] != Some(fold)).collect()
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
        let sizes = check_sizes(corpus, count, count)?;
        let mut rng = fold_stream(seed, trial);
        let mut of_clip = vec![None; corpus.clips.len()];
        // Dealt like cards, each class beginning where the last one ended.
        let mut next = 0;
        for class in 0..sizes.len() {
            let here = |&clip: &usize| corpus.clips[clip].class == class;
            let mut clips: Vec<usize> = (0..corpus.clips.len()).filter(here).collect();
            shuffle(&mut clips, &mut rng);
            for clip in clips {
                of_clip[clip] = Some(next % count);
                next += 1;
            }
        }
        Ok(Self { of_clip, count, absent: Vec::new(), kept: Vec::new() })
    }

    /// Stratified folds that never divide a group. A clip without a group is its own.
    ///
    /// The groups, shuffled, then the largest first, go each to the fold where its classes are
    /// scarcest: where the sum over classes of (clips in fold)^2 / (clips of class) grows least,
    /// then where the fewest clips are. Balance is as good as this greedy rule makes it; only
    /// where a class would end up in one fold alone, another fold is taken. A class with fewer
    /// groups than folds is allowed and listed in [`Folds::absent`].
    ///
    /// A group that holds all clips of a class gets no fold and is listed in [`Folds::kept`].
    /// Where fewer groups than `count` can be held out, there are as many folds as groups.
    ///
    /// # Errors
    /// [`FoldError::TooFewFolds`], [`FoldError::EmptyClass`], [`FoldError::NothingToHoldOut`];
    /// [`FoldError::ClassInOneFold`] if groups of several classes leave no other choice.
    pub fn grouped(
        corpus: &Corpus,
        count: usize,
        seed: u64,
        trial: u64,
    ) -> Result<Self, FoldError> {
        let of_class = check_sizes(corpus, count, 1)?;
        let brings = |clips: &[usize]| -> Vec<usize> {
            let mut brings = vec![0usize; of_class.len()];
            clips.iter().for_each(|&clip| brings[corpus.clips[clip].class] += 1);
            brings
        };
        let whole = |clips: &[usize]| -> Vec<usize> {
            let brings = brings(clips);
            (0..of_class.len()).filter(|&class| brings[class] == of_class[class]).collect()
        };
        let (mut groups, lone): (Vec<_>, Vec<_>) =
            groups(corpus).into_iter().partition(|clips| whole(clips).is_empty());
        let kept: Vec<KeptInTraining> = lone
            .into_iter()
            .map(|clips| {
                let first = &corpus.clips[clips[0]];
                let group = first.group.clone().unwrap_or_else(|| first.id.clone());
                KeptInTraining { group, classes: whole(&clips), clips }
            })
            .collect();
        if groups.len() < 2 {
            let mut classes: Vec<usize> =
                kept.iter().flat_map(|kept| kept.classes.clone()).collect();
            classes.sort_unstable();
            let classes = classes.into_iter().map(|class| corpus.classes[class].clone()).collect();
            return Err(FoldError::NothingToHoldOut { classes, groups: groups.len() });
        }
        let count = count.min(groups.len());
        shuffle(&mut groups, &mut fold_stream(seed, trial));
        groups.sort_by_key(|clips| std::cmp::Reverse(clips.len()));

        let mut placing = Placing::new(&groups, count, brings);
        kept.iter().for_each(|kept| placing.trained(&brings(&kept.clips)));
        let mut of_clip = vec![None; corpus.clips.len()];
        for clips in groups {
            let fold = placing.place(&brings(&clips));
            clips.into_iter().for_each(|clip| of_clip[clip] = Some(fold));
        }
        Self::checked(corpus, of_clip, count, kept)
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
        let of_clip =
            stated.iter().map(|fold| Some(numbers.partition_point(|n| n < fold))).collect();
        Self::checked(corpus, of_clip, numbers.len(), Vec::new())
    }

    /// Finds absent classes; refuses a class that is tested in one fold alone and trained on
    /// nowhere else.
    fn checked(
        corpus: &Corpus,
        of_clip: Vec<Option<usize>>,
        count: usize,
        kept: Vec<KeptInTraining>,
    ) -> Result<Self, FoldError> {
        let mut present = vec![vec![false; count]; corpus.classes.len()];
        let mut always_trained = vec![false; corpus.classes.len()];
        for (clip, fold) in corpus.clips.iter().zip(&of_clip) {
            match fold {
                Some(fold) => present[clip.class][*fold] = true,
                None => always_trained[clip.class] = true,
            }
        }
        let mut absent = Vec::new();
        for (class, present) in present.iter().enumerate() {
            let folds: Vec<usize> = (0..count).filter(|&fold| !present[fold]).collect();
            if folds.len() + 1 >= count && !always_trained[class] {
                return Err(FoldError::ClassInOneFold { class: corpus.classes[class].clone() });
            }
            if !folds.is_empty() && !kept.iter().any(|kept| kept.classes.contains(&class)) {
                absent.push(AbsentClass { class, folds });
            }
        }
        Ok(Self { of_clip, count, absent, kept })
    }
}

/// Groups on their way into folds, seen as clips of every class.
struct Placing {
    /// Clips of every class that get a fold.
    sizes: Vec<usize>,
    /// Clips of every class in every fold.
    held: Vec<Vec<usize>>,
    /// For every class, groups that have no fold yet.
    left: Vec<usize>,
    /// For every class, whether clips without a fold are always trained on.
    trained: Vec<bool>,
}

impl Placing {
    fn new(groups: &[Vec<usize>], count: usize, brings: impl Fn(&[usize]) -> Vec<usize>) -> Self {
        let mut sizes = Vec::new();
        let mut left = Vec::new();
        for clips in groups {
            let brings = brings(clips);
            sizes.resize(brings.len(), 0);
            left.resize(brings.len(), 0);
            for (class, clips) in brings.into_iter().enumerate() {
                sizes[class] += clips;
                left[class] += usize::from(clips > 0);
            }
        }
        Self {
            held: vec![vec![0; sizes.len()]; count],
            trained: vec![false; sizes.len()],
            sizes,
            left,
        }
    }

    /// Takes note of clips that are always trained on.
    fn trained(&mut self, brings: &[usize]) {
        for (trained, &clips) in self.trained.iter_mut().zip(brings) {
            *trained |= clips > 0;
        }
    }

    /// The fold for a group that brings so many clips of every class.
    fn place(&mut self, brings: &[usize]) -> usize {
        let growth = |fold: &[usize]| -> f64 {
            let classes = fold.iter().zip(brings).zip(&self.sizes);
            let classes = classes.filter(|((_, g), _)| **g > 0);
            classes.map(|((&n, &g), &size)| ((2 * n + g) * g) as f64 / size as f64).sum()
        };
        // The last group of a class whose others all lie in this fold.
        let encloses = |fold: &[usize]| {
            (0..brings.len()).any(|class| {
                brings[class] > 0
                    && self.left[class] == 1
                    && !self.trained[class]
                    && fold[class] + brings[class] == self.sizes[class]
            })
        };
        let total = |fold: &[usize]| fold.iter().sum::<usize>();
        let better = |a: &usize, b: &usize| {
            let (x, y) = (&self.held[*a], &self.held[*b]);
            encloses(x)
                .cmp(&encloses(y))
                .then(growth(x).total_cmp(&growth(y)))
                .then(total(x).cmp(&total(y)))
                .then(a.cmp(b))
        };
        // There are two folds or more.
        let fold = (0..self.held.len()).min_by(better).unwrap_or(0);
        for (class, &clips) in brings.iter().enumerate() {
            self.held[fold][class] += clips;
            self.left[class] -= usize::from(clips > 0);
        }
        fold
    }
}

/// Clips of every class.
pub(crate) fn class_sizes(corpus: &Corpus) -> Vec<usize> {
    let mut sizes = vec![0; corpus.classes.len()];
    corpus.clips.iter().for_each(|clip| sizes[clip.class] += 1);
    sizes
}

/// Clips of every class, if each has `least` and there are two folds or more.
fn check_sizes(corpus: &Corpus, folds: usize, least: usize) -> Result<Vec<usize>, FoldError> {
    if folds < 2 {
        return Err(FoldError::TooFewFolds { folds });
    }
    let sizes = class_sizes(corpus);
    for (class, &clips) in corpus.classes.iter().zip(&sizes) {
        let class = class.clone();
        if clips == 0 {
            return Err(FoldError::EmptyClass { class });
        }
        if clips < least {
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

/// The stream that divides in this trial.
fn fold_stream(seed: u64, trial: u64) -> Stream {
    stream(seed, trial, u64::from_le_bytes(*b"folds\0\0\0"), 0)
}

/// Fisher and Yates' shuffle, written out so that it never changes with a library.
fn shuffle<T>(items: &mut [T], rng: &mut Stream) {
    for last in (1..items.len()).rev() {
        // The high half of a 128-bit product is uniform below `last + 1` up to 2^-64.
        let pick = (u128::from(rng.next_u64()) * (last as u128 + 1)) >> 64;
        items.swap(pick as usize, last);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
