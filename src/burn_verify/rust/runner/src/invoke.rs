//! Calling a generated model without anyone parsing Rust: the compiler infers the signature of `forward`.

use std::time::{Duration, Instant};

use compat::{Device, TensorData, sync};

use crate::Result;
use crate::wire::{FromWire, IntoWire};

/// One loaded model, ready to be called again and again.
pub type Loaded = Box<dyn Fn(Vec<TensorData>, &Device) -> Result<Answered> + Send>;

/// What a model answered, and how long its forward pass took, on the device included.
pub struct Answered {
    pub outputs: Vec<TensorData>,
    pub forward: Duration,
}

/// Anything callable as `forward(&model, a, b, …)`.
pub trait Invoke<Model, Args> {
    /// Calls the model with inputs in the order of the graph.
    ///
    /// # Errors
    /// When the number or the form of the inputs does not fit the generated signature, or the device failed.
    fn invoke(&self, model: &Model, inputs: Vec<TensorData>, device: &Device) -> Result<Answered>;
}

/// Binds a loaded model and its `forward` to wire values.
pub fn bind<Model, Args, Forward>(model: Model, forward: Forward) -> Loaded
where
    Model: Send + 'static,
    Args: 'static,
    Forward: Invoke<Model, Args> + Send + 'static,
{
    Box::new(move |inputs, device| forward.invoke(&model, inputs, device))
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
            Output: IntoWire,
            $($arg: FromWire),*
        {
            #[allow(non_snake_case, unused_variables)]
            fn invoke(&self, model: &Model, inputs: Vec<TensorData>, device: &Device) -> Result<Answered> {
                let mut inputs = inputs.into_iter();
                $(let $arg = $arg::from_wire(inputs.next().ok_or("the generated code takes more inputs")?, device)?;)*
                if inputs.next().is_some() {
                    return Err("the generated code takes fewer inputs".into());
                }
                // A device may answer before it has computed: a clock is read when it has nothing left to do.
                sync(device)?;
                let started = Instant::now();
                let answer = self(model, $($arg),*);
                sync(device)?;
                let forward = started.elapsed();
                let mut outputs = Vec::new();
                answer.into_wire(&mut outputs);
                // Some failures show only once values are read; none is left for the next request.
                sync(device)?;
                Ok(Answered { outputs, forward })
            }
        }
    };
    (@tuple $($part:ident),*) => {
        impl<$($part: IntoWire),*> IntoWire for ($($part,)*) {
            #[allow(non_snake_case)]
            fn into_wire(self, out: &mut Vec<TensorData>) {
                let ($($part,)*) = self;
                $($part.into_wire(out);)*
            }
        }
    };
}
// A model with more inputs or outputs than this does not compile, and is blamed for it by name.
arities!(
    A00, A01, A02, A03, A04, A05, A06, A07, A08, A09, A10, A11, A12, A13, A14, A15, A16, A17, A18, A19, A20, A21, A22,
    A23, A24, A25, A26, A27, A28, A29, A30, A31
);
