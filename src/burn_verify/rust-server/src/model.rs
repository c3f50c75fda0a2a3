//! What is served: names, dtypes and shapes of the graph, and the runner that answers.

use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::fault::Fault;
use crate::tensor::{Tensor, dtype_of, kserve_name, numpy_name};

/// Written by burn-verify.
#[derive(Clone, Debug, Deserialize)]
pub struct Spec {
    pub name: String,
    pub version: String,
    /// What was verified, for people.
    pub about: Value,
    pub backend: String,
    /// Name of the module in the runner, and the file of its weights.
    pub module: String,
    pub weights: String,
    pub inputs: Vec<Port>,
    pub outputs: Vec<Port>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Port {
    pub name: String,
    pub dtype: String,
    /// A dimension that is free is null.
    pub shape: Vec<Option<usize>>,
}

impl Port {
    fn described(&self) -> Value {
        let shape: Vec<i64> = self.shape.iter().map(|dim| dim.map_or(-1, |dim| dim as i64)).collect();
        json!({ "name": self.name, "datatype": dtype_of(&self.dtype).map(kserve_name), "shape": shape })
    }

    /// The shape in words; a dimension that is free is `?`.
    pub fn dims(&self) -> String {
        let dims: Vec<String> = self.shape.iter().map(|dim| dim.map_or("?".into(), |dim| dim.to_string())).collect();
        format!("[{}]", dims.join(", "))
    }

    /// Whether a tensor is what the graph takes.
    fn check(&self, tensor: &Tensor) -> Result<(), Fault> {
        if Some(tensor.dtype) != dtype_of(&self.dtype) {
            let message = format!("{} takes {}, not {}", self.name, self.dtype, numpy_name(tensor.dtype));
            return Err(Fault::bad("wrong_dtype", message));
        }
        let fits = tensor.shape.len() == self.shape.len()
            && tensor.shape.iter().zip(&self.shape).all(|(came, wanted)| wanted.is_none_or(|dim| dim == *came));
        if !fits {
            let message = format!("{} takes the shape {}, not {:?}", self.name, self.dims(), tensor.shape);
            return Err(Fault::bad("wrong_shape", message));
        }
        Ok(())
    }
}

impl Spec {
    /// KServe's metadata.
    pub fn metadata(&self) -> Value {
        json!({
            "name": self.name,
            "versions": [self.version],
            "platform": "burn",
            "inputs": self.inputs.iter().map(Port::described).collect::<Vec<_>>(),
            "outputs": self.outputs.iter().map(Port::described).collect::<Vec<_>>(),
        })
    }

    /// The named tensors in the order of the graph.
    pub fn ordered(&self, named: Vec<(String, Tensor)>) -> Result<Vec<Tensor>, Fault> {
        for (place, (name, _)) in named.iter().enumerate() {
            if !self.inputs.iter().any(|port| port.name == *name) {
                let known: Vec<&str> = self.inputs.iter().map(|port| port.name.as_str()).collect();
                return Err(Fault::bad("unknown_input", format!("no input {name:?}; the model has {known:?}")));
            }
            if named[..place].iter().any(|(other, _)| other == name) {
                return Err(Fault::bad("repeated_input", format!("the input {name:?} is there twice")));
            }
        }
        self.inputs
            .iter()
            .map(|port| {
                let found = named.iter().find(|(name, _)| *name == port.name);
                let (_, tensor) = found
                    .ok_or_else(|| Fault::bad("missing_input", format!("the input {:?} is missing", port.name)))?;
                port.check(tensor)?;
                Ok(tensor.clone())
            })
            .collect()
    }

    /// Whether a request is for this model.
    pub fn check_name(&self, name: &str, version: Option<&str>) -> Result<(), Fault> {
        if name != self.name || version.is_some_and(|version| version != self.version) {
            let asked = version.map_or(name.to_string(), |version| format!("{name}, version {version}"));
            let message = format!("no model {asked:?}; this is {:?}, version {}", self.name, self.version);
            return Err(Fault::new(StatusCode::NOT_FOUND, "unknown_model", message));
        }
        Ok(())
    }
}
