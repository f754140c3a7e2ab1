//! How pictures are prepared for a published model.

mod framed;
mod generalized_rcnn;
mod hugging_face;
mod padded;
mod part;
mod patches;
mod squares;
mod text;
mod timm;
mod torch_image_model;
mod whole_numbers;

pub(crate) use generalized_rcnn::{Prepared, Sides, Transform};
pub(crate) use padded::Padded;
pub(crate) use part::{Parts, Placed};
pub(crate) use squares::{Squared, Squares};

use crate::{
    repository::{Config, Form, Repository},
    settings::ImageSize,
};
use framed::Framed;
use modelzoo_candle::{
    candle_core::{Device, Tensor},
    image::{Divisor, Filter, Normalization, Preprocessing},
};
use modelzoo_plugin_api::{Error, Image, Result};
use rayon::prelude::*;
use std::collections::BTreeMap;
use text::TextSize;

/// The channels of a picture.
const CHANNELS: usize = 3;

/// What is done to pictures, and how large they become.
#[derive(Clone, Debug)]
pub(crate) struct Processing {
    pub(crate) preprocessing: Preprocessing,
    /// The `[height, width]` that all pictures get; `None` where it depends on the picture.
    pub(crate) size: Option<[usize; 2]>,
    /// Whether pictures are made square at the right and at the bottom, so that boxes are in parts of that square.
    pub(crate) is_square: bool,
    /// What is done to them otherwise.
    special: Option<Special>,
}

/// What is not the same for all pictures.
#[derive(Clone, Copy, Debug)]
enum Special {
    /// How large they become depends on them.
    Text(TextSize),
    /// A part of them is taken.
    Parts(Parts),
    /// They become squares.
    Squares(Squares),
    /// They become one square, with zeros where they are too short.
    Padded(Padded),
    /// Something is around them.
    Framed(Framed),
}

impl Processing {
    /// What a repository says, or what its `kind` of model has where it says nothing; at another size where the user
    /// wants one.
    ///
    /// # Errors
    /// When the description is malformed or asks for what is not known.
    pub(crate) fn of(repository: &Repository, kind: &str, size: Option<ImageSize>) -> Result<Self> {
        let size = size.map(ImageSize::sides);
        if size.is_some_and(|sides| sides.iter().any(|side| !(1..=1 << 14).contains(side))) {
            return Err(Error::invalid_option(
                "`image_size` is not between 1 and 16384 pixels",
            ));
        }
        match repository.form {
            Form::HuggingFace => hugging_face::read(&repository.processor, kind, size),
            Form::Timm | Form::Torchvision | Form::Class if repository.processor.has("entrypoint_fcn") => {
                torch_image_model::read(&repository.processor, kind, size)
            }
            Form::Timm | Form::Torchvision | Form::Class => timm::read(&repository.processor, size),
        }
    }
}

impl Processing {
    /// A picture's `[height, width]` as the network takes it, and its values `[channel][row][column]`.
    pub(crate) fn values(&self, image: &Image<'_>) -> Result<([usize; 2], Vec<f32>)> {
        match self.special {
            Some(Special::Text(text)) => text.apply(&self.preprocessing, image),
            Some(Special::Parts(parts)) => {
                let whole = parts.placed(image, [0.0, 0.0, 1.0, 1.0]);
                Ok((parts.size, parts.values(&self.preprocessing, image, whole)?))
            }
            Some(Special::Squares(squares)) => {
                let squared = squares.apply(&self.preprocessing, image)?;
                Ok(([squares.side; 2], squared.values))
            }
            Some(Special::Padded(padded)) => {
                let values = padded.values(&self.preprocessing, image)?;
                Ok(([padded.side; 2], values))
            }
            Some(Special::Framed(framed)) => framed.values(&self.preprocessing, image),
            None => self.preprocessing.apply(image),
        }
    }

    /// The parts that are taken of pictures, where such are.
    pub(crate) fn parts(&self) -> Option<Parts> {
        match self.special {
            Some(Special::Parts(parts)) => Some(parts),
            _ => None,
        }
    }

    /// How pictures become squares, where they do.
    pub(crate) fn squares(&self) -> Option<Squares> {
        match self.special {
            Some(Special::Squares(squares)) => Some(squares),
            _ => None,
        }
    }

    /// How pictures become squares that are filled up with zeros, where they do.
    pub(crate) fn padded(&self) -> Option<Padded> {
        match self.special {
            Some(Special::Padded(padded)) => Some(padded),
            _ => None,
        }
    }

