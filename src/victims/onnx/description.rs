//! What an ONNX file does not say of itself: the TOML file beside it, of the same name.

use std::io::Read;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use trompe_base::words::counted;
use trompe_corpora::{ImageShape, Provenance};

use super::front_end::AudioInput;
use crate::error::{Error, Result};
use crate::victims::outputs::Output;

/// Largest description and list of classes that is read.
const MAX_BYTES: u64 = 1 << 20;

/// Largest side of an image: a whole one has as many pixels as the largest PNG that is read.
const MAX_SIDE: usize = 4_096;

/// A description with the class names that belong to it.
pub(super) struct Described<D> {
    pub(super) description: D,
    /// The text of its file.
    pub(super) text: String,
    /// The text of the file of class names.
    pub(super) names: String,
    /// The class names; of those that repeat, all but the first have their number behind them.
    pub(super) classes: Vec<String>,
    /// What to say of the net once, when it is opened.
    pub(super) notes: Vec<String>,
}

/// The description of a net of either medium.
pub(super) enum AnyDescribed {
    Images(Described<ImageDescription>),
    Sound(Described<SoundDescription>),
}

/// How sound is put before the net, and what its output means.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SoundDescription {
    /// Name of the corpus that it was trained on.
    #[serde(default = "not_stated")]
    pub corpus: String,
    /// Where the sound of that corpus comes from.
    #[serde(default = "unstated")]
    pub provenance: Provenance,
    /// File of class names in the same folder, one a line, in the order of the output.
    pub classes: String,
    /// Name of the output; the first one without it.
    #[serde(default)]
    pub output_name: Option<String>,
    /// The front end.
    pub audio: AudioInput,
}

fn not_stated() -> String {
    "not stated".to_owned()
}

fn unstated() -> Provenance {
    Provenance::Unstated
}

/// How images are put before the net, and what its output means.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageDescription {
    /// Name of the corpus it was trained on.
    #[serde(default = "not_stated")]
    pub corpus: String,
    /// Where the images of that corpus come from.
    #[serde(default = "unstated")]
    pub provenance: Provenance,
    /// File of class names in the same folder, one a line, in the order of the output.
    pub classes: String,
    /// Columns of the net's input.
    pub width: usize,
    /// Rows of the net's input.
    pub height: usize,
    /// Channels of the net's input.
    pub colour: Colour,
    /// Order of the input's axes.
    #[serde(default)]
    pub layout: Layout,
    /// Subtracted from every byte, one for each channel in the net's order.
    pub mean: Vec<f32>,
    /// What the difference is divided by, one for each channel.
    pub deviation: Vec<f32>,
    /// What the output holds.
    pub output: Output,
    /// Name of the output; the first one without it.
    #[serde(default)]
    pub output_name: Option<String>,
    /// Which parts of an image the net is shown; posteriors are the mean over them.
    #[serde(default)]
    pub crops: Crops,
}

/// Channels of the net's input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Colour {
    /// One channel.
    Grey,
    /// Red, green, blue.
    Rgb,
    /// Blue, green, red (Caffe, OpenCV).
    Bgr,
}

/// Order of the input's axes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// Image, channel, row, column.
    #[default]
    Nchw,
    /// Image, row, column, channel.
    Nhwc,
}

/// Which parts of an image the net is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Crops {
    /// The whole image, which has the size of the input.
    #[default]
    Whole,
    /// Four corners, the centre, and the mirror images of all five (Krizhevsky et al. 2012;
    /// Nguyen et al. 2015 score 227 x 227 crops of 256 x 256 images so).
    Ten {
        /// Columns of the image.
        width: usize,
        /// Rows of the image.
        height: usize,
    },
}

impl Colour {
    /// Number of channels.
    pub(super) fn channels(self) -> usize {
        match self {
            Self::Grey => 1,
            Self::Rgb | Self::Bgr => 3,
        }
    }
}

impl ImageDescription {
    /// The size of the images, crops included.
    pub fn image_shape(&self) -> ImageShape {
        let (width, height) = match self.crops {
            Crops::Whole => (self.width, self.height),
            Crops::Ten { width, height } => (width, height),
        };
        ImageShape { width, height, channels: self.colour.channels() }
    }

    fn check(&self) -> Result<(), String> {
        let image = self.image_shape();
        for (name, value) in [
            ("width", self.width),
            ("height", self.height),
            ("crops.width", image.width),
            ("crops.height", image.height),
        ] {
            if value == 0 || value > MAX_SIDE {
                return Err(format!("{name} = {value}, not between 1 and {MAX_SIDE}"));
            }
        }
        if image.width < self.width || image.height < self.height {
            return Err("crops are larger than the image they are cut from".into());
        }
        for (name, values) in [("mean", &self.mean), ("deviation", &self.deviation)] {
            if values.len() != self.colour.channels() {
                return Err(format!(
                    "{} of {name} for {}",
                    counted(values.len(), "value"),
                    counted(self.colour.channels(), "channel")
                ));
            }
            if !values.iter().all(|value| value.is_finite()) {
                return Err(format!("a {name} that is not finite"));
            }
        }
        if self.deviation.contains(&0.0) {
            return Err("a deviation of 0".into());
        }
        Ok(())
    }
}

