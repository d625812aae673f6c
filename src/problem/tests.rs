#![allow(clippy::unwrap_used)]

use trompe_corpora::{Audio, Image, ImageShape};

use super::*;
use crate::audio::{CompositionSettings, Excerpts};
use crate::corpora::synthetic;
use crate::image::{Patches, Pixels, patches, pixels};
use crate::search::{Finished, Search};
use trompe_base::random::stream;

/// A victim of sound with what is required and nothing else.
struct Loudness {
    classes: Vec<String>,
}

impl Victim<Audio> for Loudness {
    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn scores(&self, excerpts: &[Audio]) -> Result<Vec<f64>> {
        let loud = |audio: &Audio| {
            let squares: f64 = audio.samples.iter().map(|x| f64::from(x * x)).sum();
            200.0 * (libm::sqrt(squares / audio.samples.len() as f64) - 0.2)
        };
        Ok(excerpts.iter().flat_map(|audio| [loud(audio), -loud(audio)]).collect())
    }
}

fn loudness() -> Loudness {
    Loudness { classes: vec!["loud".to_owned(), "quiet".to_owned()] }
}

#[test]
fn a_victim_of_two_methods_is_fooled_by_excerpts() {
    let bank = synthetic::bank(1);
    let space = Excerpts::new(
        &bank,
        &CompositionSettings { seconds: 2.0, ..CompositionSettings::default() },
    )
    .unwrap();
    let problem = Problem::new(space, loudness()).unwrap();
    assert!(problem.fingerprint().unwrap_err().to_string().contains("no fingerprint"));
    let settings =
        crate::search::SearchSettings { budget: 3_000, exhibits: 1, ..Default::default() };
    let mut search = Search::new(problem, &settings).unwrap();
    while search.finished().is_none() {
        search.step().unwrap();
    }
    assert_eq!(search.finished(), Some(Finished::AllClasses));
}

fn dark_or_bright() -> Closure<impl Fn(&Image) -> Result<Vec<f64>, std::io::Error>> {
    Closure::new(["dark", "bright"], |image: &Image| {
        let sum: u64 = image.pixels.iter().map(|&value| u64::from(value)).sum();
        let bright = sum as f64 / image.pixels.len() as f64 - 127.5;
        Ok(vec![-bright, bright])
    })
}

fn patches(side: usize) -> Patches {
    Patches::new(ImageShape::grey(side, side), &patches::PatchSettings::default()).unwrap()
}

#[test]
fn who_asks_and_tells_comes_to_the_same_as_a_search_that_scores_itself() {
    let problem = Problem::new(patches(8), dark_or_bright()).unwrap();
    let settings = crate::search::SearchSettings { budget: 500, ..Default::default() };
    let mut own = Search::new(problem.by_ref(), &settings).unwrap();
    let mut asked = Search::new(problem.by_ref(), &settings).unwrap();
    while own.finished().is_none() {
        let improvements = own.step().unwrap();
        let candidates = asked.ask();
        let images: Vec<Image> = candidates.genomes().map(|g| problem.space().render(g)).collect();
        let scores = problem.victim().scores(&images).unwrap();
        assert_eq!(asked.tell(candidates, &scores).unwrap(), improvements);
        assert_eq!(asked.state(), own.state());
    }
    let candidates = asked.ask();
    assert!(asked.tell(candidates, &[0.0]).is_err());
    let stale = asked.ask();
    asked.step().unwrap();
    let scores = vec![0.0; 2 * stale.genomes().len()];
    let error = asked.tell(stale, &scores).unwrap_err().to_string();
    assert!(error.contains("generation"), "{error}");
    let candidates = asked.ask();
    let scores = vec![f64::NAN; 2 * candidates.genomes().len()];
    assert!(asked.tell(candidates, &scores).is_err());
}

#[test]
fn the_cause_of_a_failure_reaches_the_caller() {
    let victim = Closure::new(["a", "b"], |image: &Image| match image.pixels[0] {
        7 => Err(std::io::Error::other("the server is down")),
        8 => Ok(vec![1.0]),
        9 => Ok(vec![f64::NAN, 0.0]),
        _ => Ok(vec![0.5, -0.5]),
    });
    let images = |pixels: &[u8]| -> Vec<Image> {
        let shape = ImageShape::grey(1, 1);
        pixels.iter().map(|&value| Image { shape, pixels: vec![value] }).collect()
    };
    let score = |pixels: &[u8]| score_all(&victim, &images(pixels), Clone::clone);
    assert_eq!(score(&[1, 2]).unwrap(), [0.5, -0.5, 0.5, -0.5]);
    let error = score(&[1, 1, 7, 9]).unwrap_err();
    assert!(error.to_string().contains("the server is down"), "{error}");
    let cause = std::error::Error::source(&error).unwrap().downcast_ref::<std::io::Error>();
    assert!(cause.is_some(), "the caller's own error");
    assert!(score(&[1, 9, 7]).unwrap_err().to_string().contains("NaN for class 'a'"));
    let none = Closure::new([""; 0], |_: &Image| Ok::<_, std::io::Error>(vec![]));
    assert!(score_all(&none, &images(&[1]), Clone::clone).is_err());
    assert!(score(&[8]).unwrap_err().to_string().contains("1 log-odds for 1 input "));
}

