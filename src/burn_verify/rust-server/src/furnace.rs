//! Furnace's routes: health, what the model is, `/predict`, metrics.

use std::sync::atomic::Ordering;
use std::time::Instant;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse;
use safetensors::Dtype;
use serde_json::{Value, json};

use crate::fault::Fault;
use crate::model::Port;
use crate::routes::{Answer, App, Served, binary, ok, parse, read, timestamp};
use crate::tensor::{Tensor, dtype_of};

pub async fn health(State(served): App) -> Answer {
    ok(&json!({
        "status": "healthy",
        "model_loaded": true,
        "backend": served.spec.backend,
        "uptime_seconds": served.uptime(),
        "timestamp": timestamp(),
    }))
}

/// Ready is who has a process that answers, or can start one.
pub async fn ready(State(served): App) -> Answer {
    ok(&json!({ "status": "ready", "ready": true, "process": served.runner.pid().await, "timestamp": timestamp() }))
}

pub async fn info(State(served): App) -> Answer {
    let spec = &served.spec;
    let metadata = spec.metadata();
    let first = |ports: &[Port]| ports.first().map(|port| json!({ "shape": port.shape, "dtype": port.dtype }));
    ok(&json!({
        "model_info": {
            "name": spec.name,
            "version": spec.version,
            "model_type": "onnx",
            "backend": spec.backend,
            "input_spec": first(&spec.inputs),
            "output_spec": first(&spec.outputs),
            "inputs": metadata["inputs"],
            "outputs": metadata["outputs"],
            "verified": spec.about,
        },
        "stats": {
            "inference_count": served.inferences.load(Ordering::Relaxed),
            "failure_count": served.failures.load(Ordering::Relaxed),
            "total_inference_time_ms": served.inference_seconds() * 1e3,
        },
        "timestamp": timestamp(),
    }))
}

pub async fn metrics(State(served): App) -> Answer {
    let counter = |name: &str, help: &str, kind: &str, value: String| {
        format!("# HELP burn_{name} {help}\n# TYPE burn_{name} {kind}\nburn_{name} {value}\n")
    };
    let text = [
        counter("inferences_total", "Calls of the model that answered.", "counter", count(&served.inferences)),
        counter("failures_total", "Requests to the model that failed.", "counter", count(&served.failures)),
        counter("inference_seconds_total", "In forward passes.", "counter", served.inference_seconds().to_string()),
        counter("uptime_seconds", "Since the server started.", "gauge", served.uptime().to_string()),
    ];
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text.concat()).into_response())
}

fn count(counter: &std::sync::atomic::AtomicU64) -> String {
    counter.load(Ordering::Relaxed).to_string()
}

/// One row as `input`, several as `inputs`, or raw float32; the rows of a model with a fixed batch are split.
pub async fn predict(State(served): App, headers: HeaderMap, body: Body) -> Answer {
    let port = only_input(&served)?;
    let bytes = read(&served.limits, &headers, body).await?;
    let raw = content_type(&headers, "application/octet-stream");
    let (data, rows, several) = if raw {
        let rows = batch_size(&headers)?;
        if bytes.len() % 4 != 0 {
            return Err(Fault::bad("wrong_size", format!("{} bytes are no float32", bytes.len())));
        }
        (bytes.to_vec(), rows, rows > 1)
    } else {
        of_json(&port, &parse(&bytes)?)?
    };
    let started = Instant::now();
    let (answers, shape) = in_batches(&served, &port, data, rows).await?;
    if raw && headers.get(header::ACCEPT).is_some_and(|accept| accept == "application/octet-stream") {
        let shape: Vec<String> = shape.iter().map(ToString::to_string).collect();
        return binary(answers.concat(), [("x-output-shape", shape.join(","))]);
    }
    let name = &served.spec.outputs[0].name;
    let dtype = dtype_of(&served.spec.outputs[0].dtype).unwrap_or(Dtype::F32);
    let whole = Tensor { dtype, shape, bytes: answers.concat() }.to_json(name)?;
    let Value::Array(flat) = whole else { unreachable!("an array of elements") };
    let mut said = json!({
        "status": "success",
        "inference_time_ms": started.elapsed().as_secs_f64() * 1e3,
        "timestamp": timestamp(),
        "batch_size": rows,
    });
    if several {
        let each = flat.len() / rows.max(1);
        said["outputs"] = flat.chunks(each.max(1)).map(|row| Value::Array(row.to_vec())).collect();
    } else {
        said["output"] = Value::Array(flat);
    }
    ok(&said)
}

fn only_input(served: &Served) -> Result<Port, Fault> {
    match (&served.spec.inputs[..], &served.spec.outputs[..]) {
        ([input], [_]) if input.dtype == "float32" && !input.shape.is_empty() => Ok(input.clone()),
        _ => {
            let message = format!(
                "/predict is for models with one float32 input and one output: use /v2/models/{}/infer",
                served.spec.name
            );
            Err(Fault::bad("use_v2", message))
        }
    }
}

fn content_type(headers: &HeaderMap, wanted: &str) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(wanted.as_bytes()))
}

fn batch_size(headers: &HeaderMap) -> Result<usize, Fault> {
    let Some(said) = headers.get("x-batch-size") else { return Ok(1) };
    said.to_str()
        .ok()
        .and_then(|text| text.parse().ok())
        .filter(|rows| *rows > 0)
        .ok_or_else(|| Fault::bad("wrong_batch", "X-Batch-Size is a number above 0"))
}

