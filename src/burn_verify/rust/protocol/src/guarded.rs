//! Calls that may panic, on a thread with room for deep recursion.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::thread;

use serde::Serialize;

/// burn-onnx and unoptimised generated code recurse and hold large frames; 8 MiB is not enough for honest models.
const STACK_BYTES: usize = 64 << 20;

/// What a panic said, and where in the sources.
#[derive(Clone, Debug, Serialize)]
pub struct Panic {
    pub message: String,
    pub location: Option<String>,
}

static LAST_LOCATION: Mutex<Option<String>> = Mutex::new(None);

/// Makes panics remember where they happened. Call once, first thing in `main`.
pub fn remember_panics() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if let Ok(mut last) = LAST_LOCATION.lock() {
            *last = info.location().map(ToString::to_string);
        }
        print(info);
    }));
}

/// Runs `call` on a thread of its own and turns a panic into a value.
///
/// # Errors
/// The message and location of the panic.
pub fn guarded<T: Send>(call: impl FnOnce() -> T + Send) -> Result<T, Panic> {
    *LAST_LOCATION.lock().expect("no panic while held") = None;
    let outcome = thread::scope(|scope| {
        thread::Builder::new()
            .name("guarded".into())
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, || catch_unwind(AssertUnwindSafe(call)))
            .expect("a thread can be started")
            .join()
    });
    outcome.and_then(|caught| caught).map_err(|payload| Panic {
        message: message_of(payload.as_ref()),
        location: LAST_LOCATION.lock().expect("no panic while held").take(),
    })
}

fn message_of(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_string()
    } else {
        "a panic without a message".to_string()
    }
}
