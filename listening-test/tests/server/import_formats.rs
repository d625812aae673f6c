//! Answers recorded by webMUSHRA and jsPsych: files written by hand in the shapes that
//! these tools write.

use std::path::PathBuf;

use trompe_listening_test::StudyFolder;
use trompe_listening_test::analysis::{Who, analyze_study};
use trompe_listening_test::answer_key::{Item, Role};
use trompe_listening_test::export::Export;
use trompe_listening_test::import_formats::{Mapping, Recorded, read_recorded};
use trompe_listening_test::study::Policy;

use super::sample::{CLASSES, Sample};

const WEBMUSHRA: &str = r#"
participant = "session_uuid"
item = ["trial_id", "stimuli"]
answer = "stimuli_rating"
response_ms = "rating_time"
dont_know = ["unsure"]
"#;

const JSPSYCH: &str = r#"
participant = "subject"
item = "stimulus"
answer = "response"
response_ms = "rt"
no_answer = [""]
[only]
trial_type = "audio-button-response"
"#;

struct Place {
    sample: Sample,
    folder: StudyFolder,
}

impl Place {
    fn new() -> Self {
        let sample = Sample::new(10, Policy::Off);
        let folder = StudyFolder::open(&sample.study()).unwrap();
        Self { sample, folder }
    }

    fn items(&self, role: Role) -> Vec<&Item> {
        self.folder.answer_key.items.iter().filter(|item| item.role == role).collect()
    }

    fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.sample.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    fn read(&self, mapping: &str, file: &str, content: &str) -> Result<Recorded, String> {
        let mapping: Mapping = toml::from_str(mapping).unwrap();
        read_recorded(&self.sample.study(), &mapping, &[self.file(file, content)])
            .map_err(|error| error.to_string())
    }
}

/// `lss.csv`: one Likert question a page, its labels being the genres.
fn likert_table(rows: &[(&str, &str, &str)]) -> String {
    let mut text = String::from(
        "session_test_id,email,age,session_uuid,trial_id,stimuli_rating,stimuli,rating_time\n",
    );
    for (person, page, answer) in rows {
        text += &format!("genres,{person}@example.org,31,{person},{page},\" {answer} \",C1,5210\n");
    }
    text
}

#[test]
fn webmushra_tables_become_answers_that_analyze_takes() {
    let place = Place::new();
    let trials = place.items(Role::Trial);
    let mapping =
        trials.iter().enumerate().fold(WEBMUSHRA.to_owned() + "[items]\n", |map, (n, item)| {
            map + &format!("\"page{n}/C1\" = \"{}\"\n", item.name)
        });
    let pages: Vec<String> = (0..trials.len()).map(|n| format!("page{n}")).collect();
    let people: Vec<String> = (0..12).map(|n| format!("uuid-{n}")).collect();
    let mut rows = Vec::new();
    for (p, person) in people.iter().enumerate() {
        for (n, page) in pages.iter().enumerate() {
            let answer = if p == 3 && n == 0 { "unsure" } else { CLASSES[(n * 7 + p) % 5] };
            rows.push((person.as_str(), page.as_str(), answer));
        }
    }
    let recorded = place.read(&mapping, "lss.csv", &likert_table(&rows)).unwrap();
    assert_eq!((recorded.answers.len(), recorded.left_out), (12 * trials.len(), 0));
    let unsure = &recorded.answers[3 * trials.len()];
    assert_eq!((unsure.answer.as_deref(), unsure.item.as_str()), (None, trials[0].name.as_str()));
    let first = &recorded.answers[1];
    assert_eq!((first.answer.as_deref(), first.response_ms), (Some(CLASSES[2]), 5210));
    assert_eq!((first.heard_ms, first.stalls, first.position), (None, None, 1));
    assert!(recorded.answers.iter().all(|row| !row.participant.contains("uuid")));

    let export = Export::from_table(&place.folder, recorded.answers).unwrap();
    let report = analyze_study(&place.folder, &export, Who::People).unwrap().report;
    assert_eq!(report.counts.answers_analyzed, 12 * trials.len());
    let hits: u64 = report.conditions.iter().map(|condition| condition.hits).sum();
    let expected = rows.iter().zip(trials.iter().cycle());
    assert_eq!(hits, expected.filter(|(row, item)| row.2 == item.truth).count() as u64);
}

