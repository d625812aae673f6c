//! The program from outside: every test runs the built command.

#![allow(clippy::unwrap_used)]

mod bad_input;
mod comparison;
mod data;
mod docs;
mod end_to_end;
mod evaluation;
mod examples;
mod faults;
mod foreign_net;
mod help;
mod hostile;
mod images;
mod levels;
mod mistakes;
mod moved;
mod pages;
mod planned;
mod program;
mod programs;
mod reproducible;
mod srcam;
mod tutorials;
#[cfg(unix)]
mod verbs;
mod version;
