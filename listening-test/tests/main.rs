//! All tests of the crate from outside, as one program: each would be linked on its own.

#![allow(clippy::unwrap_used)]

mod analysis;
mod calibration;
mod languages;
mod outcomes;
mod server;
