extern crate alloc;
use burn::prelude::*;
use burn::tensor::Bytes;
use burn_store::BurnpackStore;
use burn_store::ModuleSnapshot;


#[derive(Module, Debug)]
pub struct Model {
    constant1: burn::module::Param<Tensor<2>>,
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
        let constant1: burn::module::Param<Tensor<2>> = burn::module::Param::uninitialized(
            burn::module::ParamId::new(),
            move |device, _require_grad| Tensor::<
                2,
            >::zeros([2, 2], (device, burn::tensor::DType::F64)),
            device.clone(),
            false,
            [2, 2].into(),
        );
        Self {
            constant1,
            device: device.clone(),
        }
    }

    #[allow(clippy::let_and_return, clippy::approx_constant)]
    pub fn forward(&self, x: Tensor<4>) -> (Tensor<4>, Tensor<4>, Tensor<4>) {
        let constant1_out1 = self.constant1.val();
        let (
            layernormalization1_out1,
            layernormalization1_out2,
            layernormalization1_out3,
        ) = {
            let dtype = x.dtype();
            let dims = x.dims();
            let outer: usize = dims[..2usize].iter().product();
            let inner: usize = dims[2usize..].iter().product();
            let flat = x.reshape([outer, inner]).cast(burn::tensor::DType::F32);
            let y = burn::tensor::module::layer_norm(
                    flat.clone(),
                    constant1_out1
                        .expand([dims[2usize], dims[3usize]])
                        .reshape([inner])
                        .cast(burn::tensor::DType::F32),
                    None,
                    0.000009999999747378752f64,
                )
                .reshape(dims)
                .cast(dtype);
            let mut stat_dims = dims;
            for dim in stat_dims.iter_mut().skip(2usize) {
                *dim = 1;
            }
            let mean = flat.clone().mean_dim(1);
            let inv_std = (flat - mean.clone())
                .square()
                .mean_dim(1)
                .add_scalar(0.000009999999747378752f64)
                .sqrt()
                .recip();
            (y, mean.reshape(stat_dims), inv_std.reshape(stat_dims))
        };
        (layernormalization1_out1, layernormalization1_out2, layernormalization1_out3)
    }
}
