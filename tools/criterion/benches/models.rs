//! Three models timed with Criterion, written by hand: nothing of burn-verify is in here but its generated modules.

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use burn::prelude::*;
use burn::tensor::TensorData;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

#[allow(warnings)]
#[path = "../models/mnist.rs"]
mod mnist;
#[allow(warnings)]
#[path = "../models/mobilenetv2.rs"]
mod mobilenetv2;
#[allow(warnings)]
#[path = "../models/squeezenet.rs"]
mod squeezenet;

fn input(name: &str) -> TensorData {
    let bytes = fs::read(format!("models/{name}.f32")).expect("an input beside the model");
    let values: Vec<f32> =
        bytes.chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().expect("four bytes"))).collect();
    let said = fs::read_to_string(format!("models/{name}.shape")).expect("its shape beside that");
    let shape: Vec<usize> = said.split_whitespace().map(|size| size.parse().expect("a size")).collect();
    TensorData::new(values, shape)
}

macro_rules! bench {
    ($criterion:expr, $name:ident) => {
        let device = Device::flex();
        let weights = concat!("models/", stringify!($name), ".bpk");
        let model = $name::Model::from_file(Path::new(weights), &device);
        let values = input(stringify!($name));
        let make = || Tensor::<4>::from_data(values.clone(), &device);
        $criterion.bench_function(stringify!($name), |bencher| {
            bencher.iter_batched(make, |x| model.forward(black_box(x)), BatchSize::SmallInput);
        });
    };
}

fn models(criterion: &mut Criterion) {
    bench!(criterion, mnist);
    bench!(criterion, squeezenet);
    bench!(criterion, mobilenetv2);
}

criterion_group! {
    name = benches;
    config = Criterion::default().measurement_time(Duration::from_secs(6)).sample_size(30);
    targets = models
}
criterion_main!(benches);
