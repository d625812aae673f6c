//! The page's languages are complete: no key is missing, left over or left untranslated.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use trompe_listening_test::study::{LANGUAGES, Question};

type Words = BTreeMap<String, String>;

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("page")
}

fn words(language: &str) -> Words {
    let path = page().join("languages").join(format!("{language}.json"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn placeholders(text: &str) -> BTreeSet<&str> {
    text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
}

/// Words that are the same in a Latin-script language as in English.
fn may_be_equal(language: &str, key: &str) -> bool {
    let shared = [
        "direction",
        "bs1116.5",
        "option.hearing.no",
        "option.training.1-2",
        "option.training.3-5",
        "option.training.6-9",
    ];
    key.starts_with("class.") && language != "ar" || shared.contains(&key)
}

#[test]
fn every_language_says_everything_in_its_own_words() {
    let english = words("en");
    for language in LANGUAGES {
        let other = words(language);
        let keys = |words: &Words| words.keys().cloned().collect::<BTreeSet<_>>();
        assert_eq!(keys(&other), keys(&english), "{language}");
        for (key, text) in &other {
            assert!(!text.trim().is_empty(), "{language}: {key} is empty");
            assert_eq!(placeholders(text), placeholders(&english[key]), "{language}: {key}");
            if language != "en" && !may_be_equal(language, key) {
                assert_ne!(text, &english[key], "{language}: {key} is not translated");
            }
        }
    }
}

#[test]
fn the_page_uses_only_keys_that_exist_and_all_of_them() {
    let english = words("en");
    let mut code = String::new();
    for entry in std::fs::read_dir(page()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "js") {
            code += &std::fs::read_to_string(path).unwrap();
        }
    }
    // literal keys: t("key", ...) and t(condition ? "a" : "b")
    let mut checked = 0;
    for (at, _) in code.match_indices("t(") {
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '.' || c == '_') {
            continue; // the end of another name
        }
        let argument = code[at + 2..].split([')', ',', '\n']).next().unwrap();
        for literal in argument.split('"').skip(1).step_by(2) {
            if argument.starts_with('"') || argument.contains(" ? \"") {
                let is_value = ["choice", "image"].contains(&literal); // compared, not shown
                assert!(is_value || english.contains_key(literal), "{literal} has no wording");
                checked += 1;
            }
        }
    }
    assert!(checked > 50, "only {checked} keys were found in the page");
    // keys put together at run time have these beginnings
    let families = [
        "question.",
        "option.",
        "consent.",
        "ears.",
        "huggins.",
        "antiphase.",
        "interval.",
        "intro.",
        "ask.",
        "likert.",
        "mushra.",
        "bs1116.",
        "confidence.",
        "error.",
        "class.",
        "direction",
    ];
    for key in english.keys() {
        let used =
            code.contains(&format!("\"{key}\"")) || families.iter().any(|f| key.starts_with(f));
        assert!(used, "{key} is used nowhere");
    }
    for question in Question::default_list() {
        assert!(english.contains_key(&format!("question.{}", question.name)));
        for option in &question.options {
            let key = format!("option.{}.{option}", question.name);
            assert!(question.name == "genres" || english.contains_key(&key), "{key}");
        }
    }
}
