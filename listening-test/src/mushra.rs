//! Pages of several stimuli with a hidden reference and anchors, as ITU-R BS.1534-3 (MUSHRA)
//! describes them.

use std::path::PathBuf;

/// The highest score; the lowest is 0.
pub(crate) const HIGHEST: u32 = 100;

/// Name of the hidden reference among the conditions.
pub(crate) const REFERENCE: &str = "reference";

/// The condition of a page, and the first word of that of a score, `mushra:<name>`.
pub(crate) const MUSHRA: &str = "mushra";

/// The same of trials of BS.1116-3, which are pages of a reference, itself hidden, and one object.
pub(crate) const BS1116: &str = "bs1116";

/// An anchor: the reference through a low-pass filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// 3.5 kHz, the low-range anchor.
    Low,
    /// 7 kHz, the mid-range anchor.
    Mid,
}

impl Anchor {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Low, Self::Mid];

    /// End of the pass band in hertz.
    pub(crate) fn hertz(self) -> f64 {
        match self {
            Self::Low => 3500.0,
            Self::Mid => 7000.0,
        }
    }

    /// Its name among the conditions.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Low => "anchor35",
            Self::Mid => "anchor70",
        }
    }
}

/// One page: a reference and the systems that are scored against it.
#[derive(Debug, Clone, PartialEq)]
pub struct MushraPage {
    /// The reference. It is shown as such and once more among the stimuli, hidden.
    pub reference: PathBuf,
    /// Names and files of the systems.
    pub systems: Vec<(String, PathBuf)>,
    /// Anchors made of the reference.
    pub anchors: Vec<Anchor>,
}

/// Whether a system may have this name.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    let own = Anchor::ALL.map(Anchor::name);
    if name == REFERENCE || own.contains(&name) {
        return Err(format!("a system is named {name:?}, as a stimulus that the build makes"));
    }
    if name.is_empty() || name.contains(['/', ':']) {
        return Err(format!("a condition named {name:?}"));
    }
    Ok(())
}
