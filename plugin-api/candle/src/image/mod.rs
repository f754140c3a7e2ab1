//! From pictures to input tensors.

mod batch;
mod filter;
mod interpolate;
mod lines;
mod normalize;
mod resample;
mod step;
#[cfg(test)]
mod tests;
mod windows;

pub use filter::Filter;
pub use normalize::{ChannelOrder, Divisor, Normalization};

use crate::image::{
    interpolate::Interpolation,
    step::{Raster, Step},
};
use modelzoo_plugin_api::{Image, Result};

/// How pictures become a network's input: geometric steps in order, then normalisation.
///
/// Sizes are `[height, width]`, as in torch. Resizing is Pillow's, to the last bit: antialiased, in 8 bits.
///
/// ```
/// use modelzoo_candle::image::{Normalization, Preprocessing};
/// use modelzoo_plugin_api::Image;
///
/// // torchvision.transforms: Resize(256), CenterCrop(224), ToTensor(), Normalize(...)
/// let preprocessing = Preprocessing::new()
///     .resize_shorter_side(256)
///     .center_crop([224, 224])
///     .normalize(Normalization::IMAGENET);
/// let pixels = vec![128; 500 * 375 * 3];
/// let (size, values) = preprocessing.apply(&Image::new(500, 375, &pixels)?)?;
/// assert_eq!(size, [224, 224]);
/// assert_eq!(values.len(), 3 * 224 * 224);
/// # Ok::<(), modelzoo_plugin_api::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Preprocessing {
    steps: Vec<Step>,
    interpolation: Option<Interpolation>,
    filter: Filter,
    order: ChannelOrder,
    normalization: Normalization,
}

impl Preprocessing {
    /// No geometric step; values are divided by 255, as torchvision's `ToTensor` does.
    pub fn new() -> Self {
        Self::default()
    }

    /// Resizes to `[height, width]`, whatever the picture's aspect ratio.
    pub fn resize(self, size: [usize; 2]) -> Self {
        self.step(Step::Resize(size))
    }

    /// Resizes so that the shorter side becomes `length` and the aspect ratio stays, rounding the longer side down as
    /// torchvision's `Resize(length)` does.
    pub fn resize_shorter_side(self, length: usize) -> Self {
        self.step(Step::ShorterSide(length))
    }

    /// Enlarges pictures that are smaller than `[height, width]` until they are not; the aspect ratio stays.
    pub fn resize_at_least(self, size: [usize; 2]) -> Self {
        self.step(Step::AtLeast(size))
    }

    /// Reduces pictures that are larger than `[height, width]` until they are not; the aspect ratio stays.
    pub fn resize_at_most(self, size: [usize; 2]) -> Self {
        self.step(Step::AtMost(size))
    }

    /// Resizes to the smallest size that covers `[height, width]`; the aspect ratio stays.
    pub fn resize_to_cover(self, size: [usize; 2]) -> Self {
        self.step(Step::Cover(size))
    }

    /// Cuts `[height, width]` from the middle, rounding as torchvision's `CenterCrop` does; what lies outside of the
    /// picture is black.
    pub fn center_crop(self, size: [usize; 2]) -> Self {
        self.step(Step::CenterCrop(size))
    }

    /// As [`Preprocessing::center_crop`], rounding as the image processors of Hugging Face's transformers do.
    pub fn center_crop_down(self, size: [usize; 2]) -> Self {
        self.step(Step::CenterCropDown(size))
    }

    /// Resizes so that the shorter side becomes `shorter`, or the longer one `longer` where that would be more; the
    /// aspect ratio stays, but for sides that are cut down to multiples of `multiple`. As DETR's image processors do.
    pub fn resize_sides(self, shorter: usize, longer: usize, multiple: usize) -> Self {
        self.step(Step::Sides {
            shorter,
            longer,
            multiple,
        })
    }

    /// Resizes to the `[height, width]` nearest to `size` that are multiples of `multiple`; with `keeps_aspect_ratio`,
    /// both sides by the factor of the one that changes less. As DPT's image processor does.
    pub fn resize_near_multiple(self, size: [usize; 2], multiple: usize, keeps_aspect_ratio: bool) -> Self {
        self.step(Step::NearMultiple {
            size,
            multiple,
            keeps_aspect_ratio,
        })
    }

    /// Cuts the largest part from the middle whose sides are multiples of `length`, at least one of it.
    pub fn center_crop_to_multiple(self, length: usize) -> Self {
        self.step(Step::CropToMultiple(length))
    }

    /// At last, resizes to `[height, width]` by interpolation between the nearest pixels, without a filter, and not
    /// rounded to bytes. As RF-DETR's image processor does; [`Preprocessing::filter`] has no effect on it.
    pub fn interpolate(self, size: [usize; 2]) -> Self {
        Self {
            interpolation: Some(Interpolation::Plain(size)),
            ..self
        }
    }

    /// The same of a picture that is surrounded by black at the right and at the bottom until it is square, and smoothed by
    /// a Gaussian where it becomes smaller. As OWLv2's image processor does.
    pub fn interpolate_square(self, size: [usize; 2]) -> Self {
        Self {
            interpolation: Some(Interpolation::SmoothedSquare(size)),
            ..self
        }
    }

    /// How resizing weighs the pixels; bilinear unless told otherwise.
    pub fn filter(self, filter: Filter) -> Self {
        Self { filter, ..self }
    }

    /// The order of the channels in the tensor; red, green, blue unless told otherwise.
    pub fn channels(self, order: ChannelOrder) -> Self {
        Self { order, ..self }
    }

    /// What becomes of the pixel values.
    pub fn normalize(self, normalization: Normalization) -> Self {
        Self {
            normalization,
            ..self
        }
    }

    /// The `[height, width]` that a picture of `[height, width]` gets.
    pub fn output_size(&self, size: [usize; 2]) -> [usize; 2] {
        let stepped = || self.steps.iter().fold(size, |size, step| step.output_size(size));
        self.interpolation
            .map_or_else(stepped, Interpolation::output_size)
    }

    /// A picture's `[height, width]` after all steps, and its values `[channel][row][column]`.
    ///
    /// # Errors
    /// When a side is so disproportionate that a step would make a picture of more than 2^28 pixels.
    pub fn apply(&self, image: &Image<'_>) -> Result<([usize; 2], Vec<f32>)> {
        let raster = step::run(&self.steps, self.filter, image)?;
        let [height, width] = self
            .interpolation
            .map_or(raster.size(), Interpolation::output_size);
        let mut values = vec![0.0; 3 * height * width];
        self.write(&raster, &mut values);
        Ok(([height, width], values))
    }

    /// What comes after the steps. There are as many values as the output has.
    fn write(&self, raster: &Raster<'_>, values: &mut [f32]) {
        match self.interpolation {
            Some(interpolation) => {
                let pixels = interpolate::resample(raster, interpolation);
                values.copy_from_slice(&self.normalization.planes(&pixels, self.order));
            }
            None => self.normalization.write(raster.pixels(), self.order, values),
        }
    }

    fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }
}
