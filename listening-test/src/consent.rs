//! The consent page of a study: what it states of itself, and data protection.

use serde::{Deserialize, Serialize};

use crate::texts::{LANGUAGES, Texts};

/// Consent page and data protection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// Who answers for the study and can be written to.
    pub contact: String,
    /// Text of the study's own, per language, shown before the general text.
    #[serde(default)]
    pub text: Texts,
    /// What the study is for, per language.
    #[serde(default, skip_serializing_if = "Texts::is_empty")]
    pub purpose: Texts,
    /// Who carries it out, such as a university and its ethics vote, per language.
    #[serde(default, skip_serializing_if = "Texts::is_empty")]
    pub institution: Texts,
    /// Who gets the data, and in which form, per language.
    #[serde(default, skip_serializing_if = "Texts::is_empty")]
    pub sharing: Texts,
    /// Least age in years.
    pub minimum_age: u32,
    /// Day (YYYY-MM-DD) by which the answers database is erased.
    pub retain_until: String,
}

impl Consent {
    /// Checks that what the study states of itself can be read in every language it offers.
    pub(crate) fn check(&self, languages: &[String]) -> Result<(), String> {
        for (name, texts) in [
            ("purpose", &self.purpose),
            ("institution", &self.institution),
            ("sharing", &self.sharing),
        ] {
            let known = |language: &str| LANGUAGES.contains(&language);
            if let Some(language) = texts.keys().find(|language| !known(language)) {
                let all = LANGUAGES.join(", ");
                return Err(format!("consent.{name} has the language {language:?}, none of {all}"));
            }
            if let Some((language, _)) = texts.iter().find(|(_, text)| text.trim().is_empty()) {
                return Err(format!("consent.{name}.{language} is empty"));
            }
            if texts.is_empty() || texts.contains_key("en") {
                continue;
            }
            if let Some(language) = languages.iter().find(|name| !texts.contains_key(*name)) {
                return Err(format!(
                    "consent.{name} has no text for {language:?}, and none in \"en\" to show in its place"
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn consent(purpose: &[(&str, &str)]) -> Consent {
        let purpose = purpose.iter().map(|&(language, text)| (language.into(), text.into()));
        Consent {
            contact: "lab@example.org".into(),
            text: Texts::new(),
            purpose: purpose.collect(),
            institution: Texts::new(),
            sharing: Texts::new(),
            minimum_age: 18,
            retain_until: "2030-01-01".into(),
        }
    }

    #[test]
    fn what_a_study_states_can_be_read_in_every_language_it_offers() {
        let check = |purpose: &[(&str, &str)], languages: &[&str]| {
            let languages: Vec<String> = languages.iter().map(|&name| name.into()).collect();
            consent(purpose).check(&languages)
        };
        assert_eq!(check(&[], &["en", "de"]), Ok(()));
        assert_eq!(check(&[("en", "Why")], &["en", "de"]), Ok(()), "English stands in");
        assert_eq!(check(&[("de", "Zweck")], &["de"]), Ok(()));
        let missing = check(&[("de", "Zweck")], &["de", "fr"]).unwrap_err();
        assert!(missing.contains("consent.purpose has no text for \"fr\""), "{missing}");
        let unknown = check(&[("en", "Why"), ("xx", "?")], &["en"]).unwrap_err();
        assert!(unknown.contains("\"xx\", none of en, de"), "{unknown}");
        let empty = check(&[("en", " ")], &["en"]).unwrap_err();
        assert_eq!(empty, "consent.purpose.en is empty");
    }
}
