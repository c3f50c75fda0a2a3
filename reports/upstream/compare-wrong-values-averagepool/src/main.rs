//! Prints what ONNX Runtime answers and what Burn answers.

#[allow(warnings)]
mod model;

#[allow(unused_imports)]
use burn::tensor::{Bool, DType, Device, Int, Tensor, TensorData};

fn main() {
    let device = Device::flex();
    let model = model::Model::from_file(concat!(env!("CARGO_MANIFEST_DIR"), "/model.bpk"), &device);
    println!("expected Y: float16[2, 3, 4] [1.25, -1.361328125, -3.609375, -3.244140625, -2.8203125, -1.642578125, 0.388671875, 1.2421875]");
    let output0 = model.forward();
    println!("actual   Y: {:?}{:?} {:?}", output0.dtype(), output0.dims(), output0.to_data().iter::<f64>().take(8).collect::<Vec<_>>());
}
