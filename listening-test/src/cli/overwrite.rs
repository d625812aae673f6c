//! `--force`, by the rule of every command: results replace nothing that is there already, unless this
//! asks for it. Studies and answers are never replaced: they take people.

#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct Overwrite {
    /// Replace what is there already
    #[arg(long)]
    pub(super) force: bool,
}
