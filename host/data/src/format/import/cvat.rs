//! CVAT's annotations of images: one XML file for all of them (`CVAT for images 1.1`).

use super::{
    FormatError, ImportReport, Place, Sink,
    objects::Objects,
    place::PictureFolders,
    xml::{add_attribute, children, finite, metadata, read_text},
};
use crate::{format::shape::Mask, media::DEFAULT_MAX_PIXELS, record::SampleRecord};
use modelzoo_plugin_api::label::{Attributes, Classification, Detection, Keypoint, Polyline};
use roxmltree::{Document, Node};
use std::path::{Path, PathBuf};

/// What the file is called in a folder, as CVAT and FiftyOne write it.
const FILE_NAMES: [&str; 2] = ["annotations.xml", "labels.xml"];

/// Reads the samples of a file, or of the file in a folder. Boxes and masks go to the field `field`, and other shapes to
/// those of the same name with `_polylines`, `_keypoints` or `_classes` behind it. Returns how many samples there are.
///
/// # Errors
/// When the file is none of CVAT's. Shapes that cannot be read are reported.
pub fn import_cvat(
    path: &Path,
    images: Option<&Path>,
    field: &str,
    report: &mut ImportReport,
    sink: Sink<'_>,
) -> Result<u64, FormatError> {
    let file = &file_at(path).unwrap_or_else(|| path.to_owned());
    let text = read_text(file)?;
    let place = Place::new(file, "");
    let document = Document::parse(&text).map_err(|error| place.error(error))?;
    let root = document.root_element();
    if root.tag_name().name() != "annotations" {
        return Err(place.error("this is no file of CVAT's annotations of images"));
    }
    let tracks = children(root, "track").count();
    if tracks > 0 {
        report.lose(place.error(format!(
            "{tracks} tracks of a video are left out: images alone are read"
        )))?;
    }
    let mut pictures = PictureFolders::new(file, images);
    let mut count = 0;
    for (index, image) in children(root, "image").enumerate() {
        let place = Place::new(file, format!(": image {}", index + 1));
        let side = |name| finite(image.attribute(name)?).filter(|side: &f64| *side >= 1.0);
        let (Some(name), Some((width, height))) =
            (image.attribute("name"), side("width").zip(side("height")))
        else {
            report.lose(place.error("it lacks a name or a size"))?;
            continue;
        };
        let mut objects = Objects::default();
        for shape in image.children().filter(Node::is_element) {
            if let Err(problem) = read_shape(shape, (width, height), &mut objects) {
                report.lose(place.error(problem))?;
            }
        }
        let record = SampleRecord {
            metadata: metadata(width, height),
            labels: objects.into_fields(field),
            ..SampleRecord::image(picture_of(image, name, &mut pictures)?)
        };
        sink(record, &place, report)?;
        count += 1;
    }
    Ok(count)
}

/// The file in a folder, if there is one.
pub(super) fn file_at(folder: &Path) -> Option<PathBuf> {
    let mut files = FILE_NAMES.map(|name| folder.join(name)).into_iter();
    files.find(|file| file.is_file() && read_text(file).is_ok_and(|text| text.contains("<annotations")))
}

/// A project's pictures are in folders of their subsets.
fn picture_of(image: Node<'_, '_>, name: &str, pictures: &mut PictureFolders) -> Result<String, FormatError> {
    if let Some(subset) = image.attribute("subset")
        && let Some(found) = pictures.look_for(&format!("{subset}/{name}"))?
    {
        return Ok(found);
    }
    pictures.find(name)
}

