//! Prints what ONNX Runtime answers and what Burn answers.

#[allow(warnings)]
mod model;

#[allow(unused_imports)]
use burn::tensor::{Bool, DType, Device, Int, Tensor, TensorData};

fn main() {
    let device = Device::flex();
    let model = model::Model::from_file(concat!(env!("CARGO_MANIFEST_DIR"), "/model.bpk"), &device);
    let input0 = Tensor::<1>::from_data(TensorData::from_bytes_vec(include_bytes!("../values/input0.bin").to_vec(), [6usize], DType::F16), (&device, DType::F16));
    let input1 = Tensor::<1>::from_data(TensorData::from_bytes_vec(include_bytes!("../values/input1.bin").to_vec(), [6usize], DType::F16), (&device, DType::F16));
    println!("expected z: float16[6] [3.84375, 16.609375, 0.4404296875, 1.65625, -0.30078125, 3.84375]");
    let output0 = model.forward(input0, input1);
    println!("actual   z: {:?}{:?} {:?}", output0.dtype(), output0.dims(), output0.to_data().iter::<f64>().take(8).collect::<Vec<_>>());
}
