//! Prints what ONNX Runtime answers and what Burn answers.

#[allow(warnings)]
mod model;

#[allow(unused_imports)]
use burn::tensor::{Bool, DType, Device, Int, Tensor, TensorData};

fn main() {
    let device = Device::flex();
    let model = model::Model::from_file(concat!(env!("CARGO_MANIFEST_DIR"), "/model.bpk"), &device);
    println!("expected Y: int64[2, 0] []");
    let output0 = model.forward();
    let output0 = output0.into_data();
    println!("actual   Y: {:?}{:?} {:?}", output0.dtype, output0.shape.to_vec(), output0.iter::<i64>().take(8).collect::<Vec<_>>());
}