#[test]
fn what_a_victim_does_not_take_is_refused_before_a_search() {
    struct Picky(Vec<String>);
    impl Victim<Image> for Picky {
        fn classes(&self) -> &[String] {
            &self.0
        }
        fn scores(&self, images: &[Image]) -> Result<Vec<f64>> {
            Ok(vec![0.0; images.len() * self.0.len()])
        }
        fn format(&self) -> Option<ImageShape> {
            Some(ImageShape::rgb(8, 8))
        }
    }
    let error = Problem::new(patches(8), Picky(vec!["a".into()])).err().unwrap().to_string();
    assert!(error.contains("8 x 8 grey, the model takes 8 x 8 RGB"), "{error}");
    let nothing = Closure::new([""; 0], |_: &Image| Ok::<_, std::io::Error>(vec![]));
    assert!(Problem::new(patches(8), nothing).is_err());
    let rendered = AudioFormat { sample_rate: 22_050, samples: 22_050 };
    for (wanted, word) in [
        (AudioFormat { sample_rate: 16_000, ..rendered }, "16000 Hz"),
        (AudioFormat { samples: 22_051, ..rendered }, "too short"),
    ] {
        let error = Audio::check_format(&rendered, &wanted).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
    Audio::check_format(&rendered, &AudioFormat { samples: 10, ..rendered }).unwrap();
}

/// What a run is resumed by. These values may change only where old runs must not be resumed.
#[test]
fn fingerprints_are_made_of_names_and_versions() {
    let victim = || dark_or_bright().with_fingerprint("v1");
    let fingerprint = |problem: Problem<_, _>| problem.fingerprint().unwrap();
    let patches = fingerprint(Problem::new(patches(8), victim()).unwrap());
    let victim_hash = hex(&Sha256::digest("v1"));
    let named = format!(
        "{{\"bank\":null,\"format\":{{\"channels\":1,\"height\":8,\"width\":8}},\
         \"space\":{{\"name\":\"patches\",\"settings\":\
         {{\"generator\":\"patches\",\"longest_side\":0.2143}},\"version\":1}},\
         \"version\":1,\"victim\":\"{victim_hash}\"}}"
    );
    assert_eq!(patches, hex(&Sha256::digest(named)));
    let larger = Problem::new(self::patches(9), victim()).unwrap();
    assert_ne!(fingerprint(larger), patches);
    let other = Problem::new(self::patches(8), victim().with_fingerprint("v2")).unwrap();
    assert_ne!(fingerprint(other), patches);
    let pixels = Pixels::new(ImageShape::grey(8, 8), &pixels::PixelSettings::default()).unwrap();
    assert_ne!(Problem::new(pixels, victim()).unwrap().fingerprint().unwrap(), patches);

    let mut bank = synthetic::bank(1);
    let of_bank = |bank: &crate::corpora::Bank| {
        let space = Excerpts::new(bank, &CompositionSettings::default()).unwrap();
        let victim = Closure::new(["a"], |_: &Audio| Ok::<_, std::io::Error>(vec![0.0]));
        Problem::new(space, victim.with_fingerprint("v1")).unwrap().fingerprint().unwrap()
    };
    let before = of_bank(&bank);
    bank.name = "moved/elsewhere".to_owned();
    assert_eq!(of_bank(&bank), before, "a bank may be moved");
    bank.loops.pop();
    assert_ne!(of_bank(&bank), before);
}

#[test]
fn a_gradient_needs_a_space_and_a_victim_that_have_one() {
    let problem = Problem::new(patches(8), dark_or_bright()).unwrap();
    let start = problem.space().sample(&mut stream(1, 0, 0, 0));
    assert!(problem.ascend(&start, 0).is_none());
}

/// Numbers do not depend on how many inputs a call takes, also where one call takes all.
#[test]
fn what_is_observed_has_the_same_scores() {
    let problem = Problem::new(patches(8), dark_or_bright()).unwrap();
    let genomes: Vec<_> = (0..5)
        .map(|slot| problem.space().sample(&mut trompe_base::random::stream(1, 0, 0, slot)))
        .collect();
    let observed = problem.observe(&genomes).unwrap();
    assert_eq!(observed.scores, problem.scores(&genomes).unwrap());
    assert_eq!(observed.embeddings, vec![Vec::<f32>::new(); 5], "a closure has none");
}

#[test]
fn scores_are_the_same_in_batches_of_any_size() {
    struct Batched(usize, Loudness);

    impl Victim<Audio> for Batched {
        fn classes(&self) -> &[String] {
            self.1.classes()
        }

        fn scores(&self, excerpts: &[Audio]) -> Result<Vec<f64>> {
            assert!(excerpts.len() <= self.0);
            self.1.scores(excerpts)
        }

        fn batch_size(&self) -> usize {
            self.0
        }
    }

    let tone = |&level: &f32| Audio { samples: vec![level; 10], sample_rate: 8_000 };
    let levels: Vec<f32> = (0..23).map(|n| n as f32 / 23.0).collect();
    let scores = |batch| score_all(&Batched(batch, loudness()), &levels, tone).unwrap();
    let one_by_one = scores(1);
    assert_eq!(one_by_one.len(), 46);
    for batch in [4, 22, 23, usize::MAX] {
        assert_eq!(scores(batch), one_by_one);
    }
}
