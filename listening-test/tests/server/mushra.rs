//! Pages of several stimuli: what the build makes of them, what the server takes, what is analyzed.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use trompe_listening_test::StudyFolder;
use trompe_listening_test::analysis::{Who, analyze_study};
use trompe_listening_test::build::{BuildArguments, build};
use trompe_listening_test::export::{Export, export};
use trompe_listening_test::import_formats::{Mapping, read_recorded};
use trompe_listening_test::simulate::{Hearing, ListenerKind, SimulateArguments, simulate_alone};
use trompe_listening_test::study::{Policy, Task};

const RATE: u32 = 24_000;

/// Two channels: a low tone on the left, the same and a high one on the right.
fn write(path: &Path, frames: usize, gain: f64) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    for n in 0..frames {
        let tone = |hertz: f64| {
            (std::f64::consts::TAU * hertz * n as f64 / f64::from(RATE)).sin() * 6000.0 * gain
        };
        writer.write_sample(tone(440.0) as i16).unwrap();
        writer.write_sample((tone(440.0) + tone(9000.0)) as i16).unwrap();
    }
    writer.finalize().unwrap();
}

struct Place {
    folder: TempDir,
}

impl Place {
    /// Pages with the systems `loud` and `soft`, the latter 6 dB down.
    fn new(pages: usize) -> Self {
        let folder = TempDir::new().unwrap();
        for page in 0..pages {
            let of = |name: &str| folder.path().join(format!("pages/{page}/{name}.wav"));
            write(&of("reference"), 24_000, 1.0);
            write(&of("loud"), 24_000, 1.0);
            write(&of("soft"), 24_000 + 40, 0.5);
        }
        Self { folder }
    }

    fn arguments(&self) -> BuildArguments {
        BuildArguments {
            out: self.folder.path().join("study"),
            contact: "lab@example.org".into(),
            retain_until: "2030-12-31".into(),
            mushra: vec![self.folder.path().join("pages")],
            headphones: Policy::Off,
            ..BuildArguments::default()
        }
    }

    fn study(&self) -> PathBuf {
        self.folder.path().join("study")
    }
}

fn samples(path: &Path) -> Vec<f64> {
    let mut reader = hound::WavReader::open(path).unwrap();
    assert_eq!((reader.spec().channels, reader.spec().sample_rate), (2, RATE));
    reader.samples::<i16>().map(|sample| f64::from(sample.unwrap())).collect()
}

/// Level in decibels of one channel's part at a frequency.
fn level(samples: &[f64], channel: usize, hertz: f64) -> f64 {
    let own: Vec<f64> = samples.iter().skip(channel).step_by(2).copied().collect();
    let (mut re, mut im) = (0.0, 0.0);
    for (n, sample) in own.iter().enumerate() {
        let phase = std::f64::consts::TAU * hertz * n as f64 / f64::from(RATE);
        re += sample * phase.cos();
        im += sample * phase.sin();
    }
    20.0 * (2.0 * re.hypot(im) / own.len() as f64).log10()
}

