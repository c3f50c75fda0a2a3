//! Is this still what was verified, and does it still answer the same? `cargo test` says so.

use burn::tensor::Device;
use sha2::{Digest, Sha256};
use {{crate}}::{Inputs, Model, OUTPUTS};

mod wire {
    pub use {{crate}}::wire::to_data;
}
#[path = "check/mod.rs"]
mod check;

/// Names of the stored data sets.
const SETS: &[&str] = &[{{sets}}];

/// Stored inputs, expected answers, and what is allowed for each.
const GOLDEN: &[u8] = include_bytes!("golden.safetensors");

/// The files that were verified, by their sha256.
const VERIFIED: &[(&str, &[u8], &str)] = &[
{{digests}}
];

#[test]
fn these_are_the_files_that_were_verified() {
    for (name, bytes, digest) in VERIFIED {
        assert_eq!(sha256(bytes), *digest, "{name} was changed since it was verified");
    }
}
{{generated}}
#[test]
fn the_answers_are_those_that_were_verified() {
    let device = Device::flex();
    let model = {{load}}.expect("the model loads");
    let sets = check::read(GOLDEN).expect("the stored answers can be read");
    assert_eq!(sets.len(), SETS.len());
    for (name, set) in SETS.iter().zip(sets) {
        let inputs = Inputs::from_data(set.inputs, &device).expect("the stored inputs fit");
        let answers = model.run(inputs).into_data();
        assert_eq!(answers.len(), set.allowed.len());
        for ((port, answer), allowed) in OUTPUTS.iter().zip(&answers).zip(&set.allowed) {
            if let Err(why) = allowed.check(answer) {
                panic!("{name}: {}: {why}", port.name);
            }
        }
    }
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