#[test]
fn jspsych_trials_become_answers_from_json_and_csv() {
    let place = Place::new();
    let (trials, catch) = (place.items(Role::Trial), place.items(Role::Catch));
    let mapping =
        CLASSES.iter().enumerate().fold(JSPSYCH.to_owned() + "[answers]\n", |map, (n, class)| {
            map + &format!("{n} = \"{class}\"\n")
        });
    let wrong = CLASSES.iter().position(|class| *class != catch[0].truth).unwrap();
    let trial = |subject: &str, item: &Item, response: serde_json::Value, rt: serde_json::Value| {
        serde_json::json!({
            "rt": rt, "stimulus": format!("stimuli/{}", item.stimuli[0]), "response": response,
            "trial_type": "audio-button-response", "trial_index": 4, "plugin_version": "2.0.1",
            "time_elapsed": 20107, "subject": subject,
        })
    };
    let intro = serde_json::json!({
        "rt": 2100, "view_history": [{"page_index": 0, "viewing_time": 2099}],
        "trial_type": "instructions", "trial_index": 0, "time_elapsed": 2101, "subject": "s1",
    });
    let one = serde_json::json!([
        intro,
        trial("s1", trials[0], 4.into(), 1834.6.into()),
        trial("s1", trials[1], serde_json::Value::Null, serde_json::Value::Null),
        trial("s1", catch[0], wrong.into(), 1200.into()),
    ]);
    let two = serde_json::json!([trial("s2", trials[0], 0.into(), 900.into())]);
    let text = format!("{one}\n{two}\n");
    let recorded = place.read(&mapping, "jatos.txt", &text).unwrap();
    assert_eq!((recorded.answers.len(), recorded.left_out), (3, 2));
    let row = &recorded.answers[0];
    assert_eq!((row.answer.as_deref(), row.response_ms), (Some(CLASSES[4]), 1835));
    assert_eq!(recorded.answers[1].condition, "catch");
    // one wrong catch item may pass; a median below a second may not
    let excluded: Vec<_> = recorded.answers.iter().map(|row| row.excluded.as_deref()).collect();
    assert_eq!(excluded, [None, None, Some("too fast")]);

    let csv = format!(
        "rt,stimulus,response,trial_type,subject\n\"2100\",\"\",\"\",\"instructions\",\"s1\"\n\
         \"1834.6\",\"{}\",\"4\",\"audio-button-response\",\"s1\"\n",
        trials[0].stimuli[0]
    );
    let again = place.read(&mapping, "data.csv", &csv).unwrap();
    assert_eq!((again.answers.len(), again.left_out), (1, 1));
    assert_eq!(again.answers[0], *row);
    let simulated = place.read(&format!("simulated = true\n{mapping}"), "sim.csv", &csv).unwrap();
    assert!(simulated.answers[0].participant.starts_with("sim-x-"));
}

/// As JATOS unpacks them: every result is a `data.txt` in a folder of its own.
#[test]
fn files_of_one_name_are_participants_of_their_own() {
    let place = Place::new();
    let trials = place.items(Role::Trial);
    let mapping = "item = 'stimulus'\nanswer = 'response'\nresponse_ms = 'rt'";
    let file = |folder: &str, item: &Item| {
        std::fs::create_dir_all(place.sample.folder.path().join(folder)).unwrap();
        let row = format!("rt,stimulus,response\n2100,{},rock\n", item.stimuli[0]);
        place.file(&format!("{folder}/data.txt"), &row)
    };
    let files = [file("one", trials[0]), file("two", trials[1])];
    let mapping: Mapping = toml::from_str(mapping).unwrap();
    let read = |files: &[PathBuf]| read_recorded(&place.sample.study(), &mapping, files);
    let people: std::collections::BTreeSet<String> =
        read(&files).unwrap().answers.into_iter().map(|row| row.participant).collect();
    assert_eq!(people.len(), 2);

    let again = place.sample.folder.path().join("two/../one/data.txt");
    let refused = read(&[files[0].clone(), again]).unwrap_err().to_string();
    assert!(refused.contains("given twice"), "{refused}");
}