/// The bytes of all rows, how many, and whether they came as several.
fn of_json(port: &Port, body: &Value) -> Result<(Vec<u8>, usize, bool), Fault> {
    let flat = |data: &Value| {
        let count = count_of(data);
        Tensor::from_json(&port.name, Dtype::F32, vec![count], data).map(|tensor| tensor.bytes)
    };
    match (body.get("input"), body.get("inputs")) {
        (Some(data @ Value::Array(_)), None) => Ok((flat(data)?, 1, false)),
        (None, Some(Value::Array(rows))) if !rows.is_empty() => {
            let counts: Vec<usize> = rows.iter().map(count_of).collect();
            if counts.iter().any(|count| *count != counts[0]) {
                return Err(Fault::bad("wrong_size", "the rows of `inputs` differ in length"));
            }
            Ok((flat(&body["inputs"])?, rows.len(), true))
        }
        (Some(_), Some(_)) => Err(Fault::bad("ambiguous", "`input` and `inputs` are both there")),
        (None, None) => Err(Fault::bad("missing_input", "neither `input` nor `inputs` is there")),
        _ => Err(Fault::bad("wrong_value", "`input` is an array of numbers, `inputs` an array of such arrays")),
    }
}

fn count_of(data: &Value) -> usize {
    match data {
        Value::Array(inside) => inside.iter().map(count_of).sum(),
        _ => 1,
    }
}

/// Runs all rows, in as many calls as the batch of the graph needs; returns the bytes of each, and the whole shape.
async fn in_batches(
    served: &Served,
    port: &Port,
    data: Vec<u8>,
    rows: usize,
) -> Result<(Vec<Vec<u8>>, Vec<usize>), Fault> {
    let total = data.len() / 4;
    let shape = shape_of(port, total, rows)?;
    let calls = match port.shape[0] {
        Some(batch) if batch != shape[0] => shape[0] / batch.max(1),
        _ => 1,
    };
    let mut one = shape.clone();
    one[0] /= calls.max(1);
    let (mut answers, mut whole) = (Vec::new(), Vec::new());
    for part in data.chunks(data.len().div_ceil(calls.max(1)).max(1)) {
        let tensor = Tensor::from_bytes(&port.name, Dtype::F32, one.clone(), part.to_vec())?;
        let answered = served.ask(&[tensor]).await?;
        let output = answered.outputs.into_iter().next().ok_or_else(|| Fault::bad("model_died", "no output"))?;
        whole = output.shape.clone();
        answers.push(output.bytes);
    }
    if let Some(first) = whole.first_mut() {
        *first *= answers.len();
    }
    Ok((answers, whole))
}

/// The shape of all rows together: free dimensions are solved for where one of them is left.
fn shape_of(port: &Port, total: usize, rows: usize) -> Result<Vec<usize>, Fault> {
    let wrong = || {
        let count = if rows == 1 { "1 row".to_string() } else { format!("{rows} rows") };
        let message =
            format!("{} takes the shape {}: {total} numbers as {count} do not make it", port.name, port.dims());
        Fault::bad("wrong_size", message)
    };
    let fixed: usize = port.shape[1..].iter().flatten().product();
    let free = port.shape[1..].iter().filter(|dim| dim.is_none()).count();
    let mut shape: Vec<usize> = port.shape.iter().map(|dim| dim.unwrap_or(1)).collect();
    if free == 0 {
        let first = total.checked_div(fixed).filter(|first| first * fixed == total).ok_or_else(wrong)?;
        let unit = port.shape[0].unwrap_or(1).max(1);
        if first == 0 || first % unit != 0 || (first / unit) % rows != 0 && first % rows != 0 {
            return Err(wrong());
        }
        shape[0] = first;
        return Ok(shape);
    }
    if free > 1 || port.shape[0].is_some_and(|batch| batch != rows) {
        return Err(Fault::bad("use_v2", format!("{} has several free dimensions: use /v2", port.name)));
    }
    let rest = total.checked_div(fixed * rows).filter(|rest| *rest > 0 && rest * fixed * rows == total);
    shape[0] = rows;
    let place = port.shape[1..].iter().position(Option::is_none).map_or(0, |place| place + 1);
    shape[place] = rest.ok_or_else(wrong)?;
    Ok(shape)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(shape: &[Option<usize>]) -> Port {
        Port { name: "x".into(), dtype: "float32".into(), shape: shape.to_vec() }
    }

    #[test]
    fn rows_make_a_shape() {
        assert_eq!(shape_of(&port(&[Some(1), Some(3)]), 3, 1).expect("fits"), [1, 3]);
        assert_eq!(shape_of(&port(&[Some(1), Some(3)]), 12, 4).expect("fits"), [4, 3]);
        assert_eq!(shape_of(&port(&[None, Some(3)]), 12, 4).expect("fits"), [4, 3]);
        assert_eq!(shape_of(&port(&[None, None, Some(2)]), 12, 3).expect("fits"), [3, 2, 2]);
        assert_eq!(shape_of(&port(&[None]), 5, 1).expect("fits"), [5]);
    }

    #[test]
    fn rows_that_make_none_are_faults() {
        for (shape, total, rows) in [
            (vec![Some(1), Some(3)], 4, 1),
            (vec![Some(1), Some(3)], 0, 1),
            (vec![Some(2), Some(3)], 3, 1),
            (vec![None, Some(3)], 12, 5),
            (vec![None, None, None], 12, 1),
            (vec![Some(0), Some(0)], 1, 1),
        ] {
            assert!(shape_of(&port(&shape), total, rows).is_err(), "{shape:?} {total} {rows}");
        }
    }

    #[test]
    fn a_fault_has_the_shape_as_people_write_it() {
        let fault = shape_of(&port(&[None, Some(3)]), 7, 1).expect_err("does not fit");
        assert_eq!(fault.message, "x takes the shape [?, 3]: 7 numbers as 1 row do not make it");
    }
}
