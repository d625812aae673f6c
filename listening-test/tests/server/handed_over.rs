//! Answers of a study without a server: as the file that its page makes, as mail, and as codes.

use std::io::Write;

use trompe_listening_test::StudyFolder;
use trompe_listening_test::answer::StepAnswer;
use trompe_listening_test::export::export;
use trompe_listening_test::plan::{Step, plans};
use trompe_listening_test::static_export::{Imported, import_answers};
use trompe_listening_test::study::Policy;

use super::sample::Sample;

/// Every step of the first plan answered, as the page records it.
fn record(folder: &StudyFolder, person: &str) -> String {
    let answer = |(index, step): (usize, &Step)| StepAnswer {
        step: index as u32,
        key: format!("{person}-{index:08}"),
        choice: matches!(step, Step::Practice { .. } | Step::Trial { .. }).then(|| "rock".into()),
        response_ms: 2500,
        heard_ms: 5000,
        plays: 1,
        stalls: u32::from(index == 3),
        ..StepAnswer::default()
    };
    let answers: Vec<StepAnswer> = plans(folder)[0].iter().enumerate().map(answer).collect();
    serde_json::json!({
        "study": folder.study.name, "participant": format!("f-0-{person}"),
        "consent_version": folder.study.consent_version(), "language": "en", "answers": answers,
    })
    .to_string()
}

/// A record packed and in digits, as by `page/mail.js`.
fn packed(record: &str) -> String {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(record.as_bytes()).unwrap();
    let bits: Vec<u8> = packer
        .finish()
        .unwrap()
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1))
        .collect();
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let digit = |six: &[u8]| {
        let value = (0..6).fold(0, |value, place| value << 1 | six.get(place).unwrap_or(&0));
        char::from(digits[usize::from(value)])
    };
    bits.chunks(6).map(digit).collect()
}

/// `text` in parts of at most `length`.
fn parts(text: &str, length: usize) -> Vec<&str> {
    (0..text.len()).step_by(length).map(|at| &text[at..text.len().min(at + length)]).collect()
}

/// What `page/mail.js` makes of a record.
fn letter(record: &str) -> String {
    let lines = parts(&packed(record), 48).join("\n");
    format!("-----BEGIN TROMPE ANSWERS-----\n{lines}\n-----END TROMPE ANSWERS-----\n")
}

/// What `page/codes.js` makes of a record, in codes of 100 digits; `sum` is their checksum.
fn codes(record: &str, sum: &str) -> Vec<String> {
    let packed = packed(record);
    let parts = parts(&packed, 100);
    let count = parts.len();
    let code =
        |(n, part): (usize, &&str)| format!("TROMPE ANSWERS {}/{count} {sum} {part}.", n + 1);
    parts.iter().enumerate().map(code).collect()
}

fn taken(found: usize, added: usize, continued: usize) -> Imported {
    Imported { found, added, continued }
}

