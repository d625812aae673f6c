//! Reading a fooling set that may come from anywhere.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use crate::error::{Error, Result};

use super::digest::sha256_of_file;
use super::manifest::Manifest;

/// Name of the manifest inside a set.
pub const MANIFEST_FILE: &str = "manifest.json";

/// Largest manifest that is read, in bytes: a thousand directly encoded 224 x 224 images.
const LARGEST_MANIFEST: u64 = 1 << 30;

const FETCH_AGAIN: &str = "copy the set again from where it was made, or make it anew";

/// Reads and checks the manifest of the set in `folder`, but not its files.
///
/// # Errors
/// [`Error::BadFile`] if the folder is no fooling set, or its manifest is damaged, of
/// another schema version, contradicts itself, or names files outside the folder; if the
/// classifier's label of an exhibit is another than its class, or a file is in the set twice
/// (all such exhibits are named); an input error if it cannot be read.
pub fn read_manifest(folder: &Path) -> Result<Manifest> {
    let manifest = parse_manifest(folder)?;
    let faults = manifest.exhibits.iter().zip(manifest.faults());
    let faults: Vec<String> = faults
        .flat_map(|(exhibit, what)| {
            what.into_iter().map(|what| format!("{:?}: {what}", exhibit.file))
        })
        .collect();
    if faults.is_empty() {
        return Ok(manifest);
    }
    Err(Error::bad_file(
        folder.join(MANIFEST_FILE),
        format!("not all that it lists are exhibits of their class: {}", faults.join("; ")),
        "make the set anew with this version of trompe",
    ))
}

/// As [`read_manifest`], whatever the set claims of its exhibits.
pub(super) fn parse_manifest(folder: &Path) -> Result<Manifest> {
    let path = folder.join(MANIFEST_FILE);
    if !folder.is_dir() {
        return Err(Error::bad_file(folder, "is not a folder", "give the folder of a fooling set"));
    }
    if !path.is_file() {
        return Err(Error::bad_file(
            folder,
            format!("has no {MANIFEST_FILE}"),
            "give the folder of a fooling set, as `trompe fool` writes it",
        ));
    }
    let mut text = String::new();
    File::open(&path)
        .and_then(|file| file.take(LARGEST_MANIFEST + 1).read_to_string(&mut text))
        .map_err(|source| Error::io(&path, source))?;
    if text.len() as u64 > LARGEST_MANIFEST {
        return Err(Error::bad_file(&path, "is larger than 1 GiB", FETCH_AGAIN));
    }
    let manifest: Manifest =
        serde_json::from_str(&text).map_err(|error| unreadable(&path, &text, &error))?;
    manifest.check().map_err(|what| Error::bad_file(&path, what, FETCH_AGAIN))?;
    Ok(manifest)
}

/// Reads the set in `folder` and checks that every file is there and has its hash.
///
/// # Errors
/// Those of [`read_manifest`], and [`Error::BadFile`] for the first file that is missing
/// or altered.
pub fn load(folder: &Path) -> Result<Manifest> {
    let manifest = read_manifest(folder)?;
    for exhibit in &manifest.exhibits {
        let path = folder.join(&exhibit.file);
        if let Err(what) = check_file(&path, &exhibit.sha256) {
            return Err(Error::bad_file(path, what, FETCH_AGAIN));
        }
    }
    Ok(manifest)
}

/// Checks that `path` is an ordinary file (a link could lead outside the set) with this
/// SHA-256; says what is wrong otherwise.
pub(super) fn check_file(path: &Path, sha256: &str) -> Result<(), String> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err("is missing".into()),
        Err(error) => Err(format!("cannot be read ({error})")),
        Ok(metadata) if !metadata.is_file() => Err("is not an ordinary file".into()),
        Ok(_) => match sha256_of_file(path) {
            Err(error) => Err(format!("cannot be read ({error})")),
            Ok(actual) if actual == sha256 => Ok(()),
            Ok(_) => Err("was altered: its SHA-256 is not the one in the manifest".into()),
        },
    }
}

