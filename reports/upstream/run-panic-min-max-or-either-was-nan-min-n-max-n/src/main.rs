//! Prints what ONNX Runtime answers and what Burn answers.

#[allow(warnings)]
mod model;

#[allow(unused_imports)]
use burn::tensor::{Bool, DType, Device, Int, Tensor, TensorData};

fn main() {
    let device = Device::flex();
    let model = model::Model::from_file(concat!(env!("CARGO_MANIFEST_DIR"), "/model.bpk"), &device);
    let input0 = Tensor::<1>::from_data(TensorData::from_bytes_vec(include_bytes!("../values/input0.bin").to_vec(), [3usize], DType::F32), (&device, DType::F32));
    let input1 = f32::from_bits(1073741824);
    let input2 = f32::from_bits(1065353216);
    println!("expected y: float32[3] [1.0, 1.0, 1.0]");
    let output0 = model.forward(input0, input1, input2);
    println!("actual   y: {:?}{:?} {:?}", output0.dtype(), output0.dims(), output0.to_data().iter::<f64>().take(8).collect::<Vec<_>>());
}
