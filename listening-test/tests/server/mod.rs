//! The server from outside: faults, strangers, text, privacy. All traffic stays on loopback.

mod bs1116;
mod building;
mod designs;
mod erasing;
mod faults;
mod fieldwork;
mod handed_over;
mod import_formats;
mod load;
mod mushra;
mod papers;
mod participants;
mod refusals;
mod results;
mod sample;
mod slow_lines;
mod staircase;
mod strangers;
