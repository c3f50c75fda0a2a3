//! Prints what ONNX Runtime answers and what Burn answers.

#[allow(warnings)]
mod model;

#[allow(unused_imports)]
use burn::tensor::{Bool, DType, Device, Int, Tensor, TensorData};

fn main() {
    let device = Device::flex();
    let model = model::Model::from_file(concat!(env!("CARGO_MANIFEST_DIR"), "/model.bpk"), &device);
    let input0 = Tensor::<4>::from_data(TensorData::from_bytes_vec(include_bytes!("../values/input0.bin").to_vec(), [2usize, 4usize, 3usize, 2usize], DType::F32), (&device, DType::F32));
    let input1 = Tensor::<1>::from_data(TensorData::from_bytes_vec(include_bytes!("../values/input1.bin").to_vec(), [4usize], DType::F32), (&device, DType::F32));
    let input2 = Tensor::<1>::from_data(TensorData::from_bytes_vec(include_bytes!("../values/input2.bin").to_vec(), [4usize], DType::F32), (&device, DType::F32));
    let input3 = Tensor::<1>::from_data(TensorData::from_bytes_vec(include_bytes!("../values/input3.bin").to_vec(), [4usize], DType::F32), (&device, DType::F32));
    let input4 = Tensor::<1>::from_data(TensorData::from_bytes_vec(include_bytes!("../values/input4.bin").to_vec(), [4usize], DType::F32), (&device, DType::F32));
    println!("expected Y: float32[2, 4, 3, 2] [-2.1933538913726807, -2.749997615814209, -1.9269566535949707, -0.8903157711029053, -4.249995708465576, -4.428302764892578, -1.2393933534622192, -1.2164368629455566]");
    let output0 = model.forward(input0, input1, input2, input3, input4);
    println!("actual   Y: {:?}{:?} {:?}", output0.dtype(), output0.dims(), output0.to_data().iter::<f64>().take(8).collect::<Vec<_>>());
}
