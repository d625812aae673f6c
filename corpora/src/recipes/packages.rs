//! Fetches pinned packages with the system's package managers, without root and without changing the
//! system.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use trompe_base::encoding::hex;
use trompe_base::hash::sha256_file;
use trompe_base::{Error, Result};

use crate::cache::{Cache, empty};
use crate::recipes::recipe::{Manager, Package};
use crate::recipes::tools::{Tools, run};
use crate::recipes::unpack::unpack;

/// The archive of `package`, in the cache: fetched when it is not there, and only handed
/// out with the pinned digest.
///
/// # Errors
/// [`Error::Tool`] when the manager is missing or fails, [`Error::BadFile`] when the archive
/// is another one than the recipe pins, [`Error::Io`].
pub(crate) fn fetch(package: &Package, cache: &Cache, tools: &Tools) -> Result<PathBuf> {
    let entry = cache.build(
        "downloads",
        &entry_name(package),
        |entry| only_file(entry).is_ok_and(|file| check(&file, package).is_ok()),
        |part| {
            match package.manager {
                Manager::Apt => apt(package, part, cache, tools)?,
                Manager::Pip => pip(package, part, tools)?,
                Manager::Npm => npm(package, part, tools)?,
            }
            check(&only_file(part)?, package)
        },
    )?;
    only_file(&entry)
}

/// The folder where `package` lies unpacked, in the cache.
///
/// # Errors
/// As [`fetch`], and [`Error::BadFile`] when the archive cannot be unpacked.
pub(crate) fn unpacked(package: &Package, cache: &Cache, tools: &Tools) -> Result<PathBuf> {
    cache.build(
        "packages",
        &entry_name(package),
        |_| true,
        |part| unpack_into(package, part, cache, tools),
    )
}

/// Unpacks `package`, and the archive inside it if the recipe names one, into `folder`.
///
/// # Errors
/// As [`unpacked`].
pub(crate) fn unpack_into(
    package: &Package,
    folder: &Path,
    cache: &Cache,
    tools: &Tools,
) -> Result<()> {
    unpack(&fetch(package, cache, tools)?, folder, tools)?;
    match &package.inner {
        Some(inner) => unpack(&folder.join(inner), folder, tools),
        None => Ok(()),
    }
}

/// SHA-256 of a file, in lower-case hexadecimal.
///
/// # Errors
/// [`Error::Io`] naming the file.
pub(crate) fn sha256(path: &Path) -> Result<String> {
    sha256_file(path).map(|digest| hex(&digest))
}

/// A name for `package` that changes with its content.
fn entry_name(package: &Package) -> String {
    let digest = package.sha256.get(..12).unwrap_or(&package.sha256);
    let name: String =
        package.name.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
    format!("{name}-{digest}")
}

fn check(file: &Path, package: &Package) -> Result<()> {
    let found = sha256(file)?;
    if found == package.sha256 {
        return Ok(());
    }
    Err(Error::bad_file(
        file,
        format!(
            "is not the archive of {} {} that the recipe pins: sha256 {found}, expected {}",
            package.name, package.version, package.sha256
        ),
        "fetch it again; if it stays so, the package was changed at its source: \
         update trompe, or use --offline",
    ))
}

/// The one file of `folder`.
fn only_file(folder: &Path) -> Result<PathBuf> {
    let list = || fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>();
    let mut files: Vec<PathBuf> = list()
        .map_err(|source| Error::io(folder, source))?
        .into_iter()
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .collect();
    match files.pop() {
        Some(file) if files.is_empty() => Ok(file),
        _ => Err(Error::bad_file(folder, "should hold one archive", "remove it and fetch again")),
    }
}

