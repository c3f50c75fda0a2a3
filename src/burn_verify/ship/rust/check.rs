//! What was allowed for each answer when the model was verified, and whether an answer is within it.
//!
//! The rules are those of burn-verify's judge at that time, as plain numbers: `judge/allowance.py` says the same.

use burn::tensor::{BoolStore, DType, TensorData};
use safetensors::SafeTensors;

use crate::wire::to_data;

/// One stored set of inputs, and what is allowed for each answer to it.
pub struct Set {
    pub inputs: Vec<TensorData>,
    pub allowed: Vec<Allowance>,
}

/// The answer that is expected, and how far another may be from it.
pub struct Allowance {
    rule: Rule,
    /// Of the answer's dtype; empty.
    like: TensorData,
    reference: TensorData,
    limit: Vec<f64>,
    above: Vec<bool>,
    below: Vec<bool>,
}

/// Numbers of an allowance, in the order in which they are stored.
struct Rule {
    /// 0: dtype and shape only; 1: equal; 2: within the bound.
    kind: u8,
    /// Greatest error, root mean square and 99.9th percentile of the errors, in units of the limit.
    most: f64,
    rms: f64,
    tail: f64,
    /// Greatest root mean square of the differences.
    mean: f64,
    /// The greatest number of the dtype.
    greatest: f64,
    /// Whether the sign of zero has to match.
    zeros: bool,
}

/// Reads the sets of a file that burn-verify wrote.
///
/// # Errors
/// When it is no such file.
pub fn read(bytes: &[u8]) -> Result<Vec<Set>, String> {
    let file = SafeTensors::deserialize(bytes).map_err(|error| format!("the stored answers cannot be read: {error}"))?;
    let find = |name: String| {
        file.tensor(&name).ok().map(|view| to_data(view.dtype(), view.data(), view.shape())).transpose()
    };
    let mut sets = Vec::new();
    for set in 0.. {
        let mut inputs = Vec::new();
        while let Some(value) = find(format!("{set:03}/in/{:03}", inputs.len()))? {
            inputs.push(value);
        }
        let mut allowed = Vec::new();
        while let Some(rule) = find(format!("{set:03}/rule/{:03}", allowed.len()))? {
            let at = |kind: &str| find(format!("{set:03}/{kind}/{:03}", allowed.len()));
            let flags = |found: Option<TensorData>| found.map(|data| data.iter::<bool>().collect()).unwrap_or_default();
            allowed.push(Allowance {
                rule: Rule::from(&rule)?,
                like: at("like")?.ok_or("a stored answer has no dtype")?,
                reference: at("out")?.ok_or("a stored answer is missing")?,
                limit: at("limit")?.map(|data| data.iter::<f64>().collect()).unwrap_or_default(),
                above: flags(at("above")?),
                below: flags(at("below")?),
            });
        }
        if allowed.is_empty() {
            break;
        }
        sets.push(Set { inputs, allowed });
    }
    if sets.is_empty() { Err("the stored answers are empty".into()) } else { Ok(sets) }
}

impl Rule {
    fn from(stored: &TensorData) -> Result<Self, String> {
        let numbers: Vec<f64> = stored.iter::<f64>().collect();
        let [kind, most, rms, tail, mean, greatest, zeros] = numbers[..] else {
            return Err(format!("a rule has 7 numbers, not {}", numbers.len()));
        };
        Ok(Self { kind: kind as u8, most, rms, tail, mean, greatest, zeros: zeros != 0.0 })
    }
}

/// The sum of the errors of one answer, for a line of a record.
#[derive(Clone, Copy, Debug, Default)]
#[allow(dead_code)]
pub struct Error {
    /// Greatest absolute difference.
    pub max_abs: f64,
    /// Greatest error, in units of the limit.
    pub headroom: f64,
}

impl Allowance {
    /// Compares an answer.
    ///
    /// # Errors
    /// What is wrong with it, in a line.
    pub fn check(&self, answer: &TensorData) -> Result<Error, String> {
        if kind_of(answer.dtype()) != kind_of(self.like.dtype()) {
            return Err(format!("dtype {:?}, expected {:?}", answer.dtype(), self.like.dtype()));
        }
        if answer.shape().to_vec() != self.reference.shape().to_vec() {
            return Err(format!("shape {:?}, expected {:?}", answer.shape().to_vec(), self.reference.shape().to_vec()));
        }
        match self.rule.kind {
            0 => Ok(Error::default()),
            1 => self.equal(answer),
            _ => self.bounded(answer),
        }
    }