#[test]
fn files_and_mails_are_taken_once_and_damage_takes_nothing() {
    let sample = Sample::new(5, Policy::Off);
    let folder = StudyFolder::open(&sample.study()).unwrap();
    let file = |name: &str, content: &str| {
        let path = sample.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    let (ann, bob) = (record(&folder, "ann"), record(&folder, "bob"));
    let json = file("ann.json", &ann);
    let mails = file(
        "mails.txt",
        &format!("From Bob\n{}\n> {}", letter(&bob), { letter(&ann).replace('\n', "\r\n> ") }),
    );
    let import =
        |files: &[std::path::PathBuf]| import_answers(&sample.study(), &sample.database(), files);

    // one digit of the second mail is another
    let two = letter(&bob) + &letter(&ann);
    let at = two.rfind("-----END").unwrap() - 20;
    let other = if &two[at..=at] == "A" { "B" } else { "A" };
    let damaged = format!("{}{other}{}", &two[..at], &two[at + 1..]);
    let error = import(&[file("damaged.txt", &damaged)]).unwrap_err().to_string();
    assert!(error.contains("damaged.txt: text 2: it is damaged"), "{error}");
    let error = import(&[json.clone(), file("empty.txt", "Hello")]).unwrap_err().to_string();
    assert!(error.contains("empty.txt"), "{error}");

    assert_eq!(import(&[json]).unwrap(), taken(1, 1, 0));
    assert_eq!(import(&[mails]).unwrap(), taken(2, 1, 0));
    let exported = export(&sample.study(), &sample.database()).unwrap();
    let people: Vec<&str> =
        exported.participants.iter().map(|person| person.participant.as_str()).collect();
    assert_eq!(people, ["f-0-ann", "f-0-bob"]);
    assert!(exported.participants.iter().all(|person| person.finished));
    let rows = |person: &str| {
        let own = exported.answers.iter().filter(|row| row.participant == person);
        own.map(|row| (row.item.clone(), row.answer.clone(), row.stalls)).collect::<Vec<_>>()
    };
    assert_eq!(rows("f-0-ann"), rows("f-0-bob"));
    let stalls = rows("f-0-ann").iter().filter(|row| row.2 == Some(1)).count();
    assert_eq!(stalls, 1, "step 3 is a trial and stalled once");
}

#[test]
fn scanned_codes_are_put_together_person_by_person() {
    let sample = Sample::new(5, Policy::Off);
    let folder = StudyFolder::open(&sample.study()).unwrap();
    let import = |text: &str| {
        let path = sample.folder.path().join("codes.txt");
        std::fs::write(&path, text).unwrap();
        import_answers(&sample.study(), &sample.database(), &[path])
    };
    let ann = codes(&record(&folder, "ann"), "0000000a");
    let bob = codes(&record(&folder, "bob"), "0000000b");
    assert!(ann.len() > 2, "{}", ann.len());
    let mixed: Vec<&str> =
        ann.iter().rev().chain(&bob).chain(ann.first()).map(String::as_str).collect();

    let missing = mixed.join("\n").replace(&bob[1], "");
    let error = import(&missing).unwrap_err().to_string();
    let wanted = format!("codes.txt: code 2 of {} of the answers 0000000b is missing", bob.len());
    assert!(error.contains(&wanted), "{error}");
    assert_eq!(export(&sample.study(), &sample.database()).unwrap().participants.len(), 0);

    assert_eq!(import(&mixed.join("\n")).unwrap(), taken(2, 2, 0));
    let with_mail = format!("{}\n> {}", ann.join(" "), letter(&record(&folder, "cat")));
    assert_eq!(import(&with_mail).unwrap(), taken(2, 1, 0));
    let exported = export(&sample.study(), &sample.database()).unwrap();
    assert!(exported.participants.iter().all(|person| person.finished));
    assert_eq!(exported.participants.len(), 3);
}

#[test]
fn a_file_handed_over_too_early_is_completed_by_the_whole_one() {
    let sample = Sample::new(5, Policy::Off);
    let folder = StudyFolder::open(&sample.study()).unwrap();
    let import = |record: &serde_json::Value| {
        let path = sample.folder.path().join("answers.json");
        std::fs::write(&path, record.to_string()).unwrap();
        import_answers(&sample.study(), &sample.database(), &[path])
    };
    let whole: serde_json::Value = serde_json::from_str(&record(&folder, "ann")).unwrap();
    let changed = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut record = whole.clone();
        change(&mut record);
        record
    };
    let early = changed(&|record| record["answers"].as_array_mut().unwrap().truncate(5));
    let finished = || export(&sample.study(), &sample.database()).unwrap().participants[0].finished;

    assert_eq!(import(&early).unwrap(), taken(1, 1, 0));
    assert!(!finished());
    let other = changed(&|record| record["answers"][3]["choice"] = "jazz".into());
    let error = import(&other).unwrap_err().to_string();
    assert!(error.contains("step 3 of \"f-0-ann\" differs from the answer"), "{error}");
    assert_eq!(import(&whole).unwrap(), taken(1, 0, 1));
    assert_eq!(import(&early).unwrap(), taken(1, 0, 0));
    assert_eq!(import(&whole).unwrap(), taken(1, 0, 0));
    assert!(finished());
    let steps = export(&sample.study(), &sample.database()).unwrap().participants[0].steps.len();
    assert_eq!(steps, whole["answers"].as_array().unwrap().len());

    let error = import(&changed(&|record| record["consent_version"] = "old".into())).unwrap_err();
    assert!(error.to_string().contains("consent"), "{error}");
    let error = import(&changed(&|record| record["language"] = "xx".into())).unwrap_err();
    assert!(error.to_string().contains("has no language \"xx\""), "{error}");
}
