//! Prints what ONNX Runtime answers and what Burn answers.

#[allow(warnings)]
mod model;

#[allow(unused_imports)]
use burn::tensor::{Bool, DType, Device, Int, Tensor, TensorData};

fn main() {
    let device = Device::flex();
    let model = model::Model::from_file(concat!(env!("CARGO_MANIFEST_DIR"), "/model.bpk"), &device);
    let input0 = Tensor::<4>::from_data(TensorData::from_bytes_vec(include_bytes!("../values/input0.bin").to_vec(), [2usize, 3usize, 2usize, 2usize], DType::F64), (&device, DType::F64));
    println!("expected Y: float64[2, 3, 2, 2] [-3.5233924888380024, -0.21441102817762744, -2.4144217496474676, -2.7234059519508484, -2.067521170543123, 0.21751347631569226, 4.269943098775967, -2.0204324947447216]");
    println!("expected Mean: float32[2, 3, 1, 1] [-0.1851566880941391, 1.3364434242248535, -0.7778677344322205, -0.6979088187217712, -0.5998416543006897, 0.782791018486023]");
    println!("expected InvStdDev: float32[2, 3, 1, 1] [0.3075869083404541, 0.5226522088050842, 0.3407673239707947, 2.894041061401367, 0.3939840495586395, 0.9007040858268738]");
    let (output0, output1, output2) = model.forward(input0);
    println!("actual   Y: {:?}{:?} {:?}", output0.dtype(), output0.dims(), output0.to_data().iter::<f64>().take(8).collect::<Vec<_>>());
    println!("actual   Mean: {:?}{:?} {:?}", output1.dtype(), output1.dims(), output1.to_data().iter::<f64>().take(8).collect::<Vec<_>>());
    println!("actual   InvStdDev: {:?}{:?} {:?}", output2.dtype(), output2.dims(), output2.to_data().iter::<f64>().take(8).collect::<Vec<_>>());
}
