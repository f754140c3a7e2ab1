//! The parts of a COCO dataset, from JSON of whatever spelling.

use super::{
    number::{number, whole},
    segmentation::Segmentation,
};
use serde_json::{Map, Value};
use std::fmt;

/// The id of an image or a category.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Id {
    /// As the format has it; texts of digits and whole floating numbers are the same.
    Number(i64),
    /// Anything else.
    Text(String),
}

impl fmt::Display for Id {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(formatter),
            Self::Text(text) => fmt::Debug::fmt(text, formatter),
        }
    }
}

impl Id {
    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Some(match text.trim().parse() {
                Ok(number) => Self::Number(number),
                Err(_) => Self::Text(text.clone()),
            }),
            _ => value
                .as_i64()
                .or_else(|| whole(value.as_f64()?))
                .map(Self::Number),
        }
    }
}

/// Whether something is said to be so: `1`, `true`, `"1"`.
fn is_so(value: &Value) -> bool {
    match value {
        Value::Bool(flag) => *flag,
        Value::String(text) => {
            text.eq_ignore_ascii_case("true") || number(value).is_some_and(|one| one != 0.0)
        }
        _ => number(value).is_some_and(|one| one != 0.0),
    }
}

/// A text, or a number that stands for one.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn texts(value: Option<&Value>) -> Vec<String> {
    let list = value.and_then(Value::as_array);
    list.into_iter().flatten().filter_map(text).collect()
}

fn object<'a>(value: &'a Value, what: &str) -> Result<&'a Map<String, Value>, String> {
    value
        .as_object()
        .ok_or_else(|| format!("{what} should be an object"))
}

/// An image.
#[derive(Debug)]
pub(super) struct Image {
    pub id: Id,
    pub file_name: String,
    /// Width and height in pixels, where both are told.
    pub size: Option<(u32, u32)>,
}

impl Image {
    pub fn read(value: &Value) -> Result<Self, String> {
        let object = object(value, "an image")?;
        let side = |name: &str| {
            let side = whole(number(object.get(name)?)?)?;
            u32::try_from(side).ok().filter(|&side| side > 0)
        };
        let id = object.get("id").and_then(Id::read);
        let file_name = ["file_name", "filename", "path"]
            .iter()
            .find_map(|name| object.get(*name)?.as_str());
        Ok(Self {
            id: id.ok_or("it has no `id`")?,
            file_name: file_name.ok_or("it has no `file_name`")?.to_owned(),
            size: side("width").zip(side("height")),
        })
    }
}

/// A category.
#[derive(Debug)]
pub(super) struct Category {
    pub id: Id,
    pub name: Option<String>,
    pub keypoints: Vec<String>,
    /// The lines between keypoints, counted from 1 or from 0.
    pub skeleton: Vec<[usize; 2]>,
}

impl Category {
    pub fn read(value: &Value) -> Result<Self, String> {
        let object = object(value, "a category")?;
        let end = |value: &Value| usize::try_from(whole(number(value)?)?).ok();
        let line = |line: &Value| match line.as_array()?.as_slice() {
            [from, to] => Some([end(from)?, end(to)?]),
            _ => None,
        };
        let skeleton = object.get("skeleton").and_then(Value::as_array);
        Ok(Self {
            id: object.get("id").and_then(Id::read).ok_or("it has no `id`")?,
            name: object.get("name").and_then(text),
            keypoints: texts(object.get("keypoints")),
            skeleton: skeleton.into_iter().flatten().filter_map(line).collect(),
        })
    }
}

/// The box of an annotation.
#[derive(Debug, PartialEq)]
pub(super) enum Bbox {
    /// There is none.
    Absent,
    /// It is there, and no box.
    Broken,
    /// Left, top, width and height in pixels.
    Pixels([f64; 4]),
}

/// An annotation.
#[derive(Debug)]
pub(super) struct Annotation {
    pub category: Option<Id>,
    pub bbox: Bbox,
    pub segmentation: Segmentation,
    /// `x, y, visibility` of each point.
    pub keypoints: Option<Vec<[f64; 3]>>,
    pub score: Option<f64>,
    /// How much it covers, in square pixels.
    pub area: Option<f64>,
    pub is_crowd: bool,
    /// Further facts.
    pub attributes: Map<String, Value>,
    pub is_caption: bool,
}

impl Annotation {
    /// Reads an annotation and the id of its image.
    pub fn read(value: Value) -> Result<(Id, Self), String> {
        let Value::Object(object) = value else {
            return Err("an annotation should be an object".to_owned());
        };
        let image = object.get("image_id").and_then(Id::read);
        let keypoints = match object.get("keypoints") {
            Some(Value::Array(numbers)) if !numbers.is_empty() => {
                Some(read_keypoints(numbers).ok_or("its keypoints are no list of x, y and visibility")?)
            }
            _ => None,
        };
        let annotation = Self {
            category: object.get("category_id").and_then(Id::read),
            bbox: object.get("bbox").map_or(Bbox::Absent, read_bbox),
            segmentation: Segmentation::read(object.get("segmentation").unwrap_or(&Value::Null)),
            keypoints,
            score: object.get("score").and_then(number),
            area: object.get("area").and_then(number),
            is_crowd: object.get("iscrowd").is_some_and(is_so),
            is_caption: object.contains_key("caption"),
            attributes: attributes(object),
        };
        Ok((image.ok_or("it has no `image_id`")?, annotation))
    }
}

/// Keys of an annotation that are no further facts.
const OWN_KEYS: [&str; 11] = [
    "id",
    "image_id",
    "category_id",
    "bbox",
    "segmentation",
    "keypoints",
    "num_keypoints",
    "area",
    "iscrowd",
    "score",
    "caption",
];

/// Further facts: those among the others, and those of `attributes`, where CVAT and others put them.
fn attributes(mut annotation: Map<String, Value>) -> Map<String, Value> {
    let further = annotation.remove("attributes");
    annotation.retain(|key, _| !OWN_KEYS.contains(&key.as_str()));
    if let Some(Value::Object(further)) = further {
        annotation.extend(further);
    }
    annotation
}

fn read_bbox(value: &Value) -> Bbox {
    let numbers: Option<Vec<f64>> = value
        .as_array()
        .and_then(|list| list.iter().map(number).collect());
    match numbers.as_deref() {
        Some(&[x, y, width, height]) if width >= 0.0 && height >= 0.0 => Bbox::Pixels([x, y, width, height]),
        _ => Bbox::Broken,
    }
}

fn read_keypoints(numbers: &[Value]) -> Option<Vec<[f64; 3]>> {
    // A point that is missing may be anything.
    let value = |value: &Value| number(value).unwrap_or(0.0);
    let point = |point: &[Value]| match point {
        [x, y, visibility] => Some([value(x), value(y), value(visibility)]),
        _ => None,
    };
    numbers.chunks(3).map(point).collect()
}
