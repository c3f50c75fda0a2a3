//! Prints what ONNX Runtime answers and what Burn answers.

#[allow(warnings)]
mod model;

#[allow(unused_imports)]
use burn::tensor::{Bool, DType, Device, Int, Tensor, TensorData};

fn main() {
    let device = Device::flex();
    let model = model::Model::from_file(concat!(env!("CARGO_MANIFEST_DIR"), "/model.bpk"), &device);
    let input0 = Tensor::<4>::from_data(TensorData::from_bytes_vec(include_bytes!("../values/input0.bin").to_vec(), [1usize, 1usize, 3usize, 2usize], DType::F32), (&device, DType::F32));
    let input1 = Tensor::<4>::from_data(TensorData::from_bytes_vec(include_bytes!("../values/input1.bin").to_vec(), [1usize, 2usize, 4usize, 2usize], DType::F32), (&device, DType::F32));
    println!("expected Y: float32[1, 1, 2, 4] [-0.14059999585151672, 0.38280001282691956, 1.7555999755859375, 2.9688000679016113, 2.9688000679016113, 1.7555999755859375, 5.144499778747559, 1.3905999660491943]");
    let output0 = model.forward(input0, input1);
    println!("actual   Y: {:?}{:?} {:?}", output0.dtype(), output0.dims(), output0.to_data().iter::<f64>().take(8).collect::<Vec<_>>());
}
