//! All that differs between the versions of Burn, for Burn 0.19, where the backend is a type, burn-import converts and
//! weights are records: see README.md.

use std::path::Path;

pub use burn;
pub use burn_ndarray;
pub use burn_onnx as burn_import;
pub use burn_store;

pub use burn::tensor::{Bool, DType, Float, Int, Shape, TensorData};
pub use half::{bf16, f16};

use burn::tensor::backend::Backend as _;

/// The only backend that is compiled in.
pub type Backend = burn::backend::NdArray;
pub type Device = <Backend as burn::tensor::backend::Backend>::Device;
pub type Tensor<const D: usize, K = Float> = burn::tensor::Tensor<Backend, D, K>;

/// Registers a generated module under its own name, to be loaded from its record; or from a model made in another way.
#[macro_export]
macro_rules! insert {
    ($registry:ident, $module:ident) => {
        $crate::insert_made!($registry, $module, |weights, device| {
            $module::Model::<runner::compat::Backend>::from_file(&runner::compat::without_extension(weights), device)
        })
    };
    ($registry:ident, $module:ident, [$($input:ident)*], [$($output:ident)*]) => {
        $crate::insert_made!($registry, $module, |weights, device| {
            $module::Model::<runner::compat::Backend>::from_file(&runner::compat::without_extension(weights), device)
        }, [$($input)*], [$($output)*])
    };
}

/// Registers a generated module whose weights are in its program.
#[macro_export]
macro_rules! insert_embedded {
    ($registry:ident, $module:ident $($names:tt)*) => {
        $crate::insert_made!($registry, $module, |_weights, device| {
            $module::Model::<runner::compat::Backend>::from_embedded(device)
        } $($names)*)
    };
}

/// Registers a generated module whose record is read by a recorder of bytes, such as
/// `NamedMpkBytesRecorder<FullPrecisionSettings>`.
#[macro_export]
macro_rules! insert_bytes {
    ($registry:ident, $module:ident, $recorder:ty $(, $names:tt)*) => {
        $crate::insert_made!($registry, $module, |weights, device| {
            use burn::record::Recorder;
            let bytes = std::fs::read(weights)
                .unwrap_or_else(|error| panic!("the weights {} cannot be read: {error}", weights.display()));
            let record = <$recorder>::default()
                .load(bytes, device)
                .unwrap_or_else(|error| panic!("the weights {} cannot be decoded: {error}", weights.display()));
            $module::Model::<runner::compat::Backend>::new(device).load_record(record)
        } $(, $names)*)
    };
}

/// Registers a generated module with an expression that makes it.
#[macro_export]
macro_rules! insert_made {
    ($registry:ident, $module:ident, |$weights:ident, $device:ident| $made:block) => {
        $registry.insert(stringify!($module), |$weights, $device| {
            #[allow(unused_imports)]
            use burn::module::Module;
            runner::bind($made, $module::Model::<runner::compat::Backend>::forward)
        })
    };
    ($registry:ident, $module:ident, |$weights:ident, $device:ident| $made:block, [$($input:ident)*], [$($output:ident)*]) => {
        $registry.insert(stringify!($module), |$weights, $device| {
            #[allow(unused_imports)]
            use burn::module::Module;
            runner::bind_wide!($made, [$($input)*], [$($output)*])
        })
    };
}

/// The path of a record as its recorder takes it, which adds the extension itself.
///
/// # Panics
/// When the path is no UTF-8.
pub fn without_extension(weights: &Path) -> String {
    weights.with_file_name("model").to_str().expect("the path of the weights is UTF-8").to_string()
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
/// None: this version of Burn does not say what went wrong.
pub fn sync(device: &Device) -> Result<(), String> {
    Backend::sync(device);
    Ok(())
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
