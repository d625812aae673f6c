//! Experiments of webMUSHRA as studies, in the shapes that its documentation and examples have.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use trompe_listening_test::build::{BuildArguments, build};
use trompe_listening_test::import_formats::{Design, read_design};
use trompe_listening_test::study::{Policy, Task};
use trompe_listening_test::{Anchor, StudyFolder};

use super::sample::write_tone;

const HEAD: &str = "testname: Codec <b>test</b>\ntestId: codec_1\nbufferSize: 2048\nstopOnErrors: true\n\
                    language: de\nremoteService: service/write.php\n\npages:\n";

/// A tool's folder with five sounds; the experiment is `configs/test.yaml`.
fn experiment(pages: &str) -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    for (number, name) in ["ref", "c1", "c2", "c3", "c4"].iter().enumerate() {
        let path = folder.path().join(format!("configs/resources/audio/{name}.wav"));
        write_tone(&path, number, 1.0);
    }
    let path = folder.path().join("configs/test.yaml");
    std::fs::write(&path, format!("{HEAD}{pages}")).unwrap();
    (folder, path)
}

fn read(pages: &str) -> Design {
    let (_folder, path) = experiment(pages);
    read_design(&path).unwrap()
}

fn refused(pages: &str) -> String {
    let (_folder, path) = experiment(pages);
    read_design(&path).unwrap_err().to_string()
}

const WHOLE: &str = r#"
    - type: generic
      id: welcome
      name: Welcome
      content: <p>Bitte H&ouml;ren &amp; <b>w&auml;hlen</b>.</p>
    - type: volume
      id: vol
      name: Volume
      content: Please adjust
      stimulus: configs/resources/audio/ref.wav
      defaultVolume: 0.5
    -
        - random
        - type: paired_comparison
          id: trial1
          name: First
          unforced:
          content: Which one is the reference?
          showWaveform: false
          enableLooping: true
          reference: configs/resources/audio/ref.wav
          stimuli:
              C1: configs/resources/audio/c1.wav
              C2: configs/resources/audio/c2.wav
        - type: paired_comparison
          id: trial2
          content: Which one is the reference?
          reference: configs/resources/audio/c4.wav
          stimuli: { C3: configs/resources/audio/c3.wav }
    - type: likert_single_stimulus
      id: lss
      content: How natural?
      mustPlayback: ended
      mustRate: true
      stimuli:
          C1: configs/resources/audio/c1.wav
          C2: configs/resources/audio/c2.wav
      response:
          - { value: bad, label: Bad }
          - { value: fair }
          - { value: good, label: Good, img: configs/star.png }
    - type: preference_test
      id: pref
      numPerTrial: 2
      stimuli:
          old: configs/resources/audio/c1.wav
          new: configs/resources/audio/c2.wav
          raw: configs/resources/audio/c3.wav
    - type: finish
      name: Thank you
      questionnaire:
          - { type: text, label: eMail, name: email }
"#;

#[test]
fn abx_preference_and_likert_pages_become_a_study() {
    let (folder, path) = experiment(WHOLE);
    let design = read_design(&path).unwrap();
    assert_eq!((design.name.as_str(), design.title.as_str()), ("codec_1", "Codec test"));
    let warned = design.warnings.join("\n");
    for (what, line) in [
        ("`enableLooping`", line_of("enableLooping: true")),
        ("`mustPlayback`", line_of("mustPlayback")),
        ("pages `volume`", line_of("type: volume")),
        ("`questionnaire`", line_of("type: text")),
    ] {
        assert!(warned.contains(&format!("{what} left out (line {line})")), "{warned}");
    }
    assert!(warned.contains("fixed order") && !warned.contains("showWaveform"), "{warned}");

    let out = folder.path().join("study");
    build(&BuildArguments {
        out: out.clone(),
        name: design.name.clone(),
        title: design.title.clone(),
        languages: vec![design.language.clone()],
        contact: "lab@example.org".into(),
        retain_until: "2030-12-31".into(),
        headphones: Policy::Off,
        design: Some(design),
        ..BuildArguments::default()
    })
    .unwrap();
    let study = StudyFolder::open(&out).unwrap();
    let own = &study.study;
    assert_eq!((own.name.as_str(), own.title["de"].as_str()), ("codec_1", "Codec test"));
    assert_eq!(own.consent.text["de"], "Bitte H&ouml;ren & w&auml;hlen .");
    let blocks: Vec<_> = own.blocks.iter().map(|b| (b.name.as_str(), b.task, b.scale)).collect();
    assert_eq!(blocks, [("abx", Task::Abx, 7), ("likert", Task::Likert, 3), ("ab", Task::Ab, 7)]);
    assert_eq!(own.blocks[0].question["de"], "Which one is the reference?");
    assert_eq!(own.blocks[1].question["de"], "How natural? (1 = Bad, 2 = fair, 3 = Good)");
    assert!(own.blocks[2].question.is_empty());
    let counts: Vec<_> = own.blocks.iter().map(|block| block.items.clone()).collect();
    assert_eq!(counts[0], [("abx".to_owned(), 3)].into());
    assert_eq!(counts[1], [("likert:C1".to_owned(), 1), ("likert:C2".to_owned(), 1)].into());
    assert_eq!(counts[2].keys().collect::<Vec<_>>(), ["ab:new/raw", "ab:old/new", "ab:old/raw"]);

    // X is the reference, and the answer is where it stands
    for item in study.answer_key.items.iter().filter(|item| item.condition == "abx") {
        let sources: Vec<&str> = item.source.split(" | ").collect();
        let hashes: Vec<&str> = item.source_sha256.split(" | ").collect();
        assert!(sources[2].ends_with("ref.wav") || sources[2].ends_with("c4.wav"), "{sources:?}");
        assert_ne!(hashes[0], hashes[1]);
        assert_eq!(hashes[["A", "B"].iter().position(|&l| l == item.truth).unwrap()], hashes[2]);
    }
    // of a preference, the answer that stands for the first of the names
    for item in study.answer_key.items.iter().filter(|item| item.condition == "ab:old/new") {
        let sources: Vec<&str> = item.source.split(" | ").collect();
        assert_eq!(item.truth, if sources[0].ends_with("c1.wav") { "A" } else { "B" });
    }
}

