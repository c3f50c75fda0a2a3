extern crate alloc;
use burn::prelude::*;
use burn::nn::Rnn;
use burn::nn::RnnConfig;
use burn::nn::RnnState;
use burn::tensor::Bytes;
use burn_store::BurnpackStore;
use burn_store::ModuleSnapshot;


#[derive(Module, Debug)]
pub struct Model {
    constant1: burn::module::Param<Tensor<3>>,
    constant5: burn::module::Param<Tensor<3>>,
    rnn1: Rnn,
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
            >::zeros([3, 2, 4], (device, burn::tensor::DType::F64)),
            device.clone(),
            false,
            [3, 2, 4].into(),
        );
        let constant5: burn::module::Param<Tensor<3>> = burn::module::Param::uninitialized(
            burn::module::ParamId::new(),
            move |device, _require_grad| Tensor::<
                3,
            >::zeros([1, 2, 3], (device, burn::tensor::DType::F64)),
            device.clone(),
            false,
            [1, 2, 3].into(),
        );
        let rnn1 = RnnConfig::new(4, 3, true)
            .with_batch_first(false)
            .with_reverse(true)
            .with_clip(Some(0.5f64))
            .init(device);
        Self {
            constant1,
            constant5,
            rnn1,
            device: device.clone(),
        }
    }

    #[allow(clippy::let_and_return, clippy::approx_constant)]
    pub fn forward(&self) -> Tensor<3> {
        let constant1_out1 = self.constant1.val();
        let constant5_out1 = self.constant5.val();
        let (rnn1_out1, rnn1_out2) = {
            let (output_seq, final_state) = self
                .rnn1
                .forward(
                    constant1_out1,
                    Some(RnnState::new(constant5_out1.squeeze_dim(0))),
                );
            (
                output_seq.unsqueeze_dims::<4>(&[1]),
                final_state.hidden.unsqueeze_dims::<3>(&[0]),
            )
        };
        rnn1_out2
    }
}
