//! An experiment of webMUSHRA (`configs/*.yaml`) as what a study is built from.
//!
//! | page | becomes |
//! |---|---|
//! | `paired_comparison` | ABX: reference and condition in random order, which of them is X? |
//! | `preference_test` with `numPerTrial: 2` | AB of every two stimuli |
//! | `likert_single_stimulus` | a Likert scale with as many steps as responses |
//! | `mushra` | a page of MUSHRA, with the anchors that it asks for |
//! | `generic` before the first trial, `consent` | text of the study's own on the consent page |
//! | `volume`, `headphones`, `headphones_screen`, `finish` | the study's own level and headphone check, and end |
//!
//! Pages that no block can hold (`bs1116`, `likert_multi_stimulus`, an unforced choice, ...) are
//! refused by name and line, all at once. What is left out without changing what is asked is
//! said in warnings.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use saphyr::{LoadableYamlNode, MarkedYaml, Scalar, YamlData};

use crate::error::{Error, Result};
use crate::mushra::{Anchor, MushraPage, check_name};
use crate::study::{LANGUAGES, LONGEST_SCALE, Task};

/// What an experiment asks.
#[derive(Debug, Clone, PartialEq)]
pub struct Design {
    /// Its `testId` in letters, digits and hyphens.
    pub name: String,
    /// Its `testname`.
    pub title: String,
    /// Its language, one of [`LANGUAGES`].
    pub language: String,
    /// Texts before the first trial, without markup.
    pub introduction: String,
    /// Pages with the same task, question and scale.
    pub blocks: Vec<DesignBlock>,
    /// What was left out or is otherwise here.
    pub warnings: Vec<String>,
}

/// Trials that are asked about in the same way.
#[derive(Debug, Clone, PartialEq)]
pub struct DesignBlock {
    /// ABX, AB, Likert or MUSHRA.
    pub task: Task,
    /// The question, without markup; empty for the page's own.
    pub question: String,
    /// Steps of the Likert scale.
    pub scale: u32,
    /// The trials, in order; none of MUSHRA.
    pub trials: Vec<DesignTrial>,
    /// The pages of MUSHRA, in order; none of other tasks.
    pub pages: Vec<MushraPage>,
}

/// One trial.
#[derive(Debug, Clone, PartialEq)]
pub struct DesignTrial {
    /// Condition as in the answers table.
    pub condition: String,
    /// One file to rate, or two to compare.
    pub files: Vec<PathBuf>,
}

/// Keys of trial pages that say how something looks or is operated, not what is asked.
const LOOKS: [&str; 9] = [
    "showWaveform",
    "enableLooping",
    "mustRate",
    "mustPlayback",
    "considerOrder",
    "strict",
    "randomize",
    "showConditionNames",
    "switchBack",
];

/// Keys of trial pages that are read.
const READ: [&str; 11] = [
    "type",
    "id",
    "name",
    "content",
    "reference",
    "stimuli",
    "response",
    "unforced",
    "numPerTrial",
    "createAnchor35",
    "createAnchor70",
];

/// Bytes of a file, and marks of nesting on one of its lines, at most. Every line that goes on
/// nesting is indented further than all before it, so together they bound how deep lists lie
/// in each other (to some 3,000): the YAML reader follows them by recursion.
const LONGEST: u64 = 256 * 1024;
const MARKS: usize = 32;

type Node<'a> = MarkedYaml<'a>;

/// Reads an experiment.
///
/// # Errors
/// [`trompe_base::Error::BadFile`] for a file that is not YAML or no experiment, for pages without an
/// equivalent, and for stimuli that are not there.
pub fn read_design(path: &Path) -> Result<Design> {
    let bad = |what: String| {
        Error::bad_file(path, what, "correct it, or leave out what a study here cannot ask")
    };
    let text = read_bounded(path)?;
    let documents = Node::load_from_str(&text).map_err(|error| bad(error.to_string()))?;
    let root = documents.first().ok_or_else(|| bad("it is empty".into()))?;
    let pages = get(root, "pages").ok_or_else(|| bad("it has no `pages`".into()))?;
    let title = text_of(root, "testname");
    let mut reader = Reader {
        folder: std::path::absolute(path).map_err(|source| Error::io(path, source))?,
        introduction: Vec::new(),
        blocks: Vec::new(),
        left_out: BTreeMap::new(),
        refused: Vec::new(),
        fixed_order: false,
    };
    reader.pages(pages, false);
    if !reader.refused.is_empty() {
        return Err(bad(format!("no equivalent for {}", reader.refused.join("; "))));
    }
    if reader.blocks.is_empty() {
        return Err(bad("no page of it asks anything".into()));
    }
    let (language, unknown) = match text_of(root, "language").as_str() {
        "" => ("en".into(), None),
        known if LANGUAGES.contains(&known) => (known.to_owned(), None),
        other => {
            ("en".into(), Some(format!("the page has no language {other:?}; it is in English")))
        }
    };
    Ok(Design {
        name: plain(&text_of(root, "testId")),
        title: without_markup(&title),
        language,
        introduction: reader.introduction.join("\n\n"),
        warnings: reader.warnings(unknown),
        blocks: reader.blocks,
    })
}

