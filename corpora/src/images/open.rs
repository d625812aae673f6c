//! Finds out how a folder holds its images, and reads them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use trompe_base::files::read_text;
use trompe_base::{Error, Result};
use walkdir::WalkDir;

use super::corpus::ImageCorpus;
use super::image::ImageShape;
use super::mnist::{self, Part};
use super::read::{is_image, read_image};
use crate::corpus::{Provenance, Split};
use crate::decode::has_audio_extension;
use crate::layout::about::About;
use crate::layout::entries;
use crate::limits::Limits;

/// Name of the list of class names, one a line, beside IDX files.
pub(crate) const CLASSES_FILE: &str = "classes.txt";

/// Advice in the error for a folder without images.
const WANTED: &str = "name a folder of IDX or CSV files as MNIST has them, or of one folder of \
     pictures (PNG, JPEG, WebP, BMP, GIF, TIFF) per class";

impl ImageCorpus {
    /// Whether `folder` holds images: files as MNIST has them, or more pictures than sound at
    /// most two folders below (a folder of music may hold pictures of covers).
    pub fn is_in(folder: &Path) -> bool {
        let files = || {
            let entries = WalkDir::new(folder).max_depth(3).into_iter().flatten();
            entries.filter(|entry| entry.file_type().is_file())
        };
        let pictures = files().filter(|entry| is_image(entry.path())).count();
        let sounds = files().filter(|entry| has_audio_extension(entry.path())).count();
        pictures > sounds || (sounds == 0 && !mnist::find(folder).is_empty())
    }

    /// Reads the images below `folder`: either files as MNIST has them (IDX, plain or compressed by
    /// gzip, or CSV), in it or in a folder of it, with an optional `classes.txt` of one class name a
    /// line; or pictures in one folder per class, optionally below `train`, `val` and `test`.
    ///
    /// # Errors
    /// [`Error::Request`] if the folder holds neither; [`Error::BadFile`] naming a file that
    /// cannot be used or does not fit the others.
    pub fn open(folder: &Path, limits: &Limits) -> Result<Self> {
        let name = folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy();
        let found = mnist::find(folder);
        let mut corpus = if found.is_empty() {
            open_folders(folder, &name, limits)?
        } else {
            open_mnist(folder, &name, &mnist::one_set(folder, found)?, limits)?
        };
        About::read(folder, limits)?.apply_to_images(&mut corpus);
        if corpus.is_empty() {
            return Err(Error::request(format!("{} holds no images", folder.display()), WANTED));
        }
        Ok(corpus)
    }
}

fn open_mnist(folder: &Path, name: &str, parts: &[Part], limits: &Limits) -> Result<ImageCorpus> {
    let mut loaded = Vec::new();
    for part in parts {
        loaded.push((part, part.read(limits)?));
    }
    let labels = loaded.iter().flat_map(|(_, (table, _))| table.labels.iter().copied());
    let mut corpus: Option<ImageCorpus> = None;
    let classes = Classes::read(folder, labels.collect(), limits)?;
    for (part, (table, labels_path)) in loaded {
        let corpus = corpus.get_or_insert_with(|| {
            let labels = "labels of the IDX or CSV files";
            let names = classes.names.clone();
            ImageCorpus::new(name, Provenance::Unstated, labels, names, table.shape)
        });
        fits(part.path(), corpus, table.shape, table.pixels.len(), limits)?;
        let labels: Result<Vec<usize>, usize> =
            table.labels.iter().map(|&label| classes.of(label)).collect();
        let labels = labels.map_err(|label| {
            Error::bad_file(
                labels_path,
                format!("label {label}, but there are {} classes", classes.names.len()),
                "name all classes in classes.txt, one a line",
            )
        })?;
        corpus.extend(&table.pixels, &labels, Some(part.split));
    }
    corpus.ok_or_else(|| {
        Error::request(format!("{} holds no images", folder.display()), "fetch the set again")
    })
}

/// Names of classes, and the number that files give each.
struct Classes {
    names: Vec<String>,
    numbers: Vec<usize>,
}

impl Classes {
    /// Names from `classes.txt`, the first of number 0; else the numbers that are labels of images,
    /// since sets such as EMNIST's letters do not count from 0.
    fn read(folder: &Path, labels: BTreeSet<usize>, limits: &Limits) -> Result<Self> {
        let path = folder.join(CLASSES_FILE);
        if path.is_file() {
            let text = read_text(&path, limits.max_text_bytes)?;
            let names: Vec<String> = text.lines().map(str::to_owned).collect();
            return Ok(Self { numbers: (0..names.len()).collect(), names });
        }
        let names = labels.iter().map(usize::to_string).collect();
        Ok(Self { names, numbers: labels.into_iter().collect() })
    }

