//! File names of exhibits: readable, the same on every system, safe for any class name.

/// Longest part of a file name that is taken from a class name, in characters.
const LONGEST_SLUG: usize = 40;

/// Posterior as `0.9997`: cut to `digits` decimals, not rounded, so that no posterior
/// looks as if it reached a threshold that it missed.
pub fn truncated(posterior: f64, digits: usize) -> String {
    let scale = 10f64.powi(digits as i32);
    // A millionth of the last digit keeps 0.9997 from becoming 0.9996 by its binary error.
    format!("{:.digits$}", (posterior * scale + 1e-6).floor() / scale)
}

/// One file-name stem per class: lower-case letters, digits and single hyphens. If two
/// classes would share a stem, or one has none, all stems start with the class number.
pub fn class_stems(classes: &[String]) -> Vec<String> {
    let slugs: Vec<String> = classes.iter().map(|class| slug(class)).collect();
    let distinct: std::collections::BTreeSet<&String> = slugs.iter().collect();
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
/// separators, no drive, no `.` or `..`, no control characters.
pub fn is_plain_file_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 255
        && !name.starts_with('.')
        && !name.contains(['/', '\\', ':'])
        && !name.chars().any(char::is_control)
}

fn slug(class: &str) -> String {
    let mut slug = String::new();
    for c in class.chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(LONGEST_SLUG);
    slug.trim_end_matches('-').to_owned()
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
    fn any_class_name_gives_distinct_plain_file_names() {
        let long = "x".repeat(300);
        let hostile =
            ["../../etc", "", "ロック", "a/b", "a b", "A\\B", "c:\\x", &long, "\n", "<b>"];
        let names: Vec<String> =
            stems(&hostile).iter().map(|stem| file_name(stem, 1, 0.5, "wav")).collect();
        let distinct: std::collections::BTreeSet<&String> = names.iter().collect();
        assert_eq!(distinct.len(), hostile.len(), "{names:?}");
        for name in &names {
            assert!(is_plain_file_name(name), "{name}");
            assert!(name.len() < 80, "{name}");
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
        assert!(is_plain_file_name("blues-1_0.9997.wav"));
    }
}
