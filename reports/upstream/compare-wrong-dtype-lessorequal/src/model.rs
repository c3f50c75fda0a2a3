extern crate alloc;
use burn::prelude::*;
use burn::tensor::Bytes;
use burn_store::BurnpackStore;
use burn_store::ModuleSnapshot;


#[derive(Module, Debug)]
pub struct Model {
    #[module(skip)]
    device: Device,
}


extern crate std;

impl Model {
    /// Load model weights from a burnpack file.
    pub fn from_file<P: AsRef<std::path::Path>>(file: P, device: &Device) -> Self {
        let mut model = Self::new(device);
        let mut store = BurnpackStore::from_file(&file);
        model
            .load_from(&mut store)
            .unwrap_or_else(|e| {
                panic!("Failed to load burnpack file {}: {e}", file.as_ref().display())
            });
        model
    }

    /// Load model weights from in-memory bytes.
    ///
    /// The bytes must be the contents of a `.bpk` file.
    pub fn from_bytes(bytes: Bytes, device: &Device) -> Self {
        let mut model = Self::new(device);
        let mut store = BurnpackStore::from_bytes(Some(bytes));
        model
            .load_from(&mut store)
            .unwrap_or_else(|e| panic!("Failed to load burnpack bytes: {e}"));
        model
    }
}

impl Model {
    #[allow(unused_variables)]
    pub fn new(device: &Device) -> Self {
        Self { device: device.clone() }
    }

    #[allow(clippy::let_and_return, clippy::approx_constant)]
    pub fn forward(&self, a_of: Tensor<3>, b_of: Tensor<3>) -> [i64; 3] {
        let shape1_out1: [i64; 3] = {
            let axes = &a_of.dims()[0..3];
            let mut output = [0i64; 3];
            for i in 0..3 {
                output[i] = axes[i] as i64;
            }
            output
        };
        let shape2_out1: [i64; 3] = {
            let axes = &b_of.dims()[0..3];
            let mut output = [0i64; 3];
            for i in 0..3 {
                output[i] = axes[i] as i64;
            }
            output
        };
        let lessorequal1_out1 = {
            let __lhs = shape1_out1;
            let __rhs = shape2_out1;
            core::array::from_fn::<
                i64,
                3usize,
                _,
            >(|__i| if __lhs[__i] <= __rhs[__i] { 1i64 } else { 0i64 })
        };
        lessorequal1_out1
    }
}
