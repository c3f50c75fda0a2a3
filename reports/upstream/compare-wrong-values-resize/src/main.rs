//! Prints what ONNX Runtime answers and what Burn answers.

#[allow(warnings)]
mod model;

#[allow(unused_imports)]
use burn::tensor::{Bool, DType, Device, Int, Tensor, TensorData};

fn main() {
    let device = Device::flex();
    let model = model::Model::from_file(concat!(env!("CARGO_MANIFEST_DIR"), "/model.bpk"), &device);
    let input0 = Tensor::<4>::from_data(TensorData::from_bytes_vec(include_bytes!("../values/input0.bin").to_vec(), [1usize, 1usize, 2usize, 4usize], DType::F32), (&device, DType::F32));
    let input1 = Tensor::<1>::from_data(TensorData::from_bytes_vec(include_bytes!("../values/input1.bin").to_vec(), [4usize], DType::F32), (&device, DType::F32));
    println!("expected Y: float32[1, 1, 1, 2] [2.6666665077209473, 4.3333330154418945]");
    let output0 = model.forward(input0, input1);
    println!("actual   Y: {:?}{:?} {:?}", output0.dtype(), output0.dims(), output0.to_data().iter::<f64>().take(8).collect::<Vec<_>>());
}
