//! Runs the program in a temporary folder, with a cache that all tests share.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use tempfile::TempDir;

/// Options for a search whose base rate is not what is tested: 50 random candidates measure it, a
/// twentieth of the default. The file is in every [`Place`].
pub(crate) const FEW: [&str; 2] = ["--config", "few.toml"];

/// A folder to run in, removed at the end.
pub(crate) struct Place {
    folder: TempDir,
}

/// Output and exit code of a run.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FEW[1]), "base_rate_candidates = 50\n").unwrap();
        Self { folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The command, to be run here.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trompe"));
        command.args(arguments).current_dir(self.folder.path()).env("TROMPE_CACHE", cache());
        command
    }

    /// The cache that the command uses.
    pub(crate) fn cache(&self) -> &Path {
        cache()
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments).output().unwrap())
    }

    /// Runs a command that must succeed, and returns its stdout.
    pub(crate) fn must(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.code, Some(0), "{arguments:?}: {}", ran.stderr);
        ran.stdout
    }

    /// Runs a command that must fail with exit code 2, and returns its message.
    pub(crate) fn refused(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.code, Some(2), "{arguments:?}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains("error: "), "{}", ran.stderr);
        assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
        ran.stderr
    }
}

impl Ran {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// The cache of all tests, so that the synthetic collections are made once. It lies in the
/// build's folder and is made anew by every run of the tests.
fn cache() -> &'static Path {
    static CACHE: OnceLock<PathBuf> = OnceLock::new();
    CACHE.get_or_init(|| {
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache");
        let _ = std::fs::remove_dir_all(&cache);
        std::fs::create_dir_all(&cache).unwrap();
        cache
    })
}

/// A model trained on the synthetic corpus, the same for all tests.
pub(crate) fn model() -> &'static Path {
    static MODEL: OnceLock<(Place, PathBuf)> = OnceLock::new();
    let (_, path) = MODEL.get_or_init(|| {
        let place = Place::new();
        place.must(&["train", "synthetic", "--rounds", "60", "--reference-folds", "3"]);
        let path = place.path("model.safetensors");
        (place, path)
    });
    path
}

/// Every file below `folder` with its bytes, by name.
pub(crate) fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found: Vec<(String, Vec<u8>)> = walkdir::WalkDir::new(folder)
        .into_iter()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let name = entry.path().strip_prefix(folder).unwrap().display().to_string();
            (name, std::fs::read(entry.path()).unwrap())
        })
        .collect();
    found.sort();
    found
}

/// Writes a script that can be run.
#[cfg(unix)]
pub(crate) fn script_at(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}
