//! Prints what ONNX Runtime answers and what Burn answers.

#[allow(warnings)]
mod model;

#[allow(unused_imports)]
use burn::tensor::{Bool, DType, Device, Int, Tensor, TensorData};

fn main() {
    let device = Device::flex();
    let model = model::Model::from_file(concat!(env!("CARGO_MANIFEST_DIR"), "/model.bpk"), &device);
    let input0 = Tensor::<1>::from_data(TensorData::from_bytes_vec(include_bytes!("../values/input0.bin").to_vec(), [3usize], DType::F16), (&device, DType::F16));
    let input1 = Tensor::<1>::from_data(TensorData::from_bytes_vec(include_bytes!("../values/input1.bin").to_vec(), [1usize], DType::F16), (&device, DType::F16));
    println!("expected output0: float16[3] [0.0003635883331298828, -9.60230827331543e-05, -0.0002574920654296875]");
    let output0 = model.forward(input0, input1);
    println!("actual   output0: {:?}{:?} {:?}", output0.dtype(), output0.dims(), output0.to_data().iter::<f64>().take(8).collect::<Vec<_>>());
}
