//! The generated code does not compile.

mod model;

fn main() {
    let _ = model::Model::new(&Default::default());
}
