//! "Did you mean": the known name that is most like a name that is not known.

/// Least Jaro similarity of a name that is suggested; clap's for its own names.
const LEAST: f64 = 0.7;

/// ` (did you mean 'NAME'?)` with the most similar of `known`; empty if none is similar.
pub(crate) fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let similarity = |known: &'a str| (strsim::jaro(name, known), known);
    known
        .into_iter()
        .map(similarity)
        .filter(|(similarity, _)| *similarity > LEAST)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map_or_else(String::new, |(_, known)| format!(" (did you mean '{known}'?)"))
}

#[cfg(test)]
mod tests {
    use super::did_you_mean;

    #[test]
    fn the_most_similar_name_is_suggested_and_unlike_ones_are_not() {
        let known = ["styles", "styles-2", "synthetic"];
        assert_eq!(did_you_mean("synthetc", known), " (did you mean 'synthetic'?)");
        assert_eq!(did_you_mean("style", known), " (did you mean 'styles'?)");
        assert_eq!(did_you_mean("nowhere", known), "");
    }
}
