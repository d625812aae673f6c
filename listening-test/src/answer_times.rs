//! The times that a participant's page claims, against those that the server saw pass.
//!
//! A page reports how long each answer took and how much was heard. A program that answers in
//! its place can claim anything, but it cannot make the server's clock run faster: what all
//! answers claim together must fit between the consent and the last answer.

use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;

use crate::answer::StepAnswer;
use crate::plan::Step;
use crate::refusal::Refusal;
use crate::study::Exclusions;

/// Allowance in seconds: the server counts whole ones, and an answer takes time to arrive.
const SLACK_SECONDS: f64 = 3.0;

/// Allowance for clocks that run at different speeds.
const DRIFT: f64 = 0.02;

/// What a participant's answers claim, and what the server saw.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Times {
    /// Seconds that the answers claim: of each, the longer of its time and of what was heard.
    pub claimed_seconds: f64,
    /// Seconds from consent to the last answer by the server's clock; absent for people who
    /// were not at a server (answers handed over, simulated listeners).
    pub server_seconds: Option<f64>,
    /// Answers that reached the server sooner after the one before than they claim to have
    /// taken. After a break in the line a few are ordinary.
    pub sooner_than_claimed: u32,
}

impl Times {
    /// Reads what is stored of a session's attempt.
    pub(crate) fn of(
        connection: &Connection,
        session: i64,
        attempt: u32,
        answers: &[StepAnswer],
    ) -> Result<Self, Refusal> {
        let claimed: u64 =
            answers.iter().map(|answer| answer.response_ms.max(answer.heard_ms)).sum();
        let mut query = connection.prepare_cached(
            "select max(received_at) - consented_at from answers join sessions on session = id
             where id = ?1 and answers.attempt = ?2 and participant like 'p-%' having count(*) > 0",
        )?;
        let seen: Option<i64> =
            query.query_row(params![session, attempt], |row| row.get(0)).optional()?;
        Ok(Self {
            claimed_seconds: claimed as f64 / 1000.0,
            server_seconds: seen.map(|seconds| seconds as f64),
            sooner_than_claimed: match seen {
                Some(_) => sooner(answers, &intervals(connection, session, attempt)?),
                None => 0,
            },
        })
    }

    /// Whether the time on the server's clock is too short for the times that the answers claim, or for half of
    /// the trials to take the least median time of the rules.
    pub(crate) fn impossible(&self, plan: &[Step], answered: usize, rules: &Exclusions) -> bool {
        let Some(seen) = self.server_seconds else { return false };
        let trials = plan.iter().take(answered).filter(|step| matches!(step, Step::Trial { .. }));
        let slowest_half = 0.5 * trials.count() as f64 * rules.least_median_seconds;
        self.claimed_seconds.max(slowest_half) > seen * (1.0 + DRIFT) + SLACK_SECONDS
    }
}

/// Of each answer in order, milliseconds since the one before arrived, or since the consent;
/// nothing for answers that arrived at no server, or at one of an earlier version.
pub(crate) fn intervals(
    connection: &Connection,
    session: i64,
    attempt: u32,
) -> Result<Vec<Option<u64>>, Refusal> {
    let mut query = connection.prepare_cached(
        "select received_ms - lag(received_ms, 1, 1000 * consented_at) over (order by step)
         from answers join sessions on session = id
         where id = ?1 and answers.attempt = ?2 order by step",
    )?;
    let found = query.query_map(params![session, attempt], |row| row.get::<_, Option<i64>>(0))?;
    // a clock that was set back gives a negative interval, which tells nothing
    found.map(|interval| Ok(interval?.and_then(|ms| u64::try_from(ms).ok()))).collect()
}

/// How many answers claim more time than the interval before them holds.
fn sooner(answers: &[StepAnswer], intervals: &[Option<u64>]) -> u32 {
    let too_soon = |(answer, interval): &(&StepAnswer, &Option<u64>)| {
        let claimed = answer.response_ms.max(answer.heard_ms) as f64;
        interval.is_some_and(|ms| claimed > ms as f64 * (1.0 + DRIFT) + 1000.0 * SLACK_SECONDS)
    };
    answers.iter().zip(intervals).filter(too_soon).count() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_claims_more_than_its_interval_is_counted() {
        let answer =
            |response_ms, heard_ms| StepAnswer { response_ms, heard_ms, ..StepAnswer::default() };
        let answers = [answer(9000, 0), answer(2000, 9000), answer(9000, 9000), answer(9000, 0)];
        assert_eq!(sooner(&answers, &[Some(500), Some(500), None, Some(6000)]), 2);
    }

    #[test]
    fn claims_must_fit_into_the_time_that_the_server_saw() {
        let plan: Vec<Step> = (0..20)
            .map(|position| Step::Trial { item: "x".into(), position, order: Vec::new() })
            .collect();
        let rules = Exclusions::default();
        let impossible = |claimed_seconds, server_seconds| {
            Times { claimed_seconds, server_seconds, sooner_than_claimed: 0 }
                .impossible(&plan, 20, &rules)
        };
        assert!(impossible(60.0, Some(1.0)) && impossible(60.0, Some(50.0)));
        assert!(!impossible(60.0, Some(60.0)) && !impossible(60.0, Some(57.0)));
        assert!(!impossible(0.02, Some(8.0)), "ten trials of a second");
        assert!(impossible(0.02, Some(1.0)), "20 trials cannot have a median of 1 s in 1 s");
        assert!(!impossible(60.0, None), "nobody saw the time pass");
    }
}
