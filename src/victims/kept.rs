//! Names of the copy of a model that a run keeps in its folder.

/// Name of the copy of its model that a run keeps in its folder.
pub(super) const KEPT: &str = "model.safetensors";

/// Name of that copy, and of the net in a folder of its own, for ONNX files.
pub(super) const ONNX: &str = "model.onnx";
