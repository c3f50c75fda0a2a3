//! Prints what ONNX Runtime answers and what Burn answers.

#[allow(warnings)]
mod model;

#[allow(unused_imports)]
use burn::tensor::{Bool, DType, Device, Int, Tensor, TensorData};

fn main() {
    let device = Device::flex();
    let model = model::Model::from_file(concat!(env!("CARGO_MANIFEST_DIR"), "/model.bpk"), &device);
    let input0 = Tensor::<3>::from_data(TensorData::from_bytes_vec(include_bytes!("../values/input0.bin").to_vec(), [2usize, 6usize, 1usize], DType::F32), (&device, DType::F32));
    println!("expected Y: float32[2, 6, 2] [5.369261741638184, 4.76837158203125e-07, 5.357553482055664, 5.459731101989746, 0.16761556267738342, 0.21999779343605042, 6.08040714263916, -2.814321760524763e-06]");
    let output0 = model.forward(input0);
    println!("actual   Y: {:?}{:?} {:?}", output0.dtype(), output0.dims(), output0.to_data().iter::<f64>().take(8).collect::<Vec<_>>());
}
