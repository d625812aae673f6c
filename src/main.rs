//! The `trompe` command.

fn main() {}
