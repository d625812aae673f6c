//! The server from outside: faults, strangers, text, privacy. All traffic stays on loopback.

mod bs1116;
mod building;
mod consenting;
mod designs;
mod erasing;
mod faults;
mod fieldwork;
mod gold;
mod handed_over;
mod import_formats;
mod load;
mod mushra;
mod overwriting;
mod papers;
mod participants;
mod refusals;
mod results;
mod sample;
mod several;
mod slow_lines;
mod staircase;
mod strangers;
