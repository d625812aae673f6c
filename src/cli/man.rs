//! `trompe man`: manual pages.

use std::path::PathBuf;

use clap_mangen::Man;
use trompe_base::files::write_atomically;

use super::common::{Common, Outcome, print, print_json};
use super::overwrite::Overwrite;
use crate::error::{Error, Result};

/// Write manual pages: trompe.1, and one page a verb
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  trompe man --out man")]
pub(super) struct Arguments {
    /// Folder to write, such as ~/.local/share/man/man1
    #[arg(long, short, value_name = "FOLDER")]
    out: PathBuf,
    #[command(flatten)]
    overwrite: Overwrite,
}

/// `command` is the whole command line, which the pages describe.
pub(super) fn run(
    arguments: &Arguments,
    common: &Common,
    command: clap::Command,
) -> Result<Outcome> {
    let folder = &arguments.out;
    let mut pages = Vec::new();
    // Pages of one version are the same bytes, whatever commit the program was built from.
    let mut command = command.version(env!("CARGO_PKG_VERSION")).disable_help_subcommand(true);
    command.build();
    render(&command, &mut pages)?;
    std::fs::create_dir_all(folder).map_err(|source| Error::io(folder, source))?;
    let files: Vec<PathBuf> = pages.iter().map(|(name, _)| folder.join(name)).collect();
    for file in &files {
        arguments.overwrite.check_file(file, "--out")?;
    }
    for (file, (_, page)) in files.iter().zip(&pages) {
        write_atomically(file, page)?;
    }
    if common.json {
        print_json(&serde_json::json!({ "pages": files }));
    } else {
        print(&format!("{} pages in {}", files.len(), folder.display()));
        print(&format!("read: man -l {}", folder.join("trompe.1").display()));
    }
    Ok(Outcome::Done)
}

/// The page of `command` and those of all verbs below it, each with the name of its file.
fn render(command: &clap::Command, pages: &mut Vec<(String, Vec<u8>)>) -> Result<()> {
    let man = Man::new(command.clone()).source(concat!("trompe ", env!("CARGO_PKG_VERSION")));
    let (name, mut page) = (man.get_filename(), Vec::new());
    man.render(&mut page).map_err(|source| Error::io(&name, source))?;
    pages.push((name, page));
    command.get_subcommands().try_for_each(|below| render(below, pages))
}
