//! All that differs between the versions of Burn, for Burn 0.21, where the backend is a type: see README.md.

pub use burn;
pub use burn_flex;
pub use burn_onnx;
pub use burn_store;

pub use burn::tensor::{Bool, BoolStore, DType, Float, Int, Shape, TensorData, bf16, f16};

use burn::tensor::backend::{Backend as _, BackendTypes};

/// The only backend that is compiled in.
pub type Backend = burn::backend::Flex;
pub type Device = <Backend as BackendTypes>::Device;
pub type Tensor<const D: usize, K = Float> = burn::tensor::Tensor<Backend, D, K>;

/// Registers a generated module under its own name.
#[macro_export]
macro_rules! insert {
    ($registry:ident, $module:ident) => {
        $registry.insert(stringify!($module), |weights, device| {
            runner::bind(
                $module::Model::<runner::compat::Backend>::from_file(weights, device),
                $module::Model::<runner::compat::Backend>::forward,
            )
        })
    };
    ($registry:ident, $module:ident, [$($input:ident)*], [$($output:ident)*]) => {
        $registry.insert(stringify!($module), |weights, device| {
            runner::bind_wide!(
                $module::Model::<runner::compat::Backend>::from_file(weights, device),
                [$($input)*],
                [$($output)*]
            )
        })
    };
}

/// The element type of values on their way in or out.
pub fn dtype_of(data: &TensorData) -> DType {
    data.dtype
}

/// The dimensions of values on their way in or out.
pub fn dims_of(data: &TensorData) -> Vec<usize> {
    data.shape.to_vec()
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
        "flex" => Ok(Started { device: Device::default(), name: "CPU".into(), lacks: Vec::new() }),
        other => Err(format!("this binary has no backend '{other}'")),
    }
}
