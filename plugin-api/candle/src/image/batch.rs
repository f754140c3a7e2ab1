//! Batches of pictures that become equally large.

use super::Preprocessing;
use candle_core::{Device, Tensor};
use modelzoo_plugin_api::{Error, Image, Result};
use rayon::prelude::*;
use std::collections::BTreeMap;

impl Preprocessing {
    /// One picture as a batch of one, `[1, 3, height, width]`.
    ///
    /// # Errors
    /// As for [`Preprocessing::apply`].
    pub fn tensor(&self, image: &Image<'_>, device: &Device) -> Result<Tensor> {
        let ([height, width], values) = self.apply(image)?;
        Ok(Tensor::from_vec(values, (1, 3, height, width), device)?)
    }

    /// Prepares pictures, gives those of equal size to `run` as one tensor `[count, 3, height, width]`, and brings
    /// the results, one for each picture of a tensor, into the order of `images`.
    ///
    /// # Errors
    /// An inner error concerns a picture that cannot be prepared. The outer error is that of `run`.
    pub fn run_batched<T>(
        &self,
        images: &[Image<'_>],
        device: &Device,
        mut run: impl FnMut(&Tensor) -> Result<Vec<T>>,
    ) -> Result<Vec<Result<T>>> {
        let mut results: Vec<Option<Result<T>>> = images.iter().map(|_| None).collect();
        for ([height, width], members) in self.by_size(images) {
            let (good, values, bad) = self.prepare(images, &members);
            for (index, error) in bad {
                results[index] = Some(Err(error));
            }
            if good.is_empty() {
                continue;
            }
            let outputs = run(&Tensor::from_vec(values, (good.len(), 3, height, width), device)?)?;
            if outputs.len() != good.len() {
                return Err(Error::new(format!(
                    "the model gave {} results for a batch of {}",
                    outputs.len(),
                    good.len()
                )));
            }
            for (index, output) in good.into_iter().zip(outputs) {
                results[index] = Some(Ok(output));
            }
        }
        // Every index is in exactly one group, and every member of a group has got its result above.
        Ok(results.into_iter().flatten().collect())
    }

    /// The indices of the pictures that get each size.
    fn by_size(&self, images: &[Image<'_>]) -> BTreeMap<[usize; 2], Vec<usize>> {
        let mut by_size: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (index, image) in images.iter().enumerate() {
            let size = self.output_size([image.height(), image.width()]);
            by_size.entry(size).or_default().push(index);
        }
        by_size
    }

    /// Prepares the pictures of these indices on all cores: the indices of those that could be, their values one after
    /// the other, and what is wrong with the others.
    fn prepare(&self, images: &[Image<'_>], members: &[usize]) -> Prepared {
        let outcomes: Vec<_> = members
            .par_iter()
            .map(|&index| (index, self.apply(&images[index])))
            .collect();
        let (mut good, mut values, mut bad) = (Vec::new(), Vec::new(), Vec::new());
        for (index, outcome) in outcomes {
            match outcome {
                Ok((_, prepared)) => {
                    good.push(index);
                    values.extend_from_slice(&prepared);
                }
                Err(error) => bad.push((index, error)),
            }
        }
        (good, values, bad)
    }
}

/// Indices of good pictures, their values, and the errors of bad ones.
type Prepared = (Vec<usize>, Vec<f32>, Vec<(usize, Error)>);