    /// How much of the picture that a network gets a picture of `[height, width]` fills, from the top left corner on.
    pub(crate) fn filled(&self, size: [usize; 2]) -> [usize; 2] {
        match self.special {
            Some(Special::Padded(padded)) => padded.resized(size),
            _ => self.preprocessing.output_size(size),
        }
    }

    /// The values `[channel][row][column]` of a part of a picture.
    pub(crate) fn part(&self, image: &Image<'_>, placed: Placed) -> Result<Vec<f32>> {
        match self.parts() {
            Some(parts) => parts.values(&self.preprocessing, image, placed),
            None => Ok(self.values(image)?.1),
        }
    }

    /// A picture as a batch `[count, 3, height, width]`, of one but where it becomes several squares.
    pub(crate) fn tensor(&self, image: &Image<'_>, device: &Device) -> Result<Tensor> {
        let ([height, width], values) = self.values(image)?;
        let count = values.len() / (CHANNELS * height * width);
        Ok(Tensor::from_vec(
            values,
            (count, CHANNELS, height, width),
            device,
        )?)
    }

    /// The same for each of several pictures, on all cores.
    pub(crate) fn tensors(&self, images: &[Image<'_>], device: &Device) -> Vec<Result<Tensor>> {
        images
            .par_iter()
            .map(|image| self.tensor(image, device))
            .collect()
    }

    /// How large a picture of `[height, width]` is in what a network's boxes are parts of, which is 1 high and wide.
    pub(crate) fn frame(&self, size: [usize; 2]) -> [f32; 2] {
        match self.special {
            Some(Special::Framed(framed)) => framed.filled(&self.preprocessing, size),
            _ if self.is_square => size.map(|side| side as f32 / size[0].max(size[1]) as f32),
            _ => [1.0; 2],
        }
    }

    /// The rows and columns that a picture of `[height, width]` fills of what the network gets, from the top left corner on,
    /// where the network sees nothing else.
    pub(crate) fn mask(&self, size: [usize; 2]) -> Option<[usize; 2]> {
        match self.special {
            Some(Special::Framed(framed)) => framed.mask(&self.preprocessing, size),
            _ => None,
        }
    }

    /// Prepares pictures, gives those of equal size to `run` as one tensor `[count, 3, height, width]`, and brings the results,
    /// one for each picture of a tensor, into the order of `images`.
    ///
    /// # Errors
    /// An inner error concerns a picture that cannot be prepared. The outer error is that of `run`.
    pub(crate) fn run_batched<T>(
        &self,
        images: &[Image<'_>],
        device: &Device,
        mut run: impl FnMut(&Tensor) -> Result<Vec<T>>,
    ) -> Result<Vec<Result<T>>> {
        if self.special.is_none() {
            return self.preprocessing.run_batched(images, device, run);
        }
        self.run_masked(images, device, |batch, _| run(batch))
    }

    /// The same, where `run` gets the rows and columns that the pictures fill, too: see [`Processing::mask`].
    ///
    /// # Errors
    /// As for [`Processing::run_batched`].
    pub(crate) fn run_masked<T>(
        &self,
        images: &[Image<'_>],
        device: &Device,
        mut run: impl FnMut(&Tensor, Option<[usize; 2]>) -> Result<Vec<T>>,
    ) -> Result<Vec<Result<T>>> {
        if self.special.is_none() {
            return self
                .preprocessing
                .run_batched(images, device, |batch| run(batch, None));
        }
        let mut results: Vec<Option<Result<T>>> = images.iter().map(|_| None).collect();
        let mut by_size: BTreeMap<_, Vec<(usize, Tensor)>> = BTreeMap::new();
        for (index, tensor) in self.tensors(images, device).into_iter().enumerate() {
            let mask = self.mask([images[index].height(), images[index].width()]);
            match tensor {
                Ok(tensor) => by_size
                    .entry((tensor.dims().to_vec(), mask))
                    .or_default()
                    .push((index, tensor)),
                Err(error) => results[index] = Some(Err(error)),
            }
        }
        for ((_, mask), members) in by_size {
            let (indices, tensors): (Vec<usize>, Vec<Tensor>) = members.into_iter().unzip();
            let outputs = run(&Tensor::cat(&tensors, 0)?, mask)?;
            if outputs.len() != indices.len() {
                return Err(Error::new(format!(
                    "the model gave {} results for a batch of {}",
                    outputs.len(),
                    indices.len()
                )));
            }
            for (index, output) in indices.into_iter().zip(outputs) {
                results[index] = Some(Ok(output));
            }
        }
        // Every index has an error, or is in exactly one group, each member of which has got its result.
        Ok(results.into_iter().flatten().collect())
    }

    /// Makes ready pictures for a network that transforms them itself; each may be one that cannot be prepared.
    pub(crate) fn prepare_all(&self, transform: &Transform, images: &[Image<'_>]) -> Vec<Result<Prepared>> {
        let prepare = |image: &Image<'_>| {
            let (size, values) = self.preprocessing.apply(image)?;
            transform.apply(size, &values)
        };
        images.par_iter().map(prepare).collect()
    }
}

/// A size that the user wants is for networks that take others than one.
fn refuse_size(size: Option<[usize; 2]>, what: &str) -> Result<()> {
    match size {
        None => Ok(()),
        Some(_) => Err(Error::invalid_option(format!(
            "`image_size` means nothing here: the network takes {what} of one size only"
        ))),
    }
}

/// One number for each channel: a list of three, or one for all.
fn channels(config: &Config, key: &str, default: [f64; CHANNELS]) -> Result<[f32; CHANNELS]> {
    let numbers = if config.value(key).is_some_and(serde_json::Value::is_number) {
        [config.number(key)?.unwrap_or_default(); CHANNELS]
    } else if let Some(numbers) = config.numbers(key)? {
        numbers
            .try_into()
            .map_err(|_| config.wrong(key, "a list of three numbers"))?
    } else {
        default
    };
    let single = numbers.map(|number| number as f32);
    if single.iter().all(|number| number.is_finite()) {
        Ok(single)
    } else {
        Err(config.wrong(key, "a list of numbers that single precision has"))
    }
}

/// A normalisation by mean and deviation; a deviation of 0 has no meaning.
fn normalization(
    config: &Config,
    keys: [&str; 2],
    divisor: f32,
    defaults: [[f64; CHANNELS]; 2],
) -> Result<Normalization> {
    let mean = channels(config, keys[0], defaults[0])?;
    let std = channels(config, keys[1], defaults[1])?;
    // By less than a normal number, no value could be divided.
    if !std.iter().all(|number| number.is_normal()) {
        return Err(config.wrong(keys[1], "a list of numbers that are not 0"));
    }
    Ok(Normalization {
        divisor: Divisor::Fixed(divisor),
        mean,
        std,
    })
}

/// What becomes of the pixels' values by `rescale_factor`, `image_mean` and `image_std`, where they are not switched off.
fn rescaled(config: &Config, statistics: [[f64; CHANNELS]; 2]) -> Result<Normalization> {
    rescaled_where(config, statistics, true)
}

/// The same, where it is said whether pictures are normalised of whose processor the file says nothing about that.
fn rescaled_where(
    config: &Config,
    statistics: [[f64; CHANNELS]; 2],
    normalizes: bool,
) -> Result<Normalization> {
    let factor = config.number("rescale_factor")?.unwrap_or(1.0 / 255.0);
    let divisor = (1.0 / factor) as f32;
    if factor <= 0.0 || !divisor.is_normal() {
        return Err(config.wrong("rescale_factor", "a number above 0 that single precision has"));
    }
    let rescales = config.flag("do_rescale", true)?;
    let divisor = if rescales { divisor } else { 1.0 };
    if config.flag("do_normalize", normalizes)? {
        return normalization(config, ["image_mean", "image_std"], divisor, statistics);
    }
    Ok(Normalization {
        divisor: Divisor::Fixed(divisor),
        ..Normalization::UNIT
    })
}

/// What becomes of black.
fn normalization_of_black(values: Normalization) -> [f32; CHANNELS] {
    std::array::from_fn(|channel| -values.mean[channel] / values.std[channel])
}

/// `side` as many times larger as `to` is than `from`, for both sides.
fn scaled(side: [usize; 2], from: [usize; 2], to: [usize; 2]) -> [usize; 2] {
    [0, 1].map(|axis| (side[axis] * to[axis]).div_ceil(from[axis]).max(1))
}

/// A filter by Pillow's number for it.
fn pillow_filter(config: &Config, key: &str, default: Filter) -> Result<Filter> {
    if !config.has(key) {
        return Ok(default);
    }
    Ok(match config.count_or_none(key, 0)? {
        0 => Filter::Nearest,
        1 => Filter::Lanczos,
        2 => Filter::Bilinear,
        3 => Filter::Bicubic,
        4 => Filter::Box,
        5 => Filter::Hamming,
        _ => return Err(config.wrong(key, "the number of one of Pillow's filters, 0 to 5,")),
    })
}
