//! Prints what ONNX Runtime answers and what Burn answers.

#[allow(warnings)]
mod model;

#[allow(unused_imports)]
use burn::tensor::{Bool, DType, Device, Int, Tensor, TensorData};

fn main() {
    let device = Device::flex();
    let model = model::Model::from_file(concat!(env!("CARGO_MANIFEST_DIR"), "/model.bpk"), &device);
    let input0 = Tensor::<5>::from_data(TensorData::from_bytes_vec(include_bytes!("../values/input0.bin").to_vec(), [4usize, 4usize, 4usize, 4usize, 4usize], DType::F32), (&device, DType::F32));
    println!("expected Y: uint64[5] [4, 4, 4, 4, 4]");
    let output0 = model.forward(input0);
    println!("actual   Y: [i64; 5] {output0:?}");
}
