//! A running program, and the lines that go to and fro.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel, sync_channel};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use super::hello::{Hello, Takes};
use crate::error::{Error, Result};
use trompe_base::words::counted;

/// Time limit of the first line: importing a library of nets takes a while.
const FIRST_LINE: Duration = Duration::from_secs(120);

/// Longest line that a program may write.
const LONGEST_LINE: u64 = 64 << 20;

/// Words of the error of a program that is gone.
const DIED: &str = "ended before it answered";

/// A running program.
#[derive(Debug)]
pub(super) struct Process {
    name: String,
    child: Child,
    /// What a thread writes to its stdin: a program that does not read must not hold up more than that.
    questions: Sender<Vec<u8>>,
    /// Lines of its stdout; an error is one that is too long or no text.
    lines: Receiver<Result<String, String>>,
    /// Where inputs that go as files are put.
    folder: TempDir,
    /// Number of the last question.
    question: u64,
}

/// A question.
#[derive(Serialize)]
struct Question {
    id: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    paths: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    bytes: Vec<usize>,
}

/// The answer to a question.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answered {
    id: u64,
    #[serde(default)]
    scores: Option<Vec<Vec<f64>>>,
    #[serde(default)]
    error: Option<String>,
}

/// The error of a program called `name`.
pub(super) fn failed(name: &str, what: &str) -> Error {
    Error::victim(format!("the program {name} {what}"))
}

/// Whether an error says that the program is gone.
pub(super) fn died(error: &Error) -> bool {
    error.to_string().contains(DIED)
}

