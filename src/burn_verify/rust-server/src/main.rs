//! Serves a compiled model over HTTP until SIGTERM, Ctrl-C, or the end of stdin.
//!
//! `server RUNNER SPEC [--port N] [--host A] [--max-body BYTES] [--max-requests N] [--read-seconds S]
//! [--answer-seconds S]`; prints a line of JSON with the address when it listens.

mod fault;
mod furnace;
mod kserve;
mod model;
mod routes;
mod runner;
mod tensor;

use std::collections::HashMap;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::routes::{Limits, Served, router};
use crate::runner::Runner;

/// How long requests that are being answered may still take when the server is to end.
const GRACE: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (places, options) = arguments()?;
    let [program, spec] = &places[..] else { return Err("server RUNNER SPEC [--option value …]".into()) };
    let number = |name: &str, default: f64| -> Result<f64, Box<dyn Error>> {
        Ok(options.get(name).map_or(Ok(default), |text| text.parse())?)
    };
    let limits = Limits {
        body: number("max-body", 64e6)? as usize,
        read: Duration::try_from_secs_f64(number("read-seconds", 10.0)?)?,
        answer: Duration::try_from_secs_f64(number("answer-seconds", 60.0)?)?,
        requests: number("max-requests", 64.0)? as usize,
    };
    let spec = serde_json::from_slice(&std::fs::read(spec)?)?;
    let served = Arc::new(Served::new(spec, Runner::new(program.into(), limits.answer), limits));
    let host = options.get("host").map_or("127.0.0.1", String::as_str);
    let listener = TcpListener::bind((host, number("port", 0.0)? as u16)).await?;
    println!("{}", json!({ "listening": listener.local_addr()?.to_string(), "port": listener.local_addr()?.port() }));
    serve(listener, served).await;
    Ok(())
}

fn arguments() -> Result<(Vec<String>, HashMap<String, String>), Box<dyn Error>> {
    let (mut places, mut options) = (Vec::new(), HashMap::new());
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.strip_prefix("--") {
            Some(name) => {
                options.insert(name.to_string(), words.next().ok_or_else(|| format!("--{name} needs a value"))?);
            }
            None => places.push(word),
        }
    }
    Ok((places, options))
}

async fn serve(listener: TcpListener, served: Arc<Served>) {
    let app = router(served.clone());
    let (ending, ended) = watch::channel(());
    let mut connections = JoinSet::new();
    let mut end = std::pin::pin!(asked_to_end());
    loop {
        let stream = tokio::select! {
            () = &mut end => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                // Out of descriptors, say: what is open may close.
                Err(_) => {
                    sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
        };
        let service = TowerToHyperService::new(app.clone());
        let (mut ended, read) = (ended.clone(), served.limits.read);
        connections.spawn(async move {
            let mut builder = http1::Builder::new();
            builder.timer(TokioTimer::new()).header_read_timeout(read);
            let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
            tokio::select! {
                _ = connection.as_mut() => {}
                _ = ended.changed() => {
                    connection.as_mut().graceful_shutdown();
                    let _ = connection.await;
                }
            }
        });
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    let _ = ending.send(());
    let _ = timeout(GRACE, async { while connections.join_next().await.is_some() {} }).await;
}

/// SIGTERM, Ctrl-C, or the end of stdin: who started the server does not leave it behind.
async fn asked_to_end() {
    let (Ok(mut terminated), Ok(mut interrupted)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    let closed = async {
        let mut rest = [0; 64];
        while tokio::io::stdin().read(&mut rest).await.is_ok_and(|count| count > 0) {}
    };
    tokio::select! {
        _ = terminated.recv() => {}
        _ = interrupted.recv() => {}
        () = closed => {}
    }
}
