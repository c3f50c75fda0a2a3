//! Prints what ONNX Runtime answers and what Burn answers.

#[allow(warnings)]
mod model;

#[allow(unused_imports)]
use burn::tensor::{Bool, DType, Device, Int, Tensor, TensorData};

fn main() {
    let device = Device::flex();
    let model = model::Model::from_file(concat!(env!("CARGO_MANIFEST_DIR"), "/model.bpk"), &device);
    let input0 = 5;
    let input1 = true;
    let input2 = Tensor::<1>::from_data(TensorData::from_bytes_vec(include_bytes!("../values/input2.bin").to_vec(), [1usize], DType::F32), (&device, DType::F32));
    println!("expected res_y: float32[1] [13.0]");
    println!("expected res_scan: float32[5, 1] [-1.0, 1.0, 4.0, 8.0, 13.0]");
    let (output0, output1) = model.forward(input0, input1, input2);
    println!("actual   res_y: {:?}{:?} {:?}", output0.dtype(), output0.dims(), output0.to_data().iter::<f64>().take(8).collect::<Vec<_>>());
    println!("actual   res_scan: {:?}{:?} {:?}", output1.dtype(), output1.dims(), output1.to_data().iter::<f64>().take(8).collect::<Vec<_>>());
}
