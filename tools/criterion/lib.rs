//! Nothing: there are only benches.
