//! The request loop: load a model when it is first asked for, call it, answer; a panic is an answer too.

use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use burn::prelude::Device;
use protocol::{Channel, Panic, guarded, remember_panics};
use serde::{Deserialize, Serialize};

use crate::wire::{decode, encode};
use crate::{Loaded, Registry, Result, bench};

#[derive(Deserialize)]
struct Request {
    id: u64,
    /// Name of the generated module.
    module: String,
    /// The `.bpk` file.
    weights: PathBuf,
    backend: String,
    /// Time a block of calls instead of answering one.
    bench: Option<bench::Plan>,
}

#[derive(Default, Serialize)]
struct Answer {
    id: u64,
    ok: bool,
    /// `panic`: generated code or Burn panicked. `error`: the request does not fit the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(flatten)]
    failure: Option<Panic>,
    load_seconds: f64,
    forward_seconds: f64,
    #[serde(flatten)]
    block: Option<bench::Block>,
}

/// The model that was called last: data sets of one case come one after the other.
struct Current {
    module: String,
    weights: PathBuf,
    backend: String,
    device: Device,
    model: Loaded,
}

impl Current {
    fn serves(&self, request: &Request) -> bool {
        (&self.module, &self.weights, &self.backend) == (&request.module, &request.weights, &request.backend)
    }
}

#[derive(Default)]
struct Inference {
    payload: Vec<u8>,
    load: Duration,
    forward: Duration,
    block: Option<bench::Block>,
}

/// Answers requests until stdin closes.
///
/// # Errors
/// When the channel breaks.
pub fn serve(registry: &Registry) -> io::Result<()> {
    remember_panics();
    let mut channel = Channel::open("runner")?;
    let mut current = None;
    loop {
        let (request, payload) = channel.receive::<Request>()?;
        let id = request.id;
        let (answer, payload) = match guarded(|| infer(registry, &mut current, &request, &payload)) {
            Ok(Ok(done)) => (
                Answer {
                    id,
                    ok: true,
                    load_seconds: done.load.as_secs_f64(),
                    forward_seconds: done.forward.as_secs_f64(),
                    block: done.block,
                    ..Answer::default()
                },
                done.payload,
            ),
            Ok(Err(message)) => {
                let failure = Some(Panic { message, location: None });
                (Answer { id, kind: Some("error"), failure, ..Answer::default() }, Vec::new())
            }
            Err(panic) => {
                // A model that panicked half-way is not asked again in the state it was left in.
                current = None;
                (Answer { id, kind: Some("panic"), failure: Some(panic), ..Answer::default() }, Vec::new())
            }
        };
        channel.send(&answer, &payload)?;
    }
}

fn infer(registry: &Registry, current: &mut Option<Current>, request: &Request, payload: &[u8]) -> Result<Inference> {
    let inputs = decode(payload)?;
    let anew = request.bench.as_ref().is_some_and(|plan| plan.fresh);
    if anew || !current.as_ref().is_some_and(|it| it.serves(request)) {
        // The old model's memory is given back before the next one is loaded.
        *current = None;
    }
    let before = request.bench.as_ref().and_then(|_| bench::resident());
    let started = Instant::now();
    if current.is_none() {
        *current = Some(load(registry, request)?);
    }
    let Current { device, model, .. } = current.as_ref().ok_or("no model")?;
    let load = started.elapsed();
    if let Some(plan) = &request.bench {
        let block = bench::run(model.as_ref(), device, &inputs, plan, before)?;
        return Ok(Inference { load, block: Some(block), ..Inference::default() });
    }
    let started = Instant::now();
    let outputs = model.call(inputs, device)?;
    let forward = started.elapsed();
    Ok(Inference { payload: encode(&outputs)?, load, forward, block: None })
}

fn load(registry: &Registry, request: &Request) -> Result<Current> {
    let device = match request.backend.as_str() {
        "flex" => Device::flex(),
        other => return Err(format!("this binary has no backend '{other}'")),
    };
    let load = registry.get(&request.module).ok_or_else(|| format!("this binary has no model '{}'", request.module))?;
    let model = load(&request.weights, &device);
    let Request { module, weights, backend, .. } = request;
    Ok(Current { module: module.clone(), weights: weights.clone(), backend: backend.clone(), device, model })
}
