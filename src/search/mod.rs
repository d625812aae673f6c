//! The search core: archive, emitters, budget, trace, checkpoint. It knows neither audio
//! nor images nor kinds of classifiers, only the
//! [`Problem`](crate::problem::Problem): a space and a victim.
//!
//! One generation: the emitter *asks* (serial), the evaluator scores (parallel), the archive
//! takes the candidates in slot order (serial), the emitter is *told*. Random streams are
//! keyed by where a candidate stands, so the same seed gives the same bytes on any number of
//! threads and across any interruption.

pub mod archive;
pub mod base_rate;
pub mod emitters;
pub mod engine;
pub mod rounds;
pub mod run;
pub mod run_folder;
pub mod sealed;
pub mod settings;
#[cfg(test)]
mod toy;
pub mod trace;

pub use archive::{Archive, Elite, Ranking, Rules, reaches};
pub use base_rate::{Random, random_scores};
pub use engine::{Finished, Search, State, searched};
pub use rounds::{Division, Merged, Parents, Rounds, Shard, ShardId};
pub use run::{Ending, run};
pub use run_folder::{RunFolder, refuse_foreign};
pub use sealed::Sealed;
pub use settings::{EmitterSettings, SearchSettings};
pub use trace::{Improvement, read_trace};
pub use trompe_base::random::Stream;
