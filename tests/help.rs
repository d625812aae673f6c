//! Help texts end with examples, and the examples work as printed.

use crate::program::Place;

const VERBS: [&[&str]; 27] = [
    &["corpus", "list"],
    &["corpus", "fetch"],
    &["corpus", "check"],
    &["corpus"],
    &["train"],
    &["evaluate"],
    &["fool"],
    &["fool", "plan"],
    &["fool", "shard"],
    &["fool", "merge"],
    &["retrain"],
    &["verify"],
    &["replay"],
    &["listen", "build"],
    &["listen", "reseal"],
    &["listen", "serve"],
    &["listen", "simulate"],
    &["listen", "analyze"],
    &["listen", "export"],
    &["listen", "erase"],
    &["listen", "power"],
    &["listen"],
    &["equalize"],
    &["transfer"],
    &["compare"],
    &["completions"],
    &["demo"],
];

#[test]
fn every_example_works_as_printed() {
    let place = Place::new();
    for verb in VERBS {
        let mut arguments = verb.to_vec();
        arguments.push("--help");
        let help = place.must(&arguments);
        let (_, examples) = help.rsplit_once("Example").unwrap_or_else(|| panic!("{verb:?}"));
        let mut tried = 0;
        for line in examples.lines().map(str::trim).filter(|line| line.starts_with("trompe ")) {
            tried += 1;
            // The first needs a network, the second serves until it is stopped; both are what
            // tests of their own run.
            if line == "trompe demo" || line.starts_with("trompe listen serve") {
                continue;
            }
            let (command, _) = line.split_once(" > ").unwrap_or((line, ""));
            let words: Vec<&str> = command.split_whitespace().skip(1).collect();
            place.must(&words);
        }
        assert!(tried > 0, "{verb:?}: {help}");
    }
}

#[test]
fn the_printed_configuration_is_read_back() {
    let place = Place::new();
    let text = place.must(&["fool", "--print-config"]);
    std::fs::write(place.path("fool.toml"), text).unwrap();
    let error = place.refused(&["fool", "--config", "fool.toml"]);
    assert!(error.contains("model.safetensors"), "{error}");
}
