//! Labels to JSON.

use super::{array::ArrayJson, number::Number};
use modelzoo_plugin_api::{
    Array,
    label::{
        Attributes, Classification, Classifications, Detection, Detections, GeoLocation, Heatmap, Keypoint,
        Keypoints, Label, Polyline, Polylines, Regression, Segmentation, TemporalDetection,
        TemporalDetections,
    },
};
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::Value;

/// A label that serialises as FiftyOne's JSON, with any serde format but made for `serde_json`.
#[derive(Clone, Copy, Debug)]
pub struct LabelJson<'a>(pub &'a Label);

/// A label as a JSON value. A label of a type that this version does not know is null.
pub fn to_json(label: &Label) -> Value {
    // Keys are text and numbers finite, so there is nothing that a JSON value cannot hold.
    serde_json::to_value(LabelJson(label)).unwrap_or_default()
}

impl Serialize for LabelJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Label::Regression(label) => Json(label).serialize(serializer),
            Label::Classification(label) => Json(label).serialize(serializer),
            Label::Classifications(label) => Json(label).serialize(serializer),
            Label::Detection(label) => Json(label).serialize(serializer),
            Label::Detections(label) => Json(label).serialize(serializer),
            Label::Polyline(label) => Json(label).serialize(serializer),
            Label::Polylines(label) => Json(label).serialize(serializer),
            Label::Keypoint(label) => Json(label).serialize(serializer),
            Label::Keypoints(label) => Json(label).serialize(serializer),
            Label::Segmentation(label) => Json(label).serialize(serializer),
            Label::Heatmap(label) => Json(label).serialize(serializer),
            Label::TemporalDetection(label) => Json(label).serialize(serializer),
            Label::TemporalDetections(label) => Json(label).serialize(serializer),
            Label::GeoLocation(label) => Json(label).serialize(serializer),
            Label::Vector(label) => ArrayJson(&label.values).serialize(serializer),
            Label::Value(label) => label.value.serialize(serializer),
            _ => serializer.serialize_unit(),
        }
    }
}

/// The JSON form of one label type.
struct Json<'a, T>(&'a T);

/// The fields of a label's object.
struct Fields<M>(M);

impl<M: SerializeMap> Fields<M> {
    /// Begins with `_cls` and `tags`, which every label but the lists of labels has.
    fn begin<S>(serializer: S, class: &str, tags: &[String]) -> Result<Self, M::Error>
    where
        S: Serializer<SerializeMap = M, Error = M::Error>,
    {
        let mut fields = Self::begin_list(serializer, class)?;
        fields.put("tags", tags)?;
        Ok(fields)
    }

    fn begin_list<S>(serializer: S, class: &str) -> Result<Self, M::Error>
    where
        S: Serializer<SerializeMap = M, Error = M::Error>,
    {
        let mut fields = Self(serializer.serialize_map(None)?);
        fields.put("_cls", class)?;
        Ok(fields)
    }

    fn put<V: Serialize + ?Sized>(&mut self, name: &str, value: &V) -> Result<(), M::Error> {
        self.0.serialize_entry(name, value)
    }

    fn put_some<V: Serialize>(&mut self, name: &str, value: Option<V>) -> Result<(), M::Error> {
        value.map_or(Ok(()), |value| self.put(name, &value))
    }

    fn put_number(&mut self, name: &str, value: Option<f64>) -> Result<(), M::Error> {
        self.put_some(name, value.map(Number))
    }

    fn put_array(&mut self, name: &str, value: Option<&Array>) -> Result<(), M::Error> {
        self.put_some(name, value.map(ArrayJson))
    }

    fn put_list<T>(&mut self, name: &str, items: &[T]) -> Result<(), M::Error>
    where
        for<'a> Json<'a, T>: Serialize,
    {
        self.put(name, &items.iter().map(Json).collect::<Vec<_>>())
    }

    /// Writes attributes beside the label's own fields. Those whose names would be taken for the label's own go into
    /// its dictionary `attributes`, which FiftyOne's older files use; `always` writes that even when it is empty.
    fn put_attributes(&mut self, attributes: &Attributes, always: bool) -> Result<(), M::Error> {
        #[derive(Serialize)]
        struct Attribute<'a> {
            #[serde(rename = "_cls")]
            class: &'static str,
            value: &'a Value,
        }
        let (inner, outer): (Vec<_>, Vec<_>) = attributes.iter().partition(|(name, _)| is_reserved(name));
        if always || !inner.is_empty() {
            let entries = inner.into_iter().map(|(name, value)| {
                (
                    name,
                    Attribute {
                        class: "Attribute",
                        value,
                    },
                )
            });
            self.put(
                "attributes",
                &entries.collect::<std::collections::BTreeMap<_, _>>(),
            )?;
        }
        outer
            .into_iter()
            .try_for_each(|(name, value)| self.put(name, value))
    }

    fn end(self) -> Result<M::Ok, M::Error> {
        self.0.end()
    }
}

/// Names of the fields of any label type. One list serves all types, so that an attribute is found in the same place
/// whatever it belongs to.
const FIELD_NAMES: [&str; 21] = [
    "attributes",
    "bounding_box",
    "closed",
    "confidence",
    "filled",
    "id",
    "index",
    "label",
    "line",
    "logits",
    "map",
    "map_path",
    "mask",
    "mask_path",
    "point",
    "points",
    "polygon",
    "range",
    "support",
    "tags",
    "value",
];

