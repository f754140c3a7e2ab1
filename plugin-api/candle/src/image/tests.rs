use super::*;
use candle_core::Device;
use modelzoo_plugin_api::ErrorKind;
use proptest::prelude::*;

/// The picture whose resized forms `pillow/` holds: 61 x 43 pixels that change quickly.
fn pattern() -> Vec<u8> {
    let value = |x: usize, y: usize, channel: usize| (x * x * 3 + y * y * 5 + x * y * 7 + channel * 91) as u8;
    (0..43)
        .flat_map(|y| (0..61).flat_map(move |x| (0..3).map(move |channel| value(x, y, channel))))
        .collect()
}

fn bytes(preprocessing: Preprocessing, image: &Image<'_>) -> Vec<u8> {
    let raw = Normalization {
        divisor: Divisor::Fixed(1.0),
        ..Normalization::UNIT
    };
    let ([height, width], values) = preprocessing.normalize(raw).apply(image).unwrap();
    let plane = height * width;
    (0..plane * 3)
        .map(|index| values[index % 3 * plane + index / 3] as u8)
        .collect()
}

#[test]
fn resizing_is_pillow_s() {
    let pixels = pattern();
    let image = Image::new(61, 43, &pixels).unwrap();
    // Of each filter what Pillow makes of the picture, reduced and enlarged.
    macro_rules! expected {
        ($name:literal) => {
            [
                &include_bytes!(concat!("pillow/", $name, "_24x17.rgb"))[..],
                &include_bytes!(concat!("pillow/", $name, "_90x70.rgb"))[..],
            ]
        };
    }
    let cases = [
        (Filter::Bilinear, expected!("bilinear")),
        (Filter::Bicubic, expected!("bicubic")),
        (Filter::Lanczos, expected!("lanczos")),
        (Filter::Box, expected!("box")),
        (Filter::Hamming, expected!("hamming")),
    ];
    let cases = cases
        .into_iter()
        .flat_map(|(filter, [small, large])| [(filter, [17, 24], small), (filter, [70, 90], large)]);
    for (filter, size, expected) in cases {
        let found = bytes(Preprocessing::new().resize(size).filter(filter), &image);
        assert!(found == expected, "{filter:?} to {size:?} differs");
    }
}

#[test]
fn sizes_are_those_of_torchvision_and_fiftyone() {
    let size = |preprocessing: Preprocessing, width, height| {
        let [height, width] = preprocessing.output_size([height, width]);
        (width, height)
    };
    let new = Preprocessing::new;
    assert_eq!(size(new().resize_shorter_side(256), 640, 427), (383, 256));
    assert_eq!(size(new().resize_shorter_side(256), 427, 640), (256, 383));
    assert_eq!(size(new().resize_at_least([224, 224]), 100, 50), (448, 224));
    assert_eq!(size(new().resize_at_least([224, 224]), 300, 250), (300, 250));
    assert_eq!(size(new().resize_at_most([2048, 2048]), 4096, 100), (2048, 50));
    assert_eq!(size(new().center_crop_to_multiple(14), 100, 57), (98, 56));
    assert_eq!(size(new().center_crop_to_multiple(14), 9, 57), (14, 56));
}

#[test]
fn sizes_are_those_of_transformers() {
    let sides = |shorter, longer, multiple| Preprocessing::new().resize_sides(shorter, longer, multiple);
    let near = |multiple, keeps| Preprocessing::new().resize_near_multiple([518, 518], multiple, keeps);
    // What `get_size_with_aspect_ratio` gives for DETR and YOLOS, and DPT's `get_resize_output_image_size`.
    let cases = [
        (sides(800, 1333, 1), [480, 640], [800, 1066]),
        (sides(800, 1333, 1), [427, 1281], [444, 1333]),
        (sides(800, 1333, 1), [1281, 427], [1333, 444]),
        (sides(800, 1333, 1), [800, 900], [800, 900]),
        (sides(800, 1333, 16), [480, 640], [800, 1056]),
        (near(14, true), [480, 640], [518, 686]),
        (near(14, true), [640, 480], [686, 518]),
        (near(14, false), [480, 640], [518, 518]),
        (near(1, false), [480, 640], [518, 518]),
    ];
    for (preprocessing, from, to) in cases {
        assert_eq!(preprocessing.output_size(from), to, "{preprocessing:?}");
    }
}