#[test]
fn a_page_hides_the_reference_and_makes_its_anchors() {
    let place = Place::new(2);
    let built = build(&place.arguments()).unwrap();
    assert_eq!(built.items["mushra"], 2);
    let fitted = built.warnings.iter().filter(|warning| warning.contains("fitted")).count();
    assert_eq!(fitted, 2, "{:?}", built.warnings);
    let folder = StudyFolder::open(&place.study()).unwrap();
    let block = &folder.study.blocks[0];
    assert_eq!((block.name.as_str(), block.task), ("mushra", Task::Mushra));
    for item in &folder.answer_key.items {
        assert_eq!(item.conditions, ["reference", "anchor35", "anchor70", "loud", "soft"]);
        let read = |n: usize| samples(&place.study().join("stimuli").join(&item.stimuli[n]));
        let all: Vec<Vec<f64>> = (0..6).map(read).collect();
        assert!(all.iter().all(|sound| sound.len() == all[0].len()), "they play in step");
        // the same sound, but neither its bytes nor most of its samples
        let same = all[0].iter().zip(&all[1]).filter(|(a, b)| a == b).count();
        assert!((same as f64) < 0.6 * all[0].len() as f64, "{same} of {}", all[0].len());
        let gains = |hertz| -> Vec<f64> {
            (1..6).map(|n| level(&all[n], 1, hertz) - level(&all[0], 1, hertz)).collect()
        };
        let (low, high) = (gains(440.0), gains(9000.0));
        for (place, wanted) in [0.0, 0.0, 0.0, 0.0, -6.02].into_iter().enumerate() {
            assert!((low[place] - wanted).abs() < 0.1, "levels are kept: {low:?}");
        }
        assert!(high[0].abs() < 0.1 && high[1] < -50.0 && high[2] < -50.0, "{high:?}");
        // the left channel had no high tone and has none now
        assert!(level(&all[3], 0, 9000.0) < level(&all[3], 0, 440.0) - 60.0);
    }
}

#[test]
fn pages_that_cannot_be_scored_are_refused_by_file() {
    let place = Place::new(1);
    let page = place.folder.path().join("pages/0");
    let refused = |words: [&str; 2]| {
        let error = build(&place.arguments()).unwrap_err().to_string();
        assert!(words.iter().all(|word| error.contains(word)), "{error}");
        assert!(!place.study().exists());
    };
    write(&page.join("long.wav"), 30_000, 1.0);
    refused(["long.wav", "it lasts 1.250 s"]);
    std::fs::rename(page.join("long.wav"), page.join("anchor35.wav")).unwrap();
    refused(["anchor35.wav", "rename"]);
    std::fs::remove_file(page.join("anchor35.wav")).unwrap();
    std::fs::write(page.join("notes.txt"), "x").unwrap();
    refused(["notes.txt", "not a WAV file"]);
    std::fs::remove_file(page.join("notes.txt")).unwrap();
    super::sample::write_tone(&page.join("mono.wav"), 1, 1.0);
    refused(["mono.wav", "1 channels at 8000 Hz"]);
    std::fs::remove_file(page.join("mono.wav")).unwrap();
    std::fs::rename(page.join("reference.wav"), page.join("other.wav")).unwrap();
    refused(["pages/0", "no reference.wav"]);
    std::fs::remove_dir_all(&page).unwrap();
    super::sample::write_tone(&page.join("reference.wav"), 1, 1.0);
    super::sample::write_tone(&page.join("x.wav"), 2, 1.0);
    refused(["reference.wav", "at 8000 Hz it is too narrow for anchor35"]);
    let without = BuildArguments { anchors: Vec::new(), ..place.arguments() };
    build(&without).unwrap();
    let folder = StudyFolder::open(&place.study()).unwrap();
    assert_eq!(folder.answer_key.items[0].conditions, ["reference", "x"]);
}

