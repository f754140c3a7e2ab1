//! Trained parameters.

use std::{fmt, sync::Arc};

/// A trained tensor: dense, row-major, in torch's layout; cheap to clone.
///
/// The length of `data` is checked against `dims` by the layer that uses it, so that the error has its name.
#[derive(Clone)]
pub struct Weight {
    dims: Vec<usize>,
    data: Data,
}

#[derive(Clone)]
enum Data {
    Own(Arc<[f32]>),
    Shared(Arc<dyn AsRef<[f32]> + Send + Sync>),
}

impl Weight {
    /// A tensor with `dims` in torch's order (`[out, in / groups, kernel_height, kernel_width]` for a convolution).
    pub fn new(dims: impl Into<Vec<usize>>, data: impl Into<Arc<[f32]>>) -> Self {
        Self {
            dims: dims.into(),
            data: Data::Own(data.into()),
        }
    }

    /// As [`new`](Self::new), of values that lie elsewhere and are not copied: in a file that is mapped into memory.
    pub fn shared(dims: impl Into<Vec<usize>>, data: Arc<dyn AsRef<[f32]> + Send + Sync>) -> Self {
        Self {
            dims: dims.into(),
            data: Data::Shared(data),
        }
    }

    /// A one-dimensional tensor.
    pub fn vector(data: impl Into<Arc<[f32]>>) -> Self {
        let data = data.into();
        Self {
            dims: vec![data.len()],
            data: Data::Own(data),
        }
    }

    /// The dimensions.
    pub fn dims(&self) -> &[usize] {
        &self.dims
    }

    /// The values.
    pub fn data(&self) -> &[f32] {
        match &self.data {
            Data::Own(data) => data,
            Data::Shared(data) => data.as_ref().as_ref(),
        }
    }

    /// The product of the dimensions, or `None` where it overflows.
    pub(crate) fn elements(&self) -> Option<usize> {
        self.dims
            .iter()
            .try_fold(1usize, |product, &dim| product.checked_mul(dim))
    }
}

impl fmt::Debug for Weight {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Weight{:?}", self.dims)
    }
}

/// The parameters of a batch normalisation as torch stores them, each `[channels]`.
#[derive(Clone, Debug)]
pub struct BatchNorm {
    /// `weight` (gamma); ones where a layer has none.
    pub weight: Weight,
    /// `bias` (beta); zeros where a layer has none.
    pub bias: Weight,
    /// `running_mean`.
    pub mean: Weight,
    /// `running_var`.
    pub variance: Weight,
    /// Added to the variance; torch's default is 1e-5.
    pub epsilon: f64,
}

impl BatchNorm {
    /// What it does to each channel in inference, as `(scale, shift)` of `scale * x + shift`; computed in `f64`.
    pub(crate) fn scale_and_shift(&self) -> (Weight, Weight) {
        let parameters = self.weight.data().iter().zip(self.bias.data().iter());
        let statistics = self.mean.data().iter().zip(self.variance.data().iter());
        let (scale, shift): (Vec<f32>, Vec<f32>) = parameters
            .zip(statistics)
            .map(|((&weight, &bias), (&mean, &variance))| {
                let scale = f64::from(weight) / (f64::from(variance) + self.epsilon).sqrt();
                (scale as f32, (f64::from(bias) - f64::from(mean) * scale) as f32)
            })
            .unzip();
        (Weight::vector(scale), Weight::vector(shift))
    }
}