#[test]
fn a_crop_keeps_the_middle_and_pads_with_black() {
    let pixels: Vec<u8> = (1..=5).flat_map(|value| [value; 3]).collect();
    let row = Image::new(5, 1, &pixels).unwrap();
    let reds = |size| -> Vec<u8> {
        bytes(Preprocessing::new().center_crop(size), &row)
            .into_iter()
            .step_by(3)
            .collect()
    };
    assert_eq!(reds([1, 3]), [2, 3, 4]);
    // 1.5 rounds to the even 2, as in Python.
    assert_eq!(reds([1, 2]), [3, 4]);
    assert_eq!(reds([1, 8]), [0, 1, 2, 3, 4, 5, 0, 0]);
    assert_eq!(reds([2, 1]), [3, 0]);
}

#[test]
fn hugging_face_rounds_crops_down_and_borders_up() {
    let pixels: Vec<u8> = (1..=5).flat_map(|value| [value; 3]).collect();
    let row = Image::new(5, 1, &pixels).unwrap();
    let reds = |size| -> Vec<u8> {
        bytes(Preprocessing::new().center_crop_down(size), &row)
            .into_iter()
            .step_by(3)
            .collect()
    };
    assert_eq!(reds([1, 2]), [2, 3]);
    assert_eq!(reds([1, 8]), [0, 0, 1, 2, 3, 4, 5, 0]);
}

#[test]
fn values_are_normalised_in_the_order_of_the_tensor_s_channels() {
    let image = Image::new(1, 1, &[255, 51, 0]).unwrap();
    let normalization = Normalization {
        divisor: Divisor::Fixed(255.0),
        mean: [0.5, 0.0, 0.0],
        std: [0.5, 1.0, 2.0],
    };
    let apply = |preprocessing: Preprocessing| preprocessing.apply(&image).unwrap().1;
    let rgb = Preprocessing::new().normalize(normalization);
    assert_eq!(apply(rgb.clone()), [1.0, 0.2, 0.0]);
    assert_eq!(apply(rgb.channels(ChannelOrder::Bgr)), [-1.0, 0.2, 0.5]);
    let by_maximum = Normalization {
        divisor: Divisor::Maximum,
        ..Normalization::UNIT
    };
    let dark = Image::new(1, 1, &[10, 5, 0]).unwrap();
    let values = Preprocessing::new().normalize(by_maximum).apply(&dark).unwrap().1;
    assert_eq!(values, [1.0, 0.5, 0.0]);
}

#[test]
fn pictures_of_different_sizes_come_back_in_order() {
    let (small, large, thin) = (vec![10; 12], vec![20; 27], vec![30; 3 * 70_000]);
    let images = [
        Image::new(2, 2, &small).unwrap(),
        Image::new(3, 3, &large).unwrap(),
        Image::new(2, 2, &small).unwrap(),
        Image::new(70_000, 1, &thin).unwrap(),
    ];
    let mut batches = Vec::new();
    // The last picture would become 256 rows of 17,920,000 pixels.
    let preprocessing = Preprocessing::new().resize_shorter_side(256).center_crop([2, 2]);
    let results = preprocessing
        .run_batched(&images, &Device::Cpu, |batch| {
            batches.push(batch.dim(0)?);
            Ok(batch
                .flatten_from(1)?
                .to_vec2::<f32>()?
                .into_iter()
                .map(|values| values[0] * 255.0)
                .collect())
        })
        .unwrap();
    assert_eq!(batches, [3]);
    let rounded: Vec<Option<f32>> = results
        .iter()
        .map(|result| result.as_ref().ok().map(|value| value.round()))
        .collect();
    assert_eq!(rounded, [Some(10.0), Some(20.0), Some(10.0), None]);
    assert_eq!(results[3].as_ref().unwrap_err().kind(), ErrorKind::InvalidInput);

    let unequal =
        Preprocessing::new().run_batched(&images[..2], &Device::Cpu, |batch| Ok(vec![batch.dim(2)?]));
    assert_eq!(
        unequal
            .unwrap()
            .into_iter()
            .map(Result::unwrap)
            .collect::<Vec<_>>(),
        [2, 3]
    );
    let short = preprocessing.run_batched(&images[..2], &Device::Cpu, |_| Ok(vec![()]));
    assert!(
        short
            .unwrap_err()
            .message()
            .contains("1 results for a batch of 2")
    );
}