/// The text of a file that is short and nests little.
fn read_bounded(path: &Path) -> Result<String> {
    let bad = |what: &str| Error::bad_file(path, what, "is this an experiment of webMUSHRA?");
    let size = std::fs::metadata(path).map_err(|source| Error::io(path, source))?.len();
    if size > LONGEST {
        return Err(bad("it has more than 256 KiB"));
    }
    let text = std::fs::read_to_string(path).map_err(|source| Error::io(path, source))?;
    let marks = |line: &str| {
        let pairs = line.as_bytes().windows(2);
        pairs.filter(|pair| b"-?".contains(&pair[0]) && pair[1].is_ascii_whitespace()).count()
    };
    if text.lines().any(|line| marks(line) > MARKS) {
        return Err(bad("lists in lists in lists"));
    }
    Ok(text)
}

/// Goes through the pages and keeps what they ask.
struct Reader {
    /// The file itself, absolute: its folders are where stimuli are looked for.
    folder: PathBuf,
    introduction: Vec<String>,
    blocks: Vec<DesignBlock>,
    /// What is left out, with its lines.
    left_out: BTreeMap<String, Vec<usize>>,
    refused: Vec<String>,
    fixed_order: bool,
}

impl Reader {
    /// A list of pages and lists; one that begins with `random` is shuffled.
    fn pages(&mut self, pages: &Node<'_>, random: bool) {
        let YamlData::Sequence(list) = &pages.data else {
            self.refused.push(format!("line {}: `pages` is not a list", line(pages)));
            return;
        };
        let shuffled = list.first().is_some_and(|first| scalar(first).as_deref() == Some("random"));
        for node in list.iter().skip(usize::from(shuffled)) {
            match &node.data {
                YamlData::Sequence(_) => self.pages(node, random || shuffled),
                YamlData::Mapping(_) => self.page(node, random || shuffled),
                _ => self.refused.push(format!("line {}: this is no page", line(node))),
            }
        }
    }

    fn page(&mut self, page: &Node<'_>, random: bool) {
        let kind = text_of(page, "type");
        let asked = match kind.as_str() {
            "paired_comparison" => self.comparisons(page),
            "preference_test" => self.preferences(page),
            "likert_single_stimulus" => self.ratings(page),
            "mushra" => self.mushra(page),
            "generic" | "consent" if self.blocks.is_empty() => {
                self.introduction.push(without_markup(&text_of(page, "content")));
                return;
            }
            "generic" | "consent" | "volume" | "headphones" | "headphones_screen" => {
                self.leave_out(&format!("pages `{kind}`"), page);
                return;
            }
            "finish" => {
                for key in ["questionnaire", "confirmationCode"] {
                    if let Some(value) = get(page, key) {
                        self.leave_out(&format!("`{key}`"), value);
                    }
                }
                return;
            }
            "bs1116" => Err("a hidden reference to be found (BS.1116)".into()),
            "likert_multi_stimulus" => Err("several stimuli rated on one page".into()),
            other => Err(format!("pages of type {other:?}")),
        };
        match asked {
            Ok(block) => {
                self.fixed_order |= !random;
                self.leave_out_looks(page);
                self.add(block);
            }
            Err(what) => {
                let id = text_of(page, "id");
                self.refused.push(format!("page {id:?} (line {}): {what}", line(page)));
            }
        }
    }

    fn comparisons(&self, page: &Node<'_>) -> Result<DesignBlock, String> {
        let unforced = text_of(page, "unforced");
        if !unforced.is_empty() {
            return Err(format!("`unforced` (an answer {unforced:?} besides A and B)"));
        }
        let reference = get(page, "reference").ok_or("it has no `reference`")?;
        let reference = self.file(reference)?;
        let mut trials = Vec::new();
        for (_, file) in self.stimuli(page)? {
            trials.push(DesignTrial {
                condition: "abx".into(),
                files: vec![reference.clone(), file],
            });
        }
        Ok(block(Task::Abx, page, String::new(), 0, trials))
    }

