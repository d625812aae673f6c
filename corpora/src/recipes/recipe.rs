//! What a recipe is: a TOML file that pins packages and says what to make of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use trompe_base::{Error, Result};

use crate::corpus::Provenance;

/// What a recipe delivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RecipeKind {
    /// Labelled clips.
    Corpus,
    /// Loops to compose from.
    Bank,
    /// Labelled images.
    Images,
    /// A trained classifier.
    Model,
}

/// Who delivers a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Manager {
    Apt,
    Pip,
    Npm,
}

/// One pinned package.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Package {
    pub(crate) manager: Manager,
    pub(crate) name: String,
    pub(crate) version: String,
    /// Lower-case hexadecimal digest of the archive.
    pub(crate) sha256: String,
    /// Size of the archive.
    pub(crate) bytes: u64,
    /// Licence of what is used of it.
    pub(crate) licence: String,
    /// An archive inside the package that is unpacked beside it.
    pub(crate) inner: Option<String>,
}

/// What is made of the packages.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Make {
    Styles(Styles),
    Loops(Loops),
    Samples(Samples),
    Recordings(Recordings),
    Synthetic(Synthetic),
    Idx(Idx),
    Digits(Digits),
    Net(Net),
}

/// Clips rendered from style files.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Styles {
    /// Length of a clip.
    pub(crate) seconds: u32,
    pub(crate) clips_per_class: usize,
    /// Grooves whose names contain one of these, in any case, are no full patterns.
    pub(crate) skip: Vec<String>,
    /// SoundFonts that the clips of a style file are played with in turn; none is the usual one.
    #[serde(default)]
    pub(crate) fonts: Vec<PackageFile>,
    pub(crate) class: Vec<StyleClass>,
}

/// One class of [`Styles`].
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StyleClass {
    pub(crate) name: String,
    /// Lowest and highest tempo, in beats a minute.
    pub(crate) tempo: [u32; 2],
    /// Style files whose own tempo range differs from the class's.
    #[serde(default)]
    pub(crate) tempos: BTreeMap<String, [u32; 2]>,
    /// Chords by degree, one a bar.
    pub(crate) progressions: Vec<String>,
    /// Style files, by path below the library and without ending.
    pub(crate) files: Vec<String>,
    /// Style files of drum patterns alone; `backing` is added to them.
    #[serde(default)]
    pub(crate) drum_files: Vec<String>,
    /// Tracks in MMA's language that accompany the drum patterns.
    #[serde(default)]
    pub(crate) backing: String,
}

/// Samples, and grooves played one part at a time.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Loops {
    /// The package of samples, and the folder in it.
    pub(crate) samples: String,
    pub(crate) samples_folder: String,
    /// Shorter samples are left out.
    pub(crate) min_seconds: f64,
    /// Instrument of a sample by the first word of its file name.
    pub(crate) instruments: BTreeMap<String, String>,
    /// Folders of the style library.
    pub(crate) folders: Vec<String>,
    /// Grooves whose names contain one of these, in any case, are no full patterns.
    pub(crate) skip: Vec<String>,
    pub(crate) grooves_per_file: usize,
    /// Lengths to draw from, in bars.
    pub(crate) bars: Vec<u32>,
    /// Lowest and highest tempo, in beats a minute.
    pub(crate) tempo: [u32; 2],
    pub(crate) progressions: Vec<String>,
}

impl Loops {
    /// The samples as a source of sounds.
    pub(crate) fn source(&self) -> SampleSource {
        SampleSource {
            package: self.samples.clone(),
            folder: self.samples_folder.clone(),
            skip: Vec::new(),
            instruments: self.instruments.clone(),
            label: "sound-effects".to_owned(),
        }
    }
}

/// Sounds of packages: short ones as they are, long ones cut to loops.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Samples {
    /// Shorter sounds are left out.
    pub(crate) min_seconds: f64,
    /// Longer sounds are cut.
    pub(crate) max_seconds: f64,
    /// Length of the cuts.
    pub(crate) cut_seconds: f64,
    pub(crate) source: Vec<SampleSource>,
}

