//! File names of exhibits: readable, the same on every system, safe for any class name.
//!
//! Letters of every script stay: `tönê music` gives `tönê-music`. File systems disagree about
//! Unicode: some store decomposed names, some ignore case. So names are composed (NFKC, which also
//! turns compatibility characters into plain ones) and lower-case, and no two of a set are equal
//! under case folding.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Longest part of a file name that is taken from a class name, in bytes of UTF-8. File systems
/// allow 143 (eCryptfs) to 255 for the whole name.
const LONGEST_SLUG: usize = 80;

/// Names that Windows keeps for devices, whatever their extension. The digits of `com` and `lpt`
/// may also be superscripts.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];

/// Posterior as `0.9997`: cut to `digits` decimals, not rounded, so that no posterior
/// looks as if it reached a threshold that it missed.
pub fn truncated(posterior: f64, digits: usize) -> String {
    let scale = 10f64.powi(digits as i32);
    // A millionth of the last digit keeps 0.9997 from becoming 0.9996 by its binary error.
    format!("{:.digits$}", (posterior * scale + 1e-6).floor() / scale)
}

/// One file-name stem per class: lower-case letters, digits and single hyphens. If two
/// classes would share a stem, even if only under case folding, or one has none, all stems start
/// with the class number.
pub fn class_stems(classes: &[String]) -> Vec<String> {
    let slugs: Vec<String> = classes.iter().map(|class| slug(class)).collect();
    let distinct: BTreeSet<String> = slugs.iter().map(|slug| folded(slug)).collect();
    if distinct.len() == slugs.len() && slugs.iter().all(|slug| !slug.is_empty()) {
        return slugs;
    }
    let numbered = |(class, slug): (usize, &String)| format!("class{class:02}-{slug}");
    slugs.iter().enumerate().map(numbered).map(|stem| stem.trim_matches('-').to_owned()).collect()
}

/// `blues-1_0.9997.wav`: class stem, rank in the class from 1, posterior, extension.
pub fn file_name(stem: &str, rank: usize, posterior: f64, extension: &str) -> String {
    format!("{stem}-{rank}_{}.{extension}", truncated(posterior, 4))
}

/// Whether `name` names a visible file directly inside a folder on every system: no
/// separators, no drive, no `.` or `..`, no control characters, no dot or space at the end, no
/// device of Windows.
pub fn is_plain_file_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 255
        && !name.starts_with('.')
        && !name.ends_with(['.', ' '])
        && !name.contains(['/', '\\', ':'])
        && !name.chars().any(char::is_control)
        && !is_device(name)
}

/// Whether Windows opens a device by this name.
fn is_device(name: &str) -> bool {
    let stem: String = name.split('.').next().unwrap_or("").trim_end().nfkc().collect();
    let stem = stem.to_lowercase();
    let numbered = |port| {
        stem.strip_prefix(port)
            .is_some_and(|digit: &str| digit.len() == 1 && digit.as_bytes()[0].is_ascii_digit())
    };
    DEVICES.contains(&stem.as_str()) || numbered("com") || numbered("lpt")
}

/// What file systems that ignore case and Unicode form compare. The way over upper case also
/// equates what has several lower-case forms (`ß` and `ss`, `σ` and `ς`).
fn folded(name: &str) -> String {
    let composed: String = name.nfkc().collect();
    composed.to_uppercase().to_lowercase().nfkc().collect()
}

fn slug(class: &str) -> String {
    // Compatibility characters may stand for separators: compose before anything is left out.
    let composed: String = class.nfkc().collect();
    let mut slug = String::new();
    for c in composed.to_lowercase().nfkc() {
        let is_mark = is_combining_mark(c);
        if is_invisible(c) {
            continue;
        }
        if c.is_alphanumeric() && !is_mark {
            if slug.len() + c.len_utf8() > LONGEST_SLUG {
                break;
            }
            slug.push(c);
        } else if slug.is_empty() || slug.ends_with('-') {
            // Neither a hyphen nor a mark has anything to stand behind.
        } else if slug.len() + c.len_utf8() > LONGEST_SLUG {
            break;
        } else {
            slug.push(if is_mark { c } else { '-' });
        }
    }
    slug.trim_end_matches('-').to_owned()
}

