//! Prints what ONNX Runtime answers and what Burn answers.

#[allow(warnings)]
mod model;

#[allow(unused_imports)]
use burn::tensor::{Bool, DType, Device, Int, Tensor, TensorData};

fn main() {
    let device = Device::flex();
    let model = model::Model::from_file(concat!(env!("CARGO_MANIFEST_DIR"), "/model.bpk"), &device);
    println!("expected Y: int64[0] []");
    let output0 = model.forward();
    println!("actual   Y: [i64; 1] {output0:?}");
}
