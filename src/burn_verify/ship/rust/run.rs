//! Runs the model on the arrays of an `.npz` file, named as the inputs are: `cargo run --example run -- inputs.npz`

use std::env;
use std::process::ExitCode;

use burn::tensor::Device;
use {{crate}}::{INPUTS, Inputs, Model, OUTPUTS, wire};

#[path = "npz/mod.rs"]
mod npz;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let path = env::args().nth(1).unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/examples/inputs.npz").into());
    let mut arrays = npz::read(&path, wire::to_data)?;
    let values = INPUTS
        .iter()
        .map(|port| arrays.remove(port.name).ok_or_else(|| format!("{path} has no array {:?}", port.name)))
        .collect::<Result<_, _>>()?;
    let device = Device::flex();
    let model = {{load}}?;
    let outputs = model.run(Inputs::from_data(values, &device)?);
    for (port, value) in OUTPUTS.iter().zip(outputs.into_data()) {
        // A whole number beyond 2^53 is another one as a float.
        let first = match port.dtype {
            "bool" => format!("{:?}", value.iter::<bool>().take(8).collect::<Vec<_>>()),
            "uint64" => format!("{:?}", value.iter::<u64>().take(8).collect::<Vec<_>>()),
            dtype if dtype.contains("int") => format!("{:?}", value.iter::<i64>().take(8).collect::<Vec<_>>()),
            _ => format!("{:?}", value.iter::<f64>().take(8).collect::<Vec<_>>()),
        };
        println!("{}: {:?}{:?} {first}", port.name, value.dtype(), value.shape().to_vec());
    }
    Ok(())
}
