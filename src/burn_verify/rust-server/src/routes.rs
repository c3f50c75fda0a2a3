//! The routes: Furnace's, and KServe v2 below `/v2`.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::fault::{Fault, json_response};
use crate::model::Spec;
use crate::runner::{Answered, Runner};
use crate::tensor::Tensor;
use crate::{furnace, kserve};

/// Bytes of a refused body that are read and dropped.
const DROPPED: usize = 64 << 20;

/// What a request may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of a body.
    pub body: usize,
    /// For a body to arrive, and for a model to answer.
    pub read: Duration,
    pub answer: Duration,
    /// Requests to the model that may be here at once, those that wait included.
    pub requests: usize,
}

pub struct Served {
    pub spec: Spec,
    pub runner: Runner,
    pub limits: Limits,
    places: Semaphore,
    started: Instant,
    pub inferences: AtomicU64,
    pub failures: AtomicU64,
    nanoseconds: AtomicU64,
}

pub type App = State<Arc<Served>>;
pub type Answer = Result<Response, Fault>;

impl Served {
    pub fn new(spec: Spec, runner: Runner, limits: Limits) -> Self {
        Self {
            spec,
            runner,
            limits,
            places: Semaphore::new(limits.requests),
            started: Instant::now(),
            inferences: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            nanoseconds: AtomicU64::new(0),
        }
    }

    /// Asks the model, and counts.
    pub async fn ask(&self, inputs: &[Tensor]) -> Result<Answered, Fault> {
        let answered = self.runner.ask(&self.spec, inputs).await?;
        if answered.outputs.len() != self.spec.outputs.len() {
            let message = format!("{} outputs came, the graph has {}", answered.outputs.len(), self.spec.outputs.len());
            return Err(Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "model_died", message));
        }
        self.inferences.fetch_add(1, Ordering::Relaxed);
        self.nanoseconds.fetch_add((answered.seconds * 1e9) as u64, Ordering::Relaxed);
        Ok(answered)
    }

    pub fn uptime(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }

    pub fn inference_seconds(&self) -> f64 {
        self.nanoseconds.load(Ordering::Relaxed) as f64 / 1e9
    }
}

pub fn router(served: Arc<Served>) -> Router {
    let asking = Router::new()
        .route("/predict", post(furnace::predict))
        .route("/v2/models/{model}/infer", post(kserve::infer))
        .route("/v2/models/{model}/versions/{version}/infer", post(kserve::infer_version))
        .route_layer(from_fn_with_state(served.clone(), limited));
    Router::new()
        .route("/health", get(furnace::health))
        .route("/healthz", get(furnace::health))
        .route("/readyz", get(furnace::ready))
        .route("/model/info", get(furnace::info))
        .route("/metrics", get(furnace::metrics))
        .route("/v2", get(kserve::server))
        .route("/v2/health/live", get(kserve::live))
        .route("/v2/health/ready", get(furnace::ready))
        .route("/v2/models/{model}", get(kserve::metadata))
        .route("/v2/models/{model}/ready", get(kserve::ready))
        .route("/v2/models/{model}/versions/{version}", get(kserve::metadata_version))
        .route("/v2/models/{model}/versions/{version}/ready", get(kserve::ready_version))
        .merge(asking)
        .method_not_allowed_fallback(async || {
            Fault::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this path has another method")
        })
        .fallback(async || Fault::new(StatusCode::NOT_FOUND, "no_such_path", "no such path"))
        .with_state(served)
}

/// Takes a place, or refuses; counts what fails.
async fn limited(State(served): App, request: Request, next: Next) -> Response {
    let Ok(_place) = served.places.try_acquire() else {
        served.failures.fetch_add(1, Ordering::Relaxed);
        let message = format!("{} requests are here already", served.limits.requests);
        return Fault::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", message).into_response();
    };
    let response = next.run(request).await;
    if !response.status().is_success() {
        served.failures.fetch_add(1, Ordering::Relaxed);
    }
    response
}

/// Reads a body within the limits.
pub async fn read(limits: &Limits, headers: &HeaderMap, body: Body) -> Result<Bytes, Fault> {
    let too_large = || {
        let message = format!("a body has at most {} bytes", limits.body);
        Fault::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
    };
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    match timeout(limits.read, collected(body, limits.body, announced.unwrap_or(0))).await {
        Err(_) => {
            let message = format!("the body did not arrive within {:?}", limits.read);
            Err(Fault::new(StatusCode::REQUEST_TIMEOUT, "slow_request", message))
        }
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => Err(too_large()),
    }
}

/// Reads a body; none where it is larger than the limit.
///
/// What is sent beyond the limit is read and dropped, as far as `DROPPED`: if the connection is closed before, most clients
/// see it break, and not the answer.
async fn collected(mut body: Body, limit: usize, announced: usize) -> Option<Bytes> {
    let (mut kept, mut read) = (Vec::new(), 0_usize);
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        // A connection that broke has no reader, so it needs no answer of its own.
        let Ok(frame) = frame else { return None };
        let Some(data) = frame.data_ref() else { continue };
        read = read.saturating_add(data.len());
        if read > limit || announced > limit {
            kept = Vec::new();
            if read > limit.saturating_add(DROPPED) {
                return None;
            }
        } else {
            kept.extend_from_slice(data);
        }
    }
    (read <= limit && announced <= limit).then(|| kept.into())
}

pub fn parse(bytes: &[u8]) -> Result<Value, Fault> {
    let value = serde_json::from_slice(bytes)
        .map_err(|error| Fault::bad("not_json", format!("the body is no JSON: {error}")))?;
    match value {
        Value::Object(_) => Ok(value),
        _ => Err(Fault::bad("not_an_object", "the body is no JSON object")),
    }
}

pub fn ok(body: &Value) -> Answer {
    Ok(json_response(StatusCode::OK, body))
}

pub fn binary(bytes: Vec<u8>, extra: [(&'static str, String); 1]) -> Answer {
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    for (name, value) in extra {
        headers.insert(name, HeaderValue::from_str(&value).expect("digits and commas"));
    }
    Ok(response)
}

pub fn timestamp() -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    json!(now.as_secs_f64())
}
