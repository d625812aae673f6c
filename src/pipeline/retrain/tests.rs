#![allow(clippy::unwrap_used)]

use trompe_corpora::images::synthetic_digits;

use super::*;
use crate::classifiers::convolutional::TrainingSettings;
use crate::pipeline::train_images::ImageTraining;
use crate::search::EmitterSettings;
use crate::{classifiers, image};

fn settings(rounds: usize) -> RetrainSettings {
    RetrainSettings {
        rounds,
        first_searches: 3,
        later_searches: 2,
        search: search::SearchSettings {
            budget: 600,
            exhibits: 1,
            min_distance: 0.0,
            emitter: EmitterSettings::by_name("map-elites").unwrap(),
            ..search::SearchSettings::default()
        },
    }
}

fn images(rounds: usize) -> Vec<Round> {
    let corpus = synthetic_digits(600, 200, 1);
    let training = ImageTraining::Net {
        architecture: "lenet-5",
        settings: TrainingSettings { epochs: 8, ..TrainingSettings::default() },
    };
    let generator = image::GeneratorSettings::by_name("cppn").unwrap();
    let subject = ImageSubject::new(&corpus, Some(500), &training, &generator).unwrap();
    retrain(&subject, &settings(rounds), &|_: &str, _, _| {}, |_| Ok(())).unwrap()
}

#[test]
fn the_fooling_class_grows_and_catches_what_no_search_varied() {
    let rounds = images(3);
    assert_eq!(rounds, images(3), "the same seed gives the same table");
    assert_eq!(rounds[0].fooling_examples, 0);
    assert_eq!((rounds[0].other_examples, rounds[0].recognized), (500, None));
    // 10 of the first generation and up to 10 champions a search.
    assert!((33..=60).contains(&rounds[1].fooling_examples), "{rounds:?}");
    assert!(rounds[2].fooling_examples > rounds[1].fooling_examples);
    assert!(rounds[2].recognized.unwrap() > 0.3, "{rounds:?}");
    for round in &rounds {
        assert!((0.0..0.3).contains(&round.test_error), "{rounds:?}");
        assert!((0.0..=1.0).contains(&round.median_posterior));
    }
}

#[test]
fn only_the_original_classes_are_searched_for() {
    let corpus = synthetic_digits(200, 0, 1);
    let indices: Vec<usize> = (0..200).collect();
    let net = classifiers::convolutional::fit_softmax_regression(&corpus, &indices, 1.0).unwrap();
    let generator = image::Cppn::new(corpus.shape, &image::cppn::CppnSettings::default());
    let problem = Problem::new(generator, &net).unwrap();
    // The last digit stands for the fooling class.
    let fooled = fool(&problem, 9, &settings(1).search).unwrap();
    assert_eq!(fooled.best.len(), 9);
    assert!(fooled.examples.len() > 9 && fooled.examples.len() <= 18);
    assert!(fooled.recognized <= 9);
}

#[test]
fn settings_out_of_range_are_refused() {
    let corpus = synthetic_digits(40, 10, 1);
    let training = ImageTraining::Logistic { penalty: 1.0 };
    let generator = image::GeneratorSettings::by_name("cppn").unwrap();
    let subject = ImageSubject::new(&corpus, None, &training, &generator).unwrap();
    for broken in [
        RetrainSettings { rounds: 0, ..settings(1) },
        RetrainSettings { first_searches: 0, ..settings(1) },
        RetrainSettings { later_searches: 0, ..settings(1) },
    ] {
        assert!(retrain(&subject, &broken, &|_: &str, _, _| {}, |_| Ok(())).is_err());
    }
}
