//! Networks that look at whole pictures.
//!
//! [`PictureNetwork`] is what most models are: preprocessing, a network, and something that is made of its outputs for each
//! picture. [`PictureClassifier`] is a whole model.

mod classifier;
#[cfg(test)]
mod tests;

pub use classifier::PictureClassifier;

use crate::{device, image::Preprocessing, network::Network};
use candle_core::Tensor;
use modelzoo_plugin_api::{Array, Error, Image, Result};

/// A network with the preprocessing that it was trained with.
#[derive(Clone, Debug)]
pub struct PictureNetwork {
    preprocessing: Preprocessing,
    network: Network,
}

impl PictureNetwork {
    /// Makes the network ready for pictures.
    ///
    /// # Errors
    /// When the network cannot be computed.
    pub fn new(preprocessing: Preprocessing, network: Network) -> Result<Self> {
        network.prepare()?;
        Ok(Self {
            preprocessing,
            network,
        })
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Where it runs, as users write it: see [`device::name`].
    pub fn device_name(&self) -> String {
        device::name(self.network.device())
    }

    /// What `each` makes of the network's outputs for each picture, in the order of the pictures; the numbers of an output
    /// are in one row. Pictures that become equally large are computed together.
    ///
    /// ```
    /// # use modelzoo_candle::pictures::PictureNetwork;
    /// use modelzoo_plugin_api::{Error, Image, Output, Result, label::Classification};
    ///
    /// # fn label(scores: &[f32], boxes: &[f32]) -> Result<Output> { Ok(Classification::new("cat").into()) }
    /// fn predict_all(network: &PictureNetwork, images: &[Image]) -> Result<Vec<Result<Output>>> {
    ///     network.run(images, |outputs| {
    ///         let [scores, boxes] = outputs else {
    ///             return Err(Error::new("the network has two outputs"));
    ///         };
    ///         label(scores, boxes)
    ///     })
    /// }
    /// ```
    ///
    /// # Errors
    /// An inner error concerns one picture: it cannot be prepared, or `each` failed. The outer error is the network's.
    pub fn run<T>(
        &self,
        images: &[Image<'_>],
        mut each: impl FnMut(&[Vec<f32>]) -> Result<T>,
    ) -> Result<Vec<Result<T>>> {
        self.run_batches(images, |batch| {
            let mut pictures: Vec<Vec<Vec<f32>>> = vec![Vec::new(); batch.dim(0)?];
            for output in self.network.forward(batch)? {
                for (picture, row) in pictures.iter_mut().zip(rows(&output)?) {
                    picture.push(row);
                }
            }
            Ok(pictures.iter().map(|outputs| each(outputs)).collect())
        })
    }

    /// The numbers of one of the network's outputs for each picture, in one row.
    ///
    /// # Errors
    /// An inner error concerns a picture that cannot be prepared. The outer error is the network's.
    pub fn rows(&self, images: &[Image<'_>], output: usize) -> Result<Vec<Result<Vec<f32>>>> {
        self.run_batches(images, |batch| {
            let rows = rows(&self.output(batch, output)?)?;
            Ok(rows.into_iter().map(Ok).collect())
        })
    }

    /// One of the network's outputs for each picture, as an array of its own dimensions: what `Model::embed_all` gives.
    ///
    /// # Errors
    /// As for [`PictureNetwork::rows`].
    pub fn arrays(&self, images: &[Image<'_>], output: usize) -> Result<Vec<Result<Array>>> {
        self.run_batches(images, |batch| {
            let output = self.output(batch, output)?;
            let dims = &output.dims()[1..];
            let rows = rows(&output)?.into_iter();
            Ok(rows.map(|row| Array::new(dims, row)).collect())
        })
    }

    fn output(&self, batch: &Tensor, index: usize) -> Result<Tensor> {
        let outputs = self.network.forward(batch)?;
        let count = outputs.len();
        let output = outputs.into_iter().nth(index);
        output.ok_or_else(|| {
            Error::new(format!(
                "the network has {count} outputs, so none of index {index}"
            ))
        })
    }

    fn run_batches<T>(
        &self,
        images: &[Image<'_>],
        run: impl FnMut(&Tensor) -> Result<Vec<Result<T>>>,
    ) -> Result<Vec<Result<T>>> {
        let results = self
            .preprocessing
            .run_batched(images, self.network.device(), run)?;
        Ok(results.into_iter().map(Result::flatten).collect())
    }
}

/// An output for a batch as a row of numbers for each picture.
fn rows(output: &Tensor) -> Result<Vec<Vec<f32>>> {
    Ok(output.flatten_from(1)?.to_vec2()?)
}
