//! The process that answers: the compiled runner, asked over its stdin and stdout. See docs/runner-protocol.md.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::fault::Fault;
use crate::model::Spec;
use crate::tensor::{Tensor, decode, encode};

/// The version of frames and requests that this server speaks.
const PROTOCOL: u64 = 2;
const MAX_HEADER: u32 = 1 << 20;

pub struct Runner {
    program: PathBuf,
    limit: Duration,
    /// One call at a time: Burn uses every processor for one.
    process: Mutex<Option<Process>>,
}

struct Process {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    asked: u64,
}

#[derive(Deserialize)]
struct Answer {
    id: u64,
    ok: bool,
    kind: Option<String>,
    message: Option<String>,
    #[serde(default)]
    broken: bool,
    forward_seconds: f64,
}

/// What the model answered, and how long its forward pass took.
pub struct Answered {
    pub outputs: Vec<Tensor>,
    pub seconds: f64,
}

impl Runner {
    pub fn new(program: PathBuf, limit: Duration) -> Self {
        Self { program, limit, process: Mutex::new(None) }
    }

    /// Asks the model; a process that died or hung is replaced by the next request.
    pub async fn ask(&self, spec: &Spec, inputs: &[Tensor]) -> Result<Answered, Fault> {
        let payload = encode(inputs).map_err(|error| Fault::bad("wrong_value", error))?;
        let mut held = self.process.lock().await;
        let mut process = match held.take() {
            Some(process) => process,
            None => Process::start(&self.program).await.map_err(|error| died(&error))?,
        };
        // The process is put back only when it answered: whatever ends this future ends the process as well.
        match timeout(self.limit, process.request(spec, &payload)).await {
            Err(_) => {
                let message = format!("no answer within {:?}", self.limit);
                Err(Fault::new(StatusCode::GATEWAY_TIMEOUT, "timeout", message))
            }
            Ok(Err(error)) => Err(died(&error)),
            Ok(Ok((answer, payload))) => {
                if !answer.broken {
                    *held = Some(process);
                }
                outcome(answer, &payload)
            }
        }
    }

    /// The process that answers now.
    pub async fn pid(&self) -> Option<u32> {
        self.process.lock().await.as_ref().and_then(|process| process.child.id())
    }
}

fn died(error: &std::io::Error) -> Fault {
    let message = format!("the model's process ended: {error}");
    Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "model_died", message)
}

fn outcome(answer: Answer, payload: &[u8]) -> Result<Answered, Fault> {
    let said = answer.message.unwrap_or_default();
    match (answer.ok, answer.kind.as_deref()) {
        (true, _) => {
            let outputs =
                decode(payload).map_err(|error| Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "model_died", error))?;
            Ok(Answered { outputs, seconds: answer.forward_seconds })
        }
        (false, Some("panic")) => Err(Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "model_panicked", said)),
        _ => Err(Fault::bad("model_refused", said)),
    }
}

impl Process {
    async fn start(program: &PathBuf) -> std::io::Result<Self> {
        let mut child = Command::new(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .env("RUST_BACKTRACE", "0")
            .kill_on_drop(true)
            .spawn()?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let (Some(stdin), Some(stdout)) = (stdin, stdout) else { return Err(broken("no pipes")) };
        let mut process = Self { child, stdin, stdout: BufReader::new(stdout), asked: 0 };
        let (hello, _) = process.receive().await?;
        let hello: serde_json::Value = serde_json::from_slice(&hello)?;
        if hello["protocol"] != PROTOCOL {
            return Err(broken("another version of the protocol"));
        }
        Ok(process)
    }

    async fn request(&mut self, spec: &Spec, payload: &[u8]) -> std::io::Result<(Answer, Vec<u8>)> {
        self.asked += 1;
        let header = json!({
            "id": self.asked, "backend": spec.backend, "module": spec.module, "weights": spec.weights,
        })
        .to_string();
        self.stdin.write_all(&(header.len() as u32).to_le_bytes()).await?;
        self.stdin.write_all(&(payload.len() as u64).to_le_bytes()).await?;
        self.stdin.write_all(header.as_bytes()).await?;
        self.stdin.write_all(payload).await?;
        self.stdin.flush().await?;
        let (header, payload) = self.receive().await?;
        let answer: Answer = serde_json::from_slice(&header)?;
        if answer.id != self.asked { Err(broken("an answer to another request")) } else { Ok((answer, payload)) }
    }

    async fn receive(&mut self) -> std::io::Result<(Vec<u8>, Vec<u8>)> {
        let header = self.stdout.read_u32_le().await?;
        let payload = self.stdout.read_u64_le().await?;
        if header > MAX_HEADER {
            return Err(broken("a header beyond all reason"));
        }
        let mut text = vec![0; header as usize];
        self.stdout.read_exact(&mut text).await?;
        let mut data = Vec::new();
        let read = (&mut self.stdout).take(payload).read_to_end(&mut data).await?;
        if read as u64 != payload { Err(broken("half an answer")) } else { Ok((text, data)) }
    }
}

fn broken(what: &str) -> std::io::Error {
    std::io::Error::other(what)
}
