use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::corpus::{Clip, Provenance};

/// A corpus of clips given by class and group.
fn corpus(classes: usize, clips: &[(usize, Option<u32>)]) -> Corpus {
    let clip = |(index, &(class, group)): (usize, &(usize, Option<u32>))| Clip {
        group: group.map(|group| group.to_string()),
        ..Clip::new(format!("{index:04}"), PathBuf::new(), class)
    };
    Corpus {
        known_as: None,
        licence: None,
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
        prop_assert!(folds.of_clip.iter().all(|fold| fold.unwrap() < count_));
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
    fn grouped_folds_divide_no_group_and_test_no_class_untrained(
        clips in prop::collection::vec((0usize..4, prop::option::of(0u32..30)), 20..200),
        count_ in 2usize..6,
        seed: u64,
    ) {
        let corpus = corpus(4, &clips);
        let folds = match Folds::grouped(&corpus, count_, seed, 3) {
            Ok(folds) => folds,
            Err(FoldError::EmptyClass { .. }) => return Ok(()),
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        };
        let mut fold_of: BTreeMap<&str, Option<usize>> = BTreeMap::new();
        for (clip, &fold) in corpus.clips.iter().zip(&folds.of_clip) {
            if let Some(group) = &clip.group {
                prop_assert_eq!(*fold_of.entry(group).or_insert(fold), fold);
            }
        }
        for fold in 0..folds.count {
            prop_assert!(!folds.test(fold).is_empty());
            for class in 0..4 {
                let whole = folds.kept.iter().any(|kept| kept.classes.contains(&class));
                let listed =
                    folds.absent.iter().any(|a| a.class == class && a.folds.contains(&fold));
                prop_assert_eq!(count(&corpus, &folds, fold, class) == 0, listed || whole);
                let trained = folds.train(fold);
                prop_assert!(trained.iter().any(|&clip| corpus.clips[clip].class == class));
            }
        }
        // A clip has no fold because its group is listed, and for no other reason.
        let mut kept: Vec<usize> = folds.kept.iter().flat_map(|kept| kept.clips.clone()).collect();
        kept.sort_unstable();
        let without: Vec<usize> =
            (0..clips.len()).filter(|&clip| folds.of_clip[clip].is_none()).collect();
        prop_assert_eq!(kept, without);
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
    shuffle(&mut items, &mut fold_stream(1, 2));
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
    let too_small = FoldError::ClassTooSmall { class, clips: 30, folds: 31 };
    assert_eq!(Folds::stratified(&all, 31, 0, 0), Err(too_small));
    let empty = corpus(3, &[(0, None), (0, None), (1, None), (1, None)]);
    assert_eq!(both(&empty, 2), FoldError::EmptyClass { class: "c2".to_owned() });

    let few = corpus(2, &[(0, Some(1)), (0, Some(1)), (1, Some(2)), (1, Some(2))]);
    let error = Folds::grouped(&few, 2, 0, 0).unwrap_err();
    let classes = vec!["c0".to_owned(), "c1".to_owned()];
    assert_eq!(error, FoldError::NothingToHoldOut { classes, groups: 0 });
    let said = Error::from(error).to_string();
    assert!(said.contains("each of the classes c0, c1"), "{said}");
    let error = Error::from(FoldError::TooFewFolds { folds: 1 });
    assert_eq!(error.to_string(), "1 fold asked for; ask for 2 or more");
}

#[test]
fn a_group_that_holds_a_class_stays_in_training() {
    // Class 0 lies in group 1, with a clip of class 1; class 2 is one clip without a group.
    let mut clips = vec![(0, Some(1)), (0, Some(1)), (1, Some(1)), (2, None)];
    clips.extend((0..6).map(|i| (1, Some(10 + i / 2))));
    let corpus = corpus(3, &clips);
    for seed in 0..20 {
        let folds = Folds::grouped(&corpus, 5, seed, 0).unwrap();
        // Three groups are left to hold out.
        assert_eq!(folds.count, 3);
        assert_eq!(folds.of_clip[..4], [None; 4]);
        let kept: Vec<_> = folds
            .kept
            .iter()
            .map(|kept| (kept.group.as_str(), kept.classes.clone(), kept.clips.len()))
            .collect();
        assert_eq!(kept, [("1", vec![0], 3), ("0003", vec![2], 1)]);
        assert!(folds.absent.is_empty());
        assert_eq!((0..3).map(|fold| folds.test(fold).len()).sum::<usize>(), 6);
    }
}

#[test]
fn a_class_in_two_groups_of_another_never_ends_up_in_one_fold() {
    // Two single clips of class 1, in groups that are large in class 0.
    let mut clips: Vec<_> = (0..60).map(|i| (0, Some(i / 6))).collect();
    clips.extend([(1, Some(0)), (1, Some(7))]);
    let corpus = corpus(2, &clips);
    for seed in 0..200 {
        let folds = Folds::grouped(&corpus, 2, seed, 0).unwrap();
        assert_ne!(folds.of_clip[60], folds.of_clip[61]);
    }
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
    assert_eq!((folds.of_clip, folds.count), ([2, 0, 2, 1].map(Some).to_vec(), 3));
    corpus.clips.iter_mut().for_each(|clip| clip.fold = Some(1));
    assert_eq!(Folds::given(&corpus), Err(FoldError::TooFewFolds { folds: 1 }));
}
