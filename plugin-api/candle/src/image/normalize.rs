//! From bytes to the numbers that a network was trained on.

/// The order of the channels in a network's input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChannelOrder {
    /// Red, green, blue.
    #[default]
    Rgb,
    /// Blue, green, red, as OpenCV reads pictures.
    Bgr,
}

impl ChannelOrder {
    /// The channel of a pixel that becomes a channel of the tensor.
    fn source(self, channel: usize) -> usize {
        match self {
            Self::Rgb => channel,
            Self::Bgr => 2 - channel,
        }
    }
}

/// What bytes are divided by before the mean is subtracted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Divisor {
    /// The same for every picture.
    Fixed(f32),
    /// The picture's largest byte, as U2-Net does.
    Maximum,
}

/// `(byte / divisor - mean) / std` for each channel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normalization {
    /// What bytes are divided by first.
    pub divisor: Divisor,
    /// Subtracted, in the order of the tensor's channels.
    pub mean: [f32; 3],
    /// Divides the difference, in the order of the tensor's channels.
    pub std: [f32; 3],
}

impl Normalization {
    /// To 0..1, as torchvision's `ToTensor`.
    pub const UNIT: Self = Self {
        divisor: Divisor::Fixed(255.0),
        mean: [0.0; 3],
        std: [1.0; 3],
    };

    /// To 0..1, then by the mean and standard deviation of ImageNet's pictures.
    pub const IMAGENET: Self = Self {
        divisor: Divisor::Fixed(255.0),
        mean: [0.485, 0.456, 0.406],
        std: [0.229, 0.224, 0.225],
    };

    /// To -1..1, as TensorFlow's models take pictures.
    pub const SIGNED_UNIT: Self = Self {
        divisor: Divisor::Fixed(127.5),
        mean: [1.0; 3],
        std: [1.0; 3],
    };

    /// To 0..1, then by the mean and standard deviation of the pictures that CLIP was trained on.
    pub const CLIP: Self = Self {
        divisor: Divisor::Fixed(255.0),
        mean: [0.481_454_66, 0.457_827_5, 0.408_210_73],
        std: [0.268_629_55, 0.261_302_6, 0.275_777_1],
    };

    /// Writes interleaved RGB bytes as planes of numbers. `values` is three times as long as there are pixels.
    pub(super) fn write(&self, pixels: &[u8], order: ChannelOrder, values: &mut [f32]) {
        let divisor = match self.divisor {
            Divisor::Fixed(divisor) => divisor,
            // A black picture stays black.
            Divisor::Maximum => f32::from(pixels.iter().copied().max().unwrap_or(0).max(1)),
        };
        let plane = pixels.len() / 3;
        for (channel, values) in values.chunks_exact_mut(plane.max(1)).enumerate() {
            // In the order and precision of torchvision's operations, so that results are the same to the bit.
            let table: [f32; 256] =
                std::array::from_fn(|byte| (byte as f32 / divisor - self.mean[channel]) / self.std[channel]);
            let source = order.source(channel);
            for (value, pixel) in values.iter_mut().zip(pixels.as_chunks::<3>().0) {
                *value = table[usize::from(pixel[source])];
            }
        }
    }

    /// Interleaved values of red, green and blue, 0 to 255, as planes of numbers. Those that are to be divided by the
    /// picture's largest byte are divided by 255.
    pub(super) fn planes(&self, pixels: &[f32], order: ChannelOrder) -> Vec<f32> {
        let divisor = match self.divisor {
            Divisor::Fixed(divisor) => divisor,
            Divisor::Maximum => 255.0,
        };
        let plane = |channel: usize| {
            let source = order.source(channel);
            let values = pixels.as_chunks::<3>().0.iter().map(move |pixel| pixel[source]);
            values.map(move |value| (value / divisor - self.mean[channel]) / self.std[channel])
        };
        (0..3).flat_map(plane).collect()
    }
}

impl Default for Normalization {
    fn default() -> Self {
        Self::UNIT
    }
}