/// Whether an attribute of this name cannot stand beside the label's own fields.
fn is_reserved(name: &str) -> bool {
    FIELD_NAMES.contains(&name) || name.is_empty() || name.starts_with(['_', '$']) || name.contains('.')
}

/// A row of numbers.
struct Numbers<'a>(&'a [f64]);

impl Serialize for Numbers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|&number| Number(number)))
    }
}

/// Points as `[[x, y], ...]`.
struct Points<'a>(&'a [[f64; 2]]);

impl Serialize for Points<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|point| Numbers(point)))
    }
}

/// Several rows of points.
struct Shapes<'a>(&'a [Vec<[f64; 2]>]);

impl Serialize for Shapes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|shape| Points(shape)))
    }
}

/// A GeoJSON geometry (RFC 7946).
#[derive(Serialize)]
struct Geometry<T> {
    #[serde(rename = "type")]
    kind: &'static str,
    coordinates: T,
}

impl<T> Geometry<T> {
    fn new(kind: &'static str) -> impl Fn(T) -> Self {
        move |coordinates| Self { kind, coordinates }
    }
}

/// Implements the JSON form of a label type: `$label` is the label, `$fields` the object so far.
macro_rules! json {
    ($type:ident, |$label:ident, $fields:ident| $body:block) => {
        impl Serialize for Json<'_, $type> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let $label = self.0;
                let mut $fields = Fields::begin(serializer, stringify!($type), &$label.tags)?;
                $body
                $fields.end()
            }
        }
    };
    ($type:ident of $items:ident $(, $array:ident)?) => {
        impl Serialize for Json<'_, $type> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut fields = Fields::begin_list(serializer, stringify!($type))?;
                fields.put_list(stringify!($items), &self.0.$items)?;
                $(fields.put_array(stringify!($array), self.0.$array.as_ref())?;)?
                fields.end()
            }
        }
    };
}

json!(Regression, |label, fields| {
    fields.put_number("value", label.value)?;
    fields.put_number("confidence", label.confidence)?;
    fields.put_attributes(&label.attributes, false)?;
});

json!(Classification, |label, fields| {
    fields.put_some("label", label.label.as_ref())?;
    fields.put_number("confidence", label.confidence)?;
    fields.put_array("logits", label.logits.as_ref())?;
    fields.put_attributes(&label.attributes, false)?;
});

json!(Classifications of classifications, logits);

json!(Detection, |label, fields| {
    fields.put_some("label", label.label.as_ref())?;
    // FiftyOne's blank detection has an empty box.
    let is_blank = label.label.is_none() && label.confidence.is_none() && label.bounding_box == [0.0; 4];
    fields.put(
        "bounding_box",
        &Numbers(if is_blank { &[] } else { &label.bounding_box }),
    )?;
    fields.put_array("mask", label.mask.as_ref())?;
    fields.put_some("mask_path", label.mask_path.as_ref())?;
    fields.put_number("confidence", label.confidence)?;
    fields.put_some("index", label.index)?;
    fields.put_attributes(&label.attributes, true)?;
});

json!(Detections of detections);

json!(Polyline, |label, fields| {
    fields.put_some("label", label.label.as_ref())?;
    fields.put("points", &Shapes(&label.points))?;
    fields.put_number("confidence", label.confidence)?;
    fields.put_some("index", label.index)?;
    fields.put("closed", &label.closed)?;
    fields.put("filled", &label.filled)?;
    fields.put_attributes(&label.attributes, true)?;
});

json!(Polylines of polylines);

json!(Keypoint, |label, fields| {
    fields.put_some("label", label.label.as_ref())?;
    fields.put("points", &Points(&label.points))?;
    fields.put_some("confidence", label.confidence.as_deref().map(Numbers))?;
    fields.put_some("index", label.index)?;
    fields.put_attributes(&label.attributes, true)?;
});

json!(Keypoints of keypoints);

json!(Segmentation, |label, fields| {
    fields.put_array("mask", label.mask.as_ref())?;
    fields.put_some("mask_path", label.mask_path.as_ref())?;
});

json!(Heatmap, |label, fields| {
    fields.put_array("map", label.map.as_ref())?;
    fields.put_some("map_path", label.map_path.as_ref())?;
    fields.put_some("range", label.range.as_ref().map(|range| Numbers(range)))?;
});

json!(TemporalDetection, |label, fields| {
    fields.put_some("label", label.label.as_ref())?;
    fields.put("support", &label.support)?;
    fields.put_number("confidence", label.confidence)?;
    fields.put_attributes(&label.attributes, false)?;
});

json!(TemporalDetections of detections);

json!(GeoLocation, |label, fields| {
    fields.put_some(
        "point",
        label
            .point
            .as_ref()
            .map(|point| Numbers(point))
            .map(Geometry::new("Point")),
    )?;
    fields.put_some(
        "line",
        label.line.as_deref().map(Points).map(Geometry::new("LineString")),
    )?;
    fields.put_some(
        "polygon",
        label.polygon.as_deref().map(Shapes).map(Geometry::new("Polygon")),
    )?;
});