    fn equal(&self, answer: &TensorData) -> Result<Error, String> {
        let differing = match answer.dtype() {
            // 64-bit integers do not fit into a float64.
            DType::I64 => count(answer.iter::<i64>(), self.reference.iter::<i64>(), |a, b| a == b),
            DType::U64 => count(answer.iter::<u64>(), self.reference.iter::<u64>(), |a, b| a == b),
            DType::Bool(_) => count(answer.iter::<bool>(), self.reference.iter::<bool>(), |a, b| a == b),
            _ => count(answer.iter::<f64>(), self.reference.iter::<f64>(), |a, b| a == b || (a.is_nan() && b.is_nan())),
        };
        if differing == 0 {
            Ok(Error::default())
        } else {
            Err(format!("{differing} of {} elements differ", answer.num_elements()))
        }
    }

    fn bounded(&self, answer: &TensorData) -> Result<Error, String> {
        let (mut differences, mut errors) = (Vec::new(), Vec::new());
        for (place, (came, wanted)) in answer.iter::<f64>().zip(self.reference.iter::<f64>()).enumerate() {
            let set = |mask: &[bool]| mask.get(place).copied().unwrap_or(false);
            if came.is_finite() && wanted.is_finite() {
                if self.rule.zeros && came == 0.0 && wanted == 0.0 && came.is_sign_negative() != wanted.is_sign_negative()
                {
                    return Err(format!("{came:?} at {place}, expected {wanted:?}"));
                }
                let wanted = wanted.clamp(-self.rule.greatest, self.rule.greatest);
                let limit = if self.limit.len() == 1 { self.limit[0] } else { self.limit[place] };
                let difference = (came - wanted).abs();
                differences.push(difference);
                errors.push(if difference > 0.0 { difference / limit } else { 0.0 });
            } else if !(came == wanted
                || (came.is_nan() && wanted.is_nan())
                || (set(&self.above) && came == f64::INFINITY)
                || (set(&self.below) && came == f64::NEG_INFINITY))
            {
                return Err(format!("{came} at {place}, expected {wanted}"));
            }
        }
        self.within(&differences, errors)
    }

    fn within(&self, differences: &[f64], mut errors: Vec<f64>) -> Result<Error, String> {
        if errors.is_empty() {
            return Ok(Error::default());
        }
        errors.sort_by(f64::total_cmp);
        let (most, rms) = (errors[errors.len() - 1], root_mean_square(&errors));
        let tail = errors[(0.999 * (errors.len() - 1) as f64).ceil() as usize];
        let max_abs = differences.iter().copied().fold(0.0, f64::max);
        let mean = root_mean_square(differences);
        let rule = &self.rule;
        for (what, is, allowed) in [
            ("greatest error in units of the bound", most, rule.most),
            ("root mean square in units of the bound", rms, rule.rms),
            ("99.9th percentile in units of the bound", tail, rule.tail),
            ("root mean square of the differences", mean, rule.mean),
        ] {
            // Written so that NaN is no pass.
            if !(is <= allowed) {
                return Err(format!("max_abs={max_abs:e}, {what} is {is:e}, allowed {allowed:e}"));
            }
        }
        Ok(Error { max_abs, headroom: most })
    }
}

fn count<T>(came: impl Iterator<Item = T>, wanted: impl Iterator<Item = T>, same: impl Fn(&T, &T) -> bool) -> usize {
    came.zip(wanted).filter(|(one, other)| !same(one, other)).count()
}

/// A boolean is one whatever it is stored in.
fn kind_of(dtype: DType) -> DType {
    if let DType::Bool(_) = dtype { DType::Bool(BoolStore::Native) } else { dtype }
}

fn root_mean_square(values: &[f64]) -> f64 {
    (values.iter().map(|value| value * value).sum::<f64>() / values.len() as f64).sqrt()
}
