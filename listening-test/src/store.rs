//! The answers database: SQLite in write-ahead mode with `synchronous=FULL`, owned by one
//! thread. Requests that wait at the same time share one commit; each is acknowledged only
//! after that commit is on the disk.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::error::{Error, Result};
use crate::refusal::Refusal;

/// Requests that share one commit at most.
const BATCH: usize = 256;

/// Busy timeout while the WAL is truncated. All requests wait meanwhile, so it is short; the client retries.
const PATIENCE: Duration = Duration::from_millis(200);

/// Busy timeout for writers in other processes.
const LONG_PATIENCE: Duration = Duration::from_secs(10);

/// Waiting requests before the server answers "try again".
const QUEUE: usize = 8192;

const SCHEMA: &str = "
create table if not exists meta (name text primary key, value text not null) strict;
create table if not exists sessions (
    id integer primary key,
    participant text not null unique,
    code_hash blob not null unique,
    plan integer not null,
    attempt integer not null default 0,
    language text not null,
    consent_version text not null,
    enrolment_hash blob unique,
    consented_at integer not null,
    last_seen integer not null,
    finished_at integer,
    screened_out integer not null default 0,
    completion_code text not null,
    dry_run integer not null,
    simulated integer not null
) strict;
create index if not exists by_plan on sessions (plan, finished_at, last_seen);
create table if not exists answers (
    session integer not null references sessions (id) on delete cascade,
    attempt integer not null,
    step integer not null,
    key text not null,
    content text not null,
    received_at integer not null,
    received_ms integer,
    primary key (session, attempt, step),
    unique (session, key)
) strict, without rowid;
create table if not exists interruptions (
    session integer not null references sessions (id) on delete cascade,
    step integer not null,
    what text not null,
    at integer not null
) strict;
create index if not exists interruptions_of on interruptions (session);
create table if not exists crowd (
    session integer primary key references sessions (id) on delete cascade,
    worker text not null unique,
    parameters text not null
) strict;
create table if not exists consents (version text primary key, terms text not null) strict;
create table if not exists looks (at integer not null, what text not null) strict;
create table if not exists refusals (
    session integer references sessions (id) on delete cascade,
    route text not null,
    status integer not null,
    why text not null,
    day integer not null,
    first_at integer not null,
    last_at integer not null,
    times integer not null
) strict;
create unique index if not exists refusals_once
    on refusals (coalesce(session, 0), route, status, why, day);
create index if not exists refusals_of on refusals (session);
create table if not exists backups (path text primary key, at integer not null) strict;
create table if not exists owed (
    path text not null references backups (path) on delete cascade,
    code_hash blob not null,
    primary key (path, code_hash)
) strict;
create trigger if not exists owed_to_backups before delete on sessions begin
    insert or ignore into owed select path, old.code_hash from backups;
end;
";

type Reply = Box<dyn FnOnce(Option<Refusal>) + Send>;
type Job = Box<dyn FnOnce(Result<&Connection, Refusal>) -> Reply + Send>;

enum Message {
    Run(Job),
    /// Checkpoints and truncates the WAL, so that erased rows are neither in the main file nor in the log.
    Checkpoint(oneshot::Sender<std::result::Result<(), Refusal>>),
}

/// The database. Clones share it; the last one to go closes it.
#[derive(Clone)]
pub(crate) struct Store {
    messages: mpsc::SyncSender<Message>,
}

impl Store {
    /// Opens or makes the database of the study with hash `study`. A second server on the
    /// same file is refused, and so is a database of another study.
    pub(crate) fn open(path: &Path, study: &str) -> Result<Self> {
        let lock = lock(path)?;
        let connection = connect(path)?;
        prepare(&connection, path, study)?;
        let (messages, inbox) = mpsc::sync_channel(QUEUE);
        std::thread::Builder::new()
            .name("answers".into())
            .spawn(move || {
                serve(connection, &inbox);
                drop(lock);
            })
            .map_err(|source| Error::io(path, source))?;
        Ok(Self { messages })
    }

