//! What runs nets: the built-in runtime, or ONNX Runtime.

use std::cell::Cell;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::error::{Error, Result};

/// What runs nets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Runtime {
    /// The crate `rten`, which needs no set-up.
    #[default]
    Rten,
    /// ONNX Runtime, whose library is found by `ORT_DYLIB_PATH`, or in the installed Python package.
    OnnxRuntime,
    /// The same on a CUDA device, where the library offers it. Not tested: no such device was at hand.
    OnnxRuntimeCuda,
}

/// What this process chose. Models are opened in many places, all of which are to use the same.
static CHOSEN: AtomicU8 = AtomicU8::new(0);

thread_local! {
    /// What [`Runtime::during`] chose for the nets that this thread opens.
    static HERE: Cell<Option<Runtime>> = const { Cell::new(None) };
}

impl Runtime {
    /// All, the default first.
    pub const ALL: [Self; 3] = [Self::Rten, Self::OnnxRuntime, Self::OnnxRuntimeCuda];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rten => "rten",
            Self::OnnxRuntime => "onnxruntime",
            Self::OnnxRuntimeCuda => "onnxruntime-cuda",
        }
    }

    /// The one called `name`.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

    /// Lets every net that is opened from now on be run by it.
    ///
    /// # Errors
    /// [`Error::Request`] if there is no library of it, or it cannot be loaded.
    pub fn choose(self) -> Result<()> {
        self.load().map_err(|what| {
            Error::request(
                format!("--runtime {}: {what}", self.name()),
                "leave --runtime out for the built-in runtime",
            )
        })?;
        let place = Self::ALL.iter().position(|one| *one == self).unwrap_or(0);
        CHOSEN.store(place as u8, Ordering::Relaxed);
        Ok(())
    }

    /// Does `work`. The nets that it opens on this thread are run by this runtime, whatever the process
    /// chose.
    ///
    /// # Errors
    /// As [`Runtime::choose`].
    pub fn during<T>(self, work: impl FnOnce() -> T) -> Result<T> {
        /// Puts the choice of before back, also after a panic.
        struct Before(Option<Runtime>);
        impl Drop for Before {
            fn drop(&mut self) {
                HERE.set(self.0);
            }
        }
        self.load().map_err(|what| {
            Error::request(format!("runtime {}: {what}", self.name()), "or take the built-in, rten")
        })?;
        let _before = Before(HERE.replace(Some(self)));
        Ok(work())
    }

    /// Names the Python interpreter whose package `onnxruntime` is used, in place of the `python3` on the
    /// path. Only the first call counts, and none after the library was loaded.
    pub fn of_python(interpreter: PathBuf) {
        #[cfg(feature = "onnxruntime")]
        super::onnxruntime::of_python(interpreter);
        #[cfg(not(feature = "onnxruntime"))]
        drop(interpreter);
    }

    /// The one that this thread's nets are run by.
    pub(crate) fn chosen() -> Self {
        HERE.get().unwrap_or_else(Self::of_process)
    }

    /// The one that was chosen last for the whole process.
    fn of_process() -> Self {
        Self::ALL.get(usize::from(CHOSEN.load(Ordering::Relaxed))).copied().unwrap_or_default()
    }

    #[cfg(feature = "onnxruntime")]
    fn load(self) -> std::result::Result<(), String> {
        if self != Self::Rten {
            super::onnxruntime::library()?;
        }
        Ok(())
    }

    #[cfg(not(feature = "onnxruntime"))]
    fn load(self) -> std::result::Result<(), String> {
        match self {
            Self::Rten => Ok(()),
            _ => Err("this trompe was built without the feature onnxruntime".to_owned()),
        }
    }
}
