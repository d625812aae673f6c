//! Options that have no effect on what was asked for are refused, before anything long begins.
//!
//! Which options apply depends on the kind of classifier and on what the corpus holds; clap cannot
//! tell, so this looks at what stands on the command line.

use clap::ArgMatches;
use clap::parser::ValueSource;

use super::data::Kind;
use crate::error::{Error, Result};
use crate::pipeline::open;

/// Options by the kinds of classifiers that have them.
const OF_KINDS: [(&[&str], &[Kind]); 5] = [
    (&["rounds", "learner", "votes"], &[Kind::Adabffs, Kind::AdaboostMh]),
    (&["penalty"], &[Kind::Logistic]),
    (&["epochs"], &[Kind::Lenet, Kind::Lenet5]),
    (&["aggregate"], &[Kind::Adabffs, Kind::AdaboostMh, Kind::Logistic]),
    (
        &[
            "front_end",
            "lowest",
            "quality",
            "magnitude",
            "log",
            "normalization",
            "reduce",
            "no_unit_norm",
            "epsilon",
            "solver",
            "iterations",
        ],
        &[Kind::Srcam],
    ),
];

/// Options that mean something for sound alone.
const OF_SOUND: [&str; 10] = [
    "aggregate",
    "save_features",
    "check_levels",
    "bank",
    "folds",
    "trials",
    "by",
    "against",
    "shuffle_labels",
    "permutations",
];

/// Options that mean something for images alone.
const OF_IMAGES: [&str; 2] = ["generator", "images"];

/// Refuses options that do not apply to the classifier or the corpus of a verb.
///
/// # Errors
/// [`Error::Request`] that names the option.
pub(super) fn check(matches: &ArgMatches) -> Result<()> {
    let Some((verb, given)) = matches.subcommand() else { return Ok(()) };
    if !matches!(verb, "train" | "evaluate" | "retrain") {
        return Ok(());
    }
    let is_given = |id: &str| {
        let known = given.try_contains_id(id).is_ok();
        known && given.value_source(id) == Some(ValueSource::CommandLine)
    };
    if verb == "evaluate" && is_given("model") {
        let training = OF_KINDS.iter().flat_map(|(options, _)| *options);
        if let Some(id) = std::iter::once(&"classifier").chain(training).find(|id| is_given(id)) {
            return Err(Error::request(
                format!("{} says how to train, and the model of --model is trained", option(id)),
                "leave one of the two out",
            ));
        }
    }
    let Some(&kind) = given.get_one::<Kind>("classifier") else { return Ok(()) };
    let rival = match verb {
        "evaluate" => given.get_one::<Kind>("against").copied(),
        _ => None,
    };
    let kinds: Vec<Kind> = std::iter::once(kind).chain(rival).collect();
    for (options, of) in OF_KINDS {
        if let Some(id) = options.iter().find(|id| is_given(id))
            && !kinds.iter().any(|kind| of.contains(kind))
        {
            let of: Vec<&str> = of.iter().map(|kind| kind.name()).collect();
            return Err(Error::request(
                format!(
                    "{} is an option of {}, and the classifier is {}",
                    option(id),
                    of.join(" and "),
                    kind.name()
                ),
                "leave it out, or choose such a classifier with --classifier",
            ));
        }
    }
    let Some(corpus) = given.get_one::<String>("corpus") else { return Ok(()) };
    let images = matches!(kind, Kind::Lenet | Kind::Lenet5) || open::is_images(corpus)?;
    let (others, medium) = match images {
        true => (&OF_SOUND[..], "sound"),
        false => (&OF_IMAGES[..], "images"),
    };
    match others.iter().find(|id| is_given(id)) {
        Some(id) => Err(Error::request(
            format!(
                "{} works for {medium} only, and {} here",
                option(id),
                if images { "images are judged" } else { "sound is judged" }
            ),
            "leave it out",
        )),
        None => Ok(()),
    }
}

/// The option of an argument's name in the program.
fn option(id: &str) -> String {
    format!("--{}", id.replace('_', "-"))
}
