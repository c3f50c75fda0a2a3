//! Prints what ONNX Runtime answers and what Burn answers.

#[allow(warnings)]
mod model;

#[allow(unused_imports)]
use burn::tensor::{Bool, DType, Device, Int, Tensor, TensorData};

fn main() {
    let device = Device::flex();
    let model = model::Model::from_file(concat!(env!("CARGO_MANIFEST_DIR"), "/model.bpk"), &device);
    let input0 = Tensor::<3>::from_data(TensorData::from_bytes_vec(include_bytes!("../values/input0.bin").to_vec(), [2usize, 4usize, 3usize], DType::F64), (&device, DType::F64));
    let input1 = Tensor::<1>::from_data(TensorData::from_bytes_vec(include_bytes!("../values/input1.bin").to_vec(), [4usize], DType::F64), (&device, DType::F64));
    println!("expected Y: float64[2, 4, 3] [-1.6055534693349598, -0.4322269901765451, -0.5922260631812398, -2.4946233624699543, -0.6565995583417843, -1.646304733503146, 1.0144317945018728, 2.2929647871090975]");
    let output0 = model.forward(input0, input1);
    println!("actual   Y: {:?}{:?} {:?}", output0.dtype(), output0.dims(), output0.to_data().iter::<f64>().take(8).collect::<Vec<_>>());
}
