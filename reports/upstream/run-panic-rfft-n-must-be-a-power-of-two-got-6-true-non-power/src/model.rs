extern crate alloc;
use burn::prelude::*;
use burn::tensor::Bytes;
use burn_store::BurnpackStore;
use burn_store::ModuleSnapshot;


#[derive(Module, Debug)]
pub struct Model {
    constant1: burn::module::Param<Tensor<3>>,
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
        let constant1: burn::module::Param<Tensor<3>> = burn::module::Param::uninitialized(
            burn::module::ParamId::new(),
            move |device, _require_grad| Tensor::<
                3,
            >::zeros([2, 6, 2], (device, burn::tensor::DType::F64)),
            device.clone(),
            false,
            [2, 6, 2].into(),
        );
        Self {
            constant1,
            device: device.clone(),
        }
    }

    #[allow(clippy::let_and_return, clippy::approx_constant)]
    pub fn forward(&self) -> Tensor<3> {
        let constant1_out1 = self.constant1.val();
        let dft1_out1 = {
            let re = constant1_out1
                .clone()
                .narrow(2usize, 0, 1)
                .squeeze_dims::<2usize>(&[2isize]);
            let im = constant1_out1
                .narrow(2usize, 1, 1)
                .squeeze_dims::<2usize>(&[2isize]);
            let (re, im) = burn::tensor::signal::cfft(re, im, 1usize, Some(6usize));
            Tensor::<2usize>::stack::<3usize>([re, im].to_vec(), 2usize)
        };
        dft1_out1
    }
}
