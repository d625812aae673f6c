//! External programs: finds them on a search path, runs them, and reports their failures as errors.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use trompe_base::{Error, Result};

/// What to do without: every recipe's error ends with this offer.
const OFFLINE: &str = "or use --offline for the built-in synthetic corpus";

/// Where programs are looked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tools {
    /// A list in the form of `$PATH`.
    search_path: OsString,
}

impl Tools {
    /// Looks in `search_path`, or in `$PATH` when it is `None`.
    pub(crate) fn new(search_path: Option<&OsStr>) -> Self {
        let search_path = match search_path {
            Some(path) => path.to_owned(),
            None => std::env::var_os("PATH").unwrap_or_default(),
        };
        Self { search_path }
    }

    /// A command for `program`, reading nothing from the terminal.
    ///
    /// # Errors
    /// [`Error::Tool`] saying that `package` must be installed.
    pub(crate) fn command(&self, program: &str, package: &str) -> Result<Command> {
        let mut command = Command::new(self.find(program, package)?);
        command.env("PATH", &self.search_path).env("LC_ALL", "C.UTF-8").stdin(Stdio::null());
        Ok(command)
    }

    fn find(&self, program: &str, package: &str) -> Result<PathBuf> {
        std::env::split_paths(&self.search_path)
            .filter(|folder| !folder.as_os_str().is_empty())
            .map(|folder| folder.join(program))
            .find(|path| path.is_file())
            .ok_or_else(|| {
                Error::tool(program, "not found", format!("install {package}, {OFFLINE}"))
            })
    }
}

/// Runs `command` to its end and returns what it printed on standard output.
///
/// # Errors
/// [`Error::Tool`] with the last lines it printed, when it cannot be started or fails.
pub(crate) fn run(command: &mut Command, remedy: &str) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|source| {
        Error::tool(
            &program,
            format!("cannot be started: {source}"),
            format!("repair it, {OFFLINE}"),
        )
    })?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(printed);
    }
    let mut said = String::from_utf8_lossy(&output.stderr).into_owned();
    if said.trim().is_empty() {
        said = printed;
    }
    let what = format!("failed ({}): {}", output.status, tail(&said));
    Err(Error::tool(program, what, format!("{remedy}, {OFFLINE}")))
}

/// The last three lines that say something.
fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(3)..].join(" / ")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_names_its_package_and_the_offline_way() {
        let error = Tools::new(Some(OsStr::new(""))).command("apt-get", "apt").unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, Error::Tool { .. }));
        assert!(text.contains("apt-get: not found; install apt"), "{text}");
        assert!(text.contains("--offline"), "{text}");
    }

    #[test]
    fn a_failing_program_is_quoted() {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "echo reason >&2; exit 3"]);
        let text = run(&mut command, "do this").unwrap_err().to_string();
        assert!(text.contains("reason") && text.contains("do this"), "{text}");
    }
}
