//! The log of refused requests. It records attempts to peek or tamper, without personal data.
//!
//! One line for each kind of refusal, route and participant on a day, with the first and last
//! time and how often. Kept of the request: the pattern of its route (never its address or
//! text) and whose code it carried, if the code is somebody's. So the record stays small
//! whatever strangers send, a flood pushes nothing out, and a participant's lines are erased
//! with the participant.

use std::collections::BTreeMap;
use std::sync::Mutex;

use rusqlite::{Connection, params};
use serde::Serialize;

use crate::refusal::Refusal;

/// Most kinds of rejections that wait to be written. Beyond it, codes are dropped, so that a flood of
/// invented codes does not fill the memory.
const MOST_PENDING: usize = 1024;

/// Seconds of a day, by which lines are kept apart.
const DAY: i64 = 86_400;

/// Refused requests of one kind are counted together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RejectionKind {
    /// Pattern of the route, such as `/api/stimuli/{file}`; `other` where there is none.
    pub(crate) route: String,
    pub(crate) status: u16,
    /// The word of the refusal.
    pub(crate) why: String,
    /// Hash of the participant's code that came with the request.
    pub(crate) code_hash: Option<Vec<u8>>,
}

#[derive(Debug, Clone, Copy)]
struct Times {
    first: i64,
    last: i64,
    count: i64,
}

/// Rejections that are not in the database yet. They are written together once a second, so that a thousand
/// forged requests do not cause a thousand writes.
#[derive(Debug, Default)]
pub(crate) struct PendingRejections(Mutex<BTreeMap<RejectionKind, Times>>);

impl PendingRejections {
    /// Notes one refusal.
    pub(crate) fn note(&self, mut kind: RejectionKind, now: i64) {
        let Ok(mut waiting) = self.0.lock() else { return };
        if waiting.len() >= MOST_PENDING && !waiting.contains_key(&kind) {
            kind.code_hash = None;
        }
        let times = waiting.entry(kind).or_insert(Times { first: now, last: now, count: 0 });
        times.last = now;
        times.count += 1;
    }

    /// What waits, to be handed to [`RejectionBatch::write`].
    pub(crate) fn take(&self) -> Option<RejectionBatch> {
        let taken = std::mem::take(&mut *self.0.lock().ok()?);
        (!taken.is_empty()).then_some(RejectionBatch(taken))
    }
}

/// Refusals on their way to the database.
pub(crate) struct RejectionBatch(BTreeMap<RejectionKind, Times>);

impl RejectionBatch {
    /// Adds the rejections to the log. Codes that belong to no participant (any more) are not stored.
    pub(crate) fn write(&self, connection: &Connection) -> Result<(), Refusal> {
        let mut add = connection.prepare_cached(
            "insert into refusals values
             ((select id from sessions where code_hash = ?1), ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             on conflict (coalesce(session, 0), route, status, why, day)
             do update set last_at = max(last_at, excluded.last_at), times = times + excluded.times",
        )?;
        for (kind, times) in &self.0 {
            add.execute(params![
                kind.code_hash,
                kind.route,
                kind.status,
                kind.why,
                times.first / DAY,
                times.first,
                times.last,
                times.count
            ])?;
        }
        Ok(())
    }
}

/// A line of the record, as exported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rejection {
    /// Number of the participant whose code came with the request, if it was somebody's.
    pub participant: Option<String>,
    /// Pattern of the route; `other` where there is none.
    pub route: String,
    /// Status that was answered.
    pub status: u16,
    /// The kind of refusal, in a word.
    pub why: String,
    /// Seconds from 1970 to the first such request of the day.
    pub first_at: i64,
    /// Seconds from 1970 to the last.
    pub last_at: i64,
    /// Number of such requests on that day.
    pub times: u64,
}

/// The whole record, in order of time.
pub(crate) fn read(connection: &Connection) -> Result<Vec<Rejection>, Refusal> {
    let mut query = connection.prepare(
        "select participant, route, status, why, first_at, refusals.last_at, times
         from refusals left join sessions on sessions.id = session
         order by first_at, route, status, why, participant",
    )?;
    let lines = query.query_map([], |row| {
        Ok(Rejection {
            participant: row.get(0)?,
            route: row.get(1)?,
            status: row.get(2)?,
            why: row.get(3)?,
            first_at: row.get(4)?,
            last_at: row.get(5)?,
            times: row.get::<_, i64>(6)?.unsigned_abs(),
        })
    })?;
    Ok(lines.collect::<Result<_, _>>()?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn kind(code_hash: Option<Vec<u8>>) -> RejectionKind {
        RejectionKind {
            route: "/api/state".into(),
            status: 404,
            why: "not-found".into(),
            code_hash,
        }
    }

    #[test]
    fn a_flood_of_made_up_codes_stays_small_and_pushes_nothing_out() {
        let waiting = PendingRejections::default();
        waiting.note(kind(Some(vec![1])), 5);
        for number in 0..50_000u32 {
            waiting.note(kind(Some(number.to_be_bytes().to_vec())), 7);
        }
        waiting.note(kind(Some(vec![1])), 9);
        let RejectionBatch(taken) = waiting.take().unwrap();
        assert!(taken.len() <= MOST_PENDING + 1, "{}", taken.len());
        assert_eq!(taken.values().map(|times| times.count).sum::<i64>(), 50_002);
        let own = taken[&kind(Some(vec![1]))];
        assert_eq!((own.first, own.last, own.count), (5, 9, 2));
        assert!(waiting.take().is_none());
    }
}
