//! Attention of all kinds.

use super::{
    super::{Attention, DeformableAttention, Problem, Rotation, Shape, WindowAttention},
    check::{check_weight, dimensions, need, setting, tokens_dims},
};

pub(super) fn attention(parameters: &Attention, operands: &[Shape]) -> Result<Shape, Problem> {
    let [queries, keys, values] = *operands else {
        return Err(setting("operands", "queries, keys and values", operands.len()));
    };
    let (count, features) = tokens_dims(queries)?;
    let (key_count, key_features) = tokens_dims(keys)?;
    let (value_count, value_features) = tokens_dims(values)?;
    if key_features != features {
        return Err(Problem::ShapesDiffer {
            left: queries,
            right: keys,
        });
    }
    if value_count != key_count {
        return Err(Problem::ShapesDiffer {
            left: keys,
            right: values,
        });
    }
    if parameters.causal && key_count != count {
        return Err(Problem::ShapesDiffer {
            left: queries,
            right: keys,
        });
    }
    let heads = parameters.heads;
    let divides = heads > 0 && features % heads == 0 && value_features % heads == 0;
    need(
        divides,
        "heads",
        format!("a divisor of {features} and {value_features}"),
        heads,
    )?;
    if let Some(scale) = parameters.scale {
        need(scale >= 0.0 && scale.is_finite(), "scale", "0 or more", scale)?;
    }
    Ok(Shape::tokens(count, value_features))
}

/// Whether features can be split into so many heads, or parts by another name.
pub(super) fn divides(name: &'static str, parts: usize, features: usize) -> Result<(), Problem> {
    let divides = parts > 0 && features.is_multiple_of(parts);
    need(divides, name, format!("a divisor of {features}"), parts)
}

pub(super) fn rotate(parameters: &Rotation, operand: Shape) -> Result<Shape, Problem> {
    let (count, features) = tokens_dims(operand)?;
    let heads = parameters.heads;
    divides("heads", heads, features)?;
    let of_head = features / heads;
    need(
        of_head.is_multiple_of(2),
        "features of a head",
        "an even number",
        of_head,
    )?;
    for (name, weight) in [("cosines", &parameters.cosines), ("sines", &parameters.sines)] {
        check_weight(name, weight)?;
        if weight.dims() != [count, of_head] {
            return Err(dimensions(name, format!("[{count}, {of_head}]"), weight));
        }
        if let Some(value) = weight.data().iter().find(|value| !value.is_finite()) {
            return Err(setting(name, "finite numbers", value));
        }
    }
    Ok(operand)
}

pub(super) fn window_attention(parameters: &WindowAttention, operands: &[Shape]) -> Result<Shape, Problem> {
    let (heads, windows) = (parameters.heads, parameters.windows);
    let whole = Attention {
        heads,
        scale: parameters.scale,
        causal: false,
    };
    let shape = attention(&whole, operands)?;
    let [queries, keys] = [operands[0], operands[1]].map(Shape::positions);
    let divides = windows > 0 && queries % windows == 0 && keys % windows == 0;
    need(
        divides,
        "windows",
        format!("a divisor of {queries} and {keys}"),
        windows,
    )?;
    let bias = &parameters.bias;
    check_weight("bias", bias)?;
    let [queries, keys] = [queries / windows, keys / windows];
    match *bias.dims() {
        [count, bias_heads, rows, columns]
            if (count == 1 || count == windows) && [bias_heads, rows, columns] == [heads, queries, keys] => {}
        _ => {
            let expected = format!("[1 or {windows}, {heads}, {queries}, {keys}]");
            return Err(dimensions("bias", expected, bias));
        }
    }
    match bias.data().iter().find(|value| !value.is_finite()) {
        None => Ok(shape),
        Some(value) => Err(setting("bias", "finite numbers", value)),
    }
}

pub(super) fn deformable_attention(
    parameters: &DeformableAttention,
    operands: &[Shape],
) -> Result<Shape, Problem> {
    let [values, offsets, scores, boxes] = *operands else {
        return Err(setting(
            "operands",
            "values, offsets, scores and boxes",
            operands.len(),
        ));
    };
    let (pixels, features) = tokens_dims(values)?;
    let (queries, _) = tokens_dims(boxes)?;
    let (heads, scale) = (parameters.heads, parameters.scale);
    divides("heads", heads, features)?;
    need(scale.is_finite(), "scale", "a finite number", scale)?;
    let of_levels = parameters.levels.iter().try_fold(0usize, |sum, level| {
        sum.checked_add(level.size[0].checked_mul(level.size[1])?)
    });
    need(
        of_levels == Some(pixels),
        "levels",
        format!("maps of {pixels} pixels"),
        of_levels.map_or_else(|| "more".to_owned(), |count| count.to_string()),
    )?;
    let points = parameters
        .levels
        .iter()
        .try_fold(0usize, |sum, level| sum.checked_add(level.points));
    let places = points
        .and_then(|points| points.checked_mul(heads))
        .filter(|&places| places > 0 && places <= Shape::MAX_ELEMENTS);
    let places = places.ok_or_else(|| setting("points", "at least 1", points.unwrap_or(usize::MAX)))?;
    for (found, features) in [(offsets, 2 * places), (scores, places), (boxes, 4)] {
        let expected = Shape::tokens(queries, features);
        if found != expected {
            return Err(Problem::ShapesDiffer {
                left: expected,
                right: found,
            });
        }
    }
    Ok(Shape::tokens(queries, features))
}
