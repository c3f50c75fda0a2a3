//! Turns `.onnx` files into Rust with burn-onnx, one request at a time, until stdin closes.
//!
//! `ModelGen` panics on every failure; each conversion is caught, and answered with the panic's own words.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use compat::burn_onnx::ModelGen;
use protocol::{Channel, Panic, guarded, remember_panics};
use serde::{Deserialize, Serialize};
use tracing_subscriber::filter::LevelFilter;

#[derive(Deserialize)]
struct Request {
    id: u64,
    /// The `.onnx` file.
    model: String,
    /// An empty folder, which receives `model.rs` and `model.bpk`.
    out_dir: String,
    simplify: bool,
    partition: bool,
}

#[derive(Serialize)]
struct Answer {
    id: u64,
    ok: bool,
    #[serde(flatten)]
    panic: Option<Panic>,
}

fn main() -> io::Result<()> {
    remember_panics();
    // First come, first served: burn-onnx's own subscriber would log every node at DEBUG.
    let _ = tracing_subscriber::fmt().with_max_level(LevelFilter::WARN).with_writer(io::stderr).try_init();
    let mut channel = Channel::open("converter")?;
    loop {
        let (request, _) = channel.receive::<Request>()?;
        let panic = guarded(|| convert(&request)).err();
        channel.send(&Answer { id: request.id, ok: panic.is_none(), panic }, &[])?;
    }
}

/// Converts one model.
///
/// # Panics
/// With burn-onnx's words on whatever it does not accept, and where the files cannot be written.
fn convert(request: &Request) {
    let out_dir = Path::new(&request.out_dir);
    ModelGen::new()
        .input(&request.model)
        .out_dir(&request.out_dir)
        .simplify(request.simplify)
        .partition(request.partition)
        .run_from_cli();
    // The files are named after the model, and a model may be named anything.
    for extension in ["rs", "bpk"] {
        let made = sole_file(out_dir, extension);
        fs::rename(&made, out_dir.join("model").with_extension(extension)).expect("the output folder can be written");
    }
}

fn sole_file(folder: &Path, extension: &str) -> PathBuf {
    fs::read_dir(folder)
        .expect("the output folder can be read")
        .map(|entry| entry.expect("the output folder can be read").path())
        .find(|path| path.extension().is_some_and(|found| found == extension))
        .unwrap_or_else(|| panic!("burn-onnx wrote no .{extension} file"))
}
