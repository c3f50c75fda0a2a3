//! Prints what ONNX Runtime answers and what Burn answers.

#[allow(warnings)]
mod model;

#[allow(unused_imports)]
use burn::tensor::{Bool, DType, Device, Int, Tensor, TensorData};

fn main() {
    let device = Device::flex();
    let model = model::Model::from_file(concat!(env!("CARGO_MANIFEST_DIR"), "/model.bpk"), &device);
    let input0 = Tensor::<1>::from_data(TensorData::from_bytes_vec(include_bytes!("../values/input0.bin").to_vec(), [1usize], DType::F32), (&device, DType::F32));
    let input1 = Tensor::<1>::from_data(TensorData::from_bytes_vec(include_bytes!("../values/input1.bin").to_vec(), [3usize], DType::F32), (&device, DType::F32));
    println!("expected output0: int64[] [1]");
    let output0 = model.forward(input0, input1);
    println!("actual   output0: {:?}{:?} {:?}", output0.dtype(), output0.dims(), output0.to_data().iter::<i64>().take(8).collect::<Vec<_>>());
}