/// Debian's manager with lists, cache and settings of its own, so that it needs no rights,
/// works where the system's lists are empty, and leaves the system as it is.
fn apt(package: &Package, into: &Path, cache: &Cache, tools: &Tools) -> Result<()> {
    let mut download = tools.command("apt-get", "apt (Debian or Ubuntu)")?;
    let _lock = cache.lock("apt")?;
    let state = cache.shelf("apt")?;
    for folder in ["lists/partial", "archives/partial"] {
        let path = state.join(folder);
        fs::create_dir_all(&path).map_err(|source| Error::io(&path, source))?;
    }
    let settings = state.join("apt.conf");
    // The hooks that a system runs after an update may touch the system's own cache.
    let text = format!(
        "#clear APT::Update::Pre-Invoke;\n\
         #clear APT::Update::Post-Invoke;\n\
         #clear APT::Update::Post-Invoke-Success;\n\
         Dir::State \"{state}\";\n\
         Dir::State::Lists \"{state}/lists\";\n\
         Dir::Cache \"{state}\";\n\
         Dir::Cache::Archives \"{state}/archives\";\n\
         Acquire::Languages \"none\";\n\
         APT::Sandbox::User \"\";\n",
        state = state.display()
    );
    fs::write(&settings, text).map_err(|source| Error::io(&settings, source))?;
    let option = format!("-c={}", settings.display());
    let wanted = format!("{}={}", package.name, package.version);
    download.current_dir(into).args(["-q", &option, "download", &wanted]);
    // Lists of an earlier day usually still name the pinned version.
    let remedy = "check the network and that the system's package sources are those of the \
                  Debian release that carries this version";
    if run(&mut download, remedy).is_ok() {
        return Ok(());
    }
    empty(into)?;
    let mut update = tools.command("apt-get", "apt (Debian or Ubuntu)")?;
    update.args(["-q", &option, "update"]);
    let updated = run(&mut update, "check the network and the system's package sources");
    // A source that fails beside the one that is needed does no harm.
    run(&mut download, remedy).map_err(|error| updated.err().unwrap_or(error)).map(drop)
}

fn pip(package: &Package, into: &Path, tools: &Tools) -> Result<()> {
    let mut command = tools.command("python3", "python3 and python3-pip")?;
    command.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check"]);
    command.args(["--no-deps", "--only-binary", ":all:", "--dest"]).arg(into);
    command.arg(format!("{}=={}", package.name, package.version));
    run(&mut command, "install python3-pip and check the network").map(drop)
}

fn npm(package: &Package, into: &Path, tools: &Tools) -> Result<()> {
    let mut command = tools.command("npm", "npm")?;
    command.args(["pack", "--silent", "--pack-destination"]).arg(into);
    command.arg(format!("{}@{}", package.name, package.version)).current_dir(into);
    run(&mut command, "check the network").map(drop)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn package(manager: Manager, sha256: &str) -> Package {
        Package {
            manager,
            name: "thing".into(),
            version: "1.0".into(),
            sha256: sha256.into(),
            bytes: 5,
            licence: "CC0".into(),
            inner: None,
        }
    }

    /// A search path whose `npm` puts a file with `content` where it is told.
    fn fake_npm(folder: &Path, content: &str) -> Tools {
        let script = format!(
            "#!/bin/sh\nwhile [ \"$1\" != --pack-destination ]; do shift; done\n\
             printf '%s' '{content}' > \"$2/thing-1.0.tgz\"\n"
        );
        let path = folder.join("npm");
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        let mut search = folder.as_os_str().to_owned();
        search.push(":/usr/bin:/bin");
        Tools::new(Some(&search))
    }

    /// `printf hello | sha256sum`.
    const HELLO: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

    #[test]
    fn the_pinned_archive_is_fetched_once() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path().join("cache"));
        let tools = fake_npm(folder.path(), "hello");
        let archive = fetch(&package(Manager::Npm, HELLO), &cache, &tools).unwrap();
        assert_eq!(fs::read_to_string(&archive).unwrap(), "hello");
        let nothing = Tools::new(Some(OsStr::new("")));
        assert_eq!(fetch(&package(Manager::Npm, HELLO), &cache, &nothing).unwrap(), archive);
        // Altered on disk: not handed out again.
        fs::write(&archive, "hallo").unwrap();
        assert!(fetch(&package(Manager::Npm, HELLO), &cache, &nothing).is_err());
    }

    #[test]
    fn another_archive_is_refused_with_both_digests() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path().join("cache"));
        let tools = fake_npm(folder.path(), "other");
        let error = fetch(&package(Manager::Npm, HELLO), &cache, &tools).unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, Error::BadFile { .. }));
        assert!(text.contains("thing-1.0.tgz") && text.contains(HELLO), "{text}");
        assert!(text.contains("fetch it again"), "{text}");
        assert!(!cache.entry("downloads", &entry_name(&package(Manager::Npm, HELLO))).exists());
    }

    #[test]
    fn a_missing_manager_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path());
        let nothing = Tools::new(Some(OsStr::new("")));
        for (manager, program) in
            [(Manager::Apt, "apt-get"), (Manager::Pip, "python3"), (Manager::Npm, "npm")]
        {
            let error = fetch(&package(manager, HELLO), &cache, &nothing).unwrap_err().to_string();
            assert!(error.starts_with(program) && error.contains("install"), "{error}");
        }
    }
}
