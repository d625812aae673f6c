//! The log of looks at results. Looking early and stopping late biases a study, so every look is recorded
//! and exported.

use rusqlite::{Connection, params};

use crate::calendar::now;

/// Number of looks at results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Looks {
    /// All of them.
    pub(crate) all: u32,
    /// Those that further answers followed.
    pub(crate) early: u32,
}

/// Records a look: `what` says at what.
pub(crate) fn record(connection: &Connection, what: &str) -> rusqlite::Result<()> {
    connection.execute("insert into looks values (?1, ?2)", params![now(), what]).map(drop)
}

/// Counts the looks so far.
pub(crate) fn count(connection: &Connection) -> rusqlite::Result<Looks> {
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get(0));
    Ok(Looks {
        all: number("select count(*) from looks")?,
        early: number(
            "select count(*) from looks where at < (select max(received_at) from answers)",
        )?,
    })
}
