//! Adaptive tracks: what the build makes, what the server decides and tells, what is analyzed.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use serde_json::json;
use tempfile::TempDir;
use trompe_listening_test::StudyFolder;
use trompe_listening_test::analysis::{Who, analyze_study};
use trompe_listening_test::answer_key::Item;
use trompe_listening_test::build::{BuildArguments, build, reseal};
use trompe_listening_test::export::{Export, export};
use trompe_listening_test::simulate::{Hearing, ListenerKind, SimulateArguments, simulate_alone};
use trompe_listening_test::static_export::export_static;
use trompe_listening_test::study::{Policy, Task};

use super::sample::{Running, Sample, bearer, write_tone};

const RATIOS: &str = "snr = [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30]\n";

/// A folder of tracks with these settings, each a reference alone.
fn tracks(settings: &str, names: &[&str]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (number, name) in names.iter().enumerate() {
        let reference = folder.path().join("tracks").join(name).join("reference.wav");
        write_tone(&reference, 3 * number, 0.5);
    }
    std::fs::write(folder.path().join("tracks/staircase.toml"), settings).unwrap();
    folder
}

fn arguments(folder: &Path) -> BuildArguments {
    BuildArguments {
        out: folder.join("study"),
        contact: "lab@example.org".into(),
        retain_until: "2030-12-31".into(),
        staircases: vec![folder.join("tracks")],
        headphones: Policy::Off,
        ..BuildArguments::default()
    }
}

fn study(settings: &str, names: &[&str]) -> Sample {
    let folder = tracks(settings, names);
    build(&arguments(folder.path())).unwrap();
    Sample { folder }
}

fn track(folder: &StudyFolder) -> &Item {
    folder.answer_key.items.iter().find(|item| !item.strengths.is_empty()).unwrap()
}

fn samples(path: &Path) -> Vec<f64> {
    let mut reader = hound::WavReader::open(path).unwrap();
    reader.samples::<i16>().map(|sample| f64::from(sample.unwrap())).collect()
}

