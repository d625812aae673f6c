//! Whether answers can be stored: for a monitor that asks, and in the log when it changes.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::calendar::now;
use crate::refusal::Refusal;
use crate::store::Store;

/// How long one look is valid: frequent requests cause no frequent writes.
const HOLDS: Duration = Duration::from_secs(2);

/// Bytes that a look writes: more than a long answer needs, so that a disk with room for less shows.
const BYTES: usize = 16_000;

/// The last look at the disk of a study.
#[derive(Debug)]
pub(crate) struct Health {
    /// The study's name, for the log.
    study: String,
    last: Mutex<Option<(Instant, Result<(), Refusal>)>>,
}

impl Health {
    pub(super) fn of(study: &str) -> Self {
        Self { study: study.to_owned(), last: Mutex::new(None) }
    }

    /// Writes a row and waits for it to be on the disk, so that a full disk shows.
    ///
    /// # Errors
    /// [`Refusal::Storage`] if it cannot be written.
    pub(crate) async fn look(&self, store: &Store) -> Result<(), Refusal> {
        let last = self.last.lock().ok().and_then(|last| last.clone());
        if let Some((at, found)) = &last
            && at.elapsed() < HOLDS
        {
            return found.clone();
        }
        let found = store
            .run(|connection| {
                let write = "insert or replace into meta values ('health', ?1)";
                let value = format!("{:0>BYTES$}", now());
                connection.prepare_cached(write)?.execute([value])?;
                Ok(())
            })
            .await;
        let was_well = last.is_none_or(|(_, found)| found.is_ok());
        match &found {
            Err(refusal) if was_well => {
                let study = &self.study;
                eprintln!("warning: {study}: answers cannot be stored: {refusal}; check the disk");
            }
            Ok(()) if !was_well => eprintln!("{}: answers can be stored again", self.study),
            _ => {}
        }
        if let Ok(mut last) = self.last.lock() {
            *last = Some((Instant::now(), found.clone()));
        }
        found
    }

    /// Looks every minute, so that the log tells a full disk even where no monitor asks; never
    /// returns.
    pub(crate) async fn look_every_minute(&self, store: &Store) -> std::convert::Infallible {
        loop {
            let _ = self.look(store).await;
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
    }
}
