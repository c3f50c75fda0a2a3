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
    pub fn forward(
        &self,
        indices: Tensor<1, Int>,
        depth: f32,
        values: Tensor<1>,
    ) -> Tensor<2> {
        let onehot1_out1 = {
            let depth: usize = (depth as i64).max(0) as usize;
            let (off_value, on_value): (f32, f32) = {
                let data = values.to_data().convert::<f32>();
                let slice = data.as_slice::<f32>().unwrap();
                (slice[0], slice[1])
            };
            indices
                .one_hot_fill(depth, on_value, off_value, 1i64)
                .float()
                .cast(burn::tensor::DType::F32)
        };
        onehot1_out1
    }
}
