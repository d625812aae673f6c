//! Images that a search can draw, vary and score.
//!
//! A [`Generator`] knows one way to make images: single [`Pixels`] and network-drawn [`Cppn`]
//! patterns as Nguyen, Yosinski & Clune (2015), square [`Patches`], and [`Tiles`] cut from a
//! corpus. An [`ImageProblem`] joins a generator and a classifier. What is scored is the 8-bit
//! image that would be written to disk, never anything finer.

mod contact_sheet;
pub mod cppn;
mod delivery;
mod described;
mod interventions;
pub mod patches;
pub mod pixels;
mod problem;
mod raster;
mod settings;
pub mod tiles;
pub mod values;

pub use contact_sheet::contact_sheet;
pub use cppn::Cppn;
pub use delivery::{ImageDelivery, score_file};
pub use described::{Described, Descriptor};
pub use interventions::Intervention;
pub use patches::Patches;
pub use pixels::Pixels;
pub use problem::{Generator, ImageProblem};
pub use raster::{Raster, unlikeness};
pub use settings::Settings;
pub use tiles::Tiles;
pub use values::Values;
