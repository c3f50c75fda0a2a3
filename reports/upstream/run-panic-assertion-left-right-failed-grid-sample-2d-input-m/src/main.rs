//! Prints what ONNX Runtime answers and what Burn answers.

#[allow(warnings)]
mod model;

#[allow(unused_imports)]
use burn::tensor::{Bool, DType, Device, Int, Tensor, TensorData};

fn main() {
    let device = Device::flex();
    let model = model::Model::from_file(concat!(env!("CARGO_MANIFEST_DIR"), "/model.bpk"), &device);
    let input0 = Tensor::<5>::from_data(TensorData::from_bytes_vec(include_bytes!("../values/input0.bin").to_vec(), [1usize, 1usize, 3usize, 2usize, 2usize], DType::F32), (&device, DType::F32));
    let input1 = Tensor::<5>::from_data(TensorData::from_bytes_vec(include_bytes!("../values/input1.bin").to_vec(), [1usize, 2usize, 4usize, 2usize, 3usize], DType::F32), (&device, DType::F32));
    println!("expected Y: float32[1, 1, 2, 4, 2] [1.0, 5.0, 1.0, 0.0, 5.0, 12.0, 5.0, 5.0]");
    let output0 = model.forward(input0, input1);
    println!("actual   Y: {:?}{:?} {:?}", output0.dtype(), output0.dims(), output0.to_data().iter::<f64>().take(8).collect::<Vec<_>>());
}
