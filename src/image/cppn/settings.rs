//! What networks see and how they are varied.

use serde::{Deserialize, Serialize};

/// How the place of a pixel enters the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Coordinates {
    /// Column and row as they are, 0 to width - 1, and the distance from the centre in
    /// [0, 1]: what the authors' published code does.
    Raw,
    /// Column and row in [-1, 1], and the distance from the centre in [0, 1].
    Centred,
}

/// How a network is varied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Moves {
    /// One move that does all mutations at their published rates.
    Published,
    /// The published move, and smaller ones that change one thing each (ours).
    Single,
}

/// What networks see and how they are varied.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CppnSettings {
    /// How the place of a pixel enters.
    pub coordinates: Coordinates,
    /// How networks are varied.
    pub moves: Moves,
}

impl Default for CppnSettings {
    fn default() -> Self {
        Self { coordinates: Coordinates::Centred, moves: Moves::Single }
    }
}