    /// Runs `work` and gives its result once what it wrote is on the disk. If `work` is
    /// refused, nothing it wrote stays.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let outcome = connection.and_then(|connection| within_savepoint(connection, work));
            Box::new(move |failure| {
                let _ = reply.send(match failure {
                    Some(refusal) => Err(refusal),
                    None => outcome,
                });
            })
        });
        self.messages
            .try_send(Message::Run(job))
            .map_err(|_| Refusal::Storage("too many requests wait".into()))?;
        answer.await.map_err(|_| Refusal::Storage("the database thread has ended".into()))?
    }

    /// Empties the write-ahead log.
    pub(crate) async fn checkpoint(&self) -> Result<(), Refusal> {
        let (reply, answer) = oneshot::channel();
        self.messages
            .try_send(Message::Checkpoint(reply))
            .map_err(|_| Refusal::Storage("too many requests wait".into()))?;
        answer.await.map_err(|_| Refusal::Storage("the database thread has ended".into()))?
    }
}

/// Fails if there is no database at `path`.
pub(crate) fn must_exist(path: &Path) -> Result<()> {
    if path.is_file() {
        return Ok(());
    }
    Err(Error::request(
        format!("{} does not exist", path.display()),
        "give the database that `trompe listen serve` writes",
    ))
}

/// Opens the database with the pragmas that every connection needs. A new database is readable by its owner
/// only.
pub(crate) fn connect(path: &Path) -> Result<Connection> {
    let mut options = File::options();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|source| Error::io(path, source))?;
    let connection = Connection::open(path)?;
    connection.busy_timeout(LONG_PATIENCE)?;
    connection.execute_batch(
        "pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on;
         pragma secure_delete = on; pragma cache_size = -16000;",
    )?;
    Ok(connection)
}

fn lock(path: &Path) -> Result<File> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let lock_path = PathBuf::from(name);
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&lock_path)
        .map_err(|source| Error::io(&lock_path, source))?;
    file.try_lock().map_err(|_| {
        Error::request(
            format!("another server uses {}", path.display()),
            "stop that server, or name another database",
        )
    })?;
    Ok(file)
}

/// Makes the tables if they are missing and checks that they belong to the study.
pub(crate) fn prepare(connection: &Connection, path: &Path, study: &str) -> Result<()> {
    connection.execute_batch(SCHEMA)?;
    add_columns(connection)?;
    connection.execute("insert or ignore into meta values ('study', ?1)", [study])?;
    let stored: String =
        connection
            .query_row("select value from meta where name = 'study'", [], |row| row.get(0))?;
    if stored != study {
        return Err(Error::bad_file(
            path,
            "contains answers to another study, or to an earlier version of this one",
            "name a new database for the changed study",
        ));
    }
    Ok(())
}

/// Columns that tables of earlier versions do not have.
const ADDED: [(&str, &str, &str); 1] = [("answers", "received_ms", "integer")];

fn add_columns(connection: &Connection) -> Result<()> {
    for (table, column, kind) in ADDED {
        let known: bool = connection.query_row(
            "select exists (select 1 from pragma_table_info(?1) where name = ?2)",
            [table, column],
            |row| row.get(0),
        )?;
        if !known {
            connection.execute_batch(&format!("alter table {table} add column {column} {kind}"))?;
        }
    }
    Ok(())
}

fn within_savepoint<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    connection.execute_batch("savepoint request")?;
    let outcome = work(connection);
    match &outcome {
        Ok(_) => connection.execute_batch("release request")?,
        Err(_) => connection.execute_batch("rollback to request; release request")?,
    }
    outcome
}

fn serve(connection: Connection, inbox: &mpsc::Receiver<Message>) {
    while let Ok(first) = inbox.recv() {
        let mut jobs = Vec::new();
        let mut checkpoints = Vec::new();
        let more = std::iter::from_fn(|| inbox.try_recv().ok());
        for message in std::iter::once(first).chain(more).take(BATCH) {
            match message {
                Message::Run(job) => jobs.push(job),
                Message::Checkpoint(reply) => checkpoints.push(reply),
            }
        }
        commit(&connection, jobs);
        if !checkpoints.is_empty() {
            let emptied = empty_log_soon(&connection);
            checkpoints.into_iter().for_each(|reply| drop(reply.send(emptied.clone())));
        }
    }
}

