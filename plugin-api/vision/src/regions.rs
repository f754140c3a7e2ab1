//! The second look of a detector at the features of regions.

use crate::{
    architectures::{Details, Look, Regions},
    checkpoint::Checkpoint,
};
use modelzoo_candle::{
    candle_core::{Device, Tensor},
    detection::{Corners, FeaturePyramid},
    device::Placement,
    network::{Network, NetworkBuilder},
};
use modelzoo_plugin_api::Result;
use rayon::prelude::*;

/// So many regions go through the network together; the last ones are filled up, so that one plan serves any number.
const TOGETHER: usize = 64;

/// The networks of a second look with their weights.
#[derive(Debug)]
pub(crate) struct RegionRunner {
    look: Look,
    /// The features of each place of a region.
    features: usize,
    /// What comes before the classes and boxes, where there is something: of one region's map.
    convolutions: Option<Network>,
    /// Classes and boxes: of regions' features, each a pixel of a line.
    boxes: Network,
    /// What is seen in an object: of one object's map.
    details: Option<Network>,
}

/// What is found of regions.
#[derive(Debug)]
pub(crate) struct Found {
    /// `[regions][classes]`
    pub(crate) logits: Vec<f32>,
    /// `[regions][classes][4]`
    pub(crate) differences: Vec<f32>,
}

impl RegionRunner {
    /// Describes the networks, for maps with so many features.
    ///
    /// # Errors
    /// When the weights are not those of the architecture.
    pub(crate) fn new(
        regions: &dyn Regions,
        checkpoint: &Checkpoint,
        placement: &Placement,
        features: usize,
    ) -> Result<Self> {
        let map = |bins: usize| [features, bins, bins];
        let mut network = NetworkBuilder::new(checkpoint);
        let input = network.input("region", map(Look::BINS))?;
        let convolutions = match regions.convolutions(&mut network, checkpoint, input)? {
            Some(output) => Some(network.build(&[output], placement)?),
            None => None,
        };
        let convolved = convolutions.as_ref().and_then(|network| {
            let dims = network.output_dims().into_iter().next()?;
            Some(dims.iter().product())
        });
        let length = convolved.unwrap_or(map(Look::BINS).iter().product());
        let mut network = NetworkBuilder::new(checkpoint);
        let row = network.input("regions", [length, 1, TOGETHER])?;
        let tokens = network.to_tokens(row)?;
        let outputs = regions.boxes(&mut network, checkpoint, tokens)?;
        let boxes = network.build(&outputs, placement)?;
        let mut network = NetworkBuilder::new(checkpoint);
        let input = network.input("object", map(Look::DETAIL_BINS))?;
        let details = match regions.details(&mut network, checkpoint, input)? {
            Some(output) => Some(network.build(&[output], placement)?),
            None => None,
        };
        Ok(Self {
            look: regions.look().clone(),
            features,
            convolutions,
            boxes,
            details,
        })
    }

    pub(crate) fn look(&self) -> &Look {
        &self.look
    }

    /// What kind of details [`RegionRunner::details`] are.
    pub(crate) fn kind(&self) -> Details {
        self.look.details
    }

    /// The features of each place of the maps.
    pub(crate) fn features(&self) -> usize {
        self.features
    }

    /// The classes and boxes of regions.
    ///
    /// # Errors
    /// When a network cannot be run.
    pub(crate) fn boxes(&self, pyramid: &FeaturePyramid<'_>, regions: &[Corners]) -> Result<Found> {
        if regions.is_empty() {
            return Ok(Found {
                logits: Vec::new(),
                differences: Vec::new(),
            });
        }
        let mut rows = self.aligned(pyramid, regions, Look::BINS)?;
        if let Some(network) = &self.convolutions {
            rows = network.forward(&rows)?.remove(0).to_device(&Device::Cpu)?;
        }
        let rows = rows.flatten_from(1)?;
        let outputs = self.boxes.forward(&in_lines(&rows)?)?;
        // `[lines, regions of a line, values]`; the last line may be longer than the regions.
        let values = |output: &Tensor| -> Result<Vec<f32>> {
            let rows = output.flatten(0, 1)?.narrow(0, 0, regions.len())?;
            Ok(rows.flatten_all()?.to_vec1()?)
        };
        Ok(Found {
            logits: values(&outputs[0])?,
            differences: values(&outputs[1])?,
        })
    }

    /// What is seen in objects: for each a map of logits, `[objects, classes or points, height, width]`; `None` where it
    /// is nothing, or there are no objects.
    ///
    /// # Errors
    /// When a network cannot be run.
    pub(crate) fn details(
        &self,
        pyramid: &FeaturePyramid<'_>,
        objects: &[Corners],
    ) -> Result<Option<Tensor>> {
        match &self.details {
            Some(network) if !objects.is_empty() => {
                let features = self.aligned(pyramid, objects, Look::DETAIL_BINS)?;
                let maps = network.forward(&features)?.remove(0);
                Ok(Some(maps.to_device(&Device::Cpu)?))
            }
            _ => Ok(None),
        }
    }

    /// The features of boxes, `[boxes, features, bins, bins]`.
    fn aligned(&self, pyramid: &FeaturePyramid<'_>, boxes: &[Corners], bins: usize) -> Result<Tensor> {
        let length = pyramid.channels() * bins * bins;
        let mut values = vec![0.0; boxes.len() * length];
        values
            .par_chunks_exact_mut(length)
            .zip(boxes)
            .try_for_each(|(values, &corners)| pyramid.roi_align(corners, bins, Look::SAMPLES, values))?;
        let dims = (boxes.len(), pyramid.channels(), bins, bins);
        Ok(Tensor::from_vec(values, dims, &Device::Cpu)?)
    }
}

/// Rows `[rows, values]` as lines of pixels, `[lines, values, 1, TOGETHER]`; zeros fill up the last one.
fn in_lines(rows: &Tensor) -> Result<Tensor> {
    let (count, length) = rows.dims2()?;
    let rows = rows.contiguous()?.flatten_all()?.to_vec1::<f32>()?;
    let lines = count.div_ceil(TOGETHER);
    let mut values = vec![0.0; lines * length * TOGETHER];
    values
        .par_chunks_exact_mut(length * TOGETHER)
        .zip(rows.par_chunks(length * TOGETHER))
        .for_each(|(line, rows)| {
            for (place, row) in rows.chunks_exact(length).enumerate() {
                for (pixels, &value) in line.chunks_exact_mut(TOGETHER).zip(row) {
                    pixels[place] = value;
                }
            }
        });
    Ok(Tensor::from_vec(
        values,
        (lines, length, 1, TOGETHER),
        &Device::Cpu,
    )?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_pixels_of_lines() {
        let values: Vec<f32> = (0..2 * (TOGETHER + 1)).map(|value| value as f32).collect();
        let rows = Tensor::from_vec(values, (TOGETHER + 1, 2), &Device::Cpu).unwrap();
        let lines = in_lines(&rows).unwrap();
        assert_eq!(lines.dims(), [2, 2, 1, TOGETHER]);
        let lines = lines.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(lines[..3], [0.0, 2.0, 4.0]);
        assert_eq!(lines[TOGETHER..TOGETHER + 2], [1.0, 3.0]);
        // The last row is the first pixel of the second line.
        assert_eq!(lines[2 * TOGETHER..2 * TOGETHER + 2], [128.0, 0.0]);
        assert_eq!(lines[3 * TOGETHER..3 * TOGETHER + 2], [129.0, 0.0]);
    }
}
