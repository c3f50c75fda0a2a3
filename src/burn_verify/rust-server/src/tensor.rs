//! Tensors as bytes and as JSON, with the names that NumPy, KServe and safetensors have for their dtypes.

use half::{bf16, f16};
use safetensors::{Dtype, SafeTensors, View};
use serde_json::{Number, Value};
use std::borrow::Cow;

use crate::fault::Fault;

/// NumPy's name, KServe's, safetensors', and the size of an element.
const DTYPES: [(&str, &str, Dtype, usize); 13] = [
    ("float32", "FP32", Dtype::F32, 4),
    ("float64", "FP64", Dtype::F64, 8),
    ("float16", "FP16", Dtype::F16, 2),
    ("bfloat16", "BF16", Dtype::BF16, 2),
    ("int64", "INT64", Dtype::I64, 8),
    ("int32", "INT32", Dtype::I32, 4),
    ("int16", "INT16", Dtype::I16, 2),
    ("int8", "INT8", Dtype::I8, 1),
    ("uint64", "UINT64", Dtype::U64, 8),
    ("uint32", "UINT32", Dtype::U32, 4),
    ("uint16", "UINT16", Dtype::U16, 2),
    ("uint8", "UINT8", Dtype::U8, 1),
    ("bool", "BOOL", Dtype::BOOL, 1),
];

#[derive(Clone, Debug)]
pub struct Tensor {
    pub dtype: Dtype,
    pub shape: Vec<usize>,
    pub bytes: Vec<u8>,
}

/// The dtype of a name of NumPy's or KServe's.
pub fn dtype_of(name: &str) -> Option<Dtype> {
    DTYPES.iter().find(|row| row.0 == name || row.1 == name).map(|row| row.2)
}

fn row(dtype: Dtype) -> &'static (&'static str, &'static str, Dtype, usize) {
    DTYPES.iter().find(|row| row.2 == dtype).expect("every tensor has a dtype of the table")
}

/// NumPy's name.
pub fn numpy_name(dtype: Dtype) -> &'static str {
    row(dtype).0
}

/// KServe's name.
pub fn kserve_name(dtype: Dtype) -> &'static str {
    row(dtype).1
}

/// How many elements a shape has, where that is a number.
pub fn elements(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1usize, |all, dim| all.checked_mul(*dim))
}

impl Tensor {
    /// Takes raw little-endian bytes.
    pub fn from_bytes(name: &str, dtype: Dtype, shape: Vec<usize>, bytes: Vec<u8>) -> Result<Self, Fault> {
        let wanted = elements(&shape).and_then(|count| count.checked_mul(row(dtype).3));
        if wanted != Some(bytes.len()) {
            let message = format!("{name}: {} bytes do not make {}{shape:?}", bytes.len(), numpy_name(dtype));
            return Err(Fault::bad("wrong_size", message));
        }
        if dtype == Dtype::BOOL && bytes.iter().any(|byte| *byte > 1) {
            return Err(Fault::bad("wrong_value", format!("{name}: a boolean is a byte of 0 or 1")));
        }
        Ok(Self { dtype, shape, bytes })
    }

    /// Takes numbers of JSON, flat or nested, in row-major order.
    pub fn from_json(name: &str, dtype: Dtype, shape: Vec<usize>, data: &Value) -> Result<Self, Fault> {
        let mut bytes = Vec::new();
        put_all(name, dtype, data, &mut bytes)?;
        let count = bytes.len() / row(dtype).3;
        if elements(&shape) != Some(count) {
            let message = format!("{name}: {count} elements do not make the shape {shape:?}");
            return Err(Fault::bad("wrong_size", message));
        }
        Ok(Self { dtype, shape, bytes })
    }

    /// The elements as a flat array of JSON.
    pub fn to_json(&self, name: &str) -> Result<Value, Fault> {
        let size = row(self.dtype).3;
        self.bytes.chunks_exact(size).map(|chunk| element(name, self.dtype, chunk)).collect()
    }
}

fn put_all(name: &str, dtype: Dtype, data: &Value, out: &mut Vec<u8>) -> Result<(), Fault> {
    match data {
        Value::Array(inside) => inside.iter().try_for_each(|one| put_all(name, dtype, one, out)),
        one => put(dtype, one, out).ok_or_else(|| {
            Fault::bad("wrong_value", format!("{name}: {:.40} is no {}", one.to_string(), numpy_name(dtype)))
        }),
    }
}

/// Appends an element; `None` where the dtype has no such value.
fn put(dtype: Dtype, value: &Value, out: &mut Vec<u8>) -> Option<()> {
    macro_rules! whole {
        ($($name:ident $kind:ty),*) => {
            match dtype {
                $(Dtype::$name => out.extend(<$kind>::try_from(integer(value)?).ok()?.to_le_bytes()),)*
                Dtype::BOOL => out.push(value.as_bool().or_else(|| match integer(value)? {
                    0 => Some(false),
                    1 => Some(true),
                    _ => None,
                })?.into()),
                _ => {
                    let number = value.as_f64()?;
                    match dtype {
                        Dtype::F64 => out.extend(number.to_le_bytes()),
                        Dtype::F32 => out.extend(finite(number as f32, f32::is_finite)?.to_le_bytes()),
                        Dtype::F16 => out.extend(finite(f16::from_f64(number), f16::is_finite)?.to_le_bytes()),
                        _ => out.extend(finite(bf16::from_f64(number), bf16::is_finite)?.to_le_bytes()),
                    }
                }
            }
        };
    }
    whole!(I64 i64, I32 i32, I16 i16, I8 i8, U64 u64, U32 u32, U16 u16, U8 u8);
    Some(())
}

