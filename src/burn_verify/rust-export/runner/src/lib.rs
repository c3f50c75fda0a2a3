//! Serves compiled models over stdin and stdout: not their answers, but the models themselves as ONNX.
//!
//! A generated binary fills a [`Registry`] and calls [`serve`]; the compiler infers every model's signature.

pub use compat;

mod bench;
mod invoke;
mod registry;
mod serve;
mod wire;

pub use invoke::{Answered, Callable, Given, Invoke, Lap, Loaded, Taken, bind, too_wide};
pub use registry::Registry;
pub use serve::serve;
pub use wire::{FromWire, IntoWire};

/// What is handed from one part to the next when something is wrong, in words for the record.
pub type Result<T> = std::result::Result<T, String>;
