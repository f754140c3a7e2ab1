//! Labels from JSON.

use super::{
    array::{is_array, read_array},
    error::LabelError,
    number::{read_integer, read_number},
};
use modelzoo_plugin_api::{
    Array,
    label::{
        Attributes, Classification, Classifications, Detection, Detections, GeoLocation, Heatmap, Keypoint,
        Keypoints, Label, PlainValue, Polyline, Polylines, Regression, Segmentation, TemporalDetection,
        TemporalDetections, Vector,
    },
};
use serde_json::{Map, Value};

/// Reads a label from FiftyOne's JSON. An object whose `_cls` is a label type is that; an encoded array is a
/// [`Vector`]; everything else, objects of other types included, is a plain value and so kept as it is.
///
/// # Errors
/// When a field of a label has another type than it should.
pub fn from_json(value: Value) -> Result<Label, LabelError> {
    if is_array(&value) {
        return Ok(Vector::new(read_array(&value)?).into());
    }
    let Some(class) = value.get("_cls").and_then(Value::as_str) else {
        return Ok(PlainValue::new(value).into());
    };
    match class {
        "Regression" => read::<Regression>(value),
        "Classification" => read::<Classification>(value),
        "Classifications" => read::<Classifications>(value),
        "Detection" => read::<Detection>(value),
        "Detections" => read::<Detections>(value),
        "Polyline" => read::<Polyline>(value),
        "Polylines" => read::<Polylines>(value),
        "Keypoint" => read::<Keypoint>(value),
        "Keypoints" => read::<Keypoints>(value),
        "Segmentation" => read::<Segmentation>(value),
        "Heatmap" => read::<Heatmap>(value),
        "TemporalDetection" => read::<TemporalDetection>(value),
        "TemporalDetections" => read::<TemporalDetections>(value),
        "GeoLocation" => read::<GeoLocation>(value),
        _ => Ok(PlainValue::new(value).into()),
    }
}

fn read<T: FromFields + Into<Label>>(value: Value) -> Result<Label, LabelError> {
    T::from_value(value).map(Into::into)
}

/// A label type that is read from an object's fields.
trait FromFields: Sized {
    fn from_fields(fields: &mut Fields) -> Result<Self, LabelError>;

    fn from_value(value: Value) -> Result<Self, LabelError> {
        match value {
            Value::Object(map) => Self::from_fields(&mut Fields(map)),
            other => Err(LabelError::expected("an object", &other)),
        }
    }
}

/// The fields of an object that have not been read yet.
struct Fields(Map<String, Value>);

impl Fields {
    /// Takes a field and reads it; `None` when it is missing or null.
    fn take<T>(
        &mut self,
        name: &str,
        read: impl Fn(&Value) -> Result<T, LabelError>,
    ) -> Result<Option<T>, LabelError> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => read(&value).map(Some).map_err(|error| error.within(name)),
        }
    }

    fn text(&mut self, name: &str) -> Result<Option<String>, LabelError> {
        self.take(name, read_text)
    }

    fn number(&mut self, name: &str) -> Result<Option<f64>, LabelError> {
        self.take(name, read_number)
    }

    fn integer(&mut self, name: &str) -> Result<Option<i64>, LabelError> {
        self.take(name, read_integer)
    }

    fn flag(&mut self, name: &str) -> Result<bool, LabelError> {
        let read = |value: &Value| {
            value
                .as_bool()
                .ok_or_else(|| LabelError::expected("true or false", value))
        };
        Ok(self.take(name, read)?.unwrap_or_default())
    }

    fn array(&mut self, name: &str) -> Result<Option<Array>, LabelError> {
        self.take(name, read_array)
    }

    fn tags(&mut self) -> Result<Vec<String>, LabelError> {
        Ok(self
            .take("tags", |value| read_list(value, read_text))?
            .unwrap_or_default())
    }

    /// The labels of a list of labels.
    fn labels<T: FromFields>(&mut self, name: &str) -> Result<Vec<T>, LabelError> {
        let items = match self.0.remove(name) {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(Value::Array(items)) => items,
            Some(other) => return Err(LabelError::expected("a list", &other).within(name)),
        };
        items
            .into_iter()
            .enumerate()
            .map(|(index, item)| {
                T::from_value(item).map_err(|error| error.within(&format!("{name}[{index}]")))
            })
            .collect()
    }

    /// What is left, as attributes: FiftyOne's dynamic attributes, and the entries of its older dictionary.
    fn attributes(&mut self) -> Result<Attributes, LabelError> {
        let mut attributes = Attributes::new();
        match self.0.remove("attributes") {
            None | Some(Value::Null) => {}
            Some(Value::Object(entries)) => {
                attributes.extend(
                    entries
                        .into_iter()
                        .map(|(name, value)| (name, attribute_value(value))),
                );
            }
            Some(other) => return Err(LabelError::expected("an object", &other).within("attributes")),
        }
        let rest = std::mem::take(&mut self.0).into_iter();
        attributes.extend(rest.filter(|(name, _)| name != "_cls" && name != "_id"));
        Ok(attributes)
    }
}

/// The value within FiftyOne's attribute document; one that holds more than a value is kept whole.
fn attribute_value(value: Value) -> Value {
    match value {
        Value::Object(mut document)
            if document.len() == 2 && document.contains_key("_cls") && document.contains_key("value") =>
        {
            document.remove("value").unwrap_or_default()
        }
        other => other,
    }
}

