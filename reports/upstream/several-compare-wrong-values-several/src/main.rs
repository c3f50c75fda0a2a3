//! Prints what ONNX Runtime answers and what Burn answers.

#[allow(warnings)]
mod model;

#[allow(unused_imports)]
use burn::tensor::{Bool, DType, Device, Int, Tensor, TensorData};

fn main() {
    let device = Device::flex();
    let model = model::Model::from_file(concat!(env!("CARGO_MANIFEST_DIR"), "/model.bpk"), &device);
    let input0 = Tensor::<2>::from_data(TensorData::from_bytes_vec(include_bytes!("../values/input0.bin").to_vec(), [2usize, 3usize], DType::F32), (&device, DType::F32));
    println!("expected output0: float32[3, 2] [0.10000000149011612, -0.10000000149011612, 0.6000000238418579, 0.10000000149011612, -0.5, 0.4000000059604645]");
    let output0 = model.forward(input0);
    println!("actual   output0: {:?}{:?} {:?}", output0.dtype(), output0.dims(), output0.to_data().iter::<f64>().take(8).collect::<Vec<_>>());
}
