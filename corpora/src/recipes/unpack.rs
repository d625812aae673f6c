//! Unpacking archives that others made, without trusting them: names that leave the
//! folder, links and archives that swell without end are refused.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Component, Path, PathBuf};

use trompe_base::{Error, Result};

use crate::recipes::tools::{Tools, run};

/// The most that one archive may unpack to. The largest archive of a recipe needs 0.2 GB.
const MAX_BYTES: u64 = 4 << 30;
/// The most files that one archive may hold.
const MAX_FILES: usize = 100_000;

/// Unpacks `archive` below `folder`, by the end of its name: `.deb`, `.tgz`, `.tar.gz`,
/// `.whl`, `.zip`, `.pk3`.
///
/// # Errors
/// [`Error::BadFile`] for a broken, hostile or unknown archive, [`Error::Io`] when `folder`
/// cannot be written, [`Error::Tool`] when a `.deb` meets no `dpkg-deb`.
pub(crate) fn unpack(archive: &Path, folder: &Path, tools: &Tools) -> Result<()> {
    fs::create_dir_all(folder).map_err(|source| Error::io(folder, source))?;
    let name = archive.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    if ends(&[".deb"]) {
        // Debian's own tool keeps names and links inside the folder.
        let mut command = tools.command("dpkg-deb", "dpkg")?;
        command.arg("-x").arg(archive).arg(folder);
        run(&mut command, "remove the file and fetch it again").map(drop)
    } else if ends(&[".tgz", ".tar.gz"]) {
        untar(archive, folder, MAX_BYTES)
    } else if ends(&[".whl", ".zip", ".pk3"]) {
        unzip(archive, folder, MAX_BYTES)
    } else {
        Err(refused(archive, "an archive of unknown kind"))
    }
}

fn refused(archive: &Path, what: impl Into<String>) -> Error {
    Error::bad_file(archive, what, "remove it and fetch it again; report it if it comes back")
}

fn untar(archive: &Path, folder: &Path, mut room: u64) -> Result<()> {
    let broken = |source: io::Error| refused(archive, format!("cannot be unpacked: {source}"));
    let file = File::open(archive).map_err(|source| Error::io(archive, source))?;
    let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(BufReader::new(file)));
    for (index, entry) in tar.entries().map_err(broken)?.enumerate() {
        let mut entry = entry.map_err(broken)?;
        let name = entry.path().map_err(broken)?.into_owned();
        check_count(archive, index)?;
        let path = inside(archive, folder, &name)?;
        match entry.header().entry_type() {
            tar::EntryType::Directory => make_folder(&path)?,
            tar::EntryType::Regular => room = write(archive, &mut entry, &path, room)?,
            tar::EntryType::XGlobalHeader => {}
            _ => {
                return Err(refused(
                    archive,
                    format!("{} is neither file nor folder", name.display()),
                ));
            }
        }
    }
    Ok(())
}

fn unzip(archive: &Path, folder: &Path, mut room: u64) -> Result<()> {
    let broken =
        |error: zip::result::ZipError| refused(archive, format!("cannot be unpacked: {error}"));
    let file = File::open(archive).map_err(|source| Error::io(archive, source))?;
    let mut zip = zip::ZipArchive::new(BufReader::new(file)).map_err(broken)?;
    for index in 0..zip.len() {
        check_count(archive, index)?;
        let mut entry = zip.by_index(index).map_err(broken)?;
        let name = PathBuf::from(entry.name().map_err(broken)?.into_owned());
        let path = inside(archive, folder, &name)?;
        if entry.is_symlink() {
            return Err(refused(archive, format!("{} is a link", name.display())));
        } else if entry.is_dir() {
            make_folder(&path)?;
        } else {
            room = write(archive, &mut entry, &path, room)?;
        }
    }
    Ok(())
}

fn check_count(archive: &Path, index: usize) -> Result<()> {
    if index < MAX_FILES {
        return Ok(());
    }
    Err(refused(archive, format!("holds more than {MAX_FILES} files")))
}

/// Where `name` goes below `folder`; only plain names may lead there.
fn inside(archive: &Path, folder: &Path, name: &Path) -> Result<PathBuf> {
    let plain = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    // A backslash would be a folder mark elsewhere, a zero byte ends names.
    let odd = |letter| matches!(letter, '\\' | '\0');
    if name.components().all(plain) && !name.to_string_lossy().contains(odd) {
        return Ok(folder.join(name));
    }
    Err(refused(archive, format!("{:?} would be written outside its folder", name)))
}

fn make_folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(|source| Error::io(path, source))
}

