//! One place where every Burn crate meets, so that their features are unified the same way whichever package is built.
//!
//! The converter needs `burn-onnx`, the generated crates need `burn`; built apart, cargo would resolve two sets of
//! features for the crates they share and compile those twice.

pub use burn;
pub use burn_onnx;
pub use burn_store;
