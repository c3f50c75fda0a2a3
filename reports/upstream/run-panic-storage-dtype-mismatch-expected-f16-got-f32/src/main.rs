//! Prints what ONNX Runtime answers and what Burn answers.

#[allow(warnings)]
mod model;

#[allow(unused_imports)]
use burn::tensor::{Bool, DType, Device, Int, Tensor, TensorData};

fn main() {
    let device = Device::flex();
    let model = model::Model::from_file(concat!(env!("CARGO_MANIFEST_DIR"), "/model.bpk"), &device);
    println!("expected Y: float16[2, 4, 3, 2, 2] [-0.85693359375, -4.31640625, -2.208984375, 0.94873046875, -4.0703125, -0.1202392578125, 2.2734375, -7.515625]");
    let output0 = model.forward();
    println!("actual   Y: {:?}{:?} {:?}", output0.dtype(), output0.dims(), output0.to_data().iter::<f64>().take(8).collect::<Vec<_>>());
}
