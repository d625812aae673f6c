//! ONNX Runtime: its library is looked for when it is asked for, and loaded once.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};

use ort::environment::Environment;
use ort::session::Session;
use ort::value::TensorRef;

/// Names the library's file.
const VARIABLE: &str = "ORT_DYLIB_PATH";

/// Prints the folder of the libraries in the installed Python package.
const ASK_PYTHON: &str = "import importlib.util as u, os; \
                          print(os.path.join(u.find_spec('onnxruntime').submodule_search_locations[0], 'capi'))";

/// A net that ONNX Runtime runs, on one thread for each call. A session takes one call at a time, so
/// there are as many as there were calls at once.
pub(super) struct OnnxRuntime {
    net: Vec<u8>,
    input: String,
    output: String,
    cuda: bool,
    idle: Mutex<Vec<Session>>,
}

/// The loaded library.
pub(super) struct Library {
    environment: Environment,
    version: String,
}

impl OnnxRuntime {
    /// Loads `net`, whose one input and used output have these names; on a CUDA device if `cuda`.
    ///
    /// # Errors
    /// What is wrong, in words: no library, one of another version, or a net that it refuses.
    pub(super) fn open(
        net: Vec<u8>,
        input: String,
        output: String,
        cuda: bool,
    ) -> Result<Self, String> {
        let loaded = Self { net, input, output, cuda, idle: Mutex::default() };
        let session = loaded.session()?;
        loaded.give_back(session);
        Ok(loaded)
    }

    /// Its name and version.
    pub(super) fn name(&self) -> String {
        let version = library().map(|library| library.version.as_str()).unwrap_or("not loaded");
        let device = if self.cuda { ", CUDA" } else { "" };
        format!("ONNX Runtime {version}{device}")
    }

    /// The output for `values`, whose axes are `axes`.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub(super) fn run(&self, axes: &[usize], values: &[f32]) -> Result<Vec<f32>, String> {
        let taken = self.sessions().pop();
        let mut session = match taken {
            Some(session) => session,
            None => self.session()?,
        };
        let view = TensorRef::from_array_view((axes, values)).map_err(in_words)?;
        let outputs = session
            .run(ort::inputs![self.input.as_str() => view])
            .map_err(|e| format!("cannot be run by ONNX Runtime: {}", in_words(e)))?;
        let output = outputs.get(&self.output).ok_or("gave no output")?;
        let (_, numbers) = output.try_extract_tensor::<f32>().map_err(in_words)?;
        let numbers = numbers.to_vec();
        drop(outputs);
        self.give_back(session);
        Ok(numbers)
    }

    fn session(&self) -> Result<Session, String> {
        let build = || -> ort::Result<Session> {
            let library = library().map_err(ort::Error::new)?;
            let mut builder = Session::builder(&library.environment)?.with_intra_threads(1)?;
            if self.cuda {
                let device = ort::ep::CUDA::default().build().error_on_failure();
                builder = builder.with_execution_providers([device])?;
            }
            builder.commit_from_memory(&self.net)
        };
        build().map_err(|e| format!("is refused by ONNX Runtime: {}", in_words(e)))
    }

    fn give_back(&self, session: Session) {
        self.sessions().push(session);
    }

    fn sessions(&self) -> std::sync::MutexGuard<'_, Vec<Session>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn in_words(error: impl std::fmt::Display) -> String {
    error.to_string().replace('\n', " ")
}

/// The library, loaded at the first call.
///
/// # Errors
/// Why there is none, in words.
pub(super) fn library() -> Result<&'static Library, String> {
    static LIBRARY: OnceLock<Result<Library, String>> = OnceLock::new();
    LIBRARY.get_or_init(load).as_ref().map_err(Clone::clone)
}

fn load() -> Result<Library, String> {
    let path = find()?;
    let named = |what: String| format!("{}: {what}", path.display());
    let builder = ort::init_from(&path).map_err(|e| named(in_words(e)))?;
    // Without telemetry: nothing of a study leaves the machine.
    let environment = builder
        .with_name("trompe")
        .with_telemetry(false)
        .build()
        .map_err(|e| named(in_words(e)))?;
    Ok(Library { environment, version: version(&path, ort::info()) })
}

