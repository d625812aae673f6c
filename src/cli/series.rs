//! `trompe fool --seeds N`: the same run with several seeds.

use std::path::Path;

use super::common::{Common, Outcome, print, print_json, print_next};
use super::interrupt;
use super::progress::Bars;
use crate::error::Result;
use crate::pipeline::fool::{Standing, Watch};
use crate::pipeline::series::{self, Series, SeriesEnd};
use crate::report::terminal;

pub(super) fn start(series: &Series, folder: &Path, common: &Common) -> Result<Outcome> {
    run(series, folder, common, series::start)
}

pub(super) fn resume(series: &Series, folder: &Path, common: &Common) -> Result<Outcome> {
    run(series, folder, common, series::resume)
}

type Go = fn(&Series, &Path, Watch<'_>, &mut dyn FnMut(u64)) -> Result<SeriesEnd>;

fn run(series: &Series, folder: &Path, common: &Common, go: Go) -> Result<Outcome> {
    let bars = Bars::new(common);
    let mut standing = |standing: &Standing| bars.show_standing(standing);
    let watch = Watch { progress: &bars, standing: &mut standing, stop: interrupt::flag(folder) };
    let mut announce = |seed| bars.say(&format!("seed {seed}"));
    let ended = go(series, folder, watch, &mut announce);
    bars.clear();
    match ended? {
        SeriesEnd::Stopped => {
            eprintln!("stopped; go on with: trompe fool --resume {}", folder.display());
            Ok(Outcome::Interrupted)
        }
        SeriesEnd::Done(reports) => {
            if common.json {
                print_json(&reports);
            } else {
                print(&terminal::series(&reports));
                print_next(&["compare", &folder.to_string_lossy()]);
            }
            Ok(Outcome::Done)
        }
    }
}
