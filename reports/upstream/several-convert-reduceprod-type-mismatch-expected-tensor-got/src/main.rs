//! Has burn-onnx convert the model, which it refuses.

fn main() {
    burn_onnx::ModelGen::new().input("tiny.onnx").out_dir("generated").simplify(true).partition(true).run_from_cli();
}