/// Moves everything into the main file and empties the write-ahead log.
///
/// # Errors
/// [`Refusal::Storage`] if somebody reads the database all the while: the log is not empty.
pub(crate) fn empty_log(connection: &Connection) -> Result<(), Refusal> {
    let busy: bool =
        connection.query_row("pragma wal_checkpoint(truncate)", [], |row| row.get(0))?;
    if busy { Err(Refusal::Storage("the log is being read".into())) } else { Ok(()) }
}

/// As [`empty_log`], with an error for the experimenter: the rows themselves are gone.
pub(crate) fn empty_log_of(connection: &Connection) -> Result<()> {
    empty_log(connection).map_err(|refusal| match refusal {
        Refusal::Storage(what) => Error::request(
            format!("the rows are erased, but not yet from the database's log ({what})"),
            "close other programs that read the database and run this again",
        ),
        other => Error::request(other.word(), "run this again"),
    })
}

/// As [`empty_log`], but with the short busy timeout.
fn empty_log_soon(connection: &Connection) -> Result<(), Refusal> {
    connection.busy_timeout(PATIENCE)?;
    let emptied = empty_log(connection);
    connection.busy_timeout(LONG_PATIENCE)?;
    emptied
}

fn commit(connection: &Connection, jobs: Vec<Job>) {
    let storage = |error: rusqlite::Error| Refusal::Storage(error.to_string());
    // `immediate` takes the write lock now, while the busy timeout applies; after a first read SQLite fails at
    // once if another process writes.
    if let Err(error) = connection.execute_batch("begin immediate") {
        let refusal = storage(error);
        return jobs.into_iter().for_each(|job| job(Err(refusal.clone()))(None));
    }
    let replies: Vec<Reply> = jobs.into_iter().map(|job| job(Ok(connection))).collect();
    let failure = match connection.execute_batch("commit") {
        Ok(()) => None,
        Err(error) => {
            let _ = connection.execute_batch("rollback");
            Some(storage(error))
        }
    };
    for reply in replies {
        reply(failure.clone());
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn note(connection: &Connection, what: &str) -> Result<(), Refusal> {
        connection.execute("insert into looks values (1, ?1)", [what])?;
        Ok(())
    }

    #[tokio::test]
    async fn a_refused_request_leaves_nothing_and_its_neighbours_stay() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("a.sqlite"), "x").unwrap();
        let good = store.run(|connection| note(connection, "kept"));
        let bad = store.run(|connection| {
            note(connection, "dropped")?;
            Err::<(), _>(Refusal::Invalid("no"))
        });
        let (good, bad) = tokio::join!(good, bad);
        assert!(good.is_ok());
        assert_eq!(bad, Err(Refusal::Invalid("no")));
        let count: i64 = store
            .run(|c| Ok(c.query_row("select count(*) from looks", [], |row| row.get(0))?))
            .await
            .unwrap();
        assert_eq!(count, 1);
    }

    /// The table of answers as earlier versions made it.
    #[test]
    fn a_database_of_before_gets_its_new_columns_and_keeps_its_rows() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sqlite");
        let connection = connect(&path).unwrap();
        let before = SCHEMA.replace("    received_ms integer,\n", "");
        assert_ne!(before, SCHEMA);
        connection.execute_batch(&before).unwrap();
        connection
            .execute_batch(
                "insert into sessions values (1, 'p-1', x'00', 0, 0, 'en', 'v', null, 1, 1, null, 0, '', 0, 0);
                 insert into answers values (1, 0, 0, 'key', '{}', 7);",
            )
            .unwrap();
        prepare(&connection, &path, "x").unwrap();
        prepare(&connection, &path, "x").unwrap();
        let kept: (i64, Option<i64>) = connection
            .query_row("select received_at, received_ms from answers", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .unwrap();
        assert_eq!(kept, (7, None));
    }

    #[test]
    fn one_database_serves_one_server_and_one_study() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sqlite");
        let store = Store::open(&path, "x").unwrap();
        assert!(Store::open(&path, "x").err().unwrap().to_string().contains("another server"));
        drop(store);
        // the thread closes the file a moment after the last handle goes
        let reopened = (0..100).find_map(|_| {
            std::thread::sleep(std::time::Duration::from_millis(20));
            let opened = Store::open(&path, "y");
            (!matches!(&opened, Err(Error::Base(trompe_base::Error::Request { .. }))))
                .then_some(opened)
        });
        assert!(reopened.unwrap().err().unwrap().to_string().contains("another study"));
    }
}
