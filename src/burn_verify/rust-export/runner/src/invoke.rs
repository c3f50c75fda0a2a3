//! In the place of calls: the operations of a forward pass are recorded and written as ONNX by burn-onnx's exporter.
//!
//! The model is loaded on the device of the recording, since constants of generated code stay on the device for which
//! the model was made. What is no tensor on its way in is a constant of the recording.

use std::marker::PhantomData;
use std::time::Duration;
use std::vec::IntoIter;

use burn::module::{Module, Param};
use compat::burn_onnx::export::{ExportInput, ExportOutput, OnnxExporter};
use compat::{Bool, Device, Float, Int, Shape, Tensor, TensorData, bf16, dtype_of, f16};

use crate::Result;

/// One model, ready to be written.
pub type Loaded = Box<dyn Callable>;

/// The bytes of an ONNX model, and a byte for each input, 1 where it is an input of that model too.
pub struct Answered {
    pub outputs: Vec<TensorData>,
    pub forward: Duration,
}

/// Nothing is timed here.
#[derive(Clone, Copy, Debug)]
pub struct Lap {
    pub prepare: Duration,
    pub forward: Duration,
}

/// A model with its weights, whatever its signature.
pub trait Callable: Send {
    /// Writes the model as ONNX, with the sizes of inputs in the order of the graph.
    ///
    /// # Errors
    /// When the inputs do not fit the generated signature, or the exporter refuses an operation.
    fn call(&self, inputs: Vec<TensorData>, device: &Device) -> Result<Answered>;

    /// Nothing is timed here.
    ///
    /// # Errors
    /// Always.
    fn lap(&self, _inputs: Vec<TensorData>, _device: &Device) -> Result<Lap> {
        Err("an exporter times nothing".into())
    }
}

/// Anything callable as `forward(&model, a, b, …)`.
pub trait Invoke<Model, Args> {
    /// Writes the model as ONNX.
    ///
    /// # Errors
    /// As `Callable::call`.
    fn export(
        &self,
        load: &dyn Fn(&Device) -> Model,
        inputs: Vec<TensorData>,
        device: &Device,
    ) -> Result<[Vec<u8>; 2]>;
}

struct Bound<Load, Model, Args, Forward> {
    load: Load,
    forward: Forward,
    args: PhantomData<fn(Model, Args)>,
}

impl<Load, Model, Args, Forward> Callable for Bound<Load, Model, Args, Forward>
where
    Load: Fn(&Device) -> Model + Send,
    Forward: Invoke<Model, Args> + Send,
{
    fn call(&self, inputs: Vec<TensorData>, device: &Device) -> Result<Answered> {
        let parts = self.forward.export(&self.load, inputs, device)?;
        let outputs = parts.into_iter().map(|bytes| { let shape = [bytes.len()]; TensorData::new(bytes, shape) });
        Ok(Answered { outputs: outputs.collect(), forward: Duration::ZERO })
    }
}

/// Binds what loads a model, and its `forward`, to wire values.
pub fn bind<Load, Model, Args, Forward>(load: Load, forward: Forward) -> Loaded
where
    Load: Fn(&Device) -> Model + Send + 'static,
    Model: 'static,
    Args: 'static,
    Forward: Invoke<Model, Args> + Send + 'static,
{
    Box::new(Bound { load, forward, args: PhantomData })
}

struct TooWide;

impl Callable for TooWide {
    fn call(&self, _inputs: Vec<TensorData>, _device: &Device) -> Result<Answered> {
        Err("more inputs or outputs than the exporter is bound for".into())
    }
}

/// Binds a model of more inputs or outputs than `Invoke` is written for: it is not written.
pub fn too_wide() -> Loaded {
    Box::new(TooWide)
}

/// Tells on which device is recorded, also where a model has no inputs.
#[derive(Module, Debug)]
struct Recording {
    marker: Param<Tensor<1>>,
}

/// What `forward` takes: tensors are inputs of what is written, other values are constants in it.
pub trait Taken: Sized {
    type Sent: ExportInput;
    type Held;