/// The error of a manifest that does not parse: a newer schema is told from damage.
fn unreadable(path: &Path, text: &str, error: &serde_json::Error) -> Error {
    let version = serde_json::from_str::<serde_json::Value>(text)
        .ok()
        .and_then(|value| value.get("schema_version")?.as_u64());
    match version {
        Some(version) if version > u64::from(super::manifest::SCHEMA_VERSION) => Error::bad_file(
            path,
            format!("its schema version is {version}, which this program does not read"),
            "use the version of trompe that wrote it (`trompe_version` in the file)",
        ),
        _ => Error::bad_file(
            path,
            format!("is not a manifest of a fooling set ({error})"),
            FETCH_AGAIN,
        ),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::toy;
    use super::*;

    fn error_after(spoil: impl FnOnce(&Path)) -> String {
        let (_home, folder) = toy::set();
        load(&folder).unwrap();
        spoil(&folder);
        let error = load(&folder).unwrap_err();
        assert!(matches!(error, Error::BadFile { .. }), "{error:?}");
        error.to_string()
    }

    fn edit(folder: &Path, from: &str, to: &str) {
        let path = folder.join(MANIFEST_FILE);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{from} is not in the manifest");
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
    }

    #[test]
    fn what_is_missing_is_named() {
        let error = load(Path::new("/nonexistent/set")).unwrap_err().to_string();
        assert!(error.contains("not a folder"), "{error}");
        let error = error_after(|set| fs::remove_file(set.join(MANIFEST_FILE)).unwrap());
        assert!(error.contains("has no manifest.json"), "{error}");
        let error = error_after(|set| fs::remove_file(set.join("rock-1_0.9996.txt")).unwrap());
        assert!(error.contains("rock-1_0.9996.txt: is missing"), "{error}");
    }

    #[test]
    fn a_manifest_cut_anywhere_is_refused() {
        let (_home, folder) = toy::set();
        let path = folder.join(MANIFEST_FILE);
        let whole = fs::read(&path).unwrap();
        for kept in (0..whole.len() - 2).step_by(37) {
            fs::write(&path, &whole[..kept]).unwrap();
            let error = load(&folder).unwrap_err().to_string();
            assert!(error.contains("is not a manifest"), "{kept}: {error}");
        }
    }

    #[test]
    fn another_schema_is_told_from_damage() {
        let error = error_after(|set| {
            edit(set, "\"schema_version\": 2", "\"schema_version\": 3, \"news\": []");
        });
        assert!(error.contains("schema version is 3"), "{error}");
    }

    #[test]
    fn names_outside_the_folder_are_refused() {
        for name in ["../rock.txt", "/etc/passwd", "a/../b", "..\\\\b"] {
            let error = error_after(|set| edit(set, "rock-1_0.9996.txt", name));
            assert!(error.contains("plain file name"), "{error}");
        }
    }

    #[test]
    fn exhibits_of_another_label_and_files_that_come_twice_are_all_named() {
        let (_home, folder) = toy::set();
        let path = folder.join(MANIFEST_FILE);
        let mut manifest = read_manifest(&folder).unwrap();
        let (first, second) = manifest.exhibits.split_at_mut(1);
        let (blues, rock) = (&mut first[0], &mut second[0]);
        blues.class = 2;
        blues.label = "jazz".into();
        blues.posterior = blues.posteriors[2];
        rock.sha256.clone_from(&blues.sha256);
        manifest.unreached.clear();
        fs::write(&path, serde_json::to_vec(&manifest).unwrap()).unwrap();
        let error = read_manifest(&folder).unwrap_err().to_string();
        assert!(
            error.contains("\"blues-1_0.9999.txt\": the classifier's label of it is \"blues\""),
            "{error}"
        );
        assert!(error.contains("\"rock-1_0.9996.txt\": its file is the same as"), "{error}");
    }

    #[test]
    fn an_altered_file_is_found() {
        let error = error_after(|set| fs::write(set.join("rock-1_0.9996.txt"), "0 9 0").unwrap());
        assert!(error.contains("rock-1_0.9996.txt: was altered"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_not_followed() {
        let error = error_after(|set| {
            let file = set.join("rock-1_0.9996.txt");
            fs::remove_file(&file).unwrap();
            std::os::unix::fs::symlink("/dev/zero", &file).unwrap();
        });
        assert!(error.contains("not an ordinary file"), "{error}");
    }

    #[test]
    fn bytes_that_are_no_text_are_refused() {
        let (_home, folder) = toy::set();
        fs::write(folder.join(MANIFEST_FILE), [0xff, 0xfe, 0x00]).unwrap();
        let error = load(&folder).unwrap_err().to_string();
        assert!(error.contains(MANIFEST_FILE), "{error}");
    }
}
