//! Batches of pictures that become equally large.

use super::{Preprocessing, step};
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
            let (good, values, bad) = self.prepare(images, &members, [height, width]);
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

    /// Prepares the pictures of these indices, which get this size, on all cores: the indices of those that could be, their
    /// values one after the other, and what is wrong with the others.
    fn prepare(&self, images: &[Image<'_>], members: &[usize], size: [usize; 2]) -> Prepared {
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        if !step::is_possible(size) {
            for &index in members {
                let image = &images[index];
                bad.push((index, step::degenerate([image.height(), image.width()], size)));
            }
            return (good, Vec::new(), bad);
        }
        let length = 3 * size[0] * size[1];
        let mut values = vec![0.0; members.len() * length];
        let outcomes: Vec<Result<()>> = members
            .par_iter()
            .zip(values.par_chunks_exact_mut(length))
            .map(|(&index, values)| {
                let raster = step::run(&self.steps, self.filter, &images[index])?;
                self.write(&raster, values);
                Ok(())
            })
            .collect();
        for (place, (&index, outcome)) in members.iter().zip(outcomes).enumerate() {
            match outcome {
                Ok(()) => {
                    // Those behind a bad one move up.
                    if place != good.len() {
                        values.copy_within(place * length..(place + 1) * length, good.len() * length);
                    }
                    good.push(index);
                }
                Err(error) => bad.push((index, error)),
            }
        }
        values.truncate(good.len() * length);
        (good, values, bad)
    }
}

/// Indices of good pictures, their values, and the errors of bad ones.
type Prepared = (Vec<usize>, Vec<f32>, Vec<(usize, Error)>);
