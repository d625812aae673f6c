//! Which licences allow copies of a sound or an image beside the exhibits, as their collections
//! state them. What is not known to allow them is not copied.

/// How licences that allow copies, changed or not and also for money, are written. All of them ask
/// for no more than that the licence and the authors stay named, or that copies stay under it.
const FREE: [&str; 20] = [
    "cc0",
    "cc by",
    "creative commons attribution",
    "creative commons zero",
    "public domain",
    "pddl",
    "gpl",
    "lgpl",
    "agpl",
    "gnu general public license",
    "gnu lesser general public license",
    "mit",
    "bsd",
    "0bsd",
    "isc",
    "apache",
    "zlib",
    "unlicense",
    "wtfpl",
    "ofl",
];

/// Words of conditions that copies on a web page may not meet.
const CONDITIONS: [&str; 19] = [
    "nc",
    "nd",
    "noncommercial",
    "nonfree",
    "noderivs",
    "noderivatives",
    "commercial",
    "derivatives",
    "changes",
    "permission",
    "research",
    "academic",
    "personal",
    "proprietary",
    "reserved",
    "copyrighted",
    "unknown",
    "unclear",
    "unstated",
];

/// Parts of a licence's text that are remarks.
const REMARKS: [&str; 1] = ["rendered on your machine"];

/// Why the content of a collection with this licence is not copied; `None` if it may be.
///
/// A text of several parts, divided by semicolons, must name a licence in each.
pub(super) fn why_not(licence: Option<&str>) -> Option<String> {
    let Some(text) = licence.map(str::trim).filter(|text| !text.is_empty()) else {
        return Some("its collection states no licence".to_owned());
    };
    let parts = text.split(';').map(words).filter(|part| !REMARKS.contains(&part.trim()));
    let mut parts = parts.peekable();
    let free = parts.peek().is_some() && parts.all(|part| allows(&part));
    (!free).then(|| "the licence of its collection is not known to allow copies".to_owned())
}

/// Lower case, words divided by one space, with one at each end. A hyphen divides words, too, so that
/// `CC-BY-NC-4.0` holds the word `nc`.
fn words(part: &str) -> String {
    let plain: String = part
        .to_lowercase()
        .chars()
        .map(|c| if c.is_alphanumeric() || c == '.' || c == '+' { c } else { ' ' })
        .collect();
    let words: Vec<&str> = plain.split_whitespace().collect();
    format!(" {} ", words.join(" "))
}

fn allows(part: &str) -> bool {
    let names = |licence: &&str| {
        let licence = words(licence);
        // A version may follow: `GPL-2+`, `GPL2`, `CC0-1.0`, `GPLv3`.
        part.match_indices(licence.trim_end()).any(|(at, found)| {
            let rest = part[at + found.len()..].trim_start_matches('v');
            rest.starts_with([' ', '+', '.', ',']) || rest.starts_with(|c: char| c.is_ascii_digit())
        })
    };
    let condition = |word: &&str| part.contains(&format!(" {word} "));
    FREE.iter().any(names) && !CONDITIONS.iter().any(condition)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use trompe_corpora::Cache;
    use trompe_corpora::recipes;

    use super::*;

    #[test]
    fn licences_that_allow_copies() {
        for text in [
            "CC0",
            "CC0-1.0",
            "CC BY 4.0",
            "CC-BY-SA-3.0",
            "Creative Commons Attribution-ShareAlike 3.0",
            "GPL-2+",
            "GPLv3",
            "LGPL-2.1-or-later",
            "MIT",
            "MIT OR Apache-2.0",
            "BSD-3-Clause",
            "public domain",
            "images: CC BY-SA 3.0; package: ISC",
            "style files GPL-2+, SoundFont GPL-2; rendered on your machine",
        ] {
            assert_eq!(why_not(Some(text)), None, "{text}");
        }
    }

    #[test]
    fn others_and_conditions_do_not() {
        for text in [
            "CC BY-NC 4.0",
            "CC-BY-NC-SA-4.0",
            "CC-BY-ND-4.0",
            "Creative Commons Attribution-NonCommercial 4.0",
            "Creative Commons Attribution, non-commercial",
            "all rights reserved",
            "music: Creative Commons of each artist; package: MIT",
            "free for research; MIT",
            "MIT, for research only",
            "rendered on your machine",
            "permitted use",
            "summit",
            "ask the authors",
        ] {
            let why = why_not(Some(text));
            assert!(why.is_some_and(|why| why.contains("not known")), "{text}");
        }
        for none in [None, Some(""), Some("  ")] {
            assert!(why_not(none).unwrap().contains("states no licence"));
        }
    }

    #[test]
    fn every_collection_of_the_program_is_decided_as_its_packages_say() {
        let cache = tempfile::tempdir().unwrap();
        let copied: Vec<String> = recipes::list(&Cache::at(cache.path()))
            .unwrap()
            .into_iter()
            .filter(|recipe| why_not(Some(&recipe.licence)).is_none())
            .map(|recipe| recipe.name)
            .collect();
        assert!(!copied.contains(&"fma-clips".to_owned()), "each artist's own licence");
        for name in
            ["synthetic", "synthetic-loops", "styles", "styles-2", "loops", "samples", "mnist"]
        {
            assert!(copied.contains(&name.to_owned()), "{name}");
        }
    }
}