/// Writes one file and returns the bytes that are left of `room`.
fn write(archive: &Path, from: &mut impl Read, path: &Path, room: u64) -> Result<u64> {
    if let Some(parent) = path.parent() {
        make_folder(parent)?;
    }
    let mut to = File::create(path).map_err(|source| Error::io(path, source))?;
    // Sizes in headers may lie: count what really comes out.
    let written = io::copy(&mut from.take(room + 1), &mut to).map_err(|source| {
        refused(archive, format!("{} cannot be unpacked: {source}", path.display()))
    })?;
    room.checked_sub(written)
        .ok_or_else(|| refused(archive, format!("unpacks to more than {room} bytes")))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Write;

    use super::*;

    fn tgz(
        folder: &Path,
        build: impl FnOnce(&mut tar::Builder<flate2::write::GzEncoder<File>>),
    ) -> PathBuf {
        let path = folder.join("archive.tgz");
        let level = flate2::Compression::fast();
        let mut builder =
            tar::Builder::new(flate2::write::GzEncoder::new(File::create(&path).unwrap(), level));
        build(&mut builder);
        builder.into_inner().unwrap().finish().unwrap();
        path
    }

    /// A tar header whose name the `tar` crate itself would refuse to write.
    fn header(name: &str, size: u64, kind: tar::EntryType) -> tar::Header {
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(size);
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_cksum();
        header
    }

    fn zip_of(folder: &Path, entries: &[(&str, &[u8])]) -> PathBuf {
        let path = folder.join("archive.zip");
        let mut writer = zip::ZipWriter::new(File::create(&path).unwrap());
        for (name, bytes) in entries {
            let options = zip::write::SimpleFileOptions::default();
            writer.start_file(*name, options).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap();
        path
    }

    fn out(folder: &Path) -> PathBuf {
        folder.join("deep").join("out")
    }

    fn refusal(archive: &Path, folder: &Path) -> String {
        let error = unpack(archive, &out(folder), &Tools::default()).unwrap_err();
        assert!(matches!(error, Error::BadFile { .. }), "{error}");
        error.to_string()
    }

    #[test]
    fn plain_archives_unpack() {
        let folder = tempfile::tempdir().unwrap();
        let archive = tgz(folder.path(), |tar| {
            tar.append(&header("a/b.txt", 2, tar::EntryType::Regular), &b"hi"[..]).unwrap();
        });
        unpack(&archive, &out(folder.path()), &Tools::default()).unwrap();
        assert_eq!(fs::read(out(folder.path()).join("a/b.txt")).unwrap(), b"hi");
        let archive = zip_of(folder.path(), &[("c/d.txt", b"ho")]);
        unpack(&archive, &out(folder.path()), &Tools::default()).unwrap();
        assert_eq!(fs::read(out(folder.path()).join("c/d.txt")).unwrap(), b"ho");
    }

    #[test]
    fn names_that_leave_the_folder_are_refused() {
        for name in ["../../evil", "/tmp/trompe-evil", "a/../../../evil", "..\\evil"] {
            let folder = tempfile::tempdir().unwrap();
            let archive = tgz(folder.path(), |tar| {
                tar.append(&header(name, 2, tar::EntryType::Regular), &b"hi"[..]).unwrap();
            });
            assert!(refusal(&archive, folder.path()).contains("outside"), "{name}");
            let archive = zip_of(folder.path(), &[(name, b"hi")]);
            assert!(refusal(&archive, folder.path()).contains("outside"), "{name}");
            assert!(!folder.path().join("evil").exists());
            assert!(!Path::new("/tmp/trompe-evil").exists());
        }
    }

    #[test]
    fn links_are_refused() {
        for kind in [tar::EntryType::Symlink, tar::EntryType::Link, tar::EntryType::Fifo] {
            let folder = tempfile::tempdir().unwrap();
            let archive = tgz(folder.path(), |tar| {
                let mut header = header("link", 0, kind);
                header.set_link_name("../../evil").unwrap();
                header.set_cksum();
                tar.append(&header, io::empty()).unwrap();
            });
            assert!(refusal(&archive, folder.path()).contains("neither file nor folder"));
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("archive.zip");
        let mut writer = zip::ZipWriter::new(File::create(&path).unwrap());
        writer.add_symlink("link", "../evil", zip::write::SimpleFileOptions::default()).unwrap();
        writer.finish().unwrap();
        assert!(refusal(&path, folder.path()).contains("link"));
    }

    #[test]
    fn swelling_and_broken_archives_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let archive = zip_of(folder.path(), &[("zeros", &[0; 100_000])]);
        let error = unzip(&archive, &out(folder.path()), 1_000).unwrap_err();
        assert!(error.to_string().contains("more than 1000 bytes"), "{error}");
        let archive = tgz(folder.path(), |tar| {
            let zeros = [0_u8; 100_000];
            tar.append(&header("zeros", 100_000, tar::EntryType::Regular), &zeros[..]).unwrap();
        });
        let error = untar(&archive, &out(folder.path()), 1_000).unwrap_err();
        assert!(error.to_string().contains("more than 1000 bytes"), "{error}");
        for name in ["noise.whl", "noise.tgz", "noise.rar"] {
            let path = folder.path().join(name);
            fs::write(&path, "no archive at all").unwrap();
            refusal(&path, folder.path());
        }
    }
}
