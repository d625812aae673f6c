//! Statistics of forced-choice studies and of paired classifiers: pure functions, numbers in, numbers out.
//!
//! Every answer belongs to one participant and one item, and both matter: answers of one
//! listener resemble each other, and so do answers to one item. What ignores this
//! ([`binomial`], [`intervals`], [`bayes`]) says that it assumes independent answers; what
//! does not ([`mixed_model`], [`bootstrap`], [`permutation`], [`groups`]) carries the headline.
//!
//! Transcendental functions come from `libm`, random numbers from keyed ChaCha8 streams, and
//! no sum depends on the number of threads: the same input gives the same bytes everywhere.

pub mod agreement;
pub mod bayes;
pub mod binomial;
pub mod bootstrap;
pub mod confusion;
pub mod discrimination;
pub mod groups;
pub mod intervals;
pub mod mixed_model;
pub mod multiple;
pub mod permutation;
pub mod psychometric;
pub mod ranks;
pub mod special;
pub mod stream;

pub use intervals::Interval;

/// A number that these data do not define; the text says why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not defined: {0}")]
pub struct Undefined(pub &'static str);