#[test]
fn simulated_listeners_score_pages_and_are_screened() {
    let place = Place::new(4);
    build(&place.arguments()).unwrap();
    let database = place.folder.path().join("answers.sqlite");
    let arguments = SimulateArguments {
        study: place.study(),
        address: ([127, 0, 0, 1], 0).into(),
        listeners: 16,
        kinds: vec![ListenerKind::Skilled, ListenerKind::Chance],
        seed: 1,
        pause: std::time::Duration::ZERO,
        fetch: true,
        longest: std::time::Duration::from_secs(60),
        hearing: Hearing::default(),
    };
    let visited = simulate_alone(&arguments, &database).unwrap();
    assert_eq!((visited.finished, visited.failed.len()), (16, 0), "{:?}", visited.failed);
    let folder = StudyFolder::open(&place.study()).unwrap();
    let exported = export(&place.study(), &database).unwrap();
    assert_eq!(exported.answers.len(), 16 * 4 * 5, "one row a stimulus");
    assert!(exported.answers.iter().all(|row| row.server_ms.is_some()));
    let results = analyze_study(&folder, &exported, Who::Simulated).unwrap();
    let [found] = results.report.mushra.as_slice() else { panic!("one block") };
    assert_eq!(found.screening.len(), 16);
    let out = found.screening.iter().filter(|listener| listener.out).count();
    assert!((6..=8).contains(&out), "who does not listen misses the reference: {out}");
    let counts = &results.report.counts;
    assert_eq!(counts.participants_analyzed, 16 - out);
    assert_eq!(counts.answers_analyzed, (16 - out) * 20);
    let last = counts.exclusions.last().unwrap();
    assert_eq!((last.participants, last.answers), (out, out * 20));
    let excluded = results
        .report
        .participants
        .iter()
        .filter(|person| person.excluded.as_deref() == Some("post-screening by BS.1534-3"));
    assert_eq!(excluded.count(), out);
    let names: Vec<&str> = found.conditions.iter().map(|c| c.condition.as_str()).collect();
    assert_eq!(names, ["reference", "anchor35", "anchor70", "loud", "soft"]);
    let page = results.report.html();
    for words in ["Scores (MUSHRA): mushra", "Box plots of the scores", "anchor70"] {
        assert!(page.contains(words), "{words}");
    }
    let written = place.folder.path().join("results");
    results.write(&written).unwrap();
    let plot = std::fs::read_to_string(written.join("boxplots-mushra.svg")).unwrap();
    assert!(plot.starts_with("<?xml") && plot.matches("<rect").count() == 5, "{plot}");
    for table in ["mushra.csv", "mushra_screening.csv", "mushra_listeners.csv"] {
        assert!(std::fs::read_to_string(written.join(table)).unwrap().lines().count() > 5);
    }
    // the table that was written is read as well as the database
    let rows = trompe_listening_test::answers::read_csv(
        std::fs::File::open(written.join("answers.csv")).unwrap(),
    )
    .unwrap();
    let again = Export::from_table(&folder, rows).unwrap();
    let again = analyze_study(&folder, &again, Who::Simulated).unwrap().report;
    assert_eq!(again.mushra, results.report.mushra);
}

/// The columns of webMUSHRA's `mushra.csv`.
#[test]
fn scores_that_webmushra_recorded_are_read() {
    let place = Place::new(1);
    build(&place.arguments()).unwrap();
    let folder = StudyFolder::open(&place.study()).unwrap();
    let item = &folder.answer_key.items[0];
    let mut mapping = String::from(
        "participant = 'session_uuid'\nitem = ['trial_id', 'rating_stimulus']\n\
         answer = 'rating_score'\nresponse_ms = 'rating_time'\n[items]\n",
    );
    for (number, name) in item.conditions.iter().enumerate() {
        mapping += &format!("'page1/{name}' = '{}/{}'\n", item.name, number + 1);
    }
    let mapping: Mapping = toml::from_str(&mapping).unwrap();
    let head = "session_test_id,session_uuid,trial_id,rating_stimulus,rating_score,rating_time,rating_comment\n";
    let read = |rows: &str| {
        let file = place.folder.path().join("mushra.csv");
        std::fs::write(&file, format!("{head}{rows}")).unwrap();
        read_recorded(&place.study(), &mapping, &[file]).map_err(|error| error.to_string())
    };
    let recorded = read(
        "t,u1,page1,reference,100,9000,\nt,u1,page1,loud,62.5,9000,\nt,u1,page1,anchor35,0,9000,\n",
    )
    .unwrap();
    let rows: Vec<_> =
        recorded.answers.iter().map(|row| (row.condition.as_str(), row.rating)).collect();
    let wanted = [("mushra:reference", 100.0), ("mushra:loud", 62.5), ("mushra:anchor35", 0.0)];
    assert_eq!(rows, wanted.map(|(name, score)| (name, Some(score))));
    assert!(read("t,u1,page1,loud,101,9000,\n").unwrap_err().contains("no score from 0 to 100"));
    assert!(read("t,u1,page2,loud,50,9000,\n").unwrap_err().contains("page2/loud"));
}
