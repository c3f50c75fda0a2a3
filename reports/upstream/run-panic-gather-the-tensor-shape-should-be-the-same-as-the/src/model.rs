extern crate alloc;
use burn::prelude::*;
use burn::tensor::Bytes;
use burn_store::BurnpackStore;
use burn_store::ModuleSnapshot;


#[derive(Module, Debug)]
pub struct Model {
    constant1: burn::module::Param<Tensor<2, Int>>,
    constant2: burn::module::Param<Tensor<2, Int>>,
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
        let constant1: burn::module::Param<Tensor<2, Int>> = burn::module::Param::uninitialized(
            burn::module::ParamId::new(),
            move |device, _require_grad| Tensor::<
                2,
                Int,
            >::zeros([3, 4], (device, burn::tensor::DType::I32)),
            device.clone(),
            false,
            [3, 4].into(),
        );
        let constant2: burn::module::Param<Tensor<2, Int>> = burn::module::Param::uninitialized(
            burn::module::ParamId::new(),
            move |device, _require_grad| Tensor::<
                2,
                Int,
            >::zeros([2, 4], (device, burn::tensor::DType::I64)),
            device.clone(),
            false,
            [2, 4].into(),
        );
        Self {
            constant1,
            constant2,
            device: device.clone(),
        }
    }

    #[allow(clippy::let_and_return, clippy::approx_constant)]
    pub fn forward(&self) -> Tensor<2, Int> {
        let constant1_out1 = self.constant1.val();
        let constant2_out1 = self.constant2.val();
        let gatherelements1_out1 = {
            let axis_size = constant1_out1.dims()[1] as i64;
            let negative = constant2_out1.clone().lower_elem(0i64);
            let corrected = constant2_out1.clone() + axis_size;
            let indices = constant2_out1.mask_where(negative, corrected);
            constant1_out1.gather(1, indices)
        };
        gatherelements1_out1
    }
}
