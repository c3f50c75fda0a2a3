extern crate alloc;
use burn::prelude::*;
use burn::tensor::Bytes;
use burn::tensor::Tensor;
use burn_store::BurnpackStore;
use burn_store::ModuleSnapshot;


#[derive(Module, Debug)]
pub struct Model {
    constant3: burn::module::Param<Tensor<1>>,
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
        let constant3: burn::module::Param<Tensor<1>> = burn::module::Param::uninitialized(
            burn::module::ParamId::new(),
            move |device, _require_grad| Tensor::<
                1,
            >::zeros([5], (device, burn::tensor::DType::F32)),
            device.clone(),
            false,
            [5].into(),
        );
        Self {
            constant3,
            device: device.clone(),
        }
    }

    #[allow(clippy::let_and_return, clippy::approx_constant)]
    pub fn forward(
        &self,
        trip_count: i64,
        cond: bool,
        y: Tensor<1>,
    ) -> (Tensor<1>, Tensor<1>) {
        #[allow(unused_variables, unused_assignments)]
        let (loop1_out1, loop1_out2) = {
            let mut y_in = y;
            let mut scan_collector_0 = alloc::vec::Vec::new();
            let mut iter_count = 0_i64;
            let cond_in = cond;
            while cond_in && iter_count < trip_count {
                let constant3_out1 = self.constant3.val();
                let constant4_out1 = 1i64;
                let add3_out1 = iter_count + constant4_out1;
                let unsqueeze3_out1 = [iter_count as i64];
                let unsqueeze4_out1 = [add3_out1 as i64];
                let slice2_out1 = constant3_out1
                    .slice(s![unsqueeze3_out1[0]..unsqueeze4_out1[0]]);
                let add4_out1 = y_in.add(slice2_out1);
                scan_collector_0.push(add4_out1.clone());
                y_in = add4_out1;
                iter_count += 1;
            }
            (y_in, Tensor::cat(scan_collector_0, 0))
        };
        (loop1_out1, loop1_out2)
    }
}
