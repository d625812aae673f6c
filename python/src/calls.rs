//! Calling callables, on the thread that Python runs on.

use pyo3::prelude::*;
use trompe::problem::Gradient;

use crate::arrays;
use crate::callable::Callable;
use crate::errors::bad;
use crate::remote::Inputs;
use crate::stated::Medium;

/// One log-odds per class and input, in calls of at most a batch.
///
/// # Errors
/// What the callable raises; `ValueError` if what it returns is not what was stated.
pub(crate) fn score(py: Python<'_>, callable: &Callable, inputs: &Inputs) -> PyResult<Vec<f64>> {
    let batch = callable.stated.batch;
    let mut scores = Vec::with_capacity(inputs.len() * callable.stated.classes.len());
    match (inputs, callable.stated.medium) {
        (Inputs::Audio(sounds), _) => {
            // One array holds sounds of one length.
            for run in sounds.chunk_by(|a, b| a.samples.len() == b.samples.len()) {
                for part in run.chunks(batch) {
                    let array = arrays::of_sounds(py, part)?;
                    scores.extend(call(callable, &array, part.len())?);
                }
            }
        }
        (Inputs::Image(images), Medium::Image { shape }) => {
            for part in images.chunks(batch) {
                let array = arrays::of_images(py, part, shape)?;
                scores.extend(call(callable, &array, part.len())?);
            }
        }
        (Inputs::Image(_), Medium::Audio { .. }) => {
            return Err(bad("inputs", "images, but the victim takes sound"));
        }
    }
    Ok(scores)
}

/// The log-odds that one call gives.
fn call(callable: &Callable, array: &Bound<'_, PyAny>, count: usize) -> PyResult<Vec<f64>> {
    let stated = &callable.stated;
    let returned = callable.call.bind(array.py()).call1((array,))?;
    let numbers = arrays::rows("output of the victim", &returned, count, stated.classes.len())?;
    stated.output.log_odds(numbers, &stated.classes)
}

/// The log-odds of a class and its gradient at these values; `None` without a gradient.
///
/// # Errors
/// As [`score`].
pub(crate) fn gradient(
    py: Python<'_>,
    callable: &Callable,
    values: Vec<f32>,
    class: usize,
) -> PyResult<Option<Gradient>> {
    let (Some(function), Medium::Image { shape }) = (&callable.gradient, callable.stated.medium)
    else {
        return Ok(None);
    };
    let wanted = [shape.height, shape.width, shape.channels];
    let array = arrays::array(py, values, &wanted)?;
    let returned = function.bind(py).call1((array, class))?;
    let name = "gradient of the victim";
    let pair: (f64, Bound<'_, PyAny>) = returned
        .extract()
        .map_err(|_| bad(name, "not a pair: return (log-odds of the class, array)"))?;
    let (by_value, found) = arrays::floats(name, &pair.1)?;
    if found != wanted || !pair.0.is_finite() {
        let what = format!("log-odds {} and an array of shape {found:?}, not {wanted:?}", pair.0);
        return Err(bad(name, what));
    }
    Ok(Some(Gradient { log_odds: pair.0, by_value }))
}
