//! Erases everybody when the day comes that participants were promised.

use std::time::Duration;

use super::context::Context;
use crate::backup;
use crate::calendar::now;
use crate::expiry::erase_when_due;

/// Looks at once and then every hour; never returns.
pub(super) async fn look_every_hour(context: &Context) -> std::convert::Infallible {
    let study = &context.sessions.folder.study.name;
    loop {
        let shared = context.clone();
        let work = move |connection: &rusqlite::Connection| {
            erase_when_due(&shared.sessions.folder.study, connection, now())
        };
        match context.store.run(work).await {
            Ok(Some(people)) => {
                // While the log is read, the next look tries again; the rows are gone.
                let emptied = context.store.checkpoint().await.is_ok();
                let log = if emptied { "" } else { ", not yet from the log" };
                eprintln!("{study}: erased by the promised date: {people} participants{log}");
            }
            Ok(None) => {}
            Err(refusal) => {
                eprintln!(
                    "warning: {study}: the promised erasure could not be looked at: {refusal}"
                )
            }
        }
        settle_backups(context).await;
        tokio::time::sleep(Duration::from_secs(3600)).await;
    }
}

/// Erases people in the backups, too, and warns of backups that were not found.
pub(super) async fn settle_backups(context: &Context) {
    match context.store.run(|connection| Ok(backup::settle(connection)?)).await {
        Ok(unsettled) => {
            unsettled.iter().for_each(|left| eprintln!("warning: {}", left.in_words()));
        }
        Err(refusal) => {
            let study = &context.sessions.folder.study.name;
            eprintln!("warning: {study}: backups could not be erased in: {refusal}");
        }
    }
}
