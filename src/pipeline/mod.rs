//! What the verbs of the command do, as functions: each takes settings, tells its progress,
//! and returns what it found.

pub mod controls;
pub mod evaluate;
pub mod fool;
pub mod open;
pub mod train;
pub mod train_images;
pub mod verify;
