//! Prints what ONNX Runtime answers and what Burn answers.

#[allow(warnings)]
mod model;

#[allow(unused_imports)]
use burn::tensor::{Bool, DType, Device, Int, Tensor, TensorData};

fn main() {
    let device = Device::flex();
    let model = model::Model::from_file(concat!(env!("CARGO_MANIFEST_DIR"), "/model.bpk"), &device);
    let input0 = Tensor::<1>::from_data(TensorData::from_bytes_vec(include_bytes!("../values/input0.bin").to_vec(), [5usize], DType::F64), (&device, DType::F64));
    println!("expected Y: float64[5] [-0.2083333022892475, 3.1979577459152155, -0.0, 3.781851639936315, 2.296433243343018]");
    let output0 = model.forward(input0);
    println!("actual   Y: {:?}{:?} {:?}", output0.dtype(), output0.dims(), output0.to_data().iter::<f64>().take(8).collect::<Vec<_>>());
}
