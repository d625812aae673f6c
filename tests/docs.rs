//! Pages of docs that list what the program has agree with the program.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser;

use crate::program::Place;

fn docs(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name)
}

#[test]
fn every_data_set_that_is_recognized_has_a_page() {
    let listed = Place::new().must(&["corpus", "list", "--layouts", "--json"]);
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let overview = fs::read_to_string(docs("data-sets/README.md")).unwrap();
    let mut pages = BTreeSet::new();
    for set in listed.as_array().unwrap() {
        let (name, page) = (set["name"].as_str().unwrap(), set["page"].as_str().unwrap());
        let (_, file) = page.rsplit_once('/').unwrap();
        assert_eq!(page, format!("docs/data-sets/{file}"));
        let text = fs::read_to_string(docs(&format!("data-sets/{file}"))).unwrap();
        // "ISMIR04 (ISMIR-Genre)" has the page "ISMIR04, also called ISMIR-Genre".
        let title = text.lines().next().unwrap();
        for word in name.split([' ', '(', ')']).filter(|word| !word.is_empty()) {
            assert!(title.contains(word), "{page}: {title}, for {name}");
        }
        for section in ["**Where.**", "**How it is read.**", "**What is known to be wrong.**"] {
            assert!(text.contains(section), "{page} has no {section}");
        }
        let commands: Vec<&str> = text.lines().filter(|l| l.starts_with("trompe ")).collect();
        assert!(!commands.is_empty(), "{page} has no command");
        for line in commands {
            let words = line.split(" #").next().unwrap_or(line).split_whitespace();
            trompe::cli::Command::try_parse_from(words)
                .unwrap_or_else(|error| panic!("{page}: {line}\n{error}"));
        }
        assert!(overview.contains(&format!("]({file})")), "the overview does not link {file}");
        pages.insert(file.to_owned());
    }
    let there = fs::read_dir(docs("data-sets")).unwrap();
    let mut there: BTreeSet<String> =
        there.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    there.remove("README.md");
    assert_eq!(there, pages, "pages of data sets that the program does not recognize");
}

/// Options that several verbs have.
const SHARED: [&str; 6] = ["out", "force", "seed", "targets", "json", "quiet"];

/// A line of the table: a verb without verbs below it, and which of the options it has.
fn rows(command: &clap::Command, above: &str, found: &mut Vec<String>) {
    let name = format!("{above} {}", command.get_name()).trim().to_owned();
    let below: Vec<_> = command.get_subcommands().filter(|c| c.get_name() != "help").collect();
    let own = |argument: &clap::Arg| {
        !argument.is_global_set() && !["help", "version"].contains(&argument.get_id().as_str())
    };
    if below.is_empty() || command.get_arguments().any(own) {
        let has = |long: &&str| {
            let mut longs = command.get_arguments().filter_map(|argument| argument.get_long());
            if longs.any(|other| other == *long) { " x |" } else { " |" }
        };
        let cells: String = SHARED.iter().map(has).collect();
        found.push(format!("| `{name}` |{cells}"));
    }
    below.into_iter().for_each(|verb| rows(verb, &name, found));
}

#[test]
fn the_table_of_shared_options_is_that_of_the_command_line() {
    let mut command = <trompe::cli::Command as clap::CommandFactory>::command();
    command.build();
    let mut found = Vec::new();
    rows(&command, "", &mut found);
    let table = found.join("\n");
    let text = fs::read_to_string(docs("options.md")).unwrap();
    assert!(found.len() > 25, "{} verbs", found.len());
    assert!(text.contains(&table), "docs/options.md lacks the table\n{table}");
    assert_eq!(text.matches("| `trompe").count(), found.len(), "docs/options.md has other rows");
}
