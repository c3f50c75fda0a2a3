//! Prints what ONNX Runtime answers and what Burn answers.

#[allow(warnings)]
mod model;

#[allow(unused_imports)]
use burn::tensor::{Bool, DType, Device, Int, Tensor, TensorData};

fn main() {
    let device = Device::flex();
    let model = model::Model::from_file(concat!(env!("CARGO_MANIFEST_DIR"), "/model.bpk"), &device);
    let input0 = Tensor::<2>::from_data(TensorData::from_bytes_vec(include_bytes!("../values/input0.bin").to_vec(), [4usize, 0usize], DType::F32), (&device, DType::F32));
    let input1 = Tensor::<2>::from_data(TensorData::from_bytes_vec(include_bytes!("../values/input1.bin").to_vec(), [0usize, 1usize], DType::F32), (&device, DType::F32));
    let input2 = Tensor::<1, Int>::from_data(TensorData::from_bytes_vec(include_bytes!("../values/input2.bin").to_vec(), [2usize], DType::I64), (&device, DType::I64));
    println!("expected Y: float32[2, 2, 3] [-3.3907129764556885, -2.639711856842041, 0.7211218476295471, 0.9138890504837036, 2.101865768432617, 3.25, -0.05849962309002876, -1.2856452465057373]");
    let output0 = model.forward(input0, input1, input2);
    println!("actual   Y: {:?}{:?} {:?}", output0.dtype(), output0.dims(), output0.to_data().iter::<f64>().take(8).collect::<Vec<_>>());
}
