//! Help texts end with examples, and the examples work as printed.

use clap::{CommandFactory, Parser};

use crate::program::Place;

/// Examples that are only parsed here, and why. All others are run.
const ONLY_PARSED: [(&str, &str); 7] = [
    ("trompe demo", "fetches collections"),
    ("trompe open run", "starts a browser; tests of it start another program"),
    ("trompe listen serve ", "serves until it is stopped; tests of trompe-listening-test run it"),
    (
        "trompe listen import study --database ",
        "needs answers; tests of trompe-listening-test run it",
    ),
    ("trompe listen pay ", "needs answers; tests of trompe-listening-test run it"),
    ("trompe listen expire ", "needs answers; tests of trompe-listening-test run it"),
    (
        "trompe listen import study --mapping ",
        "needs answers; tests of trompe-listening-test run it",
    ),
];

/// One verb: its words, and the examples of its help.
struct Verb {
    name: String,
    examples: Vec<String>,
}

/// Every command that has no commands of its own below it, or does something besides.
fn verbs(command: &clap::Command, above: &str, found: &mut Vec<Verb>) {
    let name = format!("{above} {}", command.get_name()).trim().to_owned();
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let lines = help.lines().map(str::trim).filter(|line| line.starts_with("trompe "));
    found.push(Verb { examples: lines.map(str::to_owned).collect(), name: name.clone() });
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        verbs(below, &name, found);
    }
}

/// The words of an example, without what a shell does with its output.
fn words(example: &str) -> Vec<&str> {
    let (command, _) = example.split_once(" > ").unwrap_or((example, ""));
    command.split_whitespace().collect()
}

fn all() -> Vec<Verb> {
    let mut found = Vec::new();
    verbs(&trompe::cli::Command::command(), "", &mut found);
    assert!(found.len() > 25, "{} verbs", found.len());
    found
}

#[test]
fn every_verb_has_an_example_that_the_command_line_takes() {
    for verb in all() {
        assert!(!verb.examples.is_empty(), "{}: no example in its help", verb.name);
        for example in &verb.examples {
            if let Err(error) = trompe::cli::Command::try_parse_from(words(example)) {
                panic!("{}: {example}\n{error}", verb.name);
            }
        }
        let own = format!("{} ", verb.name);
        let shown = verb.examples.iter().any(|example| format!("{example} ").starts_with(&own));
        assert!(shown, "{}: no example of it in its help", verb.name);
    }
}

#[test]
fn every_example_works_as_printed() {
    let place = Place::new();
    // In the order of the help: an example needs only what examples before it made.
    let verbs = all();
    let mut run = Vec::new();
    for example in verbs.iter().flat_map(|verb| &verb.examples) {
        let only_parsed = |(start, _): &(&str, &str)| {
            example == start || (start.ends_with(' ') && example.starts_with(start))
        };
        if !ONLY_PARSED.iter().any(only_parsed) && !run.contains(&example) {
            place.must(&words(example)[1..]);
            run.push(example);
        }
    }
    let lines: usize = verbs.iter().map(|verb| verb.examples.len()).sum();
    assert!(run.len() + 11 > lines && run.len() > 25, "{} of {lines} examples run", run.len());
}

#[test]
fn the_printed_configuration_is_read_back() {
    let place = Place::new();
    let text = place.must(&["fool", "--print-config"]);
    std::fs::write(place.path("fool.toml"), text).unwrap();
    let error = place.refused(&["fool", "--config", "fool.toml"]);
    assert!(error.contains("model.safetensors"), "{error}");
}

/// Lines of two screens of a terminal.
const MOST_LINES: usize = 50;

#[test]
fn the_short_help_of_each_verb_fits_two_screens() {
    let (mut long, mut counted) = (Vec::new(), 0);
    each(&mut trompe::cli::Command::command(), "", &mut |name, verb| {
        let lines = verb.render_help().to_string().lines().count();
        counted += 1;
        if lines > MOST_LINES {
            long.push(format!("{name}: {lines}"));
        }
    });
    assert!(counted > 25, "{counted} verbs");
    assert!(long.is_empty(), "{long:?}");
}

#[test]
fn every_option_is_in_the_long_help_of_some_verb() {
    let (mut options, mut shown) = (Vec::new(), String::new());
    each(&mut trompe::cli::Command::command(), "", &mut |_, verb| {
        options
            .extend(verb.get_arguments().filter_map(|option| option.get_long()).map(str::to_owned));
        shown.push_str(&verb.render_long_help().to_string());
    });
    let missing: Vec<_> =
        options.iter().filter(|option| !shown.contains(&format!("--{option}"))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// Calls `visit` with every verb and its name.
fn each(command: &mut clap::Command, above: &str, visit: &mut dyn FnMut(&str, &mut clap::Command)) {
    let name = format!("{above} {}", command.get_name()).trim().to_owned();
    *command = std::mem::take(command).term_width(80);
    command.build();
    visit(&name, command);
    for below in command.get_subcommands_mut().filter(|below| below.get_name() != "help") {
        each(below, &name, visit);
    }
}