/// Letters and marks that show nothing: fillers and variation selectors.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}')
        || matches!(c, '\u{180b}'..='\u{180f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stems(classes: &[&str]) -> Vec<String> {
        class_stems(&classes.iter().map(|&class| class.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn usual_classes_keep_their_names() {
        assert_eq!(stems(&["blues", "Hip Hop", "R&B"]), ["blues", "hip-hop", "r-b"]);
        assert_eq!(file_name("blues", 1, 0.99979, "wav"), "blues-1_0.9997.wav");
    }

    #[test]
    fn letters_of_every_script_stay_and_are_composed() {
        let decomposed = "to\u{308}ne\u{302} music";
        assert_eq!(stems(&["Tönê Music", "ロック", "हिन्दी"]), ["tönê-music", "ロック", "हिन्दी"]);
        assert_eq!(stems(&[decomposed, "b"]), ["tönê-music", "b"]);
        assert_eq!(stems(&["a\u{2100}b", "x\u{202e}y\u{fe0f}"]), ["aa-cb", "x-y"]);
        assert_eq!(stems(&["\u{308}x", "-\u{308}y"]), ["x", "y"]);
    }

    #[test]
    fn classes_that_a_file_system_may_take_for_one_are_numbered() {
        for pair in [["Straße", "STRASSE"], ["σ", "ς"], ["tönê", "to\u{308}ne\u{302}"]] {
            let stems = stems(&pair);
            assert!(stems[0].starts_with("class00-") && stems[1].starts_with("class01-"));
        }
    }

    #[test]
    fn a_long_name_is_cut_between_characters() {
        for class in ["é".repeat(300), format!("x{}", "é".repeat(300)), "界".repeat(300)] {
            let stem = stems(&[&class, "b"])[0].clone();
            assert!(class.starts_with(&stem) && (78..=80).contains(&stem.len()), "{stem}");
        }
    }

    #[test]
    fn any_class_name_gives_distinct_plain_file_names() {
        let long = "x".repeat(300);
        let hostile = [
            "../../etc",
            "",
            "ロック",
            "a/b",
            "a b",
            "A\\B",
            "c:\\x",
            &long,
            "\n",
            "<b>",
            "con",
            "CON",
            "x. . .",
            "\u{2025}/\u{ff0f}",
        ];
        let names: Vec<String> =
            stems(&hostile).iter().map(|stem| file_name(stem, 1, 0.5, "wav")).collect();
        let distinct: BTreeSet<&String> = names.iter().collect();
        assert_eq!(distinct.len(), hostile.len(), "{names:?}");
        for name in &names {
            assert!(is_plain_file_name(name), "{name}");
            assert!(name.len() < 120, "{name}");
        }
    }

    #[test]
    fn a_posterior_is_cut_not_rounded() {
        assert_eq!(truncated(0.99999, 4), "0.9999");
        assert_eq!(truncated(0.9997, 4), "0.9997");
        assert_eq!(truncated(0.29, 2), "0.29");
        assert_eq!(truncated(1.0, 4), "1.0000");
        assert_eq!(truncated(0.0, 4), "0.0000");
    }

    #[test]
    fn names_that_leave_the_folder_are_not_plain() {
        for name in ["", ".", "..", ".hidden", "../a", "/a", "a/b", "a\\b", "C:a", "a\0", "a\nb"] {
            assert!(!is_plain_file_name(name), "{name:?}");
        }
        for name in ["con", "NUL.wav", "aux.tar.gz", "com1.png", "LPT\u{b9}.wav", "a.", "a.wav "] {
            assert!(!is_plain_file_name(name), "{name:?}");
        }
        for name in ["blues-1_0.9997.wav", "con-1_0.9997.wav", "com.wav", "com12.wav", "tönê.wav"]
        {
            assert!(is_plain_file_name(name), "{name:?}");
        }
    }
}