#[test]
fn noise_is_added_at_the_stated_ratios_and_levels_are_kept() {
    let sample = study(
        "snr = [30, 0, 10, 20]\n[staircase]\nintervals = 2\nrule = \"3-down-1-up\"\nstart = 10\n",
        &["saw"],
    );
    let folder = StudyFolder::open(&sample.study()).unwrap();
    let block = &folder.study.blocks[0];
    assert_eq!((block.name.as_str(), block.task), ("staircase", Task::Staircase));
    let settings = block.staircase.as_ref().unwrap();
    assert_eq!(String::from(settings.rule), "1-up-3-down");
    assert_eq!((settings.unit.as_str(), settings.start), ("dB SNR", Some(10.0)));
    let item = track(&folder);
    assert_eq!(item.condition, "staircase:saw");
    assert_eq!(item.strengths, [0.0, 10.0, 20.0, 30.0]);
    let read = |n: usize| samples(&sample.study().join("stimuli").join(&item.stimuli[n]));
    let reference = read(0);
    let power = |sound: &[f64]| sound.iter().map(|s| s * s).sum::<f64>();
    for (number, strength) in item.strengths.iter().enumerate() {
        let noisy = read(number + 1);
        let noise: Vec<f64> = noisy.iter().zip(&reference).map(|(a, b)| a - b).collect();
        let found = 10.0 * (power(&reference) / power(&noise)).log10();
        assert!((found - strength).abs() < 0.3, "{found} for {strength}");
    }
    // the design can be edited, but not to contradict itself or the key
    let file = sample.study().join("study.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    for (from, to, word) in [
        ("start = 10.0", "start = 11.0", "start 11 is none of the strengths"),
        ("1-up-3-down", "1-up-1-down", "guessing reaches"),
        ("intervals = 2", "intervals = 7", "intervals is 2 to 4"),
    ] {
        assert!(text.contains(from), "{text}");
        std::fs::write(&file, text.replace(from, to)).unwrap();
        let error = reseal(&sample.study()).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
    std::fs::write(&file, text.replace("start = 10.0", "start = 0.0")).unwrap();
    reseal(&sample.study()).unwrap();
    // what comes next follows from the answers, which a folder without a server cannot know
    let out = sample.folder.path().join("static");
    let error = export_static(&sample.study(), &out).unwrap_err().to_string();
    assert!(error.contains("takes a server"), "{error}");
    assert!(!out.exists());
}

#[test]
fn tracks_that_cannot_run_are_refused_by_file() {
    let place = tracks(RATIOS, &["a"]);
    let at = |name: &str| place.path().join("tracks").join(name);
    let refused = |words: [&str; 2]| {
        let error = build(&arguments(place.path())).unwrap_err().to_string();
        assert!(words.iter().all(|word| error.contains(word)), "{error}");
        assert!(!place.path().join("study").exists());
    };
    let settings = |text: &str| std::fs::write(at("staircase.toml"), text).unwrap();
    settings("snr = [1, 1]\n");
    refused(["staircase.toml", "not ascending"]);
    settings("snr = [1]\n");
    refused(["staircase.toml", "two strengths"]);
    settings("snr = [1, 2]\n[staircase]\neasier = \"higher\"\n");
    refused(["staircase.toml", "less noise"]);
    settings("snr = [1, 2]\n[staircase]\nrule = \"2-up-2-down\"\n");
    refused(["staircase.toml", "2-up-2-down"]);
    settings("snr = [1, 2]\nratio = 3\n");
    refused(["staircase.toml", "ratio"]);
    settings("");
    refused(["reference.wav", "neither strengths.toml"]);
    write_tone(&at("a/q.wav"), 5, 0.5);
    refused(["q.wav", "no strength"]);
    std::fs::write(at("a/strengths.toml"), "'q.wav' = 1\n'r.wav' = 2\n").unwrap();
    refused(["strengths.toml", "r.wav"]);
    write_tone(&at("a/r.wav"), 6, 0.7);
    refused(["r.wav", "it lasts 0.700 s"]);
    write_tone(&at("a/r.wav"), 6, 0.5);
    settings(RATIOS);
    refused(["staircase.toml", "snr is for tracks without"]);
    write_tone(&at("b/reference.wav"), 6, 0.5);
    refused(["staircase.toml", "some tracks have strengths.toml"]);
    std::fs::remove_dir_all(at("b")).unwrap();
    std::fs::rename(at("a/reference.wav"), at("a/other.wav")).unwrap();
    refused(["tracks/a", "no reference.wav"]);
    std::fs::rename(at("a/other.wav"), at("a/reference.wav")).unwrap();
    settings("[staircase]\nunit = \"dB\"\n");
    build(&arguments(place.path())).unwrap();
    let folder = StudyFolder::open(&place.path().join("study")).unwrap();
    assert_eq!(track(&folder).strengths, [1.0, 2.0], "by strength");
}

/// The bytes of a stimulus.
fn fetch(server: &Running, code: &str, name: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(server.address).unwrap();
    write!(
        stream,
        "GET /api/stimuli/{name} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n{}\r\n",
        server.address,
        bearer(code)
    )
    .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    answer[end + 4..].to_vec()
}

fn heard(bytes: &[u8]) -> Vec<f64> {
    let mut reader = hound::WavReader::new(bytes).unwrap();
    reader.samples::<i16>().map(|sample| f64::from(sample.unwrap())).collect()
}

/// Takes a track to its end over the real server, which is killed and started anew on the way. The
/// listener is right where the ratio is at most 9 dB. What was played is found by comparing sounds.
#[test]
fn the_server_decides_tells_nothing_and_goes_on_after_an_interruption() {
    let sample = study(
        &format!("{RATIOS}[staircase]\nreversals = 8\naverage = 6\ntrials = 60\n"),
        &["saw", "other"],
    );
    let folder = StudyFolder::open(&sample.study()).unwrap();
    let files: Vec<(&Item, Vec<Vec<f64>>)> = folder
        .answer_key
        .items
        .iter()
        .map(|item| {
            let read = |file: &String| samples(&sample.study().join("stimuli").join(file));
            (item, item.stimuli.iter().map(read).collect())
        })
        .collect();
    let mut server = sample.serve(0);
    let code = server.enrol();
    let mut state = server.json("GET", "/api/state", &code, "");
    let (mut names, mut bytes_seen) = (BTreeSet::new(), BTreeSet::new());
    let mut played: Vec<(String, f64, bool)> = Vec::new();
    let mut breaks = 0;
    while state["step"].is_object() {
        let view = state["step"].clone();
        let key = format!("answer-{:04}", view["index"]);
        breaks += u32::from(view["kind"] == "break");
        if view["kind"] != "trial" {
            let answer = json!({ "step": view["index"], "key": key, "answers": {} });
            state =
                server.json("POST", "/api/answers", &code, &answer.to_string())["state"].clone();
            continue;
        }
        assert!(state["next"].is_null(), "nothing is known before the answer");
        for leak in ["strength", "truth", "order", "saw", "snr"] {
            assert!(!view.to_string().contains(leak), "{view}");
        }
        let stimuli: Vec<&str> =
            view["stimuli"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        assert_eq!(stimuli.len(), 3);
        let mut found = Vec::new();
        for name in &stimuli {
            assert!(names.insert((*name).to_owned()), "no name comes twice");
            let bytes = fetch(&server, &code, name);
            assert_eq!(bytes, fetch(&server, &code, name), "the same interval is the same");
            let sound = heard(&bytes);
            assert!(bytes_seen.insert(bytes), "no two intervals have the same bytes");
            let distance = |file: &Vec<f64>| {
                file.iter().zip(&sound).map(|(a, b)| (a - b) * (a - b)).sum::<f64>()
            };
            let all = files.iter().flat_map(|(item, sounds)| {
                sounds.iter().enumerate().map(move |(place, file)| (item, place, file))
            });
            let (item, place, _) =
                all.min_by(|a, b| distance(a.2).total_cmp(&distance(b.2))).unwrap();
            found.push((*item, place));
        }
        let own = folder.answer_key.items.iter().flat_map(|item| &item.stimuli);
        for file in own.take(3) {
            let (status, _) =
                server.ask("GET", &format!("/api/stimuli/{file}"), &bearer(&code), "");
            assert_eq!(status, 404, "the name of a file is no name of an interval");
        }
        let right = found.iter().position(|(_, place)| *place != 0).unwrap();
        assert_eq!(found.iter().filter(|(_, place)| *place != 0).count(), 1);
        let (item, place) = found[right];
        let strength = item.strengths[place - 1];
        let is_right = strength <= 9.0;
        let number = if is_right { right + 1 } else { (right + 1) % 3 + 1 };
        let answer = |choice: &str, heard_ms: u32| {
            json!({ "step": view["index"], "key": key, "choice": choice, "response_ms": 2500,
                    "heard_ms": heard_ms, "plays": 1 })
            .to_string()
        };
        for (choice, heard_ms) in [("4", 2500), ("A", 2500), ("1", 1000)] {
            let given = answer(choice, heard_ms);
            let (status, text) = server.ask("POST", "/api/answers", &bearer(&code), &given);
            assert_eq!(status, 422, "{choice} after {heard_ms} ms: {text}");
        }
        let given = answer(&number.to_string(), 2500);
        let stored = server.json("POST", "/api/answers", &code, &given);
        assert_eq!(stored["feedback"], (right + 1).to_string());
        played.push((item.condition.clone(), strength, is_right));
        if played.len() == 9 {
            // killed with -9; another process goes on where the track stood
            drop(server);
            server = sample.serve(0);
            let again = server.json("POST", "/api/answers", &code, &given);
            assert_eq!(again, stored, "sent again, it is stored once");
            assert_eq!(server.json("POST", "/api/resume", &code, ""), stored["state"]);
        }
        state = stored["state"].clone();
        let (answered, steps) = (state["answered"].as_u64(), state["steps"].as_u64());
        assert!(answered <= steps, "{state}");
    }
    assert_eq!(state["end"]["outcome"], "complete");
    assert_eq!(breaks, 1, "between two tracks");
    drop(server);
    // the same numbers from an up-down written anew
    let ratios: Vec<f64> = (0..16).map(|n| 2.0 * f64::from(n)).collect();
    let mut rest = played.as_slice();
    for _ in 0..2 {
        let condition = rest[0].0.clone();
        let (mut at, mut run, mut last, mut turns) = (0usize, 0, 0i32, 0);
        let mut taken = 0;
        while turns < 8 && taken < 60 {
            let (name, strength, right) = &rest[0];
            assert_eq!((name, *strength), (&condition, ratios[at]), "trial {taken}");
            rest = &rest[1..];
            taken += 1;
            run = if *right { run + 1 } else { 0 };
            let go = if !right {
                -1
            } else if run == 2 {
                1
            } else {
                continue;
            };
            run = 0;
            turns += i32::from(last == -go);
            last = go;
            let size = if turns < 2 { 2 } else { 1 };
            at = (at as i32 + go * size).clamp(0, 15) as usize;
        }
    }
    assert!(rest.is_empty());
    let exported = export(&sample.study(), &sample.database()).unwrap();
    let rows: Vec<(&str, Option<f64>, bool)> = exported
        .answers
        .iter()
        .map(|row| (&*row.condition, row.strength, row.answer.as_deref() == Some(&row.truth)))
        .collect();
    let wanted: Vec<(&str, Option<f64>, bool)> =
        played.iter().map(|(name, strength, right)| (&**name, Some(*strength), *right)).collect();
    assert_eq!(rows, wanted);
    let positions: Vec<u32> = exported.answers.iter().map(|row| row.position).collect();
    assert_eq!(positions, (0..played.len() as u32).collect::<Vec<_>>());
}

/// Whoever starts over by the study's policy meets other intervals, and the export names those.
#[test]
fn starting_over_draws_the_intervals_anew() {
    let sample = study(&format!("{RATIOS}[staircase]\nreversals = 4\naverage = 2\n"), &["saw"]);
    let file = sample.study().join("study.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("policy = \"resume\"", "policy = \"restart\"")).unwrap();
    reseal(&sample.study()).unwrap();
    let server = sample.serve(0);
    let code = server.enrol();
    let mut attempts = Vec::new();
    for attempt in 0..2 {
        let mut state = server.json("POST", "/api/resume", &code, "");
        let mut told = Vec::new();
        while told.len() < 12 {
            let view = state["step"].clone();
            let key = format!("answer-{attempt}-{:04}", view["index"]);
            let mut answer = json!({ "step": view["index"], "key": key, "answers": {} });
            if view["kind"] == "trial" {
                // guessing once and again keeps the track from ending
                answer = json!({ "step": view["index"], "key": key, "choice": "1",
                                 "response_ms": 2500, "heard_ms": 2500, "plays": 1 });
            }
            let stored = server.json("POST", "/api/answers", &code, &answer.to_string());
            if view["kind"] == "trial" {
                told.push(stored["feedback"].as_str().unwrap().to_owned());
            }
            state = stored["state"].clone();
            if state["step"].is_null() || state["step"]["kind"] == "remarks" {
                break;
            }
        }
        attempts.push(told);
    }
    drop(server);
    assert_ne!(attempts[0], attempts[1]);
    let exported = export(&sample.study(), &sample.database()).unwrap();
    let truths: Vec<String> = exported.answers.iter().map(|row| row.truth.clone()).collect();
    assert_eq!(truths, attempts[1], "the first attempt is not exported");
}

fn simulated(sample: &Sample, hearing: Hearing, listeners: u32) -> (StudyFolder, Export) {
    let arguments = SimulateArguments {
        study: sample.study(),
        address: ([127, 0, 0, 1], 0).into(),
        listeners,
        kinds: vec![ListenerKind::Skilled],
        seed: 5,
        pause: std::time::Duration::ZERO,
        fetch: false,
        longest: std::time::Duration::from_secs(200),
        hearing,
    };
    let visited = simulate_alone(&arguments, &sample.database()).unwrap();
    assert_eq!((visited.finished, visited.failed.len()), (listeners, 0), "{:?}", visited.failed);
    let folder = StudyFolder::open(&sample.study()).unwrap();
    let exported = export(&sample.study(), &sample.database()).unwrap();
    (folder, exported)
}

/// Listeners of a known function go through the real server; the mean of the tracks and the fitted
/// function give it back. Theory: at p the function is at threshold - logit((p - 1/m) / (1 - 1/m)) /
/// slope on an axis where lower is easier; the reversals of steps of 1 lie within 0.4 of it on average.
#[test]
fn simulated_listeners_give_their_threshold_back_under_both_rules() {
    for (rule, target) in [("1-up-2-down", 0.5f64.sqrt()), ("1-up-3-down", 0.5f64.cbrt())] {
        let ratios: Vec<String> = (0..=30).map(|n| n.to_string()).collect();
        let settings = format!(
            "snr = [{}]\n[staircase]\nrule = \"{rule}\"\nsteps = \"unit\"\ncoarse = 4\nfine = 1\n\
             coarse_reversals = 4\nreversals = 16\naverage = 12\ntrials = 200\nfeedback = false\n",
            ratios.join(", ")
        );
        let sample = study(&settings, &["saw"]);
        let hearing = Hearing { threshold: Some(14.5), slope: Some(0.6), lapse: 0.0 };
        let (folder, exported) = simulated(&sample, hearing, 24);
        let results = analyze_study(&folder, &exported, Who::Simulated).unwrap();
        let [found] = results.report.staircases.as_slice() else { panic!("one condition") };
        let share = (target - 1.0 / 3.0) / (2.0 / 3.0);
        let wanted = 14.5 - (share / (1.0 - share)).ln() / 0.6;
        let mean = found.mean.done().unwrap();
        println!("{rule}: at {target:.3} wanted {wanted:.2}, mean of tracks {mean:?}");
        assert_eq!(mean.participants, 24);
        let error = mean.sd / 24f64.sqrt();
        assert!((mean.mean - wanted).abs() < 0.4 + 3.0 * error, "{mean:?}, wanted {wanted}");
        assert!(found.tracks.iter().all(|t| t.complete && t.averaged == 12));
        let f = found.function.done().unwrap();
        println!("{rule}: {f:?}");
        assert!((f.threshold - 14.5).abs() < 1.0, "{f:?}");
        assert!((f.slope / 0.6).ln().abs() < 0.4, "{f:?}");
        let at = f.at_target.unwrap();
        assert!((at - wanted).abs() < 0.6, "{at}, wanted {wanted}");
        let interval = f.at_target_interval.unwrap();
        assert!(interval.low < at && at < interval.high);
        // and in words, numbers, tables and a drawing
        let report = &results.report;
        let page = report.html();
        for words in ["Threshold (staircase): staircase, saw", rule, "psychometric function"] {
            assert!(page.contains(words), "{words}");
        }
        let paper = report.manuscript();
        for words in
            ["Levitt 1971", "the mean threshold of 24 listeners", "lapse rate", "3-interval"]
        {
            assert!(paper.contains(words), "{words}: {paper}");
        }
        assert!(report.text().contains("mean threshold"));
        let written = sample.folder.path().join("results");
        results.write(&written).unwrap();
        let lines =
            |name: &str| std::fs::read_to_string(written.join(name)).unwrap().lines().count();
        assert_eq!(lines("staircase_tracks.csv"), 25);
        assert_eq!(lines("staircase_functions.csv"), 2);
        assert_eq!(lines("staircase_trials.csv"), exported.answers.len() + 1);
        assert!(lines("staircase_levels.csv") > 5);
        let drawing = std::fs::read_to_string(written.join("staircase-staircase-1.svg")).unwrap();
        assert!(drawing.starts_with("<?xml") && drawing.contains("<polyline"), "{drawing}");
        let rows = std::fs::File::open(written.join("answers.csv")).unwrap();
        let rows = trompe_listening_test::answers::read_csv(rows).unwrap();
        let again = Export::from_table(&folder, rows).unwrap();
        let again = analyze_study(&folder, &again, Who::Simulated).unwrap().report;
        assert_eq!(again.staircases, report.staircases, "a table tells as much as the database");
    }
}

/// Listeners who guess run into the easy end; the report says so instead of a threshold as good as any.
#[test]
fn tracks_of_guessing_listeners_are_marked() {
    let sample = study(&format!("{RATIOS}[staircase]\nfeedback = false\ntrials = 30\n"), &["saw"]);
    let hearing = Hearing { threshold: Some(-1000.0), slope: Some(1.0), lapse: 0.0 };
    let (folder, exported) = simulated(&sample, hearing, 6);
    let report = analyze_study(&folder, &exported, Who::Simulated).unwrap().report;
    let [found] = report.staircases.as_slice() else { panic!("one condition") };
    assert!(found.tracks.iter().all(|track| track.held_at_end > 0));
    assert!(
        report.warnings.iter().any(|warning| warning.contains("held there")),
        "{:?}",
        report.warnings
    );
}
