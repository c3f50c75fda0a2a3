//! Prints what ONNX Runtime answers and what Burn answers.

#[allow(warnings)]
mod model;

#[allow(unused_imports)]
use burn::tensor::{Bool, DType, Device, Int, Tensor, TensorData};

fn main() {
    let device = Device::flex();
    let model = model::Model::from_file(concat!(env!("CARGO_MANIFEST_DIR"), "/model.bpk"), &device);
    let input0 = Tensor::<1>::from_data(TensorData::from_bytes_vec(include_bytes!("../values/input0.bin").to_vec(), [1usize], DType::F32), (&device, DType::F32));
    println!("expected v1: float32[3] [1.463904857635498, 1.463904857635498, 1.463904857635498]");
    println!("expected v2: int64[1] [3]");
    let (output0, output1) = model.forward(input0);
    println!("actual   v1: {:?}{:?} {:?}", output0.dtype(), output0.dims(), output0.to_data().iter::<f64>().take(8).collect::<Vec<_>>());
    println!("actual   v2: [i64; 1] {output1:?}");
}