/// Line of the experiment that holds `text`.
fn line_of(text: &str) -> usize {
    format!("{HEAD}{WHOLE}").lines().position(|line| line.contains(text)).unwrap() + 1
}

#[test]
fn what_no_block_can_ask_is_refused_by_page_and_line() {
    let page = |kind: &str, more: &str| format!("  - type: {kind}\n    id: p1\n{more}");
    let stimuli = "    stimuli: { C1: configs/resources/audio/c1.wav }\n";
    let reference = "    reference: configs/resources/audio/ref.wav\n";
    let error = refused(&(page("mushra", stimuli) + &page("bs1116", stimuli).replace("p1", "p2")));
    assert!(error.contains("test.yaml"), "{error}");
    assert!(error.contains("page \"p1\" (line 9): it has no `reference`"), "{error}");
    assert!(error.contains("page \"p2\" (line 12): a hidden reference to be found"), "{error}");
    let cases = [
        (page("likert_multi_stimulus", stimuli), "several stimuli"),
        (
            page("mushra", &format!("{reference}{}", stimuli.replace("C1", "anchor35"))),
            "a system is named \"anchor35\"",
        ),
        (
            page("mushra", &format!("{reference}{stimuli}    createAnchor35: maybe\n")),
            "neither true nor false",
        ),
        (page("ranking", stimuli), "type \"ranking\""),
        (
            page("paired_comparison", &format!("    unforced: I don't know\n{reference}{stimuli}")),
            "`unforced`",
        ),
        (page("paired_comparison", stimuli), "no `reference`"),
        (page("preference_test", &format!("    numPerTrial: 3\n{stimuli}")), "`numPerTrial: 3`"),
        (page("likert_single_stimulus", stimuli), "no `response`"),
        (
            page("likert_single_stimulus", &format!("{stimuli}    response: [ {{ value: a }} ]\n")),
            "a scale of 1 steps",
        ),
        (
            page(
                "likert_single_stimulus",
                &format!("{stimuli}    response: [ [ {{ value: a }} ] ]\n"),
            ),
            "several scales",
        ),
        (
            page("paired_comparison", &format!("{reference}{}", stimuli.replace("c1", "gone"))),
            "gone.wav\" (line 12), which is in no folder above",
        ),
        (
            page("paired_comparison", &format!("{reference}{}", stimuli.replace("wav", "mp3"))),
            "not a WAV file",
        ),
        (
            page("paired_comparison", &format!("{reference}{}", stimuli.replace("C1", "\"a/b\""))),
            "a condition named \"a/b\"",
        ),
        ("  - type: generic\n    content: x\n".into(), "asks anything"),
        ("  - a\n".into(), "line 9: this is no page"),
        ("  - { a: [\n".into(), "line"),
        (format!("  - {}\n", "[".repeat(100_000)), "recursion limit"),
        (format!("  {}a\n", "- ".repeat(50_000)), "lists in lists"),
        (format!("  {}a\n", "? ".repeat(50_000)), "lists in lists"),
        ("  - a\n".repeat(50_000), "more than 256 KiB"),
    ];
    for (pages, word) in cases {
        let error = refused(&pages);
        assert!(error.contains(word), "{pages}: {error}");
    }
    let nowhere = read_design(Path::new("/nonexistent/x.yaml")).unwrap_err().to_string();
    assert!(nowhere.contains("x.yaml"), "{nowhere}");
}

#[test]
fn mushra_pages_keep_their_systems_and_the_anchors_that_they_ask_for() {
    let page = |id: &str, more: &str| {
        format!(
            "    - type: mushra\n      id: {id}\n      content: Quality?\n      strict: true\n      \
             createAnchor35: {more}\n      createAnchor70: true\n      randomize: true\n      \
             reference: configs/resources/audio/ref.wav\n      stimuli:\n        \
             C1: configs/resources/audio/c1.wav\n        C2: configs/resources/audio/c2.wav\n"
        )
    };
    let design = read(&(page("p1", "true") + &page("p2", "false")));
    let [block] = design.blocks.as_slice() else { panic!("{:?}", design.blocks) };
    assert_eq!((block.task, block.question.as_str()), (Task::Mushra, "Quality?"));
    assert!(block.trials.is_empty());
    assert_eq!(block.pages[0].anchors, Anchor::ALL);
    assert_eq!(block.pages[1].anchors, [Anchor::Mid]);
    for page in &block.pages {
        assert!(page.reference.ends_with("ref.wav"));
        let names: Vec<&str> = page.systems.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["C1", "C2"]);
    }
}

#[test]
fn a_language_that_the_page_does_not_speak_is_said() {
    let (_folder, path) = experiment(WHOLE);
    let text = std::fs::read_to_string(&path).unwrap().replace("language: de", "language: ca");
    std::fs::write(&path, text).unwrap();
    let design = read_design(&path).unwrap();
    assert_eq!(design.language, "en");
    assert!(design.warnings[0].contains("\"ca\""), "{:?}", design.warnings);
    assert_eq!(read(WHOLE).language, "de");
}
