//! [`Weights`] for networks that are written with candle-nn.

use super::Weights;
use candle_core::{DType, Device, Shape, Tensor};
use candle_nn::{Init, VarBuilder, var_builder::SimpleBackend};

impl Weights {
    /// The tensors as candle-nn's `VarBuilder`, in f32 on `device`.
    ///
    /// Errors that it gives name file and tensor, as those of [`Weights::tensor_of`] do.
    pub fn var_builder(&self, device: &Device) -> VarBuilder<'static> {
        VarBuilder::from_backend(Box::new(self.clone()), DType::F32, device.clone())
    }
}

impl SimpleBackend for Weights {
    fn get(
        &self,
        shape: Shape,
        name: &str,
        _: Init,
        dtype: DType,
        device: &Device,
    ) -> candle_core::Result<Tensor> {
        let weight = self
            .tensor_of(name, shape.dims())
            .map_err(candle_core::Error::msg)?;
        Tensor::from_slice(weight.data(), shape, device)?.to_dtype(dtype)
    }

    fn get_unchecked(&self, name: &str, dtype: DType, device: &Device) -> candle_core::Result<Tensor> {
        let weight = self.tensor(name).map_err(candle_core::Error::msg)?;
        Tensor::from_slice(weight.data(), weight.dims(), device)?.to_dtype(dtype)
    }

    fn contains_tensor(&self, name: &str) -> bool {
        self.dims(name).is_some()
    }
}
