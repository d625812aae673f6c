//! Words of messages.

use std::fmt::Display;

/// A count with its noun: `1 class`, `2 classes`, `3 studies`. `noun` is the singular; of several
/// words the last is inflected.
pub fn counted<N: Display + PartialEq + From<u8>>(count: N, noun: &str) -> String {
    let one = count == N::from(1);
    format!("{count} {}", if one { noun.to_owned() } else { plural(noun) })
}

/// The plural of a regular noun.
pub fn plural(noun: &str) -> String {
    let ends = |ends: &[&str]| ends.iter().any(|end| noun.ends_with(end));
    match noun.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'i', 'o', 'u']) => format!("{stem}ies"),
        _ if ends(&["s", "x", "z", "ch", "sh"]) => format!("{noun}es"),
        _ => format!("{noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nouns_agree_with_their_count() {
        for (noun, one, more) in [
            ("class", "1 class", "2 classes"),
            ("feature vector", "1 feature vector", "2 feature vectors"),
            ("study", "1 study", "2 studies"),
            ("day", "1 day", "2 days"),
            ("box", "1 box", "2 boxes"),
        ] {
            assert_eq!(counted(1_usize, noun), one);
            assert_eq!(counted(2_u64, noun), more);
            assert_eq!(counted(0_u32, noun), format!("0 {}", plural(noun)));
        }
    }
}
