//! NumPy's arrays, read where they lie and made of what a model gives.
//!
//! Python's buffers are no part of its stable interface before 3.11. So an array's place is read from
//! `__array_interface__`, which NumPy documents for this, and of nothing but NumPy's own arrays, which tell the truth.

use modelzoo::{Array, plugin_api::Elements};
use pyo3::{
    exceptions::PyTypeError,
    prelude::*,
    sync::PyOnceLock,
    types::{PyByteArray, PyTuple, PyType},
};

/// Bytes in rows without gaps, `[height, width, channels]`.
pub struct Pixels<'py> {
    /// Holds the bytes.
    _array: Bound<'py, PyAny>,
    address: usize,
    shape: [usize; 3],
}

impl<'py> FromPyObject<'_, 'py> for Pixels<'py> {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        let class = CLASS.import(object.py(), "numpy", "ndarray")?;
        if !object.is_exact_instance(class) {
            return Err(PyTypeError::new_err("this is no array of NumPy's"));
        }
        let interface = object.getattr("__array_interface__")?;
        let element: String = interface.get_item("typestr")?.extract()?;
        let (address, _): (usize, bool) = interface.get_item("data")?.extract()?;
        // There are strides where rows have gaps, or lie in another order.
        let is_dense = interface.get_item("strides")?.is_none();
        match interface.get_item("shape")?.extract() {
            Ok((height, width, channels)) if element == "|u1" && is_dense => Ok(Self {
                _array: object.to_owned(),
                address,
                shape: [height, width, channels],
            }),
            _ => Err(PyTypeError::new_err(
                "this is no dense array of bytes with three dimensions",
            )),
        }
    }
}

impl Pixels<'_> {
    /// The length of each dimension.
    pub fn shape(&self) -> [usize; 3] {
        self.shape
    }

    /// The bytes. As long as they are looked at, nobody else may write to the array, as with everything in NumPy that
    /// works without the interpreter's lock.
    #[allow(unsafe_code, reason = "the stable interface of Python 3.9 has no buffers")]
    pub fn bytes(&self) -> &[u8] {
        let length: usize = self.shape.iter().product();
        if length == 0 {
            return &[];
        }
        // SAFETY: NumPy itself has said that `length` bytes lie at the address, one after the other. They stay there as
        // long as the array does, which `self` holds: NumPy moves the bytes of no array that somebody else refers to.
        unsafe { std::slice::from_raw_parts(self.address as *const u8, length) }
    }
}

/// An array as NumPy's, with its shape and type.
pub fn array(py: Python<'_>, array: Array) -> PyResult<Bound<'_, PyAny>> {
    let shape = array.shape();
    match array.elements() {
        Elements::Bool(values) => numpy(py, bytemuck::cast_slice(values), "bool", shape),
        Elements::U8(values) => numpy(py, values, "uint8", shape),
        Elements::U16(values) => numpy(py, bytemuck::cast_slice(values), "uint16", shape),
        Elements::I32(values) => numpy(py, bytemuck::cast_slice(values), "int32", shape),
        Elements::I64(values) => numpy(py, bytemuck::cast_slice(values), "int64", shape),
        Elements::F32(values) => numpy(py, bytemuck::cast_slice(values), "float32", shape),
        Elements::F64(values) => numpy(py, bytemuck::cast_slice(values), "float64", shape),
        _ => Ok(py.None().into_bound(py)),
    }
}

/// An embedding: an array of single precision.
pub fn embedding(py: Python<'_>, values: Array) -> PyResult<Bound<'_, PyAny>> {
    match values.as_f32() {
        Some(_) => array(py, values),
        None => numpy(
            py,
            bytemuck::cast_slice(&values.to_f32()),
            "float32",
            values.shape(),
        ),
    }
}

/// An array over bytes of its own, which may be written to.
fn numpy<'py>(py: Python<'py>, bytes: &[u8], element: &str, shape: &[usize]) -> PyResult<Bound<'py, PyAny>> {
    let numpy = py.import("numpy")?;
    let shape = PyTuple::new(py, shape)?;
    if bytes.is_empty() {
        return numpy.call_method1("empty", (shape, element));
    }
    numpy
        .call_method1("frombuffer", (PyByteArray::new(py, bytes), element))?
        .call_method1("reshape", (shape,))
}