fn read_text(value: &Value) -> Result<String, LabelError> {
    value
        .as_str()
        .map(str::to_owned)
        .ok_or_else(|| LabelError::expected("text", value))
}

fn read_list<T>(value: &Value, read: impl Fn(&Value) -> Result<T, LabelError>) -> Result<Vec<T>, LabelError> {
    let items = value
        .as_array()
        .ok_or_else(|| LabelError::expected("a list", value))?;
    let read_item =
        |(index, item)| read(item).map_err(|error: LabelError| error.within(&format!("[{index}]")));
    items.iter().enumerate().map(read_item).collect()
}

/// A list of exactly `N` numbers.
fn read_numbers<const N: usize>(value: &Value) -> Result<[f64; N], LabelError> {
    let numbers = read_list(value, read_number)?;
    numbers
        .try_into()
        .map_err(|_| LabelError::expected(&format!("{N} numbers"), value))
}

/// A box; that of a blank detection is empty.
fn read_box(value: &Value) -> Result<[f64; 4], LabelError> {
    if value.as_array().is_some_and(Vec::is_empty) {
        Ok([0.0; 4])
    } else {
        read_numbers(value)
    }
}

fn read_points(value: &Value) -> Result<Vec<[f64; 2]>, LabelError> {
    read_list(value, read_numbers)
}

fn read_shapes(value: &Value) -> Result<Vec<Vec<[f64; 2]>>, LabelError> {
    read_list(value, read_points)
}

/// First and last frame.
fn read_support(value: &Value) -> Result<[u64; 2], LabelError> {
    let frame = |value: &Value| {
        let number = read_integer(value)?;
        u64::try_from(number).map_err(|_| LabelError::expected("a frame number", value))
    };
    let frames = read_list(value, frame)?;
    frames
        .try_into()
        .map_err(|_| LabelError::expected("2 frame numbers", value))
}

/// The coordinates of a GeoJSON geometry, or coordinates by themselves.
fn read_geometry<T>(
    read: impl Fn(&Value) -> Result<T, LabelError>,
) -> impl Fn(&Value) -> Result<T, LabelError> {
    move |value| read(value.get("coordinates").unwrap_or(value))
}

/// Implements [`FromFields`]. Label types can only be made by their `default`, since new fields may appear.
macro_rules! from_fields {
    ($type:ident, |$fields:ident| { $($field:ident: $value:expr),* $(,)? }) => {
        impl FromFields for $type {
            fn from_fields($fields: &mut Fields) -> Result<Self, LabelError> {
                let mut label = Self::default();
                $(label.$field = $value;)*
                Ok(label)
            }
        }
    };
}

from_fields!(Regression, |fields| {
    value: fields.number("value")?,
    confidence: fields.number("confidence")?,
    tags: fields.tags()?,
    attributes: fields.attributes()?,
});

from_fields!(Classification, |fields| {
    label: fields.text("label")?,
    confidence: fields.number("confidence")?,
    logits: fields.array("logits")?,
    tags: fields.tags()?,
    attributes: fields.attributes()?,
});

from_fields!(Classifications, |fields| {
    classifications: fields.labels("classifications")?,
    logits: fields.array("logits")?,
});

from_fields!(Detection, |fields| {
    label: fields.text("label")?,
    bounding_box: fields.take("bounding_box", read_box)?.unwrap_or_default(),
    mask: fields.array("mask")?,
    mask_path: fields.text("mask_path")?,
    confidence: fields.number("confidence")?,
    index: fields.integer("index")?,
    tags: fields.tags()?,
    attributes: fields.attributes()?,
});

from_fields!(Detections, |fields| {
    detections: fields.labels("detections")?,
});

from_fields!(Polyline, |fields| {
    label: fields.text("label")?,
    points: fields.take("points", read_shapes)?.unwrap_or_default(),
    confidence: fields.number("confidence")?,
    index: fields.integer("index")?,
    closed: fields.flag("closed")?,
    filled: fields.flag("filled")?,
    tags: fields.tags()?,
    attributes: fields.attributes()?,
});

from_fields!(Polylines, |fields| {
    polylines: fields.labels("polylines")?,
});

from_fields!(Keypoint, |fields| {
    label: fields.text("label")?,
    points: fields.take("points", read_points)?.unwrap_or_default(),
    confidence: fields.take("confidence", |value| read_list(value, read_number))?,
    index: fields.integer("index")?,
    tags: fields.tags()?,
    attributes: fields.attributes()?,
});

from_fields!(Keypoints, |fields| {
    keypoints: fields.labels("keypoints")?,
});

from_fields!(Segmentation, |fields| {
    mask: fields.array("mask")?,
    mask_path: fields.text("mask_path")?,
    tags: fields.tags()?,
});

from_fields!(Heatmap, |fields| {
    map: fields.array("map")?,
    map_path: fields.text("map_path")?,
    range: fields.take("range", read_numbers)?,
    tags: fields.tags()?,
});

from_fields!(TemporalDetection, |fields| {
    label: fields.text("label")?,
    support: fields.take("support", read_support)?.unwrap_or_default(),
    confidence: fields.number("confidence")?,
    tags: fields.tags()?,
    attributes: fields.attributes()?,
});

from_fields!(TemporalDetections, |fields| {
    detections: fields.labels("detections")?,
});

from_fields!(GeoLocation, |fields| {
    point: fields.take("point", read_geometry(read_numbers))?,
    line: fields.take("line", read_geometry(read_points))?,
    polygon: fields.take("polygon", read_geometry(read_shapes))?,
    tags: fields.tags()?,
});
