//! Prints what ONNX Runtime answers and what Burn answers.

#[allow(warnings)]
mod model;

#[allow(unused_imports)]
use burn::tensor::{Bool, DType, Device, Int, Tensor, TensorData};

fn main() {
    let device = Device::flex();
    let model = model::Model::from_file(concat!(env!("CARGO_MANIFEST_DIR"), "/model.bpk"), &device);
    let input0 = Tensor::<1>::from_data(TensorData::from_bytes_vec(include_bytes!("../values/input0.bin").to_vec(), [4usize], DType::F32), (&device, DType::F32));
    println!("expected Y_out: int64[2, 3] [1, 1, 63, 27, 56, 1]");
    let output0 = model.forward(input0);
    println!("actual   Y_out: {:?}{:?} {:?}", output0.dtype(), output0.dims(), output0.to_data().iter::<f64>().take(8).collect::<Vec<_>>());
}