    /// The class of a label; the label if it is of none.
    fn of(&self, label: usize) -> Result<usize, usize> {
        self.numbers.binary_search(&label).map_err(|_| label)
    }
}

/// Names of the folders of a partition.
const SPLITS: [(&str, Split); 9] = [
    ("train", Split::Train),
    ("training", Split::Train),
    ("val", Split::Valid),
    ("valid", Split::Valid),
    ("validation", Split::Valid),
    ("dev", Split::Valid),
    ("test", Split::Test),
    ("testing", Split::Test),
    ("eval", Split::Test),
];

/// The folders of a partition, or the folder itself without one. Folders that belong to no
/// part beside such as do are an error: they would be left out.
fn splits(folder: &Path) -> Result<Vec<(PathBuf, Option<Split>)>> {
    let folders: Vec<PathBuf> = entries(folder)?.into_iter().filter(|path| path.is_dir()).collect();
    let split_of = |path: &PathBuf| {
        let name = leaf(path).to_lowercase();
        SPLITS.iter().find(|(known, _)| *known == name).map(|(_, split)| *split)
    };
    let parts: Vec<(PathBuf, Option<Split>)> =
        folders.iter().map(|path| (path.clone(), split_of(path))).collect();
    // "train" and its like are names of classes, too, where all lie side by side.
    let has = |split| parts.iter().any(|(_, part)| *part == Some(split));
    if !has(Split::Train) || !(has(Split::Test) || has(Split::Valid)) {
        return Ok(vec![(folder.to_owned(), None)]);
    }
    match parts.iter().find(|(_, part)| part.is_none()) {
        Some((path, _)) => Err(Error::bad_file(
            path,
            "lies beside the folders of a partition, but is not one of its parts",
            "name it train, val or test, or move it elsewhere",
        )),
        None => Ok(parts),
    }
}

fn open_folders(folder: &Path, name: &str, limits: &Limits) -> Result<ImageCorpus> {
    let splits = splits(folder)?;
    let mut classes: Vec<String> = Vec::new();
    for (path, _) in &splits {
        for entry in entries(path)? {
            if !entry.is_dir() {
                continue;
            }
            if !entries(&entry)?.iter().any(|file| is_image(file)) {
                let what = "a class without images";
                return Err(Error::bad_file(entry, what, "add pictures, or remove it"));
            }
            classes.push(leaf(&entry));
        }
    }
    classes.sort();
    classes.dedup();
    let mut corpus: Option<ImageCorpus> = None;
    for (path, split) in splits {
        for (class, class_name) in classes.iter().enumerate() {
            let class_folder = path.join(class_name);
            if !class_folder.is_dir() {
                continue;
            }
            for file in entries(&class_folder)? {
                if !is_image(&file) {
                    continue;
                }
                let image = read_image(&file, limits)?;
                let corpus = corpus.get_or_insert_with(|| {
                    ImageCorpus::new(
                        name,
                        Provenance::Unstated,
                        "labels are the names of the folders",
                        classes.clone(),
                        image.shape,
                    )
                });
                fits(&file, corpus, image.shape, image.pixels.len(), limits)?;
                corpus.extend(&image.pixels, &[class], split);
            }
        }
    }
    corpus.ok_or_else(|| Error::request(format!("{} holds no images", folder.display()), WANTED))
}

/// Checks that images of `shape` from `path` may join `corpus`.
fn fits(
    path: &Path,
    corpus: &ImageCorpus,
    shape: ImageShape,
    bytes: usize,
    limits: &Limits,
) -> Result<()> {
    if shape != corpus.shape {
        return Err(Error::bad_file(
            path,
            format!("{shape}, but the images before it are {}", corpus.shape),
            "bring all images to one size and colour",
        ));
    }
    let most = limits.max_array_bytes;
    if (corpus.len() * corpus.shape.bytes() + bytes) as u64 > most {
        let what = format!("more than {most} bytes of images together");
        return Err(Error::bad_file(path, what, "use fewer or smaller ones"));
    }
    Ok(())
}