    fn preferences(&self, page: &Node<'_>) -> Result<DesignBlock, String> {
        let together = text_of(page, "numPerTrial");
        if together != "2" {
            return Err(format!("`numPerTrial: {together}` (a preference is between 2)"));
        }
        let stimuli = self.stimuli(page)?;
        let mut trials = Vec::new();
        for (place, (first, one)) in stimuli.iter().enumerate() {
            for (second, other) in &stimuli[place + 1..] {
                trials.push(DesignTrial {
                    condition: format!("ab:{first}/{second}"),
                    files: vec![one.clone(), other.clone()],
                });
            }
        }
        Ok(block(Task::Ab, page, String::new(), 0, trials))
    }

    fn ratings(&self, page: &Node<'_>) -> Result<DesignBlock, String> {
        if get(page, "reference").is_some() {
            return Err("`reference` beside a stimulus to rate".into());
        }
        let responses = get(page, "response").ok_or("it has no `response`")?;
        let YamlData::Sequence(responses) = &responses.data else {
            return Err("`response` is not a list".into());
        };
        let mut steps = Vec::new();
        for (place, response) in responses.iter().enumerate() {
            if matches!(response.data, YamlData::Sequence(_)) {
                return Err("several scales on one page".into());
            }
            let label = [text_of(response, "label"), text_of(response, "value")];
            let label = label.into_iter().find(|label| !label.is_empty()).unwrap_or_default();
            steps.push(format!("{} = {}", place + 1, without_markup(&label)));
        }
        let scale = u32::try_from(steps.len()).unwrap_or(u32::MAX);
        if !(2..=LONGEST_SCALE).contains(&scale) {
            return Err(format!("a scale of {scale} steps (2 to {LONGEST_SCALE} here)"));
        }
        let mut trials = Vec::new();
        for (name, file) in self.stimuli(page)? {
            trials.push(DesignTrial { condition: format!("likert:{name}"), files: vec![file] });
        }
        Ok(block(Task::Likert, page, format!("({})", steps.join(", ")), scale, trials))
    }

    fn mushra(&self, page: &Node<'_>) -> Result<DesignBlock, String> {
        let reference = self.file(get(page, "reference").ok_or("it has no `reference`")?)?;
        let mut anchors = Vec::new();
        for (key, anchor) in [("createAnchor35", Anchor::Low), ("createAnchor70", Anchor::Mid)] {
            match text_of(page, key).as_str() {
                "true" => anchors.push(anchor),
                "false" | "" => {}
                other => return Err(format!("`{key}: {other}`, which is neither true nor false")),
            }
        }
        let systems = self.stimuli(page)?;
        for (name, _) in &systems {
            check_name(name)?;
        }
        if systems.is_empty() {
            return Err("it has no stimuli".into());
        }
        let mut block = block(Task::Mushra, page, String::new(), 0, Vec::new());
        block.pages.push(MushraPage { reference, systems, anchors });
        Ok(block)
    }

    /// Names and files of a page's stimuli.
    fn stimuli(&self, page: &Node<'_>) -> Result<Vec<(String, PathBuf)>, String> {
        let stimuli = get(page, "stimuli").ok_or("it has no `stimuli`")?;
        let YamlData::Mapping(stimuli) = &stimuli.data else {
            return Err("`stimuli` is not a map".into());
        };
        let mut found = Vec::new();
        for (name, file) in stimuli {
            let name = scalar(name).unwrap_or_default();
            if name.is_empty() || name.contains(['/', ':']) {
                return Err(format!("a condition named {name:?} (line {})", line(file)));
            }
            found.push((name, self.file(file)?));
        }
        Ok(found)
    }

    /// A sound file: paths are relative to the tool's own folder, one of those above the YAML.
    fn file(&self, node: &Node<'_>) -> Result<PathBuf, String> {
        let name = scalar(node).unwrap_or_default();
        if !name.to_ascii_lowercase().ends_with(".wav") {
            return Err(format!("{name:?} (line {}), which is not a WAV file", line(node)));
        }
        let folders = self.folder.ancestors().skip(1);
        folders.map(|folder| folder.join(&name)).find(|path| path.is_file()).ok_or_else(|| {
            format!("{name:?} (line {}), which is in no folder above this file", line(node))
        })
    }

