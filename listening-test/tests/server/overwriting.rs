//! What the verbs that write results replace: nothing that is there already, but for results of an
//! earlier analysis, unless `--force` is given.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use trompe_listening_test::simulate::{Hearing, ListenerKind, SimulateArguments, simulate_alone};
use trompe_listening_test::study::Policy;

use super::sample::{Sample, edit};

/// A study with answers of simulated listeners.
struct Answered(Sample);

impl Answered {
    fn new() -> Self {
        let sample = Sample::new(5, Policy::Off);
        edit(&sample.study(), "simulations = 999", "simulations = 59"); // for the time of the test
        let arguments = SimulateArguments {
            study: sample.study(),
            address: "127.0.0.1:0".parse().unwrap(),
            listeners: 4,
            kinds: vec![ListenerKind::Chance, ListenerKind::Skilled],
            seed: 3,
            hearing: Hearing::default(),
            pause: Duration::ZERO,
            fetch: false,
            longest: Duration::from_secs(120),
        };
        let report = simulate_alone(&arguments, &sample.database()).unwrap();
        assert_eq!(report.finished, 4);
        Self(sample)
    }

    /// Runs a verb on the study; the error if it exits with 2.
    fn run(&self, verb: &str, out: &Path, options: &[&str]) -> Result<(), String> {
        let run = Command::new(env!("CARGO_BIN_EXE_trompe-listen"))
            .args([verb.as_ref(), self.0.study().as_os_str()])
            .args(["--database".as_ref(), self.0.database().as_os_str()])
            .args(["--out".as_ref(), out.as_os_str()])
            .args(options)
            .output()
            .unwrap();
        let message = String::from_utf8(run.stderr).unwrap();
        match run.status.code() {
            Some(0) => Ok(()),
            Some(2) => Err(message),
            code => panic!("{code:?}: {message}"),
        }
    }
}

#[test]
fn analyze_replaces_its_own_results_only() {
    let study = Answered::new();
    let out = study.0.folder.path().join("results");
    let analyze =
        |options: &[&str]| study.run("analyze", &out, &[&["--simulated"], options].concat());
    let read = |name: &str| std::fs::read_to_string(out.join(name)).unwrap();
    analyze(&[]).unwrap();
    let page = read("report.html");
    analyze(&[]).unwrap();
    assert_eq!(read("report.html"), page);
    // the list is of all files and of these contents
    let listed = read("results.sha256").lines().count();
    assert_eq!(listed + 1, std::fs::read_dir(&out).unwrap().count());
    let checked =
        Command::new("sha256sum").args(["-c", "results.sha256"]).current_dir(&out).output();
    assert!(checked.unwrap().status.success());

    std::fs::write(out.join("manuscript.md"), "my own words").unwrap();
    let refused = analyze(&[]).unwrap_err();
    assert!(refused.contains("manuscript.md: was changed since it was written"), "{refused}");
    assert!(refused.contains("--force"), "{refused}");
    assert_eq!(read("manuscript.md"), "my own words");
    analyze(&["--force"]).unwrap();
    assert_ne!(read("manuscript.md"), "my own words");

    let other = study.0.folder.path().join("other");
    std::fs::create_dir(&other).unwrap();
    std::fs::write(other.join("report.html"), "of another program").unwrap();
    let refused = study.run("analyze", &other, &["--simulated"]).unwrap_err();
    assert!(refused.contains("is not empty") && refused.contains("--force"), "{refused}");
    assert_eq!(std::fs::read_dir(&other).unwrap().count(), 1, "something was written");
}

#[test]
fn export_and_pay_replace_nothing() {
    let study = Answered::new();
    let place = study.0.folder.path();
    let (tables, list) = (place.join("exported"), place.join("pay.csv"));
    for (verb, out, file) in
        [("export", &tables, tables.join("answers.csv")), ("pay", &list, list.clone())]
    {
        study.run(verb, out, &[]).unwrap();
        std::fs::write(&file, "mine").unwrap();
        let refused = study.run(verb, out, &[]).unwrap_err();
        assert!(refused.contains("--force"), "{verb}: {refused}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine", "{verb}");
        study.run(verb, out, &["--force"]).unwrap();
        assert_ne!(std::fs::read_to_string(&file).unwrap(), "mine", "{verb}");
    }
    // a data set and a study without a server take a new folder, whatever is asked for
    let data = place.join("data");
    study.run("export", &data, &["--psych-ds"]).unwrap();
    assert!(study.run("export", &data, &["--psych-ds"]).is_err());
    let refused = study.run("export", &data, &["--psych-ds", "--force"]).unwrap_err();
    assert!(refused.contains("cannot be used with"), "{refused}");
    // a place that cannot be written to is refused before anything is read
    let nowhere = study.run("pay", &place.join("nowhere/pay.csv"), &[]).unwrap_err();
    assert!(nowhere.contains("nowhere does not exist"), "{nowhere}");
}
