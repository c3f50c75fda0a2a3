//! Arrays of NumPy's `.npz` files by name; enough of the format for what `numpy.savez` writes.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;

use burn::tensor::TensorData;
use safetensors::Dtype;

/// Reads the arrays of a file.
///
/// # Errors
/// When it is no such file, or holds a dtype that no Burn tensor has.
pub fn read(path: &str, to_data: fn(Dtype, &[u8], &[usize]) -> Result<TensorData, String>)
-> Result<HashMap<String, TensorData>, String> {
    let said = |error: &dyn std::fmt::Display| format!("{path} cannot be read: {error}");
    let file = File::open(path).map_err(|error| said(&error))?;
    let mut archive = zip::ZipArchive::new(file).map_err(|error| said(&error))?;
    let mut found = HashMap::new();
    for place in 0..archive.len() {
        let mut entry = archive.by_index(place).map_err(|error| said(&error))?;
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(|error| said(&error))?;
        let name = entry.name().strip_suffix(".npy").unwrap_or(entry.name()).to_string();
        let (dtype, shape, start) = header(&bytes).ok_or_else(|| format!("{path}: {name} is no NumPy array"))?;
        let dtype = dtype_of(&dtype).ok_or_else(|| format!("{path}: {name} has dtype {dtype}"))?;
        found.insert(name, to_data(dtype, &bytes[start..], &shape)?);
    }
    Ok(found)
}

/// The dtype, the shape, and where the elements start.
fn header(bytes: &[u8]) -> Option<(String, Vec<usize>, usize)> {
    if bytes.get(..6)? != b"\x93NUMPY" {
        return None;
    }
    let (length, start) = match bytes.get(6)? {
        1 => (u16::from_le_bytes(bytes.get(8..10)?.try_into().ok()?) as usize, 10),
        _ => (u32::from_le_bytes(bytes.get(8..12)?.try_into().ok()?) as usize, 12),
    };
    let text = std::str::from_utf8(bytes.get(start..start + length)?).ok()?;
    if text.contains("'fortran_order': True") {
        return None;
    }
    let dtype = text.split_once("'descr': '")?.1.split_once('\'')?.0.to_string();
    let dims = text.split_once("'shape': (")?.1.split_once(')')?.0;
    let dims = dims.split(',').map(str::trim).filter(|dim| !dim.is_empty());
    let shape = dims.map(|dim| dim.parse().ok()).collect::<Option<Vec<usize>>>()?;
    Some((dtype, shape, start + length))
}

fn dtype_of(name: &str) -> Option<Dtype> {
    Some(match name {
        "|b1" => Dtype::BOOL,
        "|u1" => Dtype::U8,
        "|i1" => Dtype::I8,
        "<u2" => Dtype::U16,
        "<i2" => Dtype::I16,
        "<u4" => Dtype::U32,
        "<i4" => Dtype::I32,
        "<u8" => Dtype::U64,
        "<i8" => Dtype::I64,
        "<f2" => Dtype::F16,
        // NumPy has no bfloat16: what ml_dtypes writes.
        "<V2" | "|V2" => Dtype::BF16,
        "<f4" => Dtype::F32,
        "<f8" => Dtype::F64,
        _ => return None,
    })
}
