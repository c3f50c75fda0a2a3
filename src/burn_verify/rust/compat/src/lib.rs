//! One place where every Burn crate meets, and all that differs between the versions of Burn: see README.md.
//!
//! The converter needs `burn-onnx`, the generated crates need `burn`; built apart, cargo would resolve two sets of
//! features for the crates they share and compile those twice.
//!
//! This one is for Burn 0.22 and newer, where the backend is chosen at run time.

pub use burn;
pub use burn_onnx;
pub use burn_store;

pub use burn::tensor::{Bool, BoolStore, DType, Device, Float, Int, Shape, Tensor, TensorData, bf16, f16};

/// Registers a generated module under its own name.
#[macro_export]
macro_rules! insert {
    ($registry:ident, $module:ident) => {
        $registry.insert(stringify!($module), |weights, device| {
            runner::bind($module::Model::from_file(weights, device), $module::Model::forward)
        })
    };
    ($registry:ident, $module:ident, [$($input:ident)*], [$($output:ident)*]) => {
        $registry.insert(stringify!($module), |weights, device| {
            runner::bind_wide!($module::Model::from_file(weights, device), [$($input)*], [$($output)*])
        })
    };
}

/// The element type of values on their way in or out.
pub fn dtype_of(data: &TensorData) -> DType {
    data.dtype()
}

/// The dimensions of values on their way in or out.
pub fn dims_of(data: &TensorData) -> Vec<usize> {
    data.shape().to_vec()
}

/// Waits until a device has done what it was told.
///
/// # Errors
/// What went wrong meanwhile, in Burn's words.
pub fn sync(device: &Device) -> Result<(), String> {
    device.sync().map_err(|error| error.to_string())
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

impl Started {
    fn on_cpu(device: Device) -> Self {
        Self { device, name: "CPU".into(), lacks: Vec::new() }
    }
}

/// Starts a backend and says what it runs on.
///
/// # Errors
/// When it is not in this binary, or finds no device.
///
/// # Panics
/// In Burn's words, where it can say so in no other way.
pub fn start(backend: &str) -> Result<Started, String> {
    match backend {
        "flex" => Ok(Started::on_cpu(Device::flex())),
        #[cfg(feature = "ndarray")]
        #[allow(deprecated)]
        "ndarray" => Ok(Started::on_cpu(Device::ndarray())),
        #[cfg(feature = "wgpu")]
        "wgpu" => named(Device::wgpu_options().init().map_err(|error| error.to_string())?),
        #[cfg(feature = "cuda")]
        "cuda" => named(Device::cuda(0)),
        other => Err(format!("this binary has no backend '{other}'")),
    }
}

/// Element types that one device of a kind has and another has not, by NumPy's names.
#[cfg(any(feature = "wgpu", feature = "cuda"))]
const DEPENDING: [(DType, &str); 4] =
    [(DType::I64, "int64"), (DType::U64, "uint64"), (DType::F64, "float64"), (DType::F16, "float16")];

#[cfg(any(feature = "wgpu", feature = "cuda"))]
fn named(device: Device) -> Result<Started, String> {
    let name = device.identity().map(|identity| identity.name).ok_or("the device has no name")?;
    let lacks = DEPENDING.iter().filter(|(dtype, _)| !device.supports_dtype(*dtype)).map(|(_, name)| *name).collect();
    Ok(Started { device, name, lacks })
}
