//! Calls timed one by one: a block of them for a request, see docs/latency.md.

use std::fs;
use std::time::{Duration, Instant};

use compat::{Device, TensorData};
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::invoke::{Callable, Lap};

/// What a block is: when it is stable, and how many blocks there are, is for whoever asks to say.
#[derive(Deserialize)]
pub struct Plan {
    /// Forget the model that is loaded, so that loading and the first call are seen.
    pub fresh: bool,
    /// Calls before the first that counts, for so long.
    settle_seconds: f64,
    /// The block ends after so many calls, or after so long, whatever comes first; it has one at least.
    calls: usize,
    seconds: f64,
}

/// A block that was run.
#[derive(Serialize)]
pub struct Block {
    forward_ns: Vec<u64>,
    prepare_ns: Vec<u64>,
    /// Memory of the process that is resident, where the system tells: before the model was loaded, after that, and
    /// after the block; Burn reads weights when they are first needed.
    resident_bytes: [Option<u64>; 3],
}

/// Runs a block.
///
/// # Errors
/// When the request does not fit the model.
pub fn run(
    model: &dyn Callable,
    device: &Device,
    inputs: &[TensorData],
    plan: &Plan,
    before: Option<u64>,
) -> Result<Block> {
    let loaded = resident();
    let settle = duration(plan.settle_seconds)?;
    let started = Instant::now();
    while started.elapsed() < settle {
        model.lap(inputs.to_vec(), device)?;
    }
    let limit = duration(plan.seconds)?;
    let mut laps: Vec<Lap> = Vec::new();
    let started = Instant::now();
    while laps.is_empty() || (laps.len() < plan.calls && started.elapsed() < limit) {
        // Owned by the call alone, as a caller's own tensors are: what is shared, Burn has to copy.
        let copying = Instant::now();
        let own = inputs.to_vec();
        let copied = copying.elapsed();
        let lap = model.lap(own, device)?;
        laps.push(Lap { prepare: lap.prepare + copied, ..lap });
    }
    Ok(Block {
        forward_ns: laps.iter().map(|lap| nanoseconds(lap.forward)).collect(),
        prepare_ns: laps.iter().map(|lap| nanoseconds(lap.prepare)).collect(),
        resident_bytes: [before, loaded, resident()],
    })
}

/// Memory of this process that is resident, in bytes; known on Linux only.
pub fn resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().trim_end_matches("kB").trim().parse::<u64>().ok().map(|kib| kib << 10)
}

fn duration(seconds: f64) -> Result<Duration> {
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

fn nanoseconds(time: Duration) -> u64 {
    time.as_nanos().try_into().unwrap_or(u64::MAX)
}
