//! Shapes of layers that move a window over a map.

use super::{
    super::{Convolution, Padding, Pool, Problem, Shape, TransposedConvolution, Weight},
    check::{check_vector, check_weight, dimensions, map_dims, need},
};

/// No kernel, stride, padding or dilation is larger, so that sums of them cannot overflow.
const LARGEST_SETTING: usize = 1 << 16;

/// How an error calls the four sides.
const PADDING: &str = "padding [top, bottom, left, right]";

pub(super) fn convolution(parameters: &Convolution, input: Shape) -> Result<Shape, Problem> {
    let channels = map_dims(input)?.0;
    let groups = parameters.groups;
    let [outputs, group_channels, kernel_height, kernel_width] =
        four_dims(&parameters.weight, "[out, in / groups, height, width]")?;
    let divides = groups > 0 && channels % groups == 0 && outputs % groups == 0;
    need(
        divides,
        "groups",
        format!("a divisor of {channels} and {outputs} channels"),
        groups,
    )?;
    if group_channels != channels / groups {
        let expected = format!("[out, {}, height, width]", channels / groups);
        return Err(dimensions("weight", expected, &parameters.weight));
    }
    parameters
        .bias
        .iter()
        .try_for_each(|bias| check_vector("bias", bias, outputs))?;
    check_steps(parameters.stride, parameters.padding)?;
    let dilation = parameters.dilation;
    let in_range = dilation.iter().all(|step| (1..=LARGEST_SETTING).contains(step));
    need(in_range, "dilation", sizes(), format!("{dilation:?}"))?;
    let window = [
        (kernel_height - 1) * dilation[0] + 1,
        (kernel_width - 1) * dilation[1] + 1,
    ];
    let [padded_height, padded_width] = padded(input, parameters.padding_of(input))?;
    if window[0] > padded_height || window[1] > padded_width {
        return Err(Problem::WindowTooLarge { window, input });
    }
    let rows = (padded_height - window[0]) / parameters.stride[0] + 1;
    let columns = (padded_width - window[1]) / parameters.stride[1] + 1;
    Ok(Shape::map(outputs, rows, columns))
}

pub(super) fn transposed_convolution(
    parameters: &TransposedConvolution,
    input: Shape,
) -> Result<Shape, Problem> {
    let (channels, height, width) = map_dims(input)?;
    let [inputs, outputs, kernel_height, kernel_width] =
        four_dims(&parameters.weight, "[in, out, height, width]")?;
    if inputs != channels {
        return Err(dimensions(
            "weight",
            format!("[{channels}, out, height, width]"),
            &parameters.weight,
        ));
    }
    parameters
        .bias
        .iter()
        .try_for_each(|bias| check_vector("bias", bias, outputs))?;
    let (stride, cut) = (parameters.stride, parameters.padding);
    check_steps(stride, Padding::all(cut))?;
    let added = parameters.output_padding;
    let largest = stride[0].min(stride[1]);
    need(
        added < largest,
        "output_padding",
        format!("below the stride of {largest}"),
        added,
    )?;
    let size = |length: usize, stride: usize, kernel: usize| {
        let full = length.saturating_sub(1).saturating_mul(stride) + kernel + added;
        full.checked_sub(2 * cut).filter(|&size| size > 0)
    };
    match (
        size(height, stride[0], kernel_height),
        size(width, stride[1], kernel_width),
    ) {
        (Some(rows), Some(columns)) => Ok(Shape::map(outputs, rows, columns)),
        _ => Err(Problem::WindowTooLarge {
            window: [kernel_height, kernel_width],
            input,
        }),
    }
}

pub(super) fn pool(parameters: &Pool, input: Shape) -> Result<Shape, Problem> {
    let (channels, height, width) = map_dims(input)?;
    let Pool {
        kernel,
        stride,
        padding,
        ceil_mode,
    } = *parameters;
    let in_range = kernel.iter().all(|size| (1..=LARGEST_SETTING).contains(size));
    need(in_range, "kernel", sizes(), format!("{kernel:?}"))?;
    check_steps(stride, padding)?;
    // A window that saw nothing but padding would have no maximum.
    let Padding {
        top,
        bottom,
        left,
        right,
    } = padding;
    let reaches = top.max(bottom) < kernel[0] && left.max(right) < kernel[1];
    need(
        reaches,
        PADDING,
        format!("smaller than the kernel {kernel:?}"),
        format!("{:?}", [top, bottom, left, right]),
    )?;
    let [padded_height, padded_width] = padded(input, padding)?;
    if kernel[0] > padded_height || kernel[1] > padded_width {
        return Err(Problem::WindowTooLarge {
            window: kernel,
            input,
        });
    }
    let size = |length: usize, before: usize, padded: usize, kernel: usize, stride: usize| {
        let room = padded - kernel;
        if !ceil_mode {
            return room / stride + 1;
        }
        let windows = room.div_ceil(stride) + 1;
        // The last window has to start inside of the input or of the padding before it.
        if (windows - 1) * stride >= length + before {
            windows - 1
        } else {
            windows
        }
    };
    let rows = size(height, top, padded_height, kernel[0], stride[0]);
    let columns = size(width, left, padded_width, kernel[1], stride[1]);
    Ok(Shape::map(channels, rows, columns))
}

fn four_dims(weight: &Weight, expected: &str) -> Result<[usize; 4], Problem> {
    check_weight("weight", weight)?;
    let dims = <[usize; 4]>::try_from(weight.dims()).map_err(|_| dimensions("weight", expected, weight))?;
    if dims.iter().all(|&size| size <= LARGEST_SETTING) {
        Ok(dims)
    } else {
        Err(dimensions(
            "weight",
            format!("at most {LARGEST_SETTING} in each dimension"),
            weight,
        ))
    }
}

fn sizes() -> String {
    format!("1 to {LARGEST_SETTING} in both directions")
}

fn check_steps(stride: [usize; 2], padding: Padding) -> Result<(), Problem> {
    let in_range = stride.iter().all(|step| (1..=LARGEST_SETTING).contains(step));
    need(in_range, "stride", sizes(), format!("{stride:?}"))?;
    let Padding {
        top,
        bottom,
        left,
        right,
    } = padding;
    let sides = [top, bottom, left, right];
    let in_range = sides.iter().all(|&size| size <= LARGEST_SETTING);
    need(
        in_range,
        PADDING,
        format!("at most {LARGEST_SETTING} on each side"),
        format!("{sides:?}"),
    )
}

/// Height and width with padding. A convolution's input is kept in memory with its padding, so that has to have a
/// valid size as well.
fn padded(input: Shape, padding: Padding) -> Result<[usize; 2], Problem> {
    let (channels, height, width) = map_dims(input)?;
    let size = [
        height + padding.top + padding.bottom,
        width + padding.left + padding.right,
    ];
    let shape = Shape::map(channels, size[0], size[1]);
    if shape.is_valid() {
        Ok(size)
    } else {
        Err(Problem::Size(shape))
    }
}