    /// Divides the next values on the wire.
    ///
    /// # Errors
    /// When they do not fit.
    fn divide(inputs: &mut IntoIter<TensorData>, device: &Device) -> Result<(Self::Sent, Self::Held)>;

    /// Makes the values of both parts again.
    fn unite(sent: Self::Sent, held: Self::Held) -> Self;

    /// Appends 1 for each tensor and 0 for each other value.
    fn mark(marks: &mut Vec<u8>);
}

/// What `forward` gives: values that are no tensors become constants.
pub trait Given {
    type Out: ExportOutput;

    /// Returns tensors on the device of the recording.
    fn given(self, device: &Device) -> Self::Out;
}

fn next(inputs: &mut IntoIter<TensorData>) -> Result<TensorData> {
    inputs.next().ok_or_else(|| "the generated code takes more inputs".into())
}

impl Taken for () {
    type Sent = Vec<Tensor<1>>;
    type Held = ();

    fn divide(inputs: &mut IntoIter<TensorData>, _device: &Device) -> Result<(Self::Sent, Self::Held)> {
        match inputs.next() {
            Some(_) => Err("the generated code takes fewer inputs".into()),
            None => Ok((Vec::new(), ())),
        }
    }

    fn unite(_sent: Self::Sent, _held: Self::Held) -> Self {}

    fn mark(_marks: &mut Vec<u8>) {}
}

impl<Head: Taken, Tail: Taken> Taken for (Head, Tail) {
    type Sent = (Head::Sent, Tail::Sent);
    type Held = (Head::Held, Tail::Held);

    fn divide(inputs: &mut IntoIter<TensorData>, device: &Device) -> Result<(Self::Sent, Self::Held)> {
        let (sent, held) = Head::divide(inputs, device)?;
        let (more, rest) = Tail::divide(inputs, device)?;
        Ok(((sent, more), (held, rest)))
    }

    fn unite(sent: Self::Sent, held: Self::Held) -> Self {
        (Head::unite(sent.0, held.0), Tail::unite(sent.1, held.1))
    }

    fn mark(marks: &mut Vec<u8>) {
        Head::mark(marks);
        Tail::mark(marks);
    }
}

macro_rules! tensor_kinds {
    ($($kind:ty),*) => {$(
        impl<const D: usize> Taken for Tensor<D, $kind> {
            type Sent = Self;
            type Held = ();

            fn divide(inputs: &mut IntoIter<TensorData>, device: &Device) -> Result<(Self::Sent, Self::Held)> {
                let data = next(inputs)?;
                if data.rank() != D {
                    return Err(format!("the generated code takes rank {D}, the input has rank {}", data.rank()));
                }
                let dtype = dtype_of(&data);
                Ok((Tensor::from_data(data, (device, dtype)), ()))
            }

            fn unite(sent: Self::Sent, _held: Self::Held) -> Self {
                sent
            }

            fn mark(marks: &mut Vec<u8>) {
                marks.push(1);
            }
        }

        impl<const D: usize> Given for Tensor<D, $kind> {
            type Out = Self;

            fn given(self, _device: &Device) -> Self::Out {
                self
            }
        }
    )*};
}
tensor_kinds!(Float, Int, Bool);

macro_rules! native_scalars {
    ($($kind:ty: $($scalar:ty)*);*) => {$($(
        impl Taken for $scalar {
            type Sent = Vec<Tensor<1>>;
            type Held = Self;

            fn divide(inputs: &mut IntoIter<TensorData>, _device: &Device) -> Result<(Self::Sent, Self::Held)> {
                let value = next(inputs)?.iter::<$scalar>().next().ok_or("an empty scalar")?;
                Ok((Vec::new(), value))
            }

            fn unite(_sent: Self::Sent, held: Self::Held) -> Self {
                held
            }

            fn mark(marks: &mut Vec<u8>) {
                marks.push(0);
            }
        }

        impl Given for $scalar {
            type Out = Tensor<1, $kind>;

            fn given(self, device: &Device) -> Self::Out {
                let data = TensorData::new(vec![self], Shape::new([1]));
                let dtype = dtype_of(&data);
                Tensor::from_data(data, (device, dtype))
            }
        }
    )*)*};
}
native_scalars!(Float: f32 f64 f16 bf16; Int: i8 i16 i32 i64 u8 u16 u32 u64; Bool: bool);

