//! Calls where a panic ends the instance: it traps, and whoever asked starts another.

use serde::Serialize;

/// What a panic said, and where in the sources.
#[derive(Clone, Debug, Serialize)]
pub struct Panic {
    pub message: String,
    pub location: Option<String>,
}

/// Nothing to remember: the message is on stderr.
pub fn remember_panics() {}

/// Runs `call`.
///
/// # Errors
/// Never: a panic does not come back.
pub fn guarded<T>(call: impl FnOnce() -> T) -> Result<T, Panic> {
    Ok(call())
}
