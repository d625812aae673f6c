//! The times that a participant's page claims, against those that the server saw pass.
//!
//! A page reports how long each answer took and how much was heard. A program that answers in
//! its place can claim anything, but it cannot make the server's clock run faster: what all
//! answers claim together must fit between the consent and the last answer.

use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;

use crate::answer::StepAnswer;
use crate::plan::{ParticipantPlan, Step};
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
        })
    }

    /// Whether the time on the server's clock is too short for the times that the answers claim, or for half of
    /// the trials to take the least median time of the rules.
    pub(crate) fn impossible(
        &self,
        plan: &ParticipantPlan,
        answered: usize,
        rules: &Exclusions,
    ) -> bool {
        let Some(seen) = self.server_seconds else { return false };
        let trials = plan.iter().take(answered).filter(|step| matches!(step, Step::Trial { .. }));
        let slowest_half = 0.5 * trials.count() as f64 * rules.least_median_seconds;
        self.claimed_seconds.max(slowest_half) > seen * (1.0 + DRIFT) + SLACK_SECONDS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_must_fit_into_the_time_that_the_server_saw() {
        let plan: ParticipantPlan =
            (0..20).map(|position| Step::Trial { item: "x".into(), position }).collect();
        let rules = Exclusions::default();
        let impossible = |claimed_seconds, server_seconds| {
            Times { claimed_seconds, server_seconds }.impossible(&plan, 20, &rules)
        };
        assert!(impossible(60.0, Some(1.0)) && impossible(60.0, Some(50.0)));
        assert!(!impossible(60.0, Some(60.0)) && !impossible(60.0, Some(57.0)));
        assert!(!impossible(0.02, Some(8.0)), "ten trials of a second");
        assert!(impossible(0.02, Some(1.0)), "20 trials cannot have a median of 1 s in 1 s");
        assert!(!impossible(60.0, None), "nobody saw the time pass");
    }
}
