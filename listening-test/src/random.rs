//! Random streams for building and planning, keyed by the study's seed and the purpose.

use rand::Rng;
use trompe_base::encoding::base32;
use trompe_base::random::Stream;

use crate::error::{Error, Result};

/// What a stream is for; part of its key, so purposes never share numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    Names = 1,
    Practice,
    Catch,
    Pairs,
    Checks,
    Selection,
    Order,
    Listener,
    Controls,
    Design,
    Encoding,
    Places,
    Noise,
}

/// The stream of one purpose, keyed by the study's seed and two counters.
pub(crate) fn stream(seed: u64, purpose: Purpose, a: u64, b: u64) -> Stream {
    trompe_base::random::stream(seed, purpose as u64, a, b)
}

/// A secret of `bytes` random bytes (a multiple of 5) from the operating system, as letters and digits.
///
/// # Errors
/// [`trompe_base::Error::Request`] if the system has no random numbers.
pub(crate) fn secret(bytes: usize) -> Result<String> {
    let mut random = vec![0; bytes];
    getrandom::fill(&mut random).map_err(|error| {
        Error::request(
            format!("the operating system returned no random numbers ({error})"),
            "check the system",
        )
    })?;
    Ok(base32(&random))
}

/// An opaque name: 16 lower-case letters and digits without look-alikes (80 bits).
pub(crate) fn opaque_name(stream: &mut impl Rng) -> String {
    let mut bytes = [0; 10];
    stream.fill_bytes(&mut bytes);
    base32(&bytes)
}