impl<const N: usize> Taken for [i64; N] {
    type Sent = Vec<Tensor<1>>;
    type Held = Self;

    fn divide(inputs: &mut IntoIter<TensorData>, _device: &Device) -> Result<(Self::Sent, Self::Held)> {
        let values: Vec<i64> = next(inputs)?.iter::<i64>().collect();
        let held = values
            .try_into()
            .map_err(|got: Vec<i64>| format!("the generated code takes {N} integers, {} came", got.len()))?;
        Ok((Vec::new(), held))
    }

    fn unite(_sent: Self::Sent, held: Self::Held) -> Self {
        held
    }

    fn mark(marks: &mut Vec<u8>) {
        marks.push(0);
    }
}

impl<const N: usize> Given for [i64; N] {
    type Out = Tensor<1, Int>;

    fn given(self, device: &Device) -> Self::Out {
        let data = TensorData::new(self.to_vec(), [N]);
        let dtype = dtype_of(&data);
        Tensor::from_data(data, (device, dtype))
    }
}

/// Pairs in pairs, however many there are: the exporter takes tuples of two to four.
macro_rules! nested {
    (type) => { () };
    (type $head:ident $($tail:ident)*) => { ($head, nested!(type $($tail)*)) };
    (out) => { Vec<Tensor<1>> };
    (out $head:ident $($tail:ident)*) => { (<$head as Given>::Out, nested!(out $($tail)*)) };
    (values $device:ident) => { Vec::new() };
    (values $device:ident $head:ident $($tail:ident)*) => { ($head.given($device), nested!(values $device $($tail)*)) };
    (pattern) => { () };
    (pattern $head:ident $($tail:ident)*) => { ($head, nested!(pattern $($tail)*)) };
}

macro_rules! arities {
    () => { arities!(@invoke); };
    ($head:ident $(, $tail:ident)*) => {
        arities!(@invoke $head $(, $tail)*);
        arities!(@tuple $head $(, $tail)*);
        arities!($($tail),*);
    };
    (@invoke $($arg:ident),*) => {
        impl<Model, Forward, Output, $($arg),*> Invoke<Model, ($($arg,)*)> for Forward
        where
            Forward: Fn(&Model, $($arg),*) -> Output,
            Output: Given,
            $($arg: Taken),*
        {
            #[allow(non_snake_case)]
            fn export(
                &self,
                load: &dyn Fn(&Device) -> Model,
                inputs: Vec<TensorData>,
                device: &Device,
            ) -> Result<[Vec<u8>; 2]> {
                let mut marks = Vec::new();
                <nested!(type $($arg)*)>::mark(&mut marks);
                let (sent, held) = <nested!(type $($arg)*)>::divide(&mut inputs.into_iter(), device)?;
                let recording = Recording { marker: Param::from_data([0.0f32], device) };
                let written = OnnxExporter::new().export(&recording, sent, |recording, sent| {
                    let device = recording.marker.val().device();
                    let model = load(&device);
                    let nested!(pattern $($arg)*) = <nested!(type $($arg)*)>::unite(sent, held);
                    self(&model, $($arg),*).given(&device)
                });
                written.map(|model| [model.as_bytes().to_vec(), marks]).map_err(|error| error.to_string())
            }
        }
    };
    (@tuple $($part:ident),*) => {
        impl<$($part: Given),*> Given for ($($part,)*) {
            type Out = nested!(out $($part)*);

            #[allow(non_snake_case)]
            fn given(self, device: &Device) -> Self::Out {
                let ($($part,)*) = self;
                nested!(values device $($part)*)
            }
        }
    };
}
arities!(
    A00, A01, A02, A03, A04, A05, A06, A07, A08, A09, A10, A11, A12, A13, A14, A15, A16, A17, A18, A19, A20, A21, A22,
    A23, A24, A25, A26, A27, A28, A29, A30, A31
);
