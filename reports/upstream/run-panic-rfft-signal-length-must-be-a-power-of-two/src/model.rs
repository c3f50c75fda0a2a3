extern crate alloc;
use burn::prelude::*;
use burn::tensor::Bytes;
use burn::tensor::signal::rfft;
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
    pub fn forward(&self, input: Tensor<3>) -> Tensor<3> {
        let dft1_out1 = {
            let signal = input.squeeze_dims::<2usize>(&[2isize]);
            let n = signal.dims()[1usize];
            let (re_half, im_half) = rfft(signal, 1usize, None);
            let half_len = re_half.dims()[1usize];
            let mirror_len = n - half_len;
            if mirror_len == 0 {
                Tensor::<2usize>::stack::<3usize>([re_half, im_half].to_vec(), 2usize)
            } else {
                let mirror_re = re_half
                    .clone()
                    .narrow(1usize, 1, mirror_len)
                    .flip([1isize]);
                let mirror_im = im_half
                    .clone()
                    .narrow(1usize, 1, mirror_len)
                    .flip([1isize])
                    .neg();
                let re_full = Tensor::<
                    2usize,
                >::cat([re_half, mirror_re].to_vec(), 1usize);
                let im_full = Tensor::<
                    2usize,
                >::cat([im_half, mirror_im].to_vec(), 1usize);
                Tensor::<2usize>::stack::<3usize>([re_full, im_full].to_vec(), 2usize)
            }
        };
        dft1_out1
    }
}
