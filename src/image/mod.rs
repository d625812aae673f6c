//! Images as a medium of the search: spaces that render them, and their delivered files.
//!
//! Each [`Space`](crate::problem::Space) knows one way to make images: single [`Pixels`] and
//! network-drawn [`Cppn`] patterns as Nguyen, Yosinski & Clune (2015), square [`Patches`],
//! [`Tiles`] cut from a corpus, and real [`Values`] for gradient ascent. What is scored is the
//! 8-bit image that would be written to disk, never anything finer.

mod any;
mod binned;
mod codec;
mod contact_sheet;
pub mod cppn;
mod deb_variation;
mod interventions;
pub mod patches;
pub mod pixels;
pub mod probes;
mod raster;
mod record;
mod settings;
pub mod tiles;
pub mod values;

pub use any::{ImageGenome, ImageSpace};
pub use binned::{Binned, DESCRIPTOR_KEY, Descriptor};
pub use codec::PngCodec;
pub use contact_sheet::contact_sheet;
pub use cppn::Cppn;
pub use interventions::Intervention;
pub use patches::Patches;
pub use pixels::Pixels;
pub use raster::{Raster, unlikeness};
pub use settings::GeneratorSettings;
pub use tiles::Tiles;
pub use values::Values;
