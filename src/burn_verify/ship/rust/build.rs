//! Has burn-onnx write the Rust of the model.

use burn_onnx::ModelGen;

fn main() {
    println!("cargo:rerun-if-changed=model");
    ModelGen::new()
        .input("{{model}}")
        .out_dir("model/"){{options}}
        .run_from_script();
}
