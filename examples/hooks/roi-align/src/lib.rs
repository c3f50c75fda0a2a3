//! A hook for ONNX's RoiAlign (versions 10, 16 and 22), as ONNX Runtime computes it.
//!
//! The generated code needs nothing but `burn`: the function stands in the block where it is called. It computes on
//! the host in float64, since the number of samples of a region may depend on the region, and rounds once.

use burn_onnx::ModelGen;
use burn_onnx::ext::proc_macro2::TokenStream;
use burn_onnx::ext::quote::quote;
use burn_onnx::ext::{
    ArgType, CodegenContext, CustomNode, CustomOp, ProcessError, TensorType, arg_to_ident,
};

/// Registers every hook of this crate; burn-verify calls it, and so does a build script.
pub fn register(generator: &mut ModelGen) {
    generator.register_custom_op(RoiAlign);
}

struct RoiAlign;

impl CustomOp for RoiAlign {
    fn op_type(&self) -> &str {
        "RoiAlign"
    }

    /// burn-onnx refuses the operator before it asks for hooks, unless its domain is another one.
    fn domain(&self) -> &str {
        "burn_verify.hooks"
    }

    fn infer_output_types(&self, node: &CustomNode) -> Result<Vec<ArgType>, ProcessError> {
        let (image, boxes) = (tensor(node, 0, 4)?, tensor(node, 1, 2)?);
        // Indices made of a shape are an array on the host.
        if !matches!(
            node.inputs.get(2).map(|input| &input.ty),
            Some(ArgType::Shape(_))
        ) {
            tensor(node, 2, 1)?;
        }
        let size =
            |place: usize, of: &TensorType| of.static_shape.as_ref().and_then(|shape| shape[place]);
        let bins = Bins::of(node)?;
        let shape = vec![
            size(0, boxes),
            size(1, image),
            Some(bins.height),
            Some(bins.width),
        ];
        Ok(vec![ArgType::Tensor(TensorType::new(
            image.dtype,
            4,
            Some(shape),
        ))])
    }

