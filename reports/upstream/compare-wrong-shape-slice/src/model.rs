extern crate alloc;
use burn::prelude::*;
use burn::tensor::Bytes;
use burn_store::BurnpackStore;
use burn_store::ModuleSnapshot;


#[derive(Module, Debug)]
pub struct Model {
    constant2: burn::module::Param<Tensor<3, Int>>,
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
        let constant2: burn::module::Param<Tensor<3, Int>> = burn::module::Param::uninitialized(
            burn::module::ParamId::new(),
            move |device, _require_grad| Tensor::<
                3,
                Int,
            >::zeros([4, 5, 3], (device, burn::tensor::DType::I8)),
            device.clone(),
            false,
            [4, 5, 3].into(),
        );
        Self {
            constant2,
            device: device.clone(),
        }
    }

    #[allow(clippy::let_and_return, clippy::approx_constant)]
    pub fn forward(&self, starts: Tensor<1, Int>) -> Tensor<3, Int> {
        let constant2_out1 = self.constant2.val();
        let start_data = starts.to_data();
        let start_vec: alloc::vec::Vec<i64> = start_data.iter::<i64>().collect();
        let slice1_out1 = constant2_out1
            .slice(s![start_vec[0] as usize..12i64 as usize, .., ..]);
        slice1_out1
    }
}
