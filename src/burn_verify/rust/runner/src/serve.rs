//! The request loop: load a model when it is first asked for, call it, answer; a panic is an answer too.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use compat::Started;
use protocol::{Channel, Panic, guarded, remember_panics};
use serde::{Deserialize, Serialize};

use crate::wire::{decode, encode};
use crate::{Loaded, Registry, Result, bench};

#[derive(Deserialize)]
struct Request {
    id: u64,
    backend: String,
    /// What to run; without it the backend is started and nothing else happens.
    #[serde(flatten)]
    model: Option<Wanted>,
    /// Time a block of calls instead of answering one.
    bench: Option<bench::Plan>,
}

#[derive(Clone, Deserialize, PartialEq)]
struct Wanted {
    /// Name of the generated module.
    module: String,
    /// The `.bpk` file.
    weights: PathBuf,
}

#[derive(Default, Serialize)]
struct Answer {
    id: u64,
    ok: bool,
    /// `panic`: generated code or Burn panicked. `error`: the request does not fit the model, or the device failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(flatten)]
    failure: Option<Panic>,
    /// The device has not survived the failure: this process is of no use any more.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    broken: bool,
    /// Name of the device that was started.
    #[serde(skip_serializing_if = "String::is_empty")]
    device: String,
    /// Element types that it lacks and others of its kind have.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lacks: Vec<&'static str>,
    load_seconds: f64,
    forward_seconds: f64,
    #[serde(flatten)]
    block: Option<bench::Block>,
}

/// The model that was called last: data sets of one case come one after the other.
struct Current {
    wanted: Wanted,
    backend: String,
    model: Loaded,
}

/// What lives longer than a request.
#[derive(Default)]
struct State {
    /// By backend: an initialised runtime cannot be initialised again.
    devices: HashMap<String, Started>,
    current: Option<Current>,
}

/// Answers requests until stdin closes.
///
/// # Errors
/// When the channel breaks.
pub fn serve(registry: &Registry) -> io::Result<()> {
    remember_panics();
    let mut channel = Channel::open("runner")?;
    let mut state = State::default();
    loop {
        let (request, payload) = channel.receive::<Request>()?;
        let (answer, payload) = match guarded(|| state.answer(registry, &request, &payload)) {
            Ok(Ok(done)) => done,
            Ok(Err(message)) => (state.failed(&request, "error", Panic { message, location: None }), Vec::new()),
            Err(panic) => (state.failed(&request, "panic", panic), Vec::new()),
        };
        channel.send(&Answer { id: request.id, ..answer }, &payload)?;
    }
}

impl State {
    fn answer(&mut self, registry: &Registry, request: &Request, payload: &[u8]) -> Result<(Answer, Vec<u8>)> {
        let Some(wanted) = &request.model else {
            let started = self.started(&request.backend)?;
            let (device, lacks) = (started.name.clone(), started.lacks.clone());
            return Ok((Answer { ok: true, device, lacks, ..Answer::default() }, Vec::new()));
        };
        let inputs = decode(payload)?;
        let known = self.current.as_ref().is_some_and(|it| it.wanted == *wanted && it.backend == request.backend);
        if !known || request.bench.as_ref().is_some_and(|plan| plan.fresh) {
            // The old model's memory is given back before the next one is loaded.
            self.current = None;
        }
        // Starting a device is no part of loading a model.
        self.started(&request.backend)?;
        let before = request.bench.as_ref().and_then(|_| bench::resident());
        let started = Instant::now();
        self.load(registry, &request.backend, wanted)?;
        let load = started.elapsed();
        let device = &self.devices[&request.backend].device;
        let Current { model, .. } = self.current.as_ref().ok_or("no model")?;
        if let Some(plan) = &request.bench {
            let block = bench::run(model.as_ref(), device, &inputs, plan, before)?;
            let answer = Answer { block: Some(block), ..Answer::timed(load, Duration::ZERO) };
            return Ok((answer, Vec::new()));
        }
        let answered = model.call(inputs, device)?;
        let payload = encode(&answered.outputs)?;
        Ok((Answer::timed(load, answered.forward), payload))
    }

    fn load(&mut self, registry: &Registry, backend: &str, wanted: &Wanted) -> Result<()> {
        if self.current.is_some() {
            return Ok(());
        }
        let device = &self.started(backend)?.device;
        let load =
            registry.get(&wanted.module).ok_or_else(|| format!("this binary has no model '{}'", wanted.module))?;
        let model = load(&wanted.weights, device);
        compat::sync(device)?;
        self.current = Some(Current { wanted: wanted.clone(), backend: backend.to_string(), model });
        Ok(())
    }

    fn started(&mut self, backend: &str) -> Result<&Started> {
        if !self.devices.contains_key(backend) {
            self.devices.insert(backend.to_string(), compat::start(backend)?);
        }
        Ok(&self.devices[backend])
    }

    fn failed(&mut self, request: &Request, kind: &'static str, failure: Panic) -> Answer {
        // A model that failed half-way is not asked again in the state it was left in.
        self.current = None;
        let device = self.devices.get(&request.backend);
        let broken = device.is_some_and(|it| !guarded(|| compat::works(&it.device)).unwrap_or(false));
        Answer { kind: Some(kind), failure: Some(failure), broken, ..Answer::default() }
    }
}

impl Answer {
    fn timed(load: Duration, forward: Duration) -> Self {
        Self { ok: true, load_seconds: load.as_secs_f64(), forward_seconds: forward.as_secs_f64(), ..Self::default() }
    }
}
