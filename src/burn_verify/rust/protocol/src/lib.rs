//! Frames over stdin and stdout, and calls that may panic. See docs/runner-protocol.md.
//!
//! Knows nothing of models: converter and runner bring their own requests and answers.

mod channel;
mod guarded;

pub use channel::{Channel, VERSION};
pub use guarded::{Panic, guarded, remember_panics};