/// The sounds of one package.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SampleSource {
    pub(crate) package: String,
    /// Where they lie in it, at any depth.
    pub(crate) folder: String,
    /// Names of folders and files below it that are left out.
    #[serde(default)]
    pub(crate) skip: Vec<String>,
    /// Instrument of a sound by the first word of its file name, else by a folder's name.
    #[serde(default)]
    pub(crate) instruments: BTreeMap<String, String>,
    /// Instrument of the others.
    pub(crate) label: String,
}

/// Files of the packages, as they are.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recordings {
    /// Length of the cuts; without it a clip is a whole file.
    pub(crate) cut_seconds: Option<f64>,
    /// Cuts of a class, spread evenly over its tracks.
    pub(crate) clips_per_class: Option<usize>,
    /// Seconds at either end of a track that no cut touches.
    #[serde(default)]
    pub(crate) margin: f64,
    pub(crate) class: Vec<RecordingClass>,
}

/// One class of [`Recordings`].
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecordingClass {
    pub(crate) name: String,
    pub(crate) track: Vec<Track>,
}

/// One file of a package.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Track {
    pub(crate) package: String,
    pub(crate) path: String,
    pub(crate) artist: String,
    /// Length, known because the archive is pinned.
    pub(crate) seconds: f64,
}

/// The built-in synthesizer.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Synthetic {
    /// For a corpus.
    pub(crate) clips_per_class: Option<usize>,
}

/// IDX files of a package, as they are.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Idx {
    pub(crate) package: String,
    /// Where the files lie in the package.
    pub(crate) folder: String,
    /// Their names: those of MNIST's files, perhaps ending in `.gz`.
    pub(crate) files: Vec<String>,
    /// Class names by label.
    pub(crate) classes: Vec<String>,
}

/// Digits by the built-in pen.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Digits {
    /// Images for training.
    pub(crate) train: usize,
    /// Images for testing.
    pub(crate) test: usize,
}

/// Nets that a script makes of the packages.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Net {
    /// Name of the script.
    pub(crate) script: String,
    /// Python libraries that the script needs, as pip has them.
    pub(crate) requirements: Vec<String>,
    /// Files that the script is given, in this order, and then the folder to write to.
    pub(crate) inputs: Vec<PackageFile>,
    /// The nets that it makes.
    pub(crate) model: Vec<NetFile>,
}

/// A net that comes out of a script.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NetFile {
    /// Name of its file, which ends in `.onnx`.
    pub(crate) file: String,
    /// Lower-case hexadecimal digest.
    pub(crate) sha256: String,
    /// The description written beside it: how images or sound are prepared for it.
    pub(crate) description: String,
}

/// One file of a package.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PackageFile {
    pub(crate) package: String,
    pub(crate) path: String,
}

/// One recipe.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recipe {
    pub(crate) name: String,
    pub(crate) kind: RecipeKind,
    /// One sentence.
    pub(crate) about: String,
    pub(crate) provenance: Provenance,
    pub(crate) licence: String,
    /// What the labels are worth.
    pub(crate) labels: String,
    /// Size of the finished folder at default settings.
    pub(crate) disk_bytes: u64,
    #[serde(default)]
    pub(crate) package: Vec<Package>,
    pub(crate) make: Make,
}

/// The recipes that trompe brings, as text.
const TEXTS: [(&str, &str); 13] = [
    ("styles", include_str!("../../recipes/styles.toml")),
    ("styles-2", include_str!("../../recipes/styles-2.toml")),
    ("samples", include_str!("../../recipes/samples.toml")),
    ("loops", include_str!("../../recipes/loops.toml")),
    ("game-music", include_str!("../../recipes/game-music.toml")),
    ("fma-clips", include_str!("../../recipes/fma-clips.toml")),
    ("synthetic", include_str!("../../recipes/synthetic.toml")),
    ("synthetic-loops", include_str!("../../recipes/synthetic-loops.toml")),
    ("mnist", include_str!("../../recipes/mnist.toml")),
    ("fashion-mnist", include_str!("../../recipes/fashion-mnist.toml")),
    ("synthetic-digits", include_str!("../../recipes/synthetic-digits.toml")),
    ("efficientnet-lite0", include_str!("../../recipes/efficientnet-lite0.toml")),
    ("musicnn", include_str!("../../recipes/musicnn.toml")),
];

