//! Runs the stored inputs where it lies, prints a line of a record, and ends with 0 where the answers are within the
//! bounds that were verified, else with 1. Needs nothing beside it.

use std::env::consts::ARCH;
use std::fs;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::Instant;

use burn::tensor::Device;
use serde_json::{Value, json};
use {{crate}}::{Inputs, Model, OUTPUTS};

mod wire {
    pub use {{crate}}::wire::to_data;
}
#[path = "../tests/check/mod.rs"]
mod check;

/// Names of the stored data sets.
const SETS: &[&str] = &[{{sets}}];
const GOLDEN: &[u8] = include_bytes!("../tests/golden.safetensors");
/// The line of the record of the verification.
const LINE: &str = include_str!("../probe.json");

fn main() -> ExitCode {
    if told(outcome()) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(not(target_family = "wasm"))]
fn outcome() -> Outcome {
    // Unoptimised generated code holds large frames.
    let worker = std::thread::Builder::new().stack_size(64 << 20).spawn(run).expect("a thread can be started");
    worker.join().unwrap_or_else(|_| Err(Failure::new("run", "panic", "the model panicked")))
}

/// Without threads; and a panic does not come back there, so the line is printed before it ends the program.
#[cfg(target_family = "wasm")]
fn outcome() -> Outcome {
    std::panic::set_hook(Box::new(|panic| {
        told(Err(Failure::new("run", "panic", words(panic.payload()))));
        std::process::exit(1);
    }));
    run()
}

/// Prints the line; whether the model passed.
fn told(outcome: Outcome) -> bool {
    let mut line: Value = serde_json::from_str(LINE).expect("the line was written by burn-verify");
    line["via"] = json!(format!("probe on {}", machine()));
    let passed = match outcome {
        Ok((metrics, seconds)) => {
            line["metrics"] = json!(metrics);
            line["durations"] = seconds;
            true
        }
        Err(failure) => {
            line["stage"] = json!(failure.stage);
            line["outcome"] = json!("failed");
            line["verdict"] = if failure.stage == "compare" { json!("disagrees") } else { Value::Null };
            line["failure"] = json!(failure.kind);
            line["message"] = json!(failure.message);
            line["reason"] = json!(if failure.stage == "compare" { "wrong values".into() } else { failure.message });
            line["metrics"] = json!([]);
            line["durations"] = json!({});
            false
        }
    };
    // Where nobody reads it, the exit code still says what came out.
    if let Err(error) = writeln!(std::io::stdout(), "{line}") {
        eprintln!("the line cannot be printed: {error}");
        return false;
    }
    passed
}

/// The distances of each output of each data set, and how long loading and answering took.
type Outcome = Result<(Vec<Value>, Value), Failure>;

struct Failure {
    stage: &'static str,
    kind: &'static str,
    message: String,
}

impl Failure {
    fn new(stage: &'static str, kind: &'static str, message: impl Into<String>) -> Self {
        Self { stage, kind, message: message.into() }
    }
}

fn run() -> Outcome {
    let error = |message: String| Failure::new("run", "error", message);
    let device = Device::flex();
    let started = Instant::now();
    let model = Model::load(&device).map_err(error)?;
    let loaded = started.elapsed();
    let recorded: Value = serde_json::from_str(LINE).expect("the line was written by burn-verify");
    let (mut metrics, mut forward) = (Vec::new(), 0.0);
    for (name, set) in SETS.iter().zip(check::read(GOLDEN).map_err(error)?) {
        let inputs = Inputs::from_data(set.inputs, &device).map_err(error)?;
        let started = Instant::now();
        let answers = catch_unwind(AssertUnwindSafe(|| model.run(inputs).into_data()))
            .map_err(|panic| Failure::new("run", "panic", words(panic.as_ref())))?;
        forward += started.elapsed().as_secs_f64();
        for ((port, answer), allowed) in OUTPUTS.iter().zip(&answers).zip(&set.allowed) {
            let error = allowed
                .check(answer)
                .map_err(|why| Failure::new("compare", "mismatch", format!("{}: {why} [{name}]", port.name)))?;
            let known = recorded["metrics"].as_array().into_iter().flatten();
            let mut own = known
                .filter(|one| one["name"] == port.name && one["data_set"] == *name)
                .next()
                .cloned()
                .unwrap_or_else(|| json!({ "name": port.name, "data_set": name }));
            own["max_abs"] = json!(error.max_abs);
            own["headroom"] = json!(error.headroom);
            metrics.push(own);
        }
    }
    Ok((metrics, json!({ "weights": loaded.as_secs_f64(), "forward": forward })))
}

fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_else(|| "a panic".into())
}

/// The kind of processor, and what the system calls it, where it does; WebAssembly sees none.
fn machine() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let found = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let name = found.map_or("processor unknown", |(_, name)| name.trim());
    if cfg!(target_family = "wasm") { ARCH.into() } else { format!("{ARCH} ({name})") }
}
