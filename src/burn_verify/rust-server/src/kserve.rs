//! KServe's inference protocol, version 2, with its extension for binary tensors.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use serde_json::{Value, json};

use crate::fault::Fault;
use crate::routes::{Answer, App, Served, binary, ok, parse, read};
use crate::tensor::{Tensor, dtype_of, elements, kserve_name};

const LENGTH: &str = "inference-header-content-length";

pub async fn server() -> Answer {
    ok(&json!({
        "name": "burn-verify",
        "version": env!("CARGO_PKG_VERSION"),
        "extensions": ["binary_tensor_data"],
    }))
}

pub async fn live() -> Answer {
    ok(&json!({ "live": true }))
}

pub async fn metadata(State(served): App, Path(model): Path<String>) -> Answer {
    served.spec.check_name(&model, None)?;
    ok(&served.spec.metadata())
}

pub async fn metadata_version(State(served): App, Path((model, version)): Path<(String, String)>) -> Answer {
    served.spec.check_name(&model, Some(&version))?;
    ok(&served.spec.metadata())
}

pub async fn ready(State(served): App, Path(model): Path<String>) -> Answer {
    served.spec.check_name(&model, None)?;
    ok(&json!({ "name": model, "ready": true }))
}

pub async fn ready_version(State(served): App, Path((model, version)): Path<(String, String)>) -> Answer {
    served.spec.check_name(&model, Some(&version))?;
    ok(&json!({ "name": model, "ready": true }))
}

pub async fn infer(State(served): App, Path(model): Path<String>, headers: HeaderMap, body: Body) -> Answer {
    served.spec.check_name(&model, None)?;
    answer(&served, &headers, body).await
}

pub async fn infer_version(
    State(served): App,
    Path((model, version)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    served.spec.check_name(&model, Some(&version))?;
    answer(&served, &headers, body).await
}

async fn answer(served: &Served, headers: &HeaderMap, body: Body) -> Answer {
    let bytes = read(&served.limits, headers, body).await?;
    let (text, data) = parts(headers, &bytes)?;
    let request = parse(text)?;
    let wanted = wanted(served, &request)?;
    let inputs = served.spec.ordered(inputs(&request, data)?)?;
    let answered = served.ask(&inputs).await?;
    let (mut said, mut data) = (Vec::new(), Vec::new());
    for (place, as_binary) in wanted {
        let (port, tensor) = (&served.spec.outputs[place], &answered.outputs[place]);
        let mut output = json!({ "name": port.name, "datatype": kserve_name(tensor.dtype), "shape": tensor.shape });
        if as_binary {
            output["parameters"] = json!({ "binary_data_size": tensor.bytes.len() });
            data.extend_from_slice(&tensor.bytes);
        } else {
            output["data"] = tensor.to_json(&port.name)?;
        }
        said.push((output, as_binary));
    }
    let any = said.iter().any(|(_, as_binary)| *as_binary);
    let outputs: Vec<Value> = said.into_iter().map(|(output, _)| output).collect();
    let mut response =
        json!({ "model_name": served.spec.name, "model_version": served.spec.version, "outputs": outputs });
    if let Some(id) = request.get("id") {
        response["id"] = id.clone();
    }
    if !any {
        return ok(&response);
    }
    let text = response.to_string().into_bytes();
    let length = text.len().to_string();
    binary([text, data].concat(), [(LENGTH, length)])
}

/// The JSON and the binary data behind it.
fn parts<'a>(headers: &HeaderMap, bytes: &'a [u8]) -> Result<(&'a [u8], &'a [u8]), Fault> {
    let Some(said) = headers.get(LENGTH) else { return Ok((bytes, &[])) };
    said.to_str()
        .ok()
        .and_then(|text| text.parse::<usize>().ok())
        .and_then(|length| bytes.split_at_checked(length))
        .ok_or_else(|| Fault::bad("wrong_header_length", format!("{LENGTH} does not fit a body of {}", bytes.len())))
}

fn inputs(request: &Value, mut data: &[u8]) -> Result<Vec<(String, Tensor)>, Fault> {
    let listed = match request.get("inputs") {
        Some(Value::Array(listed)) => listed.as_slice(),
        None => &[],
        Some(_) => return Err(Fault::bad("wrong_value", "`inputs` is an array of tensors")),
    };
    let mut found = Vec::new();
    for one in listed {
        let name = one["name"].as_str().ok_or_else(|| Fault::bad("wrong_value", "an input has no `name`"))?;
        let said = one["datatype"].as_str().unwrap_or_default();
        let dtype = dtype_of(said)
            .filter(|_| said.chars().all(|letter| !letter.is_lowercase()))
            .ok_or_else(|| Fault::bad("wrong_dtype", format!("{name}: no datatype {said:?} here")))?;
        let shape = shape(name, &one["shape"])?;
        let tensor = match (one["parameters"].get("binary_data_size"), one.get("data")) {
            (Some(size), None) => {
                let size = size.as_u64().and_then(|size| usize::try_from(size).ok());
                let (own, rest) = size
                    .and_then(|size| data.split_at_checked(size))
                    .ok_or_else(|| Fault::bad("wrong_size", format!("{name}: the body has not as much binary data")))?;
                data = rest;
                Tensor::from_bytes(name, dtype, shape, own.to_vec())?
            }
            (None, Some(numbers)) => Tensor::from_json(name, dtype, shape, numbers)?,
            _ => return Err(Fault::bad("wrong_value", format!("{name}: either `data` or `binary_data_size`"))),
        };
        found.push((name.to_string(), tensor));
    }
    if data.is_empty() {
        Ok(found)
    } else {
        Err(Fault::bad("wrong_size", format!("{} bytes of binary data belong to no input", data.len())))
    }
}

fn shape(name: &str, said: &Value) -> Result<Vec<usize>, Fault> {
    let dims = said.as_array().map(|dims| dims.iter().map(|dim| dim.as_u64()?.try_into().ok()).collect());
    dims.flatten()
        .filter(|dims: &Vec<usize>| elements(dims).is_some())
        .ok_or_else(|| Fault::bad("wrong_shape", format!("{name}: `shape` is an array of numbers from 0")))
}

/// The outputs that are asked for, all where none is named, and whether as binary data.
fn wanted(served: &Served, request: &Value) -> Result<Vec<(usize, bool)>, Fault> {
    let whole = request["parameters"]["binary_data_output"].as_bool().unwrap_or(false);
    let outputs = &served.spec.outputs;
    let listed = match request.get("outputs") {
        Some(Value::Array(listed)) if !listed.is_empty() => listed,
        None | Some(Value::Array(_)) => return Ok((0..outputs.len()).map(|place| (place, whole)).collect()),
        Some(_) => return Err(Fault::bad("wrong_value", "`outputs` is an array")),
    };
    listed
        .iter()
        .map(|one| {
            let name = one["name"].as_str().unwrap_or_default();
            let place = outputs.iter().position(|port| port.name == name).ok_or_else(|| {
                let known: Vec<&str> = outputs.iter().map(|port| port.name.as_str()).collect();
                Fault::bad("unknown_output", format!("no output {name:?}; the model has {known:?}"))
            })?;
            Ok((place, one["parameters"]["binary_data"].as_bool().unwrap_or(whole)))
        })
        .collect()
}
