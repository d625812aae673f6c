#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use trompe_corpora::{Image, ImageShape, Progress};

use super::*;
use crate::pipeline::transfer::transfer_by;
use crate::pipeline::verify::verify_by;
use crate::problem::Closure;

const SHAPE: ImageShape = ImageShape::grey(8, 8);

/// Knows dark from bright, and fails after so many images.
fn victim(images: usize, fingerprint: Option<&str>) -> FileScorer<'static> {
    let left = AtomicUsize::new(images);
    let score = move |image: &Image| {
        let one_less = |left: usize| left.checked_sub(1);
        if left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_err() {
            return Err(std::io::Error::other("out of order"));
        }
        let sum: u32 = image.pixels.iter().map(|&value| u32::from(value)).sum();
        let bright = f64::from(sum) / image.pixels.len() as f64 / 9.0 - 14.0;
        Ok(vec![-bright, bright])
    };
    let closure = Closure::new(["dark", "bright"], score);
    let closure = match fingerprint {
        Some(text) => closure.with_fingerprint(text),
        None => closure,
    };
    FileScorer::of_images(closure, SHAPE, None, None)
}

fn configuration() -> Configuration {
    let mut configuration = Configuration {
        // No checkpoint but those of an end.
        checkpoint_seconds: 1e6,
        base_rate_candidates: 20,
        ..Configuration::default()
    };
    configuration.search.budget = 400;
    configuration.search.exhibits = 2;
    configuration
}

#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl Progress for Notes {
    fn report(&self, _: &str, _: u64, _: u64) {}

    fn note(&self, text: &str) {
        self.0.lock().unwrap().push(text.to_owned());
    }
}

/// Does `work` with a watch, and returns its notes.
fn watched<T>(work: impl FnOnce(Watch<'_>) -> Result<T>) -> (Result<T>, Vec<String>) {
    let (notes, stop) = (Notes::default(), AtomicBool::new(false));
    let outcome = work(Watch { progress: &notes, standing: &mut |_| {}, stop: &stop });
    (outcome, notes.0.into_inner().unwrap())
}

fn bytes(folder: &Path) -> Vec<Vec<u8>> {
    let names = ["trace.jsonl", "archive.json", "report.json", "fooling-set/manifest.json"];
    names.map(|name| std::fs::read(folder.join(name)).unwrap()).into()
}

#[test]
fn a_run_of_a_closure_that_failed_goes_on_to_the_same_bytes() {
    let home = tempfile::tempdir().unwrap();
    let (whole, parts) = (home.path().join("whole"), home.path().join("parts"));
    let start = |victim: &FileScorer<'_>, folder: &Path| {
        watched(|watch| start_by(victim, &configuration(), folder, watch)).0
    };
    assert!(matches!(start(&victim(10_000, Some("1")), &whole), Ok(Fooled::Done(_))));

    let error = start(&victim(50, Some("1")), &parts).unwrap_err().to_string();
    assert!(error.contains("out of order"), "{error}");
    // What came before the failure was kept.
    assert!(parts.join("checkpoint.json").exists());
    let resume = |victim: &FileScorer<'_>| watched(|watch| resume_by(victim, &parts, watch)).0;
    assert!(resume(&victim(10_000, Some("2"))).is_err());
    assert!(matches!(resume(&victim(10_000, Some("1"))), Ok(Fooled::Done(_))));
    assert_eq!(bytes(&whole), bytes(&parts));

    let set = whole.join("fooling-set");
    assert!(verify_by(&set, &victim(100, Some("1"))).unwrap().verification.passed);
    assert!(verify_by(&set, &victim(100, Some("2"))).is_err());
    let transfer = transfer_by(&set, &victim(100, None), None).unwrap();
    assert_eq!(transfer.reaching(), transfer.exhibits.len());
}

#[test]
fn a_run_without_a_fingerprint_says_that_it_can_be_neither_resumed_nor_verified() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("run");
    let victim = victim(10_000, None);
    let (ran, notes) = watched(|watch| start_by(&victim, &configuration(), &folder, watch));
    assert!(matches!(ran, Ok(Fooled::Done(_))));
    assert!(notes.iter().any(|note| note.contains("neither resumed nor verified")), "{notes:?}");
    let resumed = watched(|watch| resume_by(&victim, &folder, watch)).0;
    assert!(resumed.unwrap_err().to_string().contains("no fingerprint"));
    let verified = verify_by(&folder.join("fooling-set"), &victim);
    assert!(verified.unwrap_err().to_string().contains("without a fingerprint"));
}

#[test]
fn a_search_alone_delivers_nothing_and_is_delivered_when_it_is_resumed() {
    let home = tempfile::tempdir().unwrap();
    let (whole, parts) = (home.path().join("whole"), home.path().join("parts"));
    let victim = victim(10_000, Some("1"));
    watched(|watch| start_by(&victim, &configuration(), &whole, watch)).0.unwrap();
    let searched =
        watched(|watch| search_by(&victim, &configuration(), &parts, false, watch)).0.unwrap();
    assert!(searched > 0 && !parts.join("fooling-set").exists());
    watched(|watch| resume_by(&victim, &parts, watch)).0.unwrap();
    assert_eq!(bytes(&whole), bytes(&parts));
}