#[test]
fn what_the_study_does_not_know_is_refused_with_file_and_row() {
    let place = Place::new();
    let name = &place.items(Role::Trial)[0].name;
    let plain = WEBMUSHRA.replace("[\"trial_id\", \"stimuli\"]", "\"trial_id\"");
    let refused = |mapping: &str, rows: &[(&str, &str, &str)], words: &[&str]| {
        let error = place.read(mapping, "lss.csv", &likert_table(rows)).unwrap_err();
        for word in ["lss.csv"].iter().chain(words) {
            assert!(error.contains(word), "{error}: no {word}");
        }
    };
    let good = ("u", name.as_str(), "rock");
    refused(&plain, &[good, ("u", "page9", "rock")], &["line 3", "page9"]);
    refused(&plain, &[good, ("v", name, "polka")], &["line 3", "polka", "blues"]);
    refused(&plain, &[good, good], &["line 3", "second answer"]);
    refused(&plain, &[("", name, "rock")], &["line 2", "session_uuid"]);
    refused(&plain.replace("rating_time", "stimuli"), &[good], &["line 2", "milliseconds"]);
    refused(&plain.replace("rating_time", "time"), &[good], &["line 2", "no column \"time\""]);
    refused("item = 'stimuli'\nanswer = 'a'\nresponse_ms = 'a'", &[good], &["no column \"a\""]);
    let none = format!("{plain}[only]\nage = \"30\"");
    let error = place.read(&none, "lss.csv", &likert_table(&[good])).unwrap_err();
    assert!(error.contains("1 rows are left out"), "{error}");
    let garbage = place.read(&plain, "lss.csv", "[{]").unwrap_err();
    assert!(garbage.contains("lss.csv"), "{garbage}");
    assert!(toml::from_str::<Mapping>("item = 'a'\nanswer = 'b'").is_err());
}

#[test]
fn the_program_writes_a_table_once_and_analyzes_it() {
    let place = Place::new();
    let trials = place.items(Role::Trial);
    let rows: Vec<(&str, &str, &str)> =
        trials.iter().map(|item| ("u", item.name.as_str(), "rock")).collect();
    let plain = WEBMUSHRA.replace("[\"trial_id\", \"stimuli\"]", "\"trial_id\"");
    let mapping = place.file("webmushra.toml", &plain);
    let files = place.file("lss.csv", &likert_table(&rows));
    let table = place.sample.folder.path().join("answers.csv");
    let run = |arguments: &[&std::ffi::OsStr]| {
        let program = env!("CARGO_BIN_EXE_trompe-listen");
        std::process::Command::new(program).args(arguments).output().unwrap()
    };
    let study = place.sample.study();
    let import: Vec<&std::ffi::OsStr> = vec![
        "import".as_ref(),
        study.as_ref(),
        "--mapping".as_ref(),
        mapping.as_ref(),
        "--answers".as_ref(),
        table.as_ref(),
        files.as_ref(),
    ];
    let done = run(&import);
    let printed = String::from_utf8_lossy(&done.stdout).into_owned();
    assert_eq!(printed, format!("{} answers taken, 0 rows left out\n", rows.len()));
    assert_eq!(run(&import).status.code(), Some(2), "the table was written over");
    let out = place.sample.folder.path().join("results");
    let analyzed = run(&[
        "analyze".as_ref(),
        study.as_ref(),
        "--answers".as_ref(),
        table.as_ref(),
        "--out".as_ref(),
        out.as_ref(),
    ]);
    assert!(analyzed.status.success(), "{}", String::from_utf8_lossy(&analyzed.stderr));
    assert!(out.join("report.html").is_file());
    // a table of something else is not taken for one of this study
    let other = std::fs::read_to_string(&table).unwrap().replacen(trials[0].name.as_str(), "zz", 1);
    std::fs::write(&table, other).unwrap();
    let refused = run(&[
        "analyze".as_ref(),
        study.as_ref(),
        "--answers".as_ref(),
        table.as_ref(),
        "--out".as_ref(),
        out.as_ref(),
    ]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("zz"));
}
