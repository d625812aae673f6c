//! What the verbs of the command do, as functions: each takes settings, tells its progress,
//! and returns what it found.

mod beside;
mod companions;
#[cfg(feature = "listen")]
pub mod compare;
#[cfg(feature = "listen")]
pub mod controls;
pub mod deflation;
pub mod equalize;
pub mod evaluate;
#[cfg(feature = "listen")]
pub mod exhibit_media;
mod folder_toml;
pub mod fool;
pub mod gallery;
mod grouped_share;
pub mod held_out;
mod image_spaces;
pub mod info;
pub mod interventions;
pub mod open;
pub mod page;
pub mod planned;
pub mod predict;
pub mod probe;
pub mod recordings;
pub mod reference;
pub mod replay;
#[cfg(feature = "listen")]
pub mod rescoring;
pub mod retrain;
pub mod scoring;
pub mod series;
pub mod train;
pub mod train_images;
pub mod training_clips;
pub mod transfer;
pub mod verify;
