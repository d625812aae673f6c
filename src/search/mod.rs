//! The search core: archive, emitters, budget, trace, checkpoint. It knows neither audio
//! nor images nor kinds of classifiers, only a [`Problem`].

pub mod archive;
pub mod problem;
pub mod stream;
pub mod trace;

pub use archive::{Archive, Elite};
pub use problem::{MoveId, Problem};
pub use stream::Stream;
pub use trace::Improvement;
