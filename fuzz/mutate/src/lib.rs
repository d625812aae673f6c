//! Hostile files for every reader of trompe: seeds that trompe writes itself ([`seeds`]),
//! damage ([`mutation`]) whose checksums are repaired so that it gets past them ([`repair`]),
//! one function per reader ([`readers`]) that the program here and the fuzz targets share, and
//! the count of what happened ([`campaign`]).

pub mod campaign;
pub mod mutation;
pub mod readers;
pub mod repair;
pub mod searches;
pub mod seeds;