/// Where the description of the net at `net` is.
pub(super) fn path_of(net: &Path) -> PathBuf {
    net.with_extension("toml")
}

impl AnyDescribed {
    /// Reads the description and the class names that belong to the net at `net`. One with a table
    /// `[audio]` is of a net of sound.
    ///
    /// # Errors
    /// [`Error::BadFile`] naming the file and what is wrong in it; nothing outside the
    /// net's folder is read.
    pub(super) fn read(net: &Path) -> Result<Self> {
        let path = path_of(net);
        // A link might lead out of the folder, as below.
        if std::fs::symlink_metadata(&path).is_ok_and(|found| !found.is_file()) {
            return Err(Error::bad_file(&path, "is no plain file", "put the file itself there"));
        }
        let text = read_text(
            &path,
            "write one, as docs/victims.md shows for sound and docs/imagenet.md for images",
        )?;
        let bad = |what: String| Error::bad_file(&path, what, "correct it");
        let of_toml = |error: toml::de::Error| bad(error.to_string().trim_end().to_owned());
        let table: toml::Table = toml::from_str(&text).map_err(of_toml)?;
        if table.contains_key("audio") {
            let description: SoundDescription = toml::from_str(&text).map_err(of_toml)?;
            let classes = description.classes.clone();
            return Ok(Self::Sound(Described::new(description, &path, text, &classes)?));
        }
        let description: ImageDescription = toml::from_str(&text).map_err(of_toml)?;
        description.check().map_err(bad)?;
        let classes = description.classes.clone();
        Ok(Self::Images(Described::new(description, &path, text, &classes)?))
    }
}

impl<D> Described<D> {
    /// A description with the class names in the file called `classes` beside it.
    fn new(description: D, path: &Path, text: String, classes: &str) -> Result<Self> {
        // A run keeps it beside its own files, none of which ends in .txt.
        if classes.contains(['/', '\\', ':']) || !classes.ends_with(".txt") {
            let what = format!(
                "classes = {classes:?} is not the plain name of a .txt file in the same folder"
            );
            return Err(Error::bad_file(path, what, "correct it"));
        }
        let path = path.with_file_name(classes);
        let bad = |what: String| Error::bad_file(&path, what, "give one name a line");
        // A link might lead out of the folder.
        if std::fs::symlink_metadata(&path).is_ok_and(|found| !found.is_file()) {
            return Err(bad("is no plain file".into()));
        }
        let names = read_text(&path, "put the list of class names there")?;
        let (classes, repeated) = unique(&names).map_err(&bad)?;
        let notes = repeated.first().map(|first| {
            format!(
                "{}: names that repeat: {}; all but the first of each have their number behind them, such as \
                 {first:?}",
                path.display(),
                repeated.len()
            )
        });
        let notes = notes.into_iter().collect();
        Ok(Self { description, text, names, classes, notes })
    }

    /// Checks that the net gives one output a class.
    pub(super) fn check_count(&self, outputs: usize) -> Result<(), String> {
        let classes = self.classes.len();
        if outputs == classes {
            return Ok(());
        }
        Err(format!(
            "gives {}, but names {}",
            counted(outputs, "output"),
            counted(classes, "class")
        ))
    }
}

/// The class names of a file, one a line, and those that had to be made different: a name that repeats
/// has its number, from 0, behind it.
fn unique(names: &str) -> Result<(Vec<String>, Vec<String>), String> {
    let names: Vec<&str> = names.lines().map(str::trim).collect();
    let mut seen: std::collections::BTreeSet<String> =
        names.iter().map(|&name| name.to_owned()).collect();
    let mut first = std::collections::BTreeSet::new();
    let (mut classes, mut repeated) = (Vec::new(), Vec::new());
    for (number, &name) in names.iter().enumerate() {
        if name.is_empty() || name.chars().any(char::is_control) {
            return Err(format!("line {} is no class name", number + 1));
        }
        if first.insert(name) {
            classes.push(name.to_owned());
            continue;
        }
        let mut other = format!("{name} ({number})");
        while !seen.insert(other.clone()) {
            other.push('\'');
        }
        repeated.push(other.clone());
        classes.push(other);
    }
    if classes.len() < 2 {
        return Err(format!("{}, two are needed", counted(classes.len(), "class")));
    }
    Ok((classes, repeated))
}

