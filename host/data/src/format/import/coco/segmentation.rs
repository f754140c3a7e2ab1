//! The pixels of an annotation, from its outlines or run lengths.

use super::number::number;
use crate::{
    format::shape::{PixelBox, PlacedMask, Point, RunLengths, bounds, rasterize},
    media::DEFAULT_MAX_PIXELS,
};
use serde_json::Value;

/// What an annotation says of its pixels.
#[derive(Debug, PartialEq)]
pub(super) enum Segmentation {
    /// Nothing.
    None,
    /// The parts' corners, in pixels.
    Outlines(Vec<Vec<Point>>),
    /// Height and width of the picture, and the lengths of runs column by column.
    RunLengths { size: [usize; 2], counts: Counts },
    /// Something that is neither.
    Broken,
}

/// Run lengths.
#[derive(Debug, PartialEq)]
pub(super) enum Counts {
    Text(String),
    Numbers(Vec<u64>),
}

impl Segmentation {
    pub fn read(value: &Value) -> Self {
        match value {
            Value::Null => Self::None,
            Value::Array(list) => read_outlines(list),
            Value::Object(object) if object.is_empty() => Self::None,
            Value::Object(object) => {
                let size = object.get("size").and_then(Value::as_array);
                let size: Option<Vec<usize>> = size.and_then(|sides| sides.iter().map(length).collect());
                let counts = match object.get("counts") {
                    Some(Value::String(text)) => Some(Counts::Text(text.clone())),
                    Some(Value::Array(counts)) => {
                        let counts: Option<Vec<u64>> =
                            counts.iter().map(|count| Some(length(count)? as u64)).collect();
                        counts.map(Counts::Numbers)
                    }
                    _ => None,
                };
                match (size.as_deref(), counts) {
                    (Some(&[height, width]), Some(counts)) => Self::RunLengths {
                        size: [height, width],
                        counts,
                    },
                    _ => Self::Broken,
                }
            }
            _ => Self::Broken,
        }
    }

    /// The smallest box around the corners of outlines, in pixels.
    pub fn corners(&self) -> Option<PixelBox> {
        match self {
            Self::Outlines(outlines) => bounds(outlines.iter().flatten()),
            _ => None,
        }
    }

    /// The object's pixels in a picture of this size; `None` for none.
    pub fn pixels(&self, (width, height): (u32, u32)) -> Result<Option<PlacedMask>, String> {
        if matches!(self, Self::None) {
            return Ok(None);
        }
        if u64::from(width) * u64::from(height) > DEFAULT_MAX_PIXELS {
            return Err(format!(
                "a picture of {width}x{height} pixels is too large for masks"
            ));
        }
        let (width, height) = (width as usize, height as usize);
        let lengths = match self {
            Self::Outlines(outlines) => {
                return rasterize(outlines, width, height).map_err(|error| error.to_string());
            }
            // Before anything is decoded: the size may be anything.
            Self::RunLengths { size, .. } if *size != [height, width] => {
                let [mask_height, mask_width] = size;
                return Err(format!(
                    "it has {mask_width}x{mask_height} pixels, and the picture {width}x{height}"
                ));
            }
            Self::RunLengths {
                counts: Counts::Numbers(counts),
                ..
            } => RunLengths {
                width,
                height,
                counts: counts.clone(),
            },
            Self::RunLengths {
                counts: Counts::Text(text),
                ..
            } => RunLengths::from_text(width, height, text).map_err(|error| error.to_string())?,
            Self::None | Self::Broken => return Err("it is neither outlines nor run lengths".to_owned()),
        };
        lengths.decode().map_err(|error| error.to_string())
    }
}

/// A whole number that is not negative.
fn length(value: &Value) -> Option<usize> {
    let number = number(value)?;
    (number.fract() == 0.0 && (0.0..9e15).contains(&number)).then_some(number as usize)
}

/// Lists of numbers, one of them, or lists of points; parts of fewer than three points hold nothing.
fn read_outlines(list: &[Value]) -> Segmentation {
    let flat = |list: &[Value]| -> Option<Vec<Point>> {
        let numbers: Option<Vec<f64>> = list.iter().map(number).collect();
        let numbers = numbers.filter(|numbers| numbers.len().is_multiple_of(2))?;
        Some(
            numbers
                .chunks_exact(2)
                .map(|point| [point[0], point[1]])
                .collect(),
        )
    };
    let points = |list: &[Value]| -> Option<Vec<Point>> {
        list.iter()
            .map(|point| {
                flat(point.as_array()?)?
                    .try_into()
                    .ok()
                    .map(|[point]: [Point; 1]| point)
            })
            .collect()
    };
    let outline = |value: &Value| {
        let list = value.as_array()?;
        flat(list).or_else(|| points(list))
    };
    let is_flat = list.first().is_some_and(|first| number(first).is_some());
    let outlines: Option<Vec<Vec<Point>>> = if is_flat {
        flat(list).map(|outline| vec![outline])
    } else {
        list.iter().map(outline).collect()
    };
    match outlines {
        None => Segmentation::Broken,
        Some(mut outlines) => {
            outlines.retain(|outline| outline.len() >= 3);
            match outlines.is_empty() {
                true => Segmentation::None,
                false => Segmentation::Outlines(outlines),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn outlines_are_read_in_every_spelling() {
        let square = Segmentation::Outlines(vec![vec![[1.0, 2.0], [3.0, 2.0], [3.0, 4.0], [1.0, 4.0]]]);
        for value in [
            json!([[1, 2, 3, 2, 3, 4, 1, 4]]),
            json!([1, 2, 3, 2, 3, 4, 1, 4]),
            json!([["1", 2, 3, 2, 3, 4, 1, 4.0], []]),
            json!([[[1, 2], [3, 2], [3, 4], [1, 4]]]),
        ] {
            assert_eq!(Segmentation::read(&value), square, "{value}");
        }
        for value in [
            json!(null),
            json!([]),
            json!([[]]),
            json!({}),
            json!([[1, 2, 3, 4]]),
        ] {
            assert_eq!(Segmentation::read(&value), Segmentation::None, "{value}");
        }
        for value in [
            json!("x"),
            json!([[1, 2, 3]]),
            json!([{}]),
            json!({"size": [1]}),
            json!({"size": [1, -1], "counts": ""}),
        ] {
            assert_eq!(Segmentation::read(&value), Segmentation::Broken, "{value}");
        }
    }

    #[test]
    fn sizes_are_compared_before_anything_is_decoded() {
        let bomb = Segmentation::read(&json!({"size": [60000, 60000], "counts": [3_600_000_000u32]}));
        assert_eq!(
            bomb.pixels((100, 80)),
            Err("it has 60000x60000 pixels, and the picture 100x80".to_owned())
        );
        assert!(bomb.pixels((60_000, 60_000)).is_err());
        let short = Segmentation::read(&json!({"size": [2, 2], "counts": [1.0, 1.0]}));
        assert_eq!(
            short.pixels((2, 2)).unwrap().unwrap().bounds(),
            [0.0, 1.0, 1.0, 1.0]
        );
    }
}
