//! Prints what ONNX Runtime answers and what Burn answers.

#[allow(warnings)]
mod model;

#[allow(unused_imports)]
use burn::tensor::{Bool, DType, Device, Int, Tensor, TensorData};

fn main() {
    let device = Device::flex();
    let model = model::Model::from_file(concat!(env!("CARGO_MANIFEST_DIR"), "/model.bpk"), &device);
    let input0 = Tensor::<2>::from_data(TensorData::from_bytes_vec(include_bytes!("../values/input0.bin").to_vec(), [3usize, 4usize], DType::F32), (&device, DType::F32));
    let input1 = Tensor::<2, Int>::from_data(TensorData::from_bytes_vec(include_bytes!("../values/input1.bin").to_vec(), [3usize, 3usize], DType::I64), (&device, DType::I64));
    println!("expected output0: float32[3, 3] [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]");
    let output0 = model.forward(input0, input1);
    println!("actual   output0: {:?}{:?} {:?}", output0.dtype(), output0.dims(), output0.to_data().iter::<f64>().take(8).collect::<Vec<_>>());
}
