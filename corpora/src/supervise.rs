//! Foreign decoders behind glass: their panic or standstill becomes an answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// Why work gave no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It panicked.
    Panicked,
    /// It made no step for as long as was allowed. Its thread is left behind: nothing can end
    /// it but the end of the program.
    Stuck,
    /// The system gave it no thread.
    NoThread(std::io::Error),
}

/// What work steps on to show that it moves.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pulse(Arc<AtomicU64>);

impl Pulse {
    /// Tells that a step was made.
    pub(crate) fn beat(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Runs `work` on a thread of its own, and gives up on it when its pulse stands still for
/// `patience`.
pub(crate) fn supervise<T: Send + 'static>(
    patience: Duration,
    work: impl FnOnce(&Pulse) -> T + Send + 'static,
) -> Result<T, Failure> {
    let (give, take) = channel();
    let pulse = Pulse::default();
    let beating = pulse.clone();
    thread::Builder::new()
        .name("decoder".to_owned())
        // After a timeout nothing receives the result any more; ignore the error.
        .spawn(move || drop(give.send(work(&beating))))
        .map_err(Failure::NoThread)?;
    let mut seen = pulse.count();
    loop {
        match take.recv_timeout(patience) {
            Ok(answer) => return Ok(answer),
            Err(RecvTimeoutError::Disconnected) => return Err(Failure::Panicked),
            Err(RecvTimeoutError::Timeout) if pulse.count() == seen => return Err(Failure::Stuck),
            Err(RecvTimeoutError::Timeout) => seen = pulse.count(),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);
    const SHORT: Duration = Duration::from_millis(50);

    #[test]
    fn an_answer_a_panic_and_a_standstill_are_told_apart() {
        assert_eq!(supervise(LONG, |_| 7).unwrap(), 7);
        let panicked = supervise(LONG, |_| -> u8 { std::panic::resume_unwind(Box::new(())) });
        assert!(matches!(panicked, Err(Failure::Panicked)));
        let (_hold, never) = channel::<u8>();
        let stuck = supervise(SHORT, move |_| never.recv());
        assert!(matches!(stuck, Err(Failure::Stuck)));
    }

    #[test]
    fn work_that_moves_may_take_longer_than_a_step() {
        let answer = supervise(SHORT, |pulse| {
            // A step every 5 ms for five times as long as one may take.
            for _ in 0..50 {
                thread::sleep(SHORT / 10);
                pulse.beat();
            }
            "done"
        });
        // On a machine so busy that a step takes ten times its time, this may be given up.
        assert!(matches!(answer, Ok("done") | Err(Failure::Stuck)), "{answer:?}");
    }
}
