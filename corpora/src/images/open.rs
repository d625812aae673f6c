//! Finds out how a folder holds its images, and reads them.

use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::{ImageCorpus, ImageShape, is_image, read_idx, read_image};
use crate::corpus::{Provenance, Split};
use crate::error::{Error, Result};
use crate::files::read_text;
use crate::layout::about::About;
use crate::layout::entries;
use crate::limits::Limits;

/// Names of MNIST's files before `-images-idx3-ubyte` and `-labels-idx1-ubyte`.
const IDX_SPLITS: [(&str, Split); 2] = [("train", Split::Train), ("t10k", Split::Test)];

/// Name of the list of class names, one a line, beside IDX files.
pub(crate) const CLASSES_FILE: &str = "classes.txt";

impl ImageCorpus {
    /// Whether there are IDX images in `folder`, or PNG or JPEG files at most two folders
    /// below.
    pub fn is_in(folder: &Path) -> bool {
        let idx = |(split, _): &(&str, Split)| find_idx(folder, split, "images-idx3").is_some();
        let files = || WalkDir::new(folder).max_depth(3).into_iter().flatten();
        IDX_SPLITS.iter().any(idx) || files().any(|entry| is_image(entry.path()))
    }

    /// Reads the images below `folder`: either IDX files named as those of MNIST, plain or
    /// `.gz`, with an optional `classes.txt` of one class name a line; or PNG or JPEG files in one
    /// folder per class, optionally below `train` and `test`.
    ///
    /// # Errors
    /// [`Error::Request`] if the folder holds neither; [`Error::BadFile`] naming a file that
    /// cannot be used or does not fit the others.
    pub fn open(folder: &Path, limits: &Limits) -> Result<Self> {
        let name = folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy();
        let idx =
            IDX_SPLITS.iter().any(|(split, _)| find_idx(folder, split, "images-idx3").is_some());
        let mut corpus = if idx {
            open_idx(folder, &name, limits)?
        } else {
            open_folders(folder, &name, limits)?
        };
        About::read(folder, limits)?.apply_to_images(&mut corpus);
        if corpus.is_empty() {
            return Err(Error::request(
                format!("{} holds no images", folder.display()),
                "name a folder of IDX files, or of one folder of PNG or JPEG files per class",
            ));
        }
        Ok(corpus)
    }
}

fn find_idx(folder: &Path, split: &str, kind: &str) -> Option<PathBuf> {
    ["", ".gz"]
        .iter()
        .map(|end| folder.join(format!("{split}-{kind}-ubyte{end}")))
        .find(|path| path.is_file())
}

fn open_idx(folder: &Path, name: &str, limits: &Limits) -> Result<ImageCorpus> {
    let mut corpus: Option<ImageCorpus> = None;
    for (split_name, split) in IDX_SPLITS {
        let Some(images_path) = find_idx(folder, split_name, "images-idx3") else { continue };
        let labels_path = find_idx(folder, split_name, "labels-idx1").ok_or_else(|| {
            Error::bad_file(
                folder.join(format!("{split_name}-labels-idx1-ubyte")),
                "missing beside its images",
                "fetch the set again",
            )
        })?;
        let images = read_idx(&images_path, 3, limits)?;
        let labels = read_idx(&labels_path, 1, limits)?;
        if labels.bytes.len() != images.sizes[0] {
            return Err(Error::bad_file(
                &labels_path,
                format!("{} labels for {} images", labels.bytes.len(), images.sizes[0]),
                "fetch the set again",
            ));
        }
        let shape = ImageShape::grey(images.sizes[2], images.sizes[1]);
        if shape.bytes() == 0 {
            return Err(Error::bad_file(&images_path, "images of no pixels", "replace it"));
        }
        let labels: Vec<usize> = labels.bytes.iter().map(|&label| label.into()).collect();
        let corpus = match &mut corpus {
            Some(corpus) => corpus,
            None => corpus.insert(ImageCorpus::new(
                name,
                Provenance::Recorded,
                "labels of the IDX files",
                class_names(folder, &labels, limits)?,
                shape,
            )),
        };
        fits(&images_path, corpus, shape, images.bytes.len(), limits)?;
        if let Some(label) = labels.iter().find(|&&label| label >= corpus.classes.len()) {
            return Err(Error::bad_file(
                &labels_path,
                format!("label {label}, but there are {} classes", corpus.classes.len()),
                "name all classes in classes.txt, one a line",
            ));
        }
        corpus.extend(&images.bytes, &labels, Some(split));
    }
    corpus.ok_or_else(|| {
        Error::request(format!("{} holds no IDX images", folder.display()), "fetch the set again")
    })
}

/// Class names from `classes.txt`, or the numbers up to the highest label.
fn class_names(folder: &Path, labels: &[usize], limits: &Limits) -> Result<Vec<String>> {
    let path = folder.join(CLASSES_FILE);
    if path.is_file() {
        let text = read_text(&path, limits.max_text_bytes)?;
        return Ok(text.lines().map(str::to_owned).collect());
    }
    let highest = labels.iter().max().map_or(0, |label| label + 1);
    Ok((0..highest).map(|class| class.to_string()).collect())
}

fn open_folders(folder: &Path, name: &str, limits: &Limits) -> Result<ImageCorpus> {
    let splits: Vec<(PathBuf, Option<Split>)> = [("train", Split::Train), ("test", Split::Test)]
        .into_iter()
        .map(|(name, split)| (folder.join(name), Some(split)))
        .filter(|(path, _)| path.is_dir())
        .collect();
    let splits = if splits.is_empty() { vec![(folder.to_owned(), None)] } else { splits };
    let mut classes: Vec<String> = Vec::new();
    for (path, _) in &splits {
        for entry in entries(path)? {
            if !entry.is_dir() {
                continue;
            }
            if !entries(&entry)?.iter().any(|file| is_image(file)) {
                let what = "a class without images";
                return Err(Error::bad_file(entry, what, "add PNG or JPEG files, or remove it"));
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
                        Provenance::Recorded,
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
    corpus.ok_or_else(|| {
        Error::request(
            format!("{} holds no images", folder.display()),
            "name a folder of IDX files, or of one folder of PNG or JPEG files per class",
        )
    })
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
    if (corpus.pixels.len() + bytes) as u64 > most {
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
        assert!(error.contains("2 labels for 1 images"), "{error}");
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
}
