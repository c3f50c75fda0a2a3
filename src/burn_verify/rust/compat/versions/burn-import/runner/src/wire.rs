//! Values on the wire: safetensors in, safetensors out, and what a generated `forward` takes and gives.

use std::borrow::Cow;

use bytemuck::pod_collect_to_vec;
use compat::{Bool, DType, Device, Float, Int, Shape, Tensor, TensorData, bf16, dims_of, dtype_of, f16};
use safetensors::{Dtype, SafeTensors, View};

use crate::Result;

/// A value that can be made from one tensor on the wire.
pub trait FromWire: Sized {
    /// Makes the value on a device.
    ///
    /// # Errors
    /// When the tensor does not fit the value.
    fn from_wire(data: TensorData, device: &Device) -> Result<Self>;
}

/// A value, or a tuple of them, that becomes tensors on the wire.
pub trait IntoWire {
    /// Appends the tensors, in the order of the model's outputs.
    fn into_wire(self, out: &mut Vec<TensorData>);
}

macro_rules! tensor_kinds {
    ($($kind:ty),*) => {$(
        impl<const D: usize> FromWire for Tensor<D, $kind> {
            fn from_wire(data: TensorData, device: &Device) -> Result<Self> {
                if data.rank() != D {
                    return Err(format!("the generated code takes rank {D}, the input has rank {}", data.rank()));
                }
                // Without the dtype the device's default is taken, and float16, float64 or int8 change silently.
                let dtype = dtype_of(&data);
                Ok(Tensor::from_data_dtype(data, device, dtype))
            }
        }

        impl<const D: usize> IntoWire for Tensor<D, $kind> {
            fn into_wire(self, out: &mut Vec<TensorData>) {
                out.push(self.into_data());
            }
        }
    )*};
}
tensor_kinds!(Float, Int, Bool);

macro_rules! native_scalars {
    ($($scalar:ty),*) => {$(
        impl FromWire for $scalar {
            fn from_wire(data: TensorData, _device: &Device) -> Result<Self> {
                match data.num_elements() {
                    1 => data.iter::<$scalar>().next().ok_or_else(|| "an empty scalar".into()),
                    n => Err(format!("the generated code takes a scalar, the input has {n} elements")),
                }
            }
        }

        impl IntoWire for $scalar {
            fn into_wire(self, out: &mut Vec<TensorData>) {
                out.push(TensorData::new(vec![self], Shape::new([0; 0])));
            }
        }
    )*};
}
native_scalars!(f32, f64, f16, bf16, i8, i16, i32, i64, u8, u16, u32, u64, bool);

// An ONNX `Shape` value arrives and leaves as a native array.
impl<const N: usize> FromWire for [i64; N] {
    fn from_wire(data: TensorData, _device: &Device) -> Result<Self> {
        let values: Vec<i64> = data.iter::<i64>().collect();
        values.try_into().map_err(|got: Vec<i64>| format!("the generated code takes {N} integers, {} came", got.len()))
    }
}

impl<const N: usize> IntoWire for [i64; N] {
    fn into_wire(self, out: &mut Vec<TensorData>) {
        out.push(TensorData::new(self.to_vec(), [N]));
    }
}

/// Reads the tensors of a payload in the order of their names.
///
/// # Errors
/// When the payload is not safetensors, or holds a dtype that no Burn tensor can hold.
pub fn decode(payload: &[u8]) -> Result<Vec<TensorData>> {
    let file = SafeTensors::deserialize(payload).map_err(|error| format!("the payload is not safetensors: {error}"))?;
    let mut tensors = file.tensors();
    // By length first: after 999 comes 1000.
    tensors.sort_by(|(a, _), (b, _)| (a.len(), a).cmp(&(b.len(), b)));
    tensors.into_iter().map(|(_, view)| to_data(view.dtype(), view.data(), view.shape())).collect()
}

fn to_data(dtype: Dtype, bytes: &[u8], shape: &[usize]) -> Result<TensorData> {
    let shape = Shape::from(shape.to_vec());
    // Through typed vectors, for the alignment of the elements.
    Ok(match dtype {
        Dtype::F64 => TensorData::new(pod_collect_to_vec::<u8, f64>(bytes), shape),
        Dtype::F32 => TensorData::new(pod_collect_to_vec::<u8, f32>(bytes), shape),
        Dtype::F16 => TensorData::new(pod_collect_to_vec::<u8, f16>(bytes), shape),
        Dtype::BF16 => TensorData::new(pod_collect_to_vec::<u8, bf16>(bytes), shape),
        Dtype::I64 => TensorData::new(pod_collect_to_vec::<u8, i64>(bytes), shape),
        Dtype::I32 => TensorData::new(pod_collect_to_vec::<u8, i32>(bytes), shape),
        Dtype::I16 => TensorData::new(pod_collect_to_vec::<u8, i16>(bytes), shape),
        Dtype::I8 => TensorData::new(pod_collect_to_vec::<u8, i8>(bytes), shape),
        Dtype::U64 => TensorData::new(pod_collect_to_vec::<u8, u64>(bytes), shape),
        Dtype::U32 => TensorData::new(pod_collect_to_vec::<u8, u32>(bytes), shape),
        Dtype::U16 => TensorData::new(pod_collect_to_vec::<u8, u16>(bytes), shape),
        Dtype::U8 => TensorData::new(bytes.to_vec(), shape),
        Dtype::BOOL => TensorData::new(bytes.iter().map(|byte| *byte != 0).collect::<Vec<bool>>(), shape),
        other => return Err(format!("no Burn value for {other:?}")),
    })
}

/// Writes the tensors under the names `000`, `001` …
///
/// # Errors
/// When a tensor has a dtype that safetensors cannot hold.
pub fn encode(tensors: &[TensorData]) -> Result<Vec<u8>> {
    let views: Vec<(String, DataView)> = tensors
        .iter()
        .enumerate()
        .map(|(index, data)| Ok((format!("{index:03}"), DataView::new(data)?)))
        .collect::<Result<_>>()?;
    safetensors::serialize(views, None).map_err(|error| error.to_string())
}

/// A tensor in the terms of safetensors.
struct DataView<'data> {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Cow<'data, [u8]>,
}

impl<'data> DataView<'data> {
    fn new(data: &'data TensorData) -> Result<Self> {
        let bytes = Cow::Borrowed(data.as_bytes());
        let dtype = match dtype_of(data) {
            DType::F64 => Dtype::F64,
            DType::F32 | DType::Flex32 => Dtype::F32,
            DType::F16 => Dtype::F16,
            DType::BF16 => Dtype::BF16,
            DType::I64 => Dtype::I64,
            DType::I32 => Dtype::I32,
            DType::I16 => Dtype::I16,
            DType::I8 => Dtype::I8,
            DType::U64 => Dtype::U64,
            DType::U32 => Dtype::U32,
            DType::U16 => Dtype::U16,
            DType::U8 => Dtype::U8,
            DType::Bool => Dtype::BOOL,
            other @ DType::QFloat(_) => return Err(format!("no wire value for {other:?}")),
        };
        Ok(Self { dtype, shape: dims_of(data), bytes })
    }
}

impl View for DataView<'_> {
    fn dtype(&self) -> Dtype {
        self.dtype
    }
    fn shape(&self) -> &[usize] {
        &self.shape
    }
    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.bytes)
    }
    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}