impl Process {
    /// Starts a program and reads its first line.
    pub(super) fn start(words: &[String]) -> Result<(Self, Hello)> {
        let name = words[0].clone();
        let mut command = Command::new(&name);
        // Its stderr is ours.
        command.args(&words[1..]).stdin(Stdio::piped()).stdout(Stdio::piped());
        // Ctrl-C is for trompe, which then ends it.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let folder = tempfile::tempdir().map_err(|e| Error::io(std::env::temp_dir(), e))?;
        let mut child = command.spawn().map_err(|error| {
            Error::request(
                format!("the program {name} cannot be started: {error}"),
                "check its path and that it may be executed; name an interpreter before a script",
            )
        })?;
        let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(failed(&name, "has no stdin or stdout"));
        };
        let (questions, asked) = channel::<Vec<u8>>();
        std::thread::spawn(move || {
            // A program that is gone is met where its answer is waited for.
            for question in asked {
                if stdin.write_all(&question).and_then(|()| stdin.flush()).is_err() {
                    return;
                }
            }
        });
        let (sender, lines) = sync_channel(4);
        std::thread::spawn(move || {
            let mut reader = BufReader::new(stdout);
            loop {
                let line = read_line(&mut reader);
                let last = !matches!(line, Ok(Some(_)));
                let sent = match line {
                    Ok(None) => return,
                    Ok(Some(line)) => sender.send(Ok(line)),
                    Err(what) => sender.send(Err(what)),
                };
                if last || sent.is_err() {
                    return;
                }
            }
        });
        let mut process = Self { name, child, questions, lines, folder, question: 0 };
        let line = process.line(FIRST_LINE, "its first line")?;
        let hello = Hello::read(&line).map_err(|what| {
            failed(
                &process.name,
                &format!("does not speak the protocol of docs/victims.md: {what}"),
            )
        })?;
        Ok((process, hello))
    }

    /// Asks about the inputs of these numbers, which `write` puts into files or gives as bytes.
    pub(super) fn ask(
        &mut self,
        hello: &Hello,
        numbers: &[usize],
        write: &impl Fn(usize, &Path) -> Result<Vec<u8>>,
    ) -> Result<Vec<Vec<f64>>> {
        let end = if hello.audio.is_some() { "wav" } else { "png" };
        let (mut paths, mut contents) = (Vec::new(), Vec::new());
        for (place, &number) in numbers.iter().enumerate() {
            let path = self.folder.path().join(format!("{place}.{end}"));
            contents.push(write(number, &path)?);
            paths.push(path.to_string_lossy().into_owned());
        }
        self.question += 1;
        let by_path = hello.input == Takes::Paths;
        let question = Question {
            id: self.question,
            paths: if by_path { paths.clone() } else { Vec::new() },
            bytes: if by_path { Vec::new() } else { contents.iter().map(Vec::len).collect() },
        };
        self.send(&question, &contents)?;
        let what = format!("the answer about {} inputs", numbers.len());
        let line = self.line(Duration::from_secs_f64(hello.seconds), &what)?;
        for path in paths.iter().filter(|path| Path::new(path).exists()) {
            std::fs::remove_file(path).map_err(|source| Error::io(path, source))?;
        }
        let answer: Answered = serde_json::from_str(&line).map_err(|error| {
            let shown: String = line.chars().take(200).collect();
            failed(&self.name, &format!("gave no answer: {error}: {shown}"))
        })?;
        if answer.id != self.question {
            let what = format!("answered question {}, not {}", answer.id, self.question);
            return Err(failed(&self.name, &what));
        }
        match (answer.scores, answer.error) {
            (_, Some(why)) => Err(failed(&self.name, &format!("gave up: {why}"))),
            (Some(rows), None) if rows.len() == numbers.len() => Ok(rows),
            (Some(rows), None) => {
                let (rows, inputs) = (counted(rows.len(), "row"), counted(numbers.len(), "input"));
                let what = format!("gave {rows} of scores for {inputs}");
                Err(failed(&self.name, &what))
            }
            (None, None) => Err(failed(&self.name, "gave an answer without scores")),
        }
    }

    fn send(&mut self, question: &Question, contents: &[Vec<u8>]) -> Result<()> {
        let mut text = serde_json::to_vec(question)
            .map_err(|error| failed(&self.name, &format!("cannot be asked: {error}")))?;
        text.push(b'\n');
        contents.iter().for_each(|content| text.extend_from_slice(content));
        self.questions.send(text).map_err(|_| self.gone())
    }

    /// The next line, which is `what`, within a time limit.
    fn line(&mut self, limit: Duration, what: &str) -> Result<String> {
        match self.lines.recv_timeout(limit) {
            Ok(Ok(line)) => Ok(line),
            Ok(Err(fault)) => Err(failed(&self.name, &format!("wrote {fault} for {what}"))),
            Err(RecvTimeoutError::Timeout) => {
                let seconds = limit.as_secs_f64();
                Err(failed(&self.name, &format!("did not write {what} within {seconds} s")))
            }
            Err(RecvTimeoutError::Disconnected) => Err(self.gone()),
        }
    }

    /// The error of a program that is gone, with how it ended.
    fn gone(&mut self) -> Error {
        // Its stdout closes a little earlier than it ends.
        for _ in 0..500 {
            if let Ok(Some(status)) = self.child.try_wait() {
                return failed(&self.name, &format!("{DIED} ({status})"));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        failed(&self.name, DIED)
    }
}

impl Drop for Process {
    /// Nothing is left running, nor what the program started in its turn. What fails here has ended already.
    fn drop(&mut self) {
        // The program leads a group of its own. While it is not waited for, its number is no other's.
        #[cfg(unix)]
        if let Some(group) = rustix::process::Pid::from_raw(self.child.id().cast_signed()) {
            rustix::process::kill_process_group(group, rustix::process::Signal::KILL).ok();
        }
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The next line of a program; `None` at its end; what is wrong with it, in words.
fn read_line(reader: &mut impl BufRead) -> Result<Option<String>, String> {
    let mut bytes = Vec::new();
    let read = reader.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut bytes);
    match read {
        Err(error) => Err(format!("what cannot be read ({error})")),
        Ok(0) => Ok(None),
        Ok(_) if bytes.last() != Some(&b'\n') && bytes.len() as u64 >= LONGEST_LINE => {
            Err(format!("more than {LONGEST_LINE} bytes"))
        }
        Ok(_) => String::from_utf8(bytes).map(Some).map_err(|_| "no text".to_owned()),
    }
}
