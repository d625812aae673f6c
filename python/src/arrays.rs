//! Numpy arrays in and out.

use numpy::{PyArray1, PyArrayDyn, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use trompe::corpora::{Audio, Image, ImageShape};

use crate::errors::bad;

/// An array of `dtype` in C order, whatever `value` is: a view, another layout, another kind of number.
fn as_array<'py>(
    name: &str,
    value: &Bound<'py, PyAny>,
    dtype: &str,
) -> PyResult<Bound<'py, PyAny>> {
    let numpy = value.py().import("numpy")?;
    let array = numpy.call_method1("asarray", (value,))?;
    let kind: String = array.getattr("dtype")?.getattr("kind")?.extract()?;
    if !"biuf".contains(kind.as_str()) {
        let found = array.getattr("dtype")?.str()?;
        return Err(bad(name, format!("an array of dtype {found}, not of real numbers")));
    }
    let options = PyDict::new(value.py());
    options.set_item("dtype", dtype)?;
    numpy.call_method("ascontiguousarray", (array,), Some(&options))
}

fn shape_of(array: &Bound<'_, PyAny>) -> PyResult<Vec<usize>> {
    array.getattr("shape")?.extract()
}

/// The numbers of `value`, row by row, with their shape.
///
/// # Errors
/// `ValueError` naming the argument if it does not hold real numbers.
pub(crate) fn doubles(name: &str, value: &Bound<'_, PyAny>) -> PyResult<(Vec<f64>, Vec<usize>)> {
    let shape = shape_of(&value.py().import("numpy")?.call_method1("asarray", (value,))?)?;
    let array = as_array(name, value, "float64")?;
    let array = array.cast::<PyArrayDyn<f64>>()?;
    Ok((array.to_vec()?, shape))
}

/// The same as 32-bit numbers, which must be finite.
///
/// # Errors
/// As [`doubles`]; also for a number that is not finite.
pub(crate) fn floats(name: &str, value: &Bound<'_, PyAny>) -> PyResult<(Vec<f32>, Vec<usize>)> {
    let shape = shape_of(&value.py().import("numpy")?.call_method1("asarray", (value,))?)?;
    let array = as_array(name, value, "float32")?;
    let numbers = array.cast::<PyArrayDyn<f32>>()?.to_vec()?;
    match numbers.iter().position(|number| !number.is_finite()) {
        Some(place) => Err(bad(name, format!("{} at place {place}", numbers[place]))),
        None => Ok((numbers, shape)),
    }
}

/// Scores of `rows` inputs, one number a class and input.
///
/// # Errors
/// As [`doubles`]; also for another shape.
pub(crate) fn rows(
    name: &str,
    value: &Bound<'_, PyAny>,
    rows: usize,
    classes: usize,
) -> PyResult<Vec<f64>> {
    let (numbers, shape) = doubles(name, value)?;
    if shape != [rows, classes] {
        let what =
            format!("an array of shape {shape:?}, not [{rows}, {classes}] (inputs, classes)");
        return Err(bad(name, what));
    }
    Ok(numbers)
}

/// Mono sound.
///
/// # Errors
/// As [`floats`]; also for an array of several dimensions.
pub(crate) fn sound(name: &str, value: &Bound<'_, PyAny>, sample_rate: u32) -> PyResult<Audio> {
    let (samples, shape) = floats(name, value)?;
    if shape.len() != 1 {
        return Err(bad(name, format!("sound of shape {shape:?}, not [samples]: mix it to mono")));
    }
    Ok(Audio { samples, sample_rate })
}

/// Mono sounds, which may differ in length.
///
/// # Errors
/// As [`sound`], naming the one at fault by its number.
pub(crate) fn sounds(
    name: &str,
    values: &Bound<'_, PyAny>,
    sample_rate: u32,
) -> PyResult<Vec<Audio>> {
    let one = |(number, value): (usize, PyResult<Bound<'_, PyAny>>)| {
        sound(&format!("{name}[{number}]"), &value?, sample_rate)
    };
    values.try_iter()?.enumerate().map(one).collect()
}

/// 8-bit images of `shape` from an array (images, rows, columns, channels).
///
/// # Errors
/// `ValueError` for another shape, and for numbers that are no whole numbers from 0 to 255.
pub(crate) fn images(
    name: &str,
    value: &Bound<'_, PyAny>,
    shape: ImageShape,
) -> PyResult<Vec<Image>> {
    let (pixels, found) = pixels(name, value)?;
    let wanted = [shape.height, shape.width, shape.channels];
    let fits = match found.as_slice() {
        [0] => true, // an empty list
        [_, rest @ ..] if rest == wanted => true,
        [_, height, width] => shape.channels == 1 && [*height, *width, 1] == wanted,
        _ => false,
    };
    if !fits {
        let what = format!(
            "images of shape {found:?}, not [images, {}, {}, {}]",
            wanted[0], wanted[1], wanted[2]
        );
        return Err(bad(name, what));
    }
    Ok(pixels
        .chunks_exact(shape.bytes())
        .map(|pixels| Image { shape, pixels: pixels.to_vec() })
        .collect())
}

/// 8-bit numbers with their shape, without a copy of another type where they are 8-bit already.
fn pixels(name: &str, value: &Bound<'_, PyAny>) -> PyResult<(Vec<u8>, Vec<usize>)> {
    let given = value.py().import("numpy")?.call_method1("asarray", (value,))?;
    if given.getattr("dtype")?.getattr("name")?.extract::<String>()? == "uint8" {
        let array = as_array(name, &given, "uint8")?;
        return Ok((array.cast::<PyArrayDyn<u8>>()?.to_vec()?, shape_of(&given)?));
    }
    let (numbers, shape) = doubles(name, &given)?;
    let whole = |number: &f64| (0.0..=255.0).contains(number) && number.fract() == 0.0;
    if let Some(number) = numbers.iter().find(|number| !whole(number)) {
        return Err(bad(name, format!("{number} is no pixel: give whole numbers from 0 to 255")));
    }
    Ok((numbers.iter().map(|&number| number as u8).collect(), shape))
}

/// A new array of any shape, which owns its numbers.
///
/// # Errors
/// If numpy cannot make it.
pub(crate) fn array<'py, T: numpy::Element>(
    py: Python<'py>,
    numbers: Vec<T>,
    shape: &[usize],
) -> PyResult<Bound<'py, PyAny>> {
    let array = PyArray1::from_vec(py, numbers).reshape(shape.to_vec())?;
    debug_assert_eq!(array.shape(), shape);
    Ok(array.into_any())
}

/// Sounds of one length as an array (sounds, samples).
pub(crate) fn of_sounds<'py>(py: Python<'py>, sounds: &[Audio]) -> PyResult<Bound<'py, PyAny>> {
    let samples = sounds.first().map_or(0, |sound| sound.samples.len());
    let numbers: Vec<f32> = sounds.iter().flat_map(|sound| sound.samples.iter().copied()).collect();
    array(py, numbers, &[sounds.len(), samples])
}

/// Images of one shape as an array (images, rows, columns, channels).
pub(crate) fn of_images<'py>(
    py: Python<'py>,
    images: &[Image],
    shape: ImageShape,
) -> PyResult<Bound<'py, PyAny>> {
    let pixels: Vec<u8> = images.iter().flat_map(|image| image.pixels.iter().copied()).collect();
    array(py, pixels, &[images.len(), shape.height, shape.width, shape.channels])
}