/// A short text file.
fn read_text(path: &Path, remedy: &str) -> Result<String> {
    let bad = |what: String| Error::bad_file(path, what, remedy);
    let read = || -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        std::fs::File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => bad("is missing beside the model".into()),
        _ => Error::io(path, e),
    })?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(bad("more than 1 MiB".into()));
    }
    String::from_utf8(bytes).map_err(|_| bad("is not text in UTF-8".into()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::tests::{DESCRIPTION, folder_with};
    use super::*;

    fn read(description: &str, classes: &str) -> Result<Described<ImageDescription>> {
        let folder = folder_with(b"", description, classes);
        match AnyDescribed::read(&folder.path().join("model.onnx"))? {
            AnyDescribed::Images(described) => Ok(described),
            AnyDescribed::Sound(_) => panic!("it has no table [audio]"),
        }
    }

    #[test]
    fn a_description_says_all_that_is_needed() {
        let Described { description, classes, .. } = read(DESCRIPTION, "ant\nbee\ncat\n").unwrap();
        assert_eq!(classes, ["ant", "bee", "cat"]);
        assert_eq!(description.image_shape(), ImageShape::rgb(4, 3));
        assert_eq!((description.layout, description.crops), (Layout::Nchw, Crops::Whole));
        let ten = format!("{DESCRIPTION}crops = {{ kind = \"ten\", width = 6, height = 5 }}\n");
        assert_eq!(read(&ten, "a\nb").unwrap().description.image_shape(), ImageShape::rgb(6, 5));
    }

    #[test]
    fn one_with_a_table_of_sound_is_of_sound() {
        let text =
            "classes = \"classes.txt\"\n[audio]\npreset = \"musicnn\"\noutput = \"sigmoid\"\n";
        let folder = folder_with(b"", text, "a\nb\n");
        let AnyDescribed::Sound(described) =
            AnyDescribed::read(&folder.path().join("model.onnx")).unwrap()
        else {
            panic!("it has a table [audio]");
        };
        assert_eq!(described.description.corpus, "not stated");
        assert_eq!(described.description.audio.rate, 16_000);
        // A key of images has no place in it.
        let mixed = text.replace("[audio]", "width = 3\n[audio]");
        let folder = folder_with(b"", &mixed, "a\nb\n");
        let error =
            AnyDescribed::read(&folder.path().join("model.onnx")).err().unwrap().to_string();
        assert!(error.contains("model.toml") && error.contains("width"), "{error}");
    }

    #[test]
    fn every_fault_of_a_description_is_named() {
        for (from, to, expected) in [
            ("width = 4", "width = 0", "width = 0"),
            ("height = 3", "height = 50000", "height = 50000"),
            ("colour = \"rgb\"", "colour = \"hsv\"", "hsv"),
            ("mean = [127, 127, 127]", "mean = [127]", "1 value of mean"),
            ("deviation = [128, 128, 128]", "deviation = [128, 0, 128]", "deviation of 0"),
            ("deviation = [128, 128, 128]", "deviation = [nan, 1, 1]", "not finite"),
            ("output = \"logits\"", "outptu = \"logits\"", "outptu"),
        ] {
            let text = DESCRIPTION.replace(from, to);
            assert_ne!(text, DESCRIPTION);
            let error = read(&text, "a\nb").err().unwrap().to_string();
            assert!(error.contains("model.toml") && error.contains(expected), "{error}");
        }
        let small = format!("{DESCRIPTION}crops = {{ kind = \"ten\", width = 3, height = 5 }}\n");
        assert!(read(&small, "a\nb").is_err());
    }

    #[test]
    fn class_names_stay_in_the_folder() {
        for outside in ["../classes.txt", "/etc/passwd", "..", "a/b", "c:\\\\x"] {
            let text = DESCRIPTION.replace("classes.txt", outside);
            let error = read(&text, "a\nb").err().unwrap().to_string();
            assert!(error.contains("plain name"), "{error}");
        }
        for (classes, expected) in [("a\n\nb", "line 2"), ("a\n", "1 class,")] {
            let error = read(DESCRIPTION, classes).err().unwrap().to_string();
            assert!(error.contains("classes.txt") && error.contains(expected), "{error}");
        }
        let missing = DESCRIPTION.replace("classes.txt", "others.txt");
        assert!(read(&missing, "a\nb").err().unwrap().to_string().contains("others.txt"));
    }

    #[test]
    fn names_that_repeat_get_their_number() {
        let described = read(DESCRIPTION, "crane\nbee\ncrane\ncrane (2)\n").unwrap();
        assert_eq!(described.classes, ["crane", "bee", "crane (2)'", "crane (2)"]);
        assert!(described.notes[0].contains("names that repeat: 1;"));
        assert!(read(DESCRIPTION, "a\nb\n").unwrap().notes.is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_not_followed_to_class_names() {
        let folder = folder_with(b"", DESCRIPTION, "a\nb\n");
        let path = folder.path().join("classes.txt");
        std::fs::rename(&path, folder.path().join("elsewhere")).unwrap();
        std::os::unix::fs::symlink(folder.path().join("elsewhere"), &path).unwrap();
        let error =
            AnyDescribed::read(&folder.path().join("model.onnx")).err().unwrap().to_string();
        assert!(error.contains("no plain file"), "{error}");
    }
}
