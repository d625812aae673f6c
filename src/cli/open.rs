//! `trompe open`: a page in the browser.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::common::{Common, Outcome, print, print_json};
use crate::error::{Error, Result};
use crate::pipeline::page::page_of;

/// Program that opens a page in the user's browser, and what stands before the page.
const OPENER: (&str, &[&str]) = if cfg!(target_os = "macos") {
    ("open", &[])
} else if cfg!(windows) {
    // `start` takes the first quoted word for the title of a window.
    ("cmd", &["/C", "start", ""])
} else {
    ("xdg-open", &[])
};

/// How often, and how many times, the opener is looked at. One that is still at work then has started a
/// browser, which some of them wait for.
const LOOKS: (Duration, u32) = (Duration::from_millis(50), 40);

/// Open the page of a run, a fooling set, a comparison, an evaluation or a study's results
///
/// The page is opened in the browser, and its path is printed. Of a run it is that of the fooling set.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  trompe open run\n  trompe open run --print")]
pub(super) struct Arguments {
    /// The folder of any of these, or a page
    path: PathBuf,
    /// Print the page's path, and open nothing
    #[arg(long)]
    print: bool,
}

pub(super) fn run(arguments: &Arguments, common: &Common) -> Result<Outcome> {
    let page = page_of(&arguments.path)?;
    if !arguments.print {
        open(&page)?;
    }
    if common.json {
        print_json(&serde_json::json!({ "page": page, "opened": !arguments.print }));
    } else {
        print(&page.display().to_string());
    }
    Ok(Outcome::Done)
}

/// Opens `page` in the browser.
fn open(page: &Path) -> Result<()> {
    let (program, before) = OPENER;
    let absolute = std::path::absolute(page).map_err(|source| Error::io(page, source))?;
    let failed = |why: String| {
        Error::request(
            format!("{}: {program} {why}", page.display()),
            "open the page in a browser yourself; --print prints its path alone",
        )
    };
    let mut command = Command::new(program);
    command.args(before).arg(absolute);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut opener = command.spawn().map_err(|error| failed(format!("cannot be run: {error}")))?;
    let (pause, times) = LOOKS;
    for _ in 0..times {
        match opener.try_wait().map_err(|error| failed(format!("is lost: {error}")))? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => return Err(failed(format!("opened nothing ({status})"))),
            None => std::thread::sleep(pause),
        }
    }
    Ok(())
}
