extern crate alloc;
use burn::prelude::*;
use burn::tensor::Bytes;
use burn_store::BurnpackStore;
use burn_store::ModuleSnapshot;


#[derive(Module, Debug)]
pub struct Model {
    constant1: burn::module::Param<Tensor<1>>,
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
        let constant1: burn::module::Param<Tensor<1>> = burn::module::Param::uninitialized(
            burn::module::ParamId::new(),
            move |device, _require_grad| Tensor::<
                1,
            >::zeros([4], (device, burn::tensor::DType::F64)),
            device.clone(),
            false,
            [4].into(),
        );
        Self {
            constant1,
            device: device.clone(),
        }
    }

    #[allow(clippy::let_and_return, clippy::approx_constant)]
    pub fn forward(&self, x: Tensor<3>, bias: Tensor<1>) -> Tensor<3> {
        let constant1_out1 = self.constant1.val();
        let groupnormalization1_out1 = {
            let dtype = x.dtype();
            let x = x.cast(burn::tensor::DType::F32);
            let scale = constant1_out1.cast(burn::tensor::DType::F32);
            let bias = bias.cast(burn::tensor::DType::F32);
            let result = {
                let dims = x.dims();
                let batch = dims[0];
                let num_groups: usize = 2;
                let spatial: usize = dims[2..].iter().product();
                let hidden: usize = dims[1] * spatial / num_groups;
                let hidden_f = hidden as f64;
                let x3 = x.reshape([batch, num_groups, hidden]);
                let mean = x3.clone().sum_dim(2).div_scalar(hidden_f);
                let centered = x3.sub(mean);
                let var = centered.clone().square().sum_dim(2).div_scalar(hidden_f);
                let normalized = centered.div(var.add_scalar(0.125f64).sqrt());
                normalized
                    .reshape(dims)
                    .mul(scale.reshape([1usize, dims[1], 1usize]))
                    .add(bias.reshape([1usize, dims[1], 1usize]))
            };
            result.cast(dtype)
        };
        groupnormalization1_out1
    }
}
