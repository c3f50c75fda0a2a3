//! Calling a generated model without anyone parsing Rust: the compiler infers the signature of `forward`.

use std::hint::black_box;
use std::marker::PhantomData;
use std::time::{Duration, Instant};

use compat::{Device, TensorData, sync};

use crate::Result;
use crate::wire::{FromWire, IntoWire};

/// One loaded model, ready to be called again and again.
pub type Loaded = Box<dyn Callable>;

/// What a model answered, and how long its forward pass took, on the device included.
pub struct Answered {
    pub outputs: Vec<TensorData>,
    pub forward: Duration,
}

/// How long one call took, and what it was given before that.
#[derive(Clone, Copy, Debug)]
pub struct Lap {
    /// Making the values that `forward` takes ownership of; not part of the call.
    pub prepare: Duration,
    pub forward: Duration,
}

/// A model with its weights, whatever its signature.
pub trait Callable: Send {
    /// Calls the model with inputs in the order of the graph.
    ///
    /// # Errors
    /// When the number or the form of the inputs does not fit the generated signature, or the device failed.
    fn call(&self, inputs: Vec<TensorData>, device: &Device) -> Result<Answered>;

    /// Calls the model for the sake of the time it takes; the outputs are made and dropped unread.
    ///
    /// # Errors
    /// As `call`.
    fn lap(&self, inputs: Vec<TensorData>, device: &Device) -> Result<Lap>;
}

/// Anything callable as `forward(&model, a, b, …)`.
pub trait Invoke<Model, Args> {
    /// Calls the model with inputs in the order of the graph.
    ///
    /// # Errors
    /// When the number or the form of the inputs does not fit the generated signature, or the device failed.
    fn invoke(&self, model: &Model, inputs: Vec<TensorData>, device: &Device) -> Result<Answered>;

    /// Times one call, see `Callable::lap`.
    ///
    /// # Errors
    /// As `Callable::lap`.
    fn time(&self, model: &Model, inputs: Vec<TensorData>, device: &Device) -> Result<Lap>;
}

struct Bound<Model, Args, Forward> {
    model: Model,
    forward: Forward,
    args: PhantomData<fn(Args)>,
}

impl<Model, Args, Forward> Callable for Bound<Model, Args, Forward>
where
    Model: Send,
    Forward: Invoke<Model, Args> + Send,
{
    fn call(&self, inputs: Vec<TensorData>, device: &Device) -> Result<Answered> {
        self.forward.invoke(&self.model, inputs, device)
    }

    fn lap(&self, inputs: Vec<TensorData>, device: &Device) -> Result<Lap> {
        self.forward.time(&self.model, inputs, device)
    }
}

/// Binds a loaded model and its `forward` to wire values.
pub fn bind<Model, Args, Forward>(model: Model, forward: Forward) -> Loaded
where
    Model: Send + 'static,
    Args: 'static,
    Forward: Invoke<Model, Args> + Send + 'static,
{
    Box::new(Bound { model, forward, args: PhantomData })
}

struct Spelt<Model, Call> {
    model: Model,
    call: Call,
}

impl<Model, Call> Callable for Spelt<Model, Call>
where
    Model: Send,
    Call: Fn(&Model, Vec<TensorData>, &Device, bool) -> Result<(Vec<TensorData>, Lap)> + Send,
{
    fn call(&self, inputs: Vec<TensorData>, device: &Device) -> Result<Answered> {
        let (outputs, lap) = (self.call)(&self.model, inputs, device, true)?;
        Ok(Answered { outputs, forward: lap.forward })
    }

    fn lap(&self, inputs: Vec<TensorData>, device: &Device) -> Result<Lap> {
        (self.call)(&self.model, inputs, device, false).map(|(_, lap)| lap)
    }
}

/// Binds a loaded model to a call that is spelt out, as `bind_wide!` does; its last argument asks for the outputs.
pub fn bind_call<Model, Call>(model: Model, call: Call) -> Loaded
where
    Model: Send + 'static,
    Call: Fn(&Model, Vec<TensorData>, &Device, bool) -> Result<(Vec<TensorData>, Lap)> + Send + 'static,
{
    Box::new(Spelt { model, call })
}

/// Binds a model of more inputs or outputs than `Invoke` is written for, given as many names for each.
///
/// The call is spelt out in the crate of the model: one more parameter for every model to be tried with would cost each
/// of them more time in rustc than all of this costs the few that need it.
#[macro_export]
macro_rules! bind_wide {
    ($model:expr, [$($input:ident)*], [$($output:ident)*]) => {
        $crate::bind_call($model, |model, inputs, device, wanted| {
            let started = ::std::time::Instant::now();
            let mut inputs = inputs.into_iter();
            $(let $input = $crate::FromWire::from_wire(
                inputs.next().ok_or("the generated code takes more inputs")?, device)?;)*
            if inputs.next().is_some() {
                return Err("the generated code takes fewer inputs".into());
            }
            $crate::compat::sync(device)?;
            let prepare = started.elapsed();
            $(let $input = ::std::hint::black_box($input);)*
            let started = ::std::time::Instant::now();
            let answer = ::std::hint::black_box(model.forward($($input),*));
            $crate::compat::sync(device)?;
            let forward = started.elapsed();
            let mut outputs = Vec::new();
            if wanted {
                let ($($output),*) = answer;
                $($crate::IntoWire::into_wire($output, &mut outputs);)*
                $crate::compat::sync(device)?;
            }
            Ok((outputs, $crate::Lap { prepare, forward }))
        })
    };
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

            #[allow(non_snake_case, unused_mut, unused_variables)]
            fn time(&self, model: &Model, inputs: Vec<TensorData>, device: &Device) -> Result<Lap> {
                let started = Instant::now();
                let mut inputs = inputs.into_iter();
                $(let $arg = $arg::from_wire(inputs.next().ok_or("the generated code takes more inputs")?, device)?;)*
                sync(device)?;
                let prepare = started.elapsed();
                $(let $arg = black_box($arg);)*
                let started = Instant::now();
                let outputs = black_box(self(model, $($arg),*));
                sync(device)?;
                let forward = started.elapsed();
                drop(outputs);
                Ok(Lap { prepare, forward })
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
// What has more inputs or outputs than this is bound by `bind_wide!`.
arities!(
    A00, A01, A02, A03, A04, A05, A06, A07, A08, A09, A10, A11, A12, A13, A14, A15, A16, A17, A18, A19, A20, A21, A22,
    A23, A24, A25, A26, A27, A28, A29, A30, A31
);
