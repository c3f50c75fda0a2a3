//! Prints what ONNX Runtime answers and what Burn answers.

#[allow(warnings)]
mod model;

#[allow(unused_imports)]
use burn::tensor::{Bool, DType, Device, Int, Tensor, TensorData};

fn main() {
    let device = Device::flex();
    let model = model::Model::from_file(concat!(env!("CARGO_MANIFEST_DIR"), "/model.bpk"), &device);
    let input0 = Tensor::<1, Int>::from_data(TensorData::from_bytes_vec(include_bytes!("../values/input0.bin").to_vec(), [2usize], DType::I64), (&device, DType::I64));
    let input1 = f32::from_bits(1082130432);
    let input2 = Tensor::<1>::from_data(TensorData::from_bytes_vec(include_bytes!("../values/input2.bin").to_vec(), [2usize], DType::BF16), (&device, DType::BF16));
    println!("expected y: bfloat16[2, 4] [0.875, 3.0, 3.0, 3.0, 3.0, 3.0, 0.875, 3.0]");
    let output0 = model.forward(input0, input1, input2);
    println!("actual   y: {:?}{:?} {:?}", output0.dtype(), output0.dims(), output0.to_data().iter::<f64>().take(8).collect::<Vec<_>>());
}
