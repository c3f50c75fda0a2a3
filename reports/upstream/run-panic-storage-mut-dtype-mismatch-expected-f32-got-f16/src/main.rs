//! Prints what ONNX Runtime answers and what Burn answers.

#[allow(warnings)]
mod model;

#[allow(unused_imports)]
use burn::tensor::{Bool, DType, Device, Int, Tensor, TensorData};

fn main() {
    let device = Device::flex();
    let model = model::Model::from_file(concat!(env!("CARGO_MANIFEST_DIR"), "/model.bpk"), &device);
    let input0 = Tensor::<1>::from_data(TensorData::from_bytes_vec(include_bytes!("../values/input0.bin").to_vec(), [3usize], DType::F16), (&device, DType::F16));
    let input1 = Tensor::<2>::from_data(TensorData::from_bytes_vec(include_bytes!("../values/input1.bin").to_vec(), [2usize, 3usize], DType::F32), (&device, DType::F32));
    println!("expected Y_out: float16[2, 3] [0.132568359375, 0.0936279296875, 1.7060546875, 7.44921875, 47.03125, 0.73193359375]");
    let output0 = model.forward(input0, input1);
    println!("actual   Y_out: {:?}{:?} {:?}", output0.dtype(), output0.dims(), output0.to_data().iter::<f64>().take(8).collect::<Vec<_>>());
}