    fn add(&mut self, block: DesignBlock) {
        let same = |known: &&mut DesignBlock| {
            (known.task, &known.question, known.scale) == (block.task, &block.question, block.scale)
        };
        match self.blocks.iter_mut().find(same) {
            Some(known) => {
                known.trials.extend(block.trials);
                known.pages.extend(block.pages);
            }
            None => self.blocks.push(block),
        }
    }

    fn leave_out(&mut self, what: &str, node: &Node<'_>) {
        self.left_out.entry(what.to_owned()).or_default().push(line(node));
    }

    fn leave_out_looks(&mut self, page: &Node<'_>) {
        let YamlData::Mapping(entries) = &page.data else { return };
        for (key, value) in entries {
            let key = scalar(key).unwrap_or_default();
            let off = matches!(value.data, YamlData::Value(Scalar::Boolean(false) | Scalar::Null));
            if LOOKS.contains(&key.as_str()) && !off
                || !LOOKS.contains(&key.as_str()) && !READ.contains(&key.as_str())
            {
                self.leave_out(&format!("`{key}`"), value);
            }
        }
    }

    fn warnings(&self, language: Option<String>) -> Vec<String> {
        let mut warnings: Vec<String> = language.into_iter().collect();
        for (what, lines) in &self.left_out {
            let lines: Vec<String> = lines.iter().map(usize::to_string).collect();
            warnings.push(format!("webMUSHRA: {what} left out (line {})", lines.join(", ")));
        }
        if self.fixed_order {
            warnings.push(
                "webMUSHRA: pages in a fixed order come in one that is balanced over participants"
                    .into(),
            );
        }
        warnings
    }
}

fn block(
    task: Task,
    page: &Node<'_>,
    more: String,
    scale: u32,
    trials: Vec<DesignTrial>,
) -> DesignBlock {
    let content = without_markup(&text_of(page, "content"));
    let question = [content, more].join(" ").trim().to_owned();
    DesignBlock { task, question, scale, trials, pages: Vec::new() }
}

fn line(node: &Node<'_>) -> usize {
    node.span.start.line()
}

/// The value of a key of a map.
fn get<'a, 'b>(node: &'a Node<'b>, key: &str) -> Option<&'a Node<'b>> {
    let YamlData::Mapping(entries) = &node.data else { return None };
    entries.iter().find(|(name, _)| name.data.as_str() == Some(key)).map(|(_, value)| value)
}

/// The text of a key, empty where there is none.
fn text_of(node: &Node<'_>, key: &str) -> String {
    get(node, key).and_then(scalar).unwrap_or_default()
}

/// A single value as text; nothing for lists and maps.
fn scalar(node: &Node<'_>) -> Option<String> {
    match &node.data {
        YamlData::Value(Scalar::String(text)) => Some(text.trim().to_owned()),
        YamlData::Value(Scalar::Integer(number)) => Some(number.to_string()),
        YamlData::Value(Scalar::FloatingPoint(number)) => Some(number.to_string()),
        YamlData::Value(Scalar::Boolean(value)) => Some(value.to_string()),
        YamlData::Value(Scalar::Null) => Some(String::new()),
        _ => None,
    }
}

/// Letters, digits and hyphens for everything else.
fn plain(text: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    let name: String = text.chars().map(letter).take(64).collect();
    if name.is_empty() { "study".into() } else { name }
}

/// HTML as plain text: tags are dropped, the commonest entities read, space is even.
fn without_markup(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        let after = &rest[start + 1..];
        let opens = after.starts_with(|c: char| c.is_ascii_alphabetic() || "/!".contains(c));
        text += &rest[..start];
        match after.find('>').filter(|_| opens) {
            Some(end) => {
                text.push(' ');
                rest = &after[end + 1..];
            }
            None => {
                text.push('<');
                rest = after;
            }
        }
    }
    text += rest;
    const ENTITIES: [(&str, &str); 6] = [
        ("&nbsp;", " "),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ];
    for (entity, plain) in ENTITIES {
        text = text.replace(entity, plain);
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn markup_becomes_plain_text() {
        let html = "<p>Which <b>sound</b> &amp; why?</p>\n<br/>  1 &lt; 2 ";
        assert_eq!(without_markup(html), "Which sound & why? 1 < 2");
        assert_eq!(without_markup("2 < 3 <b"), "2 < 3 <b");
        assert_eq!(plain("my test/1"), "my-test-1");
    }
}