fn finite<T: Copy>(value: T, is: fn(T) -> bool) -> Option<T> {
    is(value).then_some(value)
}

fn integer(value: &Value) -> Option<i128> {
    value.as_i64().map(i128::from).or_else(|| value.as_u64().map(i128::from))
}

fn element(name: &str, dtype: Dtype, chunk: &[u8]) -> Result<Value, Fault> {
    macro_rules! read {
        ($kind:ty) => {
            <$kind>::from_le_bytes(chunk.try_into().expect("chunks of the element's size"))
        };
    }
    let float = match dtype {
        Dtype::F64 => read!(f64),
        Dtype::F32 => f64::from(read!(f32)),
        Dtype::F16 => read!(f16).to_f64(),
        Dtype::BF16 => read!(bf16).to_f64(),
        Dtype::I64 => return Ok(read!(i64).into()),
        Dtype::I32 => return Ok(read!(i32).into()),
        Dtype::I16 => return Ok(read!(i16).into()),
        Dtype::I8 => return Ok(read!(i8).into()),
        Dtype::U64 => return Ok(read!(u64).into()),
        Dtype::U32 => return Ok(read!(u32).into()),
        Dtype::U16 => return Ok(read!(u16).into()),
        Dtype::BOOL => return Ok((chunk[0] != 0).into()),
        _ => return Ok(chunk[0].into()),
    };
    Number::from_f64(float).map(Value::Number).ok_or_else(|| {
        let message = format!("{name} has {float}, which JSON has not: ask for binary data");
        Fault::new(axum::http::StatusCode::UNPROCESSABLE_ENTITY, "no_json_form", message)
    })
}

/// Writes tensors under the names `000`, `001` …, as the runner reads them.
pub fn encode(tensors: &[Tensor]) -> Result<Vec<u8>, String> {
    let named = tensors.iter().enumerate().map(|(place, tensor)| (format!("{place:03}"), tensor));
    safetensors::serialize(named, None).map_err(|error| error.to_string())
}

/// Reads the tensors of the runner, in their order.
pub fn decode(payload: &[u8]) -> Result<Vec<Tensor>, String> {
    let file = SafeTensors::deserialize(payload).map_err(|error| error.to_string())?;
    let mut named = file.tensors();
    named.sort_by(|(a, _), (b, _)| (a.len(), a).cmp(&(b.len(), b)));
    let tensor = |view: safetensors::tensor::TensorView| Tensor {
        dtype: view.dtype(),
        shape: view.shape().to_vec(),
        bytes: view.data().to_vec(),
    };
    Ok(named.into_iter().map(|(_, view)| tensor(view)).collect())
}

impl View for &Tensor {
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_dtype_survives_json() {
        for (name, kserve, dtype, size) in DTYPES {
            let tensor = Tensor::from_json("x", dtype, vec![2], &json!([1, 0])).expect("numbers");
            assert_eq!(tensor.bytes.len(), 2 * size);
            let said = tensor.to_json("x").expect("finite");
            assert_eq!(Tensor::from_json("x", dtype, vec![2], &said).expect("numbers").bytes, tensor.bytes);
            assert_eq!((dtype_of(name), dtype_of(kserve)), (Some(dtype), Some(dtype)));
        }
    }

    #[test]
    fn floats_are_exact_and_integers_beyond_32_bits_too() {
        let float = Tensor::from_bytes("x", Dtype::F32, vec![1], 0.1f32.to_le_bytes().to_vec()).expect("a float");
        let said: Value = serde_json::from_str(&float.to_json("x").expect("finite").to_string()).expect("JSON");
        assert_eq!(Tensor::from_json("x", Dtype::F32, vec![1], &said).expect("a float").bytes, float.bytes);
        let large = Tensor::from_json("x", Dtype::I64, vec![], &json!(i64::MIN)).expect("an integer");
        assert_eq!(large.bytes, i64::MIN.to_le_bytes());
    }

    #[test]
    fn what_a_dtype_has_not_is_a_fault() {
        for (dtype, value) in [
            (Dtype::I8, json!(128)),
            (Dtype::U8, json!(-1)),
            (Dtype::I32, json!(1.5)),
            (Dtype::F32, json!("1")),
            (Dtype::F32, json!(1e300)),
            (Dtype::F16, json!(70000)),
            (Dtype::BOOL, json!(2)),
        ] {
            assert!(Tensor::from_json("x", dtype, vec![1], &json!([value])).is_err(), "{dtype:?} {value}");
        }
        let nan = Tensor::from_bytes("x", Dtype::F32, vec![1], f32::NAN.to_le_bytes().to_vec()).expect("a float");
        assert_eq!(nan.to_json("x").expect_err("JSON has no NaN").code, "no_json_form");
    }

    #[test]
    fn sizes_have_to_fit() {
        assert!(Tensor::from_bytes("x", Dtype::F32, vec![2], vec![0; 4]).is_err());
        assert!(Tensor::from_bytes("x", Dtype::F32, vec![usize::MAX, 2], vec![0; 4]).is_err());
        assert!(Tensor::from_json("x", Dtype::F32, vec![3], &json!([[1, 2]])).is_err());
        assert!(Tensor::from_json("x", Dtype::F32, vec![], &json!(1)).is_ok());
    }
}