/// Any picture of this size.
fn noise([height, width]: [usize; 2]) -> Vec<u8> {
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..height * width * 3).map(|_| next()).collect()
}

/// Pillow's sums as they are defined, one number after the other: lines first, then columns.
fn plainly_resized(pixels: &[u8], from: [usize; 2], to: [usize; 2], filter: Filter) -> Vec<u8> {
    let sums = |from: usize, to: usize, place: usize, byte: &dyn Fn(usize) -> u8| {
        if from == to {
            return byte(place);
        }
        let scale = from as f64 / to as f64;
        let center = (place as f64 + 0.5) * scale;
        let support = filter.support() * scale.max(1.0);
        let first = (center - support + 0.5).max(0.0) as usize;
        let end = ((center + support + 0.5) as usize).min(from);
        let weight = |input: usize| filter.weight((input as f64 - center + 0.5) / scale.max(1.0));
        let all: f64 = (first..end).map(weight).sum();
        let fixed = |input: usize| (weight(input) / all * f64::from(1 << 22)).round() as i32;
        let sum: i32 = (first..end)
            .map(|input| fixed(input) * i32::from(byte(input)))
            .sum();
        ((sum + (1 << 21)) >> 22).clamp(0, 255) as u8
    };
    let mut narrowed = Vec::new();
    for row in 0..from[0] {
        for index in 0..to[1] * 3 {
            let byte = |column: usize| pixels[(row * from[1] + column) * 3 + index % 3];
            narrowed.push(sums(from[1], to[1], index / 3, &byte));
        }
    }
    let mut resized = Vec::new();
    for row in 0..to[0] {
        for index in 0..to[1] * 3 {
            resized.push(sums(from[0], to[0], row, &|line| {
                narrowed[line * to[1] * 3 + index]
            }));
        }
    }
    resized
}

proptest! {
    #[test]
    fn a_picture_of_any_size_is_resized_as_pillow_s_sums_are_defined(
        from in (1usize..70, 1usize..70),
        to in (1usize..50, 1usize..50),
        filter in prop::sample::select(vec![Filter::Bilinear, Filter::Bicubic, Filter::Lanczos, Filter::Hamming]),
    ) {
        let (from, to) = ([from.0, from.1], [to.0, to.1]);
        let pixels = noise(from);
        let image = Image::new(from[1], from[0], &pixels).unwrap();
        let found = bytes(Preprocessing::new().resize(to).filter(filter), &image);
        prop_assert_eq!(found, plainly_resized(&pixels, from, to, filter));
    }

    #[test]
    fn what_a_crop_leaves_of_a_resized_picture_is_the_same_as_cropped_later(
        from in (1usize..70, 1usize..70),
        to in (1usize..50, 1usize..50),
        window in (1usize..60, 1usize..60),
        rounds_down in any::<bool>(),
    ) {
        let (from, to, window) = ([from.0, from.1], [to.0, to.1], [window.0, window.1]);
        let pixels = noise(from);
        let image = Image::new(from[1], from[0], &pixels).unwrap();
        let crop = |preprocessing: Preprocessing| match rounds_down {
            true => preprocessing.center_crop_down(window),
            false => preprocessing.center_crop(window),
        };
        let whole = bytes(Preprocessing::new().resize(to), &image);
        let later = bytes(crop(Preprocessing::new()), &Image::new(to[1], to[0], &whole).unwrap());
        prop_assert_eq!(bytes(crop(Preprocessing::new().resize(to)), &image), later);
    }

    #[test]
    fn any_picture_takes_any_steps(
        width in 1usize..40,
        height in 1usize..40,
        target in (1usize..50, 1usize..50),
        shorter in 1usize..30,
        multiple in 1usize..9,
    ) {
        let pixels = vec![77; width * height * 3];
        let image = Image::new(width, height, &pixels).unwrap();
        let preprocessing = Preprocessing::new()
            .resize_at_least([target.0, target.1])
            .resize_at_most([target.1, target.0])
            .resize_shorter_side(shorter)
            .center_crop_to_multiple(multiple);
        let (size, values) = preprocessing.apply(&image).unwrap();
        prop_assert_eq!(size, preprocessing.output_size([height, width]));
        prop_assert_eq!(values.len(), 3 * size[0] * size[1]);
        prop_assert!(size[0] % multiple == 0 && size[1] % multiple == 0);
    }
}