fn read_shape(shape: Node<'_, '_>, (width, height): (f64, f64), objects: &mut Objects) -> Result<(), String> {
    let kind = shape.tag_name().name();
    let label = shape
        .attribute("label")
        .ok_or_else(|| format!("a {kind} has no label"))?;
    let broken = || format!("a {kind} `{label}` is broken");
    let number = |name: &str| shape.attribute(name).and_then(finite).ok_or_else(broken);
    let points = || -> Result<Vec<[f64; 2]>, String> {
        let text = shape.attribute("points").ok_or_else(broken)?;
        let point = |text: &str| {
            let (x, y) = text.split_once(',')?;
            Some([finite(x)? / width, finite(y)? / height])
        };
        text.split(';')
            .map(|text| point(text).ok_or_else(broken))
            .collect()
    };
    match kind {
        "box" => {
            let (left, top) = (number("xtl")?, number("ytl")?);
            let (right, bottom) = (number("xbr")?, number("ybr")?);
            let bounding_box = [
                left / width,
                top / height,
                (right - left) / width,
                (bottom - top) / height,
            ];
            let mut detection = Detection::new(label, bounding_box);
            detection.attributes = attributes(shape);
            objects.detections.push(detection);
        }
        "mask" => {
            let (left, top) = (number("left")?, number("top")?);
            let mask = mask(shape, (width, height)).ok_or_else(broken)?;
            let (columns, rows) = (mask.width as f64, mask.height as f64);
            let bounding_box = [left / width, top / height, columns / width, rows / height];
            let mut detection = Detection::new(label, bounding_box);
            detection.mask = Some(mask.to_array());
            detection.attributes = attributes(shape);
            objects.detections.push(detection);
        }
        "polygon" => {
            let mut polygon = Polyline::new(label, vec![points()?]).into_polygon();
            polygon.attributes = attributes(shape);
            objects.polylines.push(polygon);
        }
        "polyline" => {
            let mut polyline = Polyline::new(label, vec![points()?]);
            polyline.attributes = attributes(shape);
            objects.polylines.push(polyline);
        }
        "points" => {
            let mut keypoint = Keypoint::new(points()?).with_label(label);
            keypoint.attributes = attributes(shape);
            objects.keypoints.push(keypoint);
        }
        "tag" => {
            let mut class = Classification::new(label);
            class.attributes = attributes(shape);
            objects.classes.push(class);
        }
        other => {
            return Err(format!(
                "a {other} `{label}` is left out: shapes of this kind are not read"
            ));
        }
    }
    Ok(())
}

/// What is said of a shape beside its class and its place.
fn attributes(shape: Node<'_, '_>) -> Attributes {
    let mut attributes = Attributes::default();
    for attribute in children(shape, "attribute") {
        if let (Some(name), Some(text)) = (attribute.attribute("name"), attribute.text()) {
            add_attribute(&mut attributes, name, text);
        }
    }
    if shape.attribute("occluded") == Some("1") {
        attributes.insert("occluded".to_owned(), true.into());
    }
    attributes
}

/// A mask in a part of the picture: the lengths of runs row by row, beginning with those outside of the object.
fn mask(shape: Node<'_, '_>, (picture_width, picture_height): (f64, f64)) -> Option<Mask> {
    let side = |name, most: f64| {
        let side = finite(shape.attribute(name)?)?;
        (side.fract() == 0.0 && side >= 1.0 && side <= most).then_some(side as usize)
    };
    let (width, height) = (side("width", picture_width)?, side("height", picture_height)?);
    if width as u64 * height as u64 > DEFAULT_MAX_PIXELS {
        return None;
    }
    let mut pixels = Vec::with_capacity(width * height);
    let mut belongs = false;
    for length in shape.attribute("rle")?.split(',') {
        let length: usize = length.trim().parse().ok()?;
        if length > width * height - pixels.len() {
            return None;
        }
        pixels.resize(pixels.len() + length, belongs);
        belongs = !belongs;
    }
    (pixels.len() == width * height).then_some(Mask {
        width,
        height,
        pixels,
    })
}

#[cfg(test)]
mod tests {
    use super::{super::testing::collect, *};
    use serde_json::json;

    #[test]
    fn shapes_of_cvat_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("annotations.xml");
        std::fs::write(
            &file,
            r#"<annotations><version>1.1</version><image id="0" name="a.jpg" width="100" height="50">
                <box label="dog" xtl="10" ytl="10" xbr="60" ybr="20"><attribute name="color">red</attribute></box>
                <polygon label="cat" occluded="1" points="0,0;50,0;50,25"/>
                <mask label="dog" left="10" top="5" width="3" height="2" rle="1, 4, 1"/><mask label="far" left="0" top="0" width="3" height="2" rle="7"/><points label="eye" points="1,2"/><tag label="day"/>
                <ellipse label="x" cx="1"/></image></annotations>"#,
        )
        .unwrap();
        let (records, lost) = collect(|report, sink| import_cvat(&file, None, "truth", report, sink));
        assert_eq!((records.len(), lost), (1, 2));
        assert_eq!(records[0]["truth"]["detections"][0]["color"], "red");
        let mask = &records[0]["truth"]["detections"][1];
        assert_eq!(mask["bounding_box"], json!([0.1, 0.1, 0.03, 0.04]));
        assert!(mask["mask"].is_object() || mask["mask"].is_array(), "{mask}");
        assert_eq!(records[0]["truth_polylines"]["polylines"][0]["occluded"], true);
        assert_eq!(
            records[0]["truth_polylines"]["polylines"][0]["points"],
            json!([[[0.0, 0.0], [0.5, 0.0], [0.5, 0.5]]])
        );
        assert_eq!(records[0]["truth_classes"]["classifications"][0]["label"], "day");
    }
}
