//! What an ONNX file does not say of itself: the TOML file beside it, of the same name.

use std::io::Read;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use trompe_corpora::{ImageShape, Provenance};

use crate::error::{Error, Result};

/// Largest description and list of classes that is read.
const MAX_BYTES: u64 = 1 << 20;

/// Largest side of an image: a whole one has as many pixels as the largest PNG that is read.
const MAX_SIDE: usize = 4_096;

/// How images are put before the net, and what its output means.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// Name of the corpus it was trained on.
    pub corpus: String,
    /// Where the images of that corpus come from.
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

/// What the output holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Output {
    /// Values before the softmax.
    Logits,
    /// Values after it. They saturate at 1 where a search would still climb: name the logits
    /// as output if the file has them.
    Probabilities,
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

impl Description {
    /// Reads the description and the class names that belong to the model at `model`.
    ///
    /// # Errors
    /// [`Error::BadFile`] naming the file and what is wrong in it; nothing outside the
    /// model's folder is read.
    pub(super) fn read(model: &Path) -> Result<(Self, Vec<String>)> {
        let path = Self::path(model);
        let text = read_text(&path, "write one, as docs/imagenet.md shows")?;
        let bad = |what: String| Error::bad_file(&path, what, "correct it");
        let description: Self =
            toml::from_str(&text).map_err(|e| bad(e.to_string().trim_end().to_owned()))?;
        description.check().map_err(bad)?;
        let classes = description.read_classes(&path)?;
        Ok((description, classes))
    }

    /// Where the description of the model at `model` is.
    pub(super) fn path(model: &Path) -> PathBuf {
        model.with_extension("toml")
    }

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
                    "{} values of {name} for {} channels",
                    values.len(),
                    self.colour.channels()
                ));
            }
            if !values.iter().all(|value| value.is_finite()) {
                return Err(format!("a {name} that is not finite"));
            }
        }
        if self.deviation.contains(&0.0) {
            return Err("a deviation of 0".into());
        }
        // A run keeps it beside its own files, none of which ends in .txt.
        let plain = |name: &str| !name.contains(['/', '\\', ':']) && name.ends_with(".txt");
        if !plain(&self.classes) {
            return Err(format!(
                "classes = {:?} is not the plain name of a .txt file in the same folder",
                self.classes
            ));
        }
        Ok(())
    }

    fn read_classes(&self, description: &Path) -> Result<Vec<String>> {
        let path = description.with_file_name(&self.classes);
        let bad =
            |what: String| Error::bad_file(&path, what, "give one name a line, all different");
        // A link might lead out of the folder.
        if std::fs::symlink_metadata(&path).is_ok_and(|found| !found.is_file()) {
            return Err(bad("is no plain file".into()));
        }
        let text = read_text(&path, "put the list of class names there")?;
        let classes: Vec<String> = text.lines().map(|line| line.trim().to_owned()).collect();
        let mut seen = std::collections::BTreeSet::new();
        for (number, class) in (1..).zip(&classes) {
            if class.is_empty() || class.chars().any(char::is_control) {
                return Err(bad(format!("line {number} is no class name")));
            }
            if !seen.insert(class) {
                return Err(bad(format!("line {number} repeats {class:?}")));
            }
        }
        if classes.len() < 2 {
            return Err(bad(format!("{} classes", classes.len())));
        }
        Ok(classes)
    }
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

    fn read(description: &str, classes: &str) -> Result<(Description, Vec<String>)> {
        let folder = folder_with(b"", description, classes);
        Description::read(&folder.path().join("model.onnx"))
    }

    #[test]
    fn a_description_says_all_that_is_needed() {
        let (description, classes) = read(DESCRIPTION, "ant\nbee\ncat\n").unwrap();
        assert_eq!(classes, ["ant", "bee", "cat"]);
        assert_eq!(description.image_shape(), ImageShape::rgb(4, 3));
        assert_eq!((description.layout, description.crops), (Layout::Nchw, Crops::Whole));
        let ten = format!("{DESCRIPTION}crops = {{ kind = \"ten\", width = 6, height = 5 }}\n");
        assert_eq!(read(&ten, "a\nb").unwrap().0.image_shape(), ImageShape::rgb(6, 5));
    }

    #[test]
    fn every_fault_of_a_description_is_named() {
        for (from, to, expected) in [
            ("width = 4", "width = 0", "width = 0"),
            ("height = 3", "height = 50000", "height = 50000"),
            ("colour = \"rgb\"", "colour = \"hsv\"", "hsv"),
            ("mean = [127, 127, 127]", "mean = [127]", "1 values of mean"),
            ("deviation = [128, 128, 128]", "deviation = [128, 0, 128]", "deviation of 0"),
            ("deviation = [128, 128, 128]", "deviation = [nan, 1, 1]", "not finite"),
            ("output = \"logits\"", "outptu = \"logits\"", "outptu"),
        ] {
            let text = DESCRIPTION.replace(from, to);
            assert_ne!(text, DESCRIPTION);
            let error = read(&text, "a\nb").unwrap_err().to_string();
            assert!(error.contains("model.toml") && error.contains(expected), "{error}");
        }
        let small = format!("{DESCRIPTION}crops = {{ kind = \"ten\", width = 3, height = 5 }}\n");
        assert!(read(&small, "a\nb").is_err());
    }

    #[test]
    fn class_names_stay_in_the_folder_and_are_all_different() {
        for outside in ["../classes.txt", "/etc/passwd", "..", "a/b", "c:\\\\x"] {
            let text = DESCRIPTION.replace("classes.txt", outside);
            let error = read(&text, "a\nb").unwrap_err().to_string();
            assert!(error.contains("plain name"), "{error}");
        }
        for (classes, expected) in
            [("a\nb\na\n", "line 3 repeats"), ("a\n\nb", "line 2"), ("a\n", "1 classes")]
        {
            let error = read(DESCRIPTION, classes).unwrap_err().to_string();
            assert!(error.contains("classes.txt") && error.contains(expected), "{error}");
        }
        let missing = DESCRIPTION.replace("classes.txt", "others.txt");
        assert!(read(&missing, "a\nb").unwrap_err().to_string().contains("others.txt"));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_not_followed_to_class_names() {
        let folder = folder_with(b"", DESCRIPTION, "a\nb\n");
        let path = folder.path().join("classes.txt");
        std::fs::rename(&path, folder.path().join("elsewhere")).unwrap();
        std::os::unix::fs::symlink(folder.path().join("elsewhere"), &path).unwrap();
        let error = Description::read(&folder.path().join("model.onnx")).unwrap_err().to_string();
        assert!(error.contains("no plain file"), "{error}");
    }
}
