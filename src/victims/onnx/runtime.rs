//! What runs nets: the built-in runtime, or ONNX Runtime.

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

    /// The one that was chosen last.
    pub(crate) fn chosen() -> Self {
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