impl Recipe {
    /// Every recipe with its text, in a fixed order.
    ///
    /// # Errors
    /// [`Error::Request`] when a text is no recipe: an error of the program.
    pub(crate) fn all() -> Result<Vec<(Self, &'static str)>> {
        TEXTS.iter().map(|(name, text)| Ok((Self::parse(name, text)?, *text))).collect()
    }

    /// The recipe `name` with its text.
    ///
    /// # Errors
    /// [`Error::Request`] listing the names there are.
    pub(crate) fn named(name: &str) -> Result<(Self, &'static str)> {
        match TEXTS.iter().find(|(known, _)| *known == name) {
            Some((_, text)) => Ok((Self::parse(name, text)?, text)),
            None if name == "gtzan" => Err(Error::request(
                "gtzan cannot be fetched: no package carries it",
                "bring it yourself, and name its folder",
            )),
            None => Err(Error::request(
                format!("no recipe is called {name:?}"),
                format!("choose one of {}", TEXTS.map(|(known, _)| known).join(", ")),
            )),
        }
    }

    fn parse(name: &str, text: &str) -> Result<Self> {
        toml::from_str(text).map_err(|error| {
            Error::request(format!("recipe {name}: {error}"), "correct the recipe")
        })
    }

    /// The package called `name`.
    ///
    /// # Errors
    /// [`Error::Request`] when the recipe lists none.
    pub(crate) fn package(&self, name: &str) -> Result<&Package> {
        self.package.iter().find(|package| package.name == name).ok_or_else(|| {
            Error::request(
                format!("recipe {} uses {name} and does not list it", self.name),
                "correct the recipe",
            )
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_recipe_parses_and_is_consistent() {
        for (recipe, _) in Recipe::all().unwrap() {
            let name = &recipe.name;
            assert_eq!(&Recipe::named(name).unwrap().0, &recipe);
            for text in [&recipe.about, &recipe.licence, &recipe.labels] {
                assert!(text.len() > 5, "{name}");
            }
            for package in &recipe.package {
                let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
                assert!(package.sha256.len() == 64 && package.sha256.chars().all(hex), "{name}");
                assert!(package.bytes > 100_000, "{name}");
            }
            match &recipe.make {
                Make::Recordings(recordings) => {
                    for class in &recordings.class {
                        assert!(!class.track.is_empty());
                        for track in &class.track {
                            recipe.package(&track.package).unwrap();
                            assert!(track.seconds > recordings.cut_seconds.unwrap_or(1.0));
                        }
                    }
                }
                Make::Styles(styles) => {
                    for class in &styles.class {
                        assert!(class.files.len() + class.drum_files.len() >= 6, "{}", class.name);
                        for file in class.tempos.keys() {
                            assert!(class.files.contains(file) || class.drum_files.contains(file));
                        }
                        assert_eq!(class.drum_files.is_empty(), class.backing.is_empty());
                    }
                    for font in &styles.fonts {
                        recipe.package(&font.package).unwrap();
                    }
                }
                Make::Loops(loops) => drop(recipe.package(&loops.samples).unwrap()),
                Make::Samples(samples) => {
                    assert!(samples.cut_seconds <= samples.max_seconds);
                    for source in &samples.source {
                        recipe.package(&source.package).unwrap();
                    }
                }
                Make::Idx(idx) => {
                    recipe.package(&idx.package).unwrap();
                    assert_eq!(idx.files.len(), 4);
                    assert!(idx.classes.len() >= 2);
                }
                Make::Synthetic(_) | Make::Digits(_) => {
                    assert_eq!(recipe.provenance, Provenance::Synthetic);
                }
                Make::Net(net) => {
                    for input in &net.inputs {
                        recipe.package(&input.package).unwrap();
                    }
                    for model in &net.model {
                        assert!(model.file.ends_with(".onnx") && model.sha256.len() == 64);
                    }
                }
            }
        }
    }

    #[test]
    fn unknown_fields_and_names_are_refused() {
        let (_, text) = Recipe::named("synthetic").unwrap();
        let error = Recipe::parse("it", &format!("colour = 1\n{text}")).unwrap_err().to_string();
        assert!(error.contains("colour"), "{error}");
        let error = Recipe::parse("it", &format!("{text}\ncolour = 1\n")).unwrap_err().to_string();
        assert!(error.contains("colour"), "{error}");
        assert!(Recipe::named("nothing").unwrap_err().to_string().contains("game-music"));
    }
}
