//! All that differs between the versions of Burn, for Burn 0.20, where the backend is a type and burn-import converts:
//! see README.md.

use std::path::Path;

pub use burn;
pub use burn_ndarray;
pub use burn_store;

pub use burn::tensor::{Bool, DType, Float, Int, Shape, TensorData, bf16, f16};

use burn::tensor::backend::Backend as _;

/// The only backend that is compiled in.
pub type Backend = burn::backend::NdArray;
pub type Device = <Backend as burn::tensor::backend::Backend>::Device;
pub type Tensor<const D: usize, K = Float> = burn::tensor::Tensor<Backend, D, K>;

/// burn-import with the face of its successor.
pub mod burn_onnx {
    /// `ModelGen` with options that burn-import does not have.
    #[derive(Default)]
    pub struct ModelGen(::burn_onnx::onnx::ModelGen);

    impl ModelGen {
        pub fn new() -> Self {
            Self(::burn_onnx::onnx::ModelGen::new())
        }

        pub fn input(&mut self, path: &str) -> &mut Self {
            self.0.input(path);
            self
        }

        pub fn out_dir(&mut self, path: &str) -> &mut Self {
            self.0.out_dir(path);
            self
        }

        /// Does nothing: whoever asks for another value than the default was told before that there is none.
        pub fn simplify(&mut self, _simplify: bool) -> &mut Self {
            self
        }

        /// Does nothing, as `simplify`.
        pub fn partition(&mut self, _partition: bool) -> &mut Self {
            self
        }

        pub fn run_from_cli(&self) {
            self.0.run_from_cli();
        }
    }
}

/// Registers a generated module under its own name.
#[macro_export]
macro_rules! insert {
    ($registry:ident, $module:ident) => {
        $registry.insert(stringify!($module), |weights, device| {
            runner::bind(
                $module::Model::<runner::compat::Backend>::from_file(runner::compat::text_of(weights), device),
                $module::Model::<runner::compat::Backend>::forward,
            )
        })
    };
    ($registry:ident, $module:ident, [$($input:ident)*], [$($output:ident)*]) => {
        $registry.insert(stringify!($module), |weights, device| {
            runner::bind_wide!(
                $module::Model::<runner::compat::Backend>::from_file(runner::compat::text_of(weights), device),
                [$($input)*],
                [$($output)*]
            )
        })
    };
}

/// A path as generated code takes it.
///
/// # Panics
/// When it is no UTF-8.
pub fn text_of(weights: &Path) -> &str {
    weights.to_str().expect("the path of the weights is UTF-8")
}

/// The element type of values on their way in or out.
pub fn dtype_of(data: &TensorData) -> DType {
    data.dtype
}

/// The dimensions of values on their way in or out.
pub fn dims_of(data: &TensorData) -> Vec<usize> {
    data.shape.clone()
}

/// Waits until a device has done what it was told.
///
/// # Errors
/// What went wrong meanwhile, in Burn's words.
pub fn sync(device: &Device) -> Result<(), String> {
    Backend::sync(device).map_err(|error| error.to_string())
}

/// Whether a device still computes: it may not have survived a failure.
pub fn works(device: &Device) -> bool {
    let sum = Tensor::<1>::from_data([1.0f32, 2.0], device) + 1.0;
    sync(device).is_ok() && sum.into_data().iter::<f32>().eq([2.0, 3.0])
}

/// A device that was started.
pub struct Started {
    pub device: Device,
    pub name: String,
    /// Element types that it lacks and others of its kind have, by NumPy's names.
    pub lacks: Vec<&'static str>,
}

/// Starts a backend and says what it runs on.
///
/// # Errors
/// When it is not in this binary.
pub fn start(backend: &str) -> Result<Started, String> {
    match backend {
        "ndarray" => Ok(Started { device: Device::default(), name: "CPU".into(), lacks: Vec::new() }),
        other => Err(format!("this binary has no backend '{other}'")),
    }
}
