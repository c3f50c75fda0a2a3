//! Prints what ONNX Runtime answers and what Burn answers.

#[allow(warnings)]
mod model;

#[allow(unused_imports)]
use burn::tensor::{Bool, DType, Device, Int, Tensor, TensorData};

fn main() {
    let device = Device::flex();
    let model = model::Model::from_file(concat!(env!("CARGO_MANIFEST_DIR"), "/model.bpk"), &device);
    let input0 = Tensor::<4>::from_data(TensorData::from_bytes_vec(include_bytes!("../values/input0.bin").to_vec(), [2usize, 3usize, 2usize, 2usize], DType::F64), (&device, DType::F64));
    let input1 = Tensor::<1, Int>::from_data(TensorData::from_bytes_vec(include_bytes!("../values/input1.bin").to_vec(), [0usize], DType::I64), (&device, DType::I64));
    println!("expected Y: float64[2, 3, 2, 2] [-0.6931471805599453, 0.7979416398560271, 0.9162907318741551, 0.8109302162163288, 0.698064762849671, 0.9770532043087696, 0.4054651081081644, 1.1786549963416462]");
    let output0 = model.forward(input0, input1);
    println!("actual   Y: {:?}{:?} {:?}", output0.dtype(), output0.dims(), output0.to_data().iter::<f64>().take(8).collect::<Vec<_>>());
}