/// The Python interpreter that is asked for its package.
static INTERPRETER: OnceLock<PathBuf> = OnceLock::new();

/// [`super::Runtime::of_python`].
pub(super) fn of_python(interpreter: PathBuf) {
    let _ = INTERPRETER.set(interpreter); // the first one stays
}

/// The library's file: the one that the environment names, or that of the Python package.
fn find() -> Result<PathBuf, String> {
    if let Some(path) = std::env::var_os(VARIABLE).filter(|path| !path.is_empty()) {
        let path = PathBuf::from(path);
        return match path.is_file() {
            true => std::path::absolute(&path).map_err(|e| format!("{}: {e}", path.display())),
            false => Err(format!("{VARIABLE} names {}, which is no file", path.display())),
        };
    }
    let interpreter = INTERPRETER.get().map_or(Path::new("python3"), PathBuf::as_path);
    let missing = || {
        format!(
            "no library of ONNX Runtime: set {VARIABLE} to it, or install the Python package \
             onnxruntime for {}",
            interpreter.display()
        )
    };
    let said =
        Command::new(interpreter).args(["-c", ASK_PYTHON]).output().map_err(|_| missing())?;
    let folder = String::from_utf8_lossy(&said.stdout).trim().to_owned();
    if !said.status.success() || folder.is_empty() {
        return Err(missing());
    }
    in_folder(Path::new(&folder)).ok_or_else(missing)
}

/// The library in a folder of the Python package: a file of its own in some versions, part of the
/// module in others.
fn in_folder(folder: &Path) -> Option<PathBuf> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    let named = |start: &'static str| {
        move |path: &&PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with(start) && !name.contains("providers")
        }
    };
    let starts = ["libonnxruntime.", "onnxruntime.dll", "onnxruntime_pybind11_state."];
    starts.iter().find_map(|start| files.iter().find(named(start)).cloned())
}

/// The version: by the branch that the library was built of, or by its file's name or folder.
fn version(path: &Path, built: &str) -> String {
    let branch = built.split("git-branch=rel-").nth(1);
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let name = real.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let of_name = name.split(".so.").nth(1).map(str::to_owned);
    branch
        .map(|text| text.split([',', ' ']).next().unwrap_or_default().to_owned())
        .or(of_name)
        .or_else(|| {
            let commit = built.split("git-commit-id=").nth(1)?;
            Some(format!("of commit {}", commit.split([',', ' ']).next()?))
        })
        .unwrap_or_else(|| "of unknown version".to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_library_is_found_in_the_layouts_of_the_python_package() {
        let folder = tempfile::tempdir().unwrap();
        let add = |name: &str| std::fs::write(folder.path().join(name), "").unwrap();
        let found = || in_folder(folder.path()).map(|path| path.file_name().unwrap().to_owned());
        assert_eq!(found(), None);
        add("libonnxruntime_providers_shared.so");
        assert_eq!(found(), None);
        add("onnxruntime_pybind11_state.cpython-311-x86_64-linux-gnu.so");
        assert!(found().unwrap().to_string_lossy().starts_with("onnxruntime_pybind11"));
        add("libonnxruntime.so.1.24.1");
        assert_eq!(found().unwrap(), "libonnxruntime.so.1.24.1");
    }

    #[test]
    fn its_version_is_told_by_what_it_says_or_its_name() {
        let path = Path::new("/lib/libonnxruntime.so.1.24.1");
        assert_eq!(version(path, "git-branch=rel-1.19.2, git-commit-id=26250ae"), "1.19.2");
        assert_eq!(version(path, "git-branch=HEAD, git-commit-id=26250ae"), "1.24.1");
        let other = Path::new("/lib/onnxruntime.dll");
        assert_eq!(version(other, "git-commit-id=26250ae, build"), "of commit 26250ae");
    }
}