    fn forward(
        &self,
        node: &CustomNode,
        ctx: &mut CodegenContext<'_, '_>,
    ) -> Result<TokenStream, ProcessError> {
        let Bins {
            height,
            width,
            samples,
            scale,
            offset,
            average,
        } = Bins::of(node)?;
        let [image, boxes, batches] = [0, 1, 2].map(|place| ctx.arg(&node.inputs[place]));
        let batches = match node.inputs[2].ty {
            ArgType::Shape(_) => quote! { #batches.to_vec() },
            _ => quote! { #batches.into_data().iter::<i64>().collect::<Vec<i64>>() },
        };
        let output = arg_to_ident(&node.outputs[0]);
        let function = function();
        Ok(quote! {
            let #output = {
                #function
                roi_align(#image, #boxes, #batches, [#height, #width], #samples, #scale, #offset, #average)
            };
        })
    }
}

/// The attributes of a node.
struct Bins {
    height: usize,
    width: usize,
    /// Samples of a bin along each axis; 0 for as many as the region is large.
    samples: usize,
    scale: f64,
    /// What is subtracted from coordinates; 0 for the older definition, in which a region is at least 1 wide.
    offset: f64,
    average: bool,
}

impl Bins {
    fn of(node: &CustomNode) -> Result<Self, ProcessError> {
        let whole = |name: &str, default: usize| match node.attrs.get_i64(name) {
            None => Ok(default),
            Some(value) => {
                usize::try_from(value).map_err(|_| refused(format!("{name} is {value}")))
            }
        };
        let text = |name: &str| node.attrs.get_string(name).map(str::to_string);
        let average = match text("mode").as_deref() {
            None | Some("avg") => true,
            Some("max") => false,
            Some(other) => return Err(refused(format!("mode is {other:?}"))),
        };
        // Version 10 has no such attribute, and computes what version 16 calls output_half_pixel.
        let default = if node.opset < 16 {
            "output_half_pixel"
        } else {
            "half_pixel"
        };
        let offset = match text("coordinate_transformation_mode")
            .as_deref()
            .unwrap_or(default)
        {
            "half_pixel" => 0.5,
            "output_half_pixel" => 0.0,
            other => {
                return Err(refused(format!(
                    "coordinate_transformation_mode is {other:?}"
                )));
            }
        };
        Ok(Self {
            height: whole("output_height", 1)?,
            width: whole("output_width", 1)?,
            samples: whole("sampling_ratio", 0)?,
            scale: f64::from(node.attrs.get_f32("spatial_scale").unwrap_or(1.0)),
            offset,
            average,
        })
    }
}

fn tensor(node: &CustomNode, place: usize, rank: usize) -> Result<&TensorType, ProcessError> {
    match node.inputs.get(place).map(|input| &input.ty) {
        Some(ArgType::Tensor(found)) if found.rank == rank => Ok(found),
        other => Err(refused(format!(
            "input {place} is {other:?}, a tensor of rank {rank} is needed"
        ))),
    }
}

fn refused(why: String) -> ProcessError {
    ProcessError::Custom(format!("RoiAlign: {why}"))
}

/// The function that computes the operator, as the generated code holds it.
fn function() -> TokenStream {
    quote! {
        #[allow(clippy::too_many_arguments)]
        fn roi_align(
            image: burn::tensor::Tensor<4>,
            boxes: burn::tensor::Tensor<2>,
            batches: Vec<i64>,
            bins: [usize; 2],
            samples: usize,
            scale: f64,
            offset: f64,
            average: bool,
        ) -> burn::tensor::Tensor<4> {
            // Where a sample lies along an axis: both neighbours, and the share of the second one; none far outside.
            fn between(place: f64, size: usize) -> Option<(usize, usize, f64)> {
                if size == 0 || place < -1.0 || place > size as f64 {
                    return None;
                }
                let place = place.max(0.0);
                let low = place as usize;
                if low >= size - 1 {
                    return Some((size - 1, size - 1, 0.0));
                }
                Some((low, low + 1, place - low as f64))
            }

            let (device, dtype) = (image.device(), image.dtype());
            let [_, channels, height, width] = image.dims();
            let [regions, _] = boxes.dims();
            let image: Vec<f64> = image.into_data().iter::<f64>().collect();
            let boxes: Vec<f64> = boxes.into_data().iter::<f64>().collect();
            let mut found = Vec::with_capacity(regions * channels * bins[0] * bins[1]);
            for region in 0..regions {
                let edge = |place: usize| boxes[region * 4 + place] * scale - offset;
                let least = if offset == 0.0 { 1.0 } else { f64::NEG_INFINITY };
                let (left, top) = (edge(0), edge(1));
                let steps = [
                    (edge(3) - top).max(least) / bins[0] as f64,
                    (edge(2) - left).max(least) / bins[1] as f64,
                ];
                let counts = steps.map(|step| if samples > 0 { samples } else { step.ceil().max(0.0) as usize });
                let place = |start: f64, axis: usize, bin: usize, sample: usize| {
                    start + bin as f64 * steps[axis] + (sample as f64 + 0.5) * steps[axis] / counts[axis] as f64
                };
                for channel in 0..channels {
                    let plane = (batches[region] as usize * channels + channel) * height * width;
                    let pixel = |row: usize, column: usize| image[plane + row * width + column];
                    for row in 0..bins[0] {
                        for column in 0..bins[1] {
                            let (mut sum, mut largest) = (0.0, None::<f64>);
                            for down in 0..counts[0] {
                                for right in 0..counts[1] {
                                    let y = between(place(top, 0, row, down), height);
                                    let x = between(place(left, 1, column, right), width);
                                    // The four neighbours by their weights; `max` compares these, as ONNX has it.
                                    let parts = match (y, x) {
                                        (Some((y0, y1, dy)), Some((x0, x1, dx))) => [
                                            (1.0 - dy) * (1.0 - dx) * pixel(y0, x0),
                                            (1.0 - dy) * dx * pixel(y0, x1),
                                            dy * (1.0 - dx) * pixel(y1, x0),
                                            dy * dx * pixel(y1, x1),
                                        ],
                                        _ => [0.0; 4],
                                    };
                                    sum += parts.iter().sum::<f64>();
                                    let most = parts.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                                    largest = Some(largest.map_or(most, |before| before.max(most)));
                                }
                            }
                            let count = (counts[0] * counts[1]).max(1) as f64;
                            found.push(if average { sum / count } else { largest.unwrap_or(0.0) });
                        }
                    }
                }
            }
            let data = burn::tensor::TensorData::new(found, [regions, channels, bins[0], bins[1]]);
            burn::tensor::Tensor::from_data(data.convert_dtype(dtype), (&device, dtype))
        }
    }
}
