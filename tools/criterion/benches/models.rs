//! Three models timed with Criterion, written by hand: nothing of burn-verify is in here but its generated modules.

use std::hint::black_box;
use std::io::{self, BufRead};
use std::path::Path;
use std::time::{Duration, Instant};
use std::{env, fs};

use burn::prelude::*;
use burn::tensor::TensorData;
use criterion::{BatchSize, Criterion, SamplingMode, criterion_group, criterion_main};

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

/// When this program may call, where it shares the machine with another in turns: with `TAKE_TURNS` set it writes
/// "turn" and waits for a line, at first and again after a turn. Criterion times none of that.
struct Turns {
    taken: bool,
    calls: usize,
    began: Option<Instant>,
}

impl Turns {
    const CALLS: usize = 40;
    const LONG: Duration = Duration::from_millis(120);
    /// Calls that do not count, before the first turn and at the beginning of every other: the caches were somebody
    /// else's.
    const WARM: Duration = Duration::from_secs(1);
    const SETTLE: Duration = Duration::from_millis(20);

    fn new() -> Self {
        Self { taken: env::var_os("TAKE_TURNS").is_some(), calls: 0, began: None }
    }

    /// Comes before a call that counts.
    fn wait(&mut self, call: impl Fn()) {
        self.calls += 1;
        let over = self.began.is_none_or(|began| self.calls > Self::CALLS || began.elapsed() > Self::LONG);
        if !self.taken || !over {
            return;
        }
        println!("\nturn");
        io::stdin().lock().read_line(&mut String::new()).expect("a line on the standard input");
        let settle = if self.began.is_none() { Self::WARM } else { Self::SETTLE };
        let started = Instant::now();
        while started.elapsed() < settle {
            call();
        }
        self.calls = 1;
        self.began = Some(Instant::now());
    }
}

macro_rules! load {
    ($name:ident, $device:expr) => {
        ($name::Model::from_file(Path::new(concat!("models/", stringify!($name), ".bpk")), $device), input(stringify!($name)))
    };
}

macro_rules! bench {
    ($group:expr, $name:ident, $device:expr, $loaded:expr) => {
        let (model, values) = $loaded;
        let make = || Tensor::<4>::from_data(values.clone(), $device);
        let mut turns = Turns::new();
        // Criterion calls this once a sample.
        $group.bench_function(stringify!($name), |bencher| {
            let prepare = || {
                turns.wait(|| drop(black_box(model.forward(black_box(make())))));
                make()
            };
            bencher.iter_batched(prepare, |x| model.forward(black_box(x)), BatchSize::PerIteration);
        });
    };
}

fn models(criterion: &mut Criterion) {
    // All that is read, is read first. In a program that has never freed a block of 128 KiB, glibc gives memory back
    // after every call of mnist and asks for it in the next, which takes half as long again; reading a picture is
    // enough to end that.
    let device = &Device::flex();
    let mnist = load!(mnist, device);
    let squeezenet = load!(squeezenet, device);
    let mobilenetv2 = load!(mobilenetv2, device);
    let mut group = criterion.benchmark_group("models");
    // A sample is one call, as no sample is as short as that: Criterion's median is over samples, which are means of
    // their calls.
    group.sampling_mode(SamplingMode::Flat).measurement_time(Duration::from_millis(1));
    if env::var_os("TAKE_TURNS").is_some() {
        group.warm_up_time(Duration::from_millis(1));
    }
    bench!(group, mnist, device, mnist);
    bench!(group, squeezenet, device, squeezenet);
    bench!(group, mobilenetv2, device, mobilenetv2);
    group.finish();
}

criterion_group!(benches, models);
criterion_main!(benches);