fn leaf(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::images::{Image, write_png};

    fn idx(sizes: &[u32], bytes: &[u8]) -> Vec<u8> {
        let mut file = vec![0, 0, 8, sizes.len() as u8];
        file.extend(sizes.iter().flat_map(|size| size.to_be_bytes()));
        file.extend(bytes);
        file
    }

    #[test]
    fn idx_files_keep_their_split_and_labels() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: Vec<u8>| {
            std::fs::write(folder.path().join(name), bytes).unwrap();
        };
        write("train-images-idx3-ubyte", idx(&[2, 1, 2], &[1, 2, 3, 4]));
        write("train-labels-idx1-ubyte", idx(&[2], &[1, 0]));
        write("t10k-images-idx3-ubyte", idx(&[1, 1, 2], &[5, 6]));
        write("t10k-labels-idx1-ubyte", idx(&[1], &[1]));
        let corpus = ImageCorpus::open(folder.path(), &Limits::default()).unwrap();
        assert_eq!(corpus.classes, ["0", "1"]);
        assert_eq!(corpus.split(Split::Train), [0, 1]);
        assert_eq!(corpus.split(Split::Test), [2]);
        assert_eq!((corpus.image(2), corpus.item(0).class), (&[5, 6][..], 1));

        write("classes.txt", b"left\nright\n".to_vec());
        assert_eq!(
            ImageCorpus::open(folder.path(), &Limits::default()).unwrap().classes,
            ["left", "right"]
        );
        write("t10k-labels-idx1-ubyte", idx(&[1], &[2]));
        let error = ImageCorpus::open(folder.path(), &Limits::default()).unwrap_err().to_string();
        assert!(error.contains("label 2"), "{error}");
        write("t10k-labels-idx1-ubyte", idx(&[2], &[0, 1]));
        let error = ImageCorpus::open(folder.path(), &Limits::default()).unwrap_err().to_string();
        assert!(error.contains("2 labels for 1 image"), "{error}");
    }

    #[test]
    fn only_numbers_of_images_are_classes_unless_a_list_names_all() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: Vec<u8>| {
            std::fs::write(folder.path().join(name), bytes).unwrap();
        };
        // As EMNIST's letters, which count from 1; 4 has test images alone.
        write("emnist-letters-train-images-idx3-ubyte", idx(&[2, 1, 2], &[1, 2, 3, 4]));
        write("emnist-letters-train-labels-idx1-ubyte", idx(&[2], &[7, 1]));
        write("emnist-letters-test-images-idx3-ubyte", idx(&[2, 1, 2], &[5, 6, 7, 8]));
        write("emnist-letters-test-labels-idx1-ubyte", idx(&[2], &[4, 7]));
        let classes = |corpus: &ImageCorpus| -> Vec<usize> {
            (0..corpus.len()).map(|index| corpus.item(index).class).collect()
        };
        let corpus = ImageCorpus::open(folder.path(), &Limits::default()).unwrap();
        assert_eq!(corpus.classes, ["1", "4", "7"]);
        assert_eq!(classes(&corpus), [2, 0, 1, 2]);
        write("classes.txt", b"_\na\nb\nc\nd\ne\nf\ng\n".to_vec());
        let corpus = ImageCorpus::open(folder.path(), &Limits::default()).unwrap();
        assert_eq!((corpus.classes.len(), classes(&corpus)), (8, vec![7, 1, 4, 7]));
        // A table of one image is one class.
        let folder = tempfile::tempdir().unwrap();
        let line = format!("5{}\n", ",9".repeat(16));
        std::fs::write(folder.path().join("mnist_train.csv"), line).unwrap();
        let corpus = ImageCorpus::open(folder.path(), &Limits::default()).unwrap();
        assert_eq!((corpus.classes.as_slice(), corpus.len()), (&["5".to_owned()][..], 1));
    }

    #[test]
    fn folders_are_classes_and_sizes_must_agree() {
        let folder = tempfile::tempdir().unwrap();
        let write = |class: &str, name: &str, shape: ImageShape| {
            std::fs::create_dir_all(folder.path().join(class)).unwrap();
            let image = Image { shape, pixels: vec![9; shape.bytes()] };
            write_png(&folder.path().join(class).join(name), &image).unwrap();
        };
        assert!(ImageCorpus::open(folder.path(), &Limits::default()).is_err(), "an empty folder");
        assert!(!ImageCorpus::is_in(folder.path()));
        write("cat", "1.png", ImageShape::rgb(2, 2));
        write("ant", "1.png", ImageShape::rgb(2, 2));
        assert!(ImageCorpus::is_in(folder.path()));
        let corpus = ImageCorpus::open(folder.path(), &Limits::default()).unwrap();
        assert_eq!(corpus.classes, ["ant", "cat"]);
        write(".hidden", "1.png", ImageShape::grey(1, 1));
        write("cat", "._1.png", ImageShape::grey(1, 1));
        assert_eq!(ImageCorpus::open(folder.path(), &Limits::default()).unwrap(), corpus);
        let empty = folder.path().join("bat");
        std::fs::create_dir(&empty).unwrap();
        let error = ImageCorpus::open(folder.path(), &Limits::default()).unwrap_err().to_string();
        assert!(error.contains("bat: a class without images"), "{error}");
        std::fs::remove_dir(&empty).unwrap();
        assert_eq!(corpus.len(), 2);
        assert_eq!(corpus.item(0).split, None);
        write("cat", "2.png", ImageShape::grey(2, 2));
        let error = ImageCorpus::open(folder.path(), &Limits::default()).unwrap_err().to_string();
        assert!(error.contains("2.png"), "{error}");
    }

    #[test]
    fn files_of_mnist_are_found_in_every_spelling() {
        for (images, labels) in [
            ("train-images.idx3-ubyte", "train-labels.idx1-ubyte"),
            ("raw/train-images-idx3-ubyte", "raw/train-labels-idx1-ubyte"),
            ("MNIST/raw/train-images-idx3-ubyte", "MNIST/raw/train-labels-idx1-ubyte"),
            ("emnist-letters-train-images-idx3-ubyte", "emnist-letters-train-labels-idx1-ubyte"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            for (name, bytes) in
                [(images, idx(&[2, 1, 2], &[1, 2, 3, 4])), (labels, idx(&[2], &[1, 0]))]
            {
                let path = folder.path().join(name);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, bytes).unwrap();
            }
            assert!(ImageCorpus::is_in(folder.path()), "{images}");
            let corpus = ImageCorpus::open(folder.path(), &Limits::default()).unwrap();
            assert_eq!(corpus.split(Split::Train), [0, 1], "{images}");
        }
        let folder = tempfile::tempdir().unwrap();
        for set in ["digits", "letters"] {
            let name = format!("emnist-{set}-train-images-idx3-ubyte");
            std::fs::write(folder.path().join(name), idx(&[1, 1, 1], &[1])).unwrap();
        }
        let error = ImageCorpus::open(folder.path(), &Limits::default()).unwrap_err().to_string();
        assert!(error.contains("emnist-digits") && error.contains("emnist-letters"), "{error}");
    }

    #[test]
    fn csv_files_of_mnist_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let line = |label: u8| format!("{label}{}\n", ",9".repeat(16));
        std::fs::write(folder.path().join("mnist_train.csv"), line(0) + &line(2)).unwrap();
        std::fs::write(folder.path().join("mnist_test.csv"), line(1)).unwrap();
        assert!(ImageCorpus::is_in(folder.path()));
        let corpus = ImageCorpus::open(folder.path(), &Limits::default()).unwrap();
        assert_eq!(corpus.classes, ["0", "1", "2"]);
        assert_eq!(corpus.split(Split::Test), [2]);
    }

    #[test]
    fn every_part_of_a_partition_is_read_and_strangers_beside_it_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let plant = |name: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let shape = ImageShape::grey(2, 2);
            write_png(&path, &Image { shape, pixels: vec![9; 4] }).unwrap();
        };
        ["training/a/1.png", "validation/b/1.png", "testing/a/1.png"].into_iter().for_each(plant);
        let corpus = ImageCorpus::open(folder.path(), &Limits::default()).unwrap();
        assert_eq!(corpus.classes, ["a", "b"]);
        let parts =
            [Split::Train, Split::Valid, Split::Test].map(|split| corpus.split(split).len());
        assert_eq!(parts, [1, 1, 1]);
        plant("extra/a/1.png");
        let error = ImageCorpus::open(folder.path(), &Limits::default()).unwrap_err().to_string();
        assert!(error.contains("extra"), "{error}");
    }

    #[test]
    fn covers_make_no_corpus_of_images() {
        let folder = tempfile::tempdir().unwrap();
        crate::layout::test_tree::plant(folder.path(), &["rock/1.wav", "rock/2.wav"]);
        let shape = ImageShape::grey(2, 2);
        let image = Image { shape, pixels: vec![9; 4] };
        write_png(&folder.path().join("rock/cover.png"), &image).unwrap();
        assert!(!ImageCorpus::is_in(folder.path()));
    }
}
