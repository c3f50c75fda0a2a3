//! Turns `.onnx` files into Rust and a record of weights with burn-import, one request at a time, until stdin closes.
//!
//! `ModelGen` panics on every failure; each conversion is caught, and answered with the panic's own words.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use compat::burn_import::onnx::{ModelGen, RecordType};
use protocol::{Channel, Panic, guarded, remember_panics};
use serde::{Deserialize, Serialize};
use tracing_subscriber::filter::LevelFilter;

#[derive(Deserialize)]
struct Request {
    id: u64,
    /// The `.onnx` file.
    model: String,
    /// An empty folder, which receives `model.rs` and the record.
    out_dir: String,
    /// Extension of the record: it tells its type.
    record: String,
    /// Whether the code holds the record.
    embed: bool,
    /// Whether weights are stored in half precision.
    half: bool,
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
    // First come, first served: burn-import's own subscriber would log every node at DEBUG.
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
/// With burn-import's words on whatever it does not accept, and where the files cannot be written.
fn convert(request: &Request) {
    let out_dir = Path::new(&request.out_dir);
    ModelGen::new()
        .input(&request.model)
        .out_dir(&request.out_dir)
        .record_type(match request.record.as_str() {
            "mpk" => RecordType::NamedMpk,
            "mpk.gz" => RecordType::NamedMpkGz,
            "bin" => RecordType::Bincode,
            "json" => RecordType::PrettyJson,
            other => panic!("no record type {other}"),
        })
        .embed_states(request.embed)
        .half_precision(request.half)
        .run_from_cli();
    // The files are named after the model, and a model may be named anything. Code that holds its record includes it
    // under the name that burn-import gave it.
    for extension in ["rs", &request.record] {
        let made = sole_file(out_dir, extension);
        let name = out_dir.join(format!("model.{extension}"));
        if made != name {
            fs::hard_link(made, name).expect("the output folder can be written");
        }
    }
}

fn sole_file(folder: &Path, extension: &str) -> PathBuf {
    let end = format!(".{extension}");
    fs::read_dir(folder)
        .expect("the output folder can be read")
        .map(|entry| entry.expect("the output folder can be read").path())
        .find(|path| path.to_str().is_some_and(|name| name.ends_with(&end)))
        .unwrap_or_else(|| panic!("burn-import wrote no .{extension} file"))
}
