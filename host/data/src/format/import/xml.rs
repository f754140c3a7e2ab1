//! Labels in XML: Pascal VOC's folders, with a file for each picture, and CVAT's, with one for all.

use super::{
    FormatError, ImportReport, Place, Sink,
    objects::Objects,
    place::{beside, folder_of},
};
use crate::{
    input::{MediaKind, open_text},
    record::{ImageMetadata, Metadata, SampleRecord, path_to_text},
};
use modelzoo_plugin_api::label::{Classification, Detection, Keypoint, Polyline};
use roxmltree::{Document, Node};
use std::path::{Path, PathBuf};

/// The folders that the pictures of a file of labels may be in: in its folder's parent, and in its own.
const PICTURE_FOLDERS: [&str; 2] = ["JPEGImages", "images"];

/// Reads the samples of a Pascal VOC folder: `Annotations` with a file for each picture in `JPEGImages`, or files beside the
/// pictures. Boxes go to the field `field`. Returns how many samples there are.
///
/// # Errors
/// When the folder cannot be read. Files that are no labels are reported.
pub fn import_voc(
    folder: &Path,
    field: &str,
    report: &mut ImportReport,
    sink: Sink<'_>,
) -> Result<u64, FormatError> {
    let mut count = 0;
    for file in voc_files(folder) {
        let place = Place::new(&file, "");
        let read = read_text(&file).and_then(|text| {
            let document = Document::parse(&text).map_err(|error| place.error(error))?;
            read_voc(document.root_element(), &file, field, report)
        });
        match read {
            Ok(record) => {
                sink(record, &place, report)?;
                count += 1;
            }
            Err(error) => report.lose(error)?,
        }
    }
    Ok(count)
}

/// Whether a folder is one, going by what is in it.
pub(super) fn is_voc_at(folder: &Path) -> bool {
    voc_files(folder).first().is_some_and(|file| {
        read_text(file).is_ok_and(|text| text.contains("<annotation") && !text.contains("<annotations"))
    })
}

/// The files of labels, by name.
fn voc_files(folder: &Path) -> Vec<PathBuf> {
    let annotations = folder.join("Annotations");
    let folder = if annotations.is_dir() {
        annotations.as_path()
    } else {
        folder
    };
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| {
            path.extension()
                .is_some_and(|ending| ending.eq_ignore_ascii_case("xml"))
        })
        .collect();
    files.sort();
    files
}

fn read_voc(
    annotation: Node<'_, '_>,
    file: &Path,
    field: &str,
    report: &mut ImportReport,
) -> Result<SampleRecord, FormatError> {
    let place = Place::new(file, "");
    if annotation.tag_name().name() != "annotation" {
        return Err(place.error("this is no annotation of Pascal VOC"));
    }
    let name = text_of(annotation, "filename").unwrap_or_default();
    let filepath = picture_of(file, name)?;
    let record = SampleRecord::image(filepath);
    let size = child(annotation, "size");
    let side = |name| size.and_then(|size| text_of(size, name)?.parse::<f64>().ok());
    let told = side("width")
        .zip(side("height"))
        .filter(|(width, height)| *width >= 1.0 && *height >= 1.0);
    let (width, height) = told
        .or_else(|| size_of_file(&record))
        .ok_or_else(|| place.error("the size of its picture is not told, and the picture cannot be read"))?;
    let mut objects = Objects::default();
    for (index, object) in children(annotation, "object").enumerate() {
        let class = text_of(object, "name");
        let bounds = child(object, "bndbox");
        let edge = |name| bounds.and_then(|bounds| finite(text_of(bounds, name)?));
        let edges = [edge("xmin"), edge("ymin"), edge("xmax"), edge("ymax")];
        let (Some(class), [Some(left), Some(top), Some(right), Some(bottom)]) = (class, edges) else {
            let place = Place::new(file, format!(": object {}", index + 1));
            report.lose(place.error("it lacks a name or a box"))?;
            continue;
        };
        let mut detection = Detection::new(
            class,
            [
                left / width,
                top / height,
                (right - left) / width,
                (bottom - top) / height,
            ],
        );
        for attribute in ["pose", "truncated", "difficult", "occluded"] {
            if let Some(value) = text_of(object, attribute) {
                let value = value
                    .parse::<i64>()
                    .map_or_else(|_| value.into(), serde_json::Value::from);
                detection.attributes.insert(attribute.to_owned(), value);
            }
        }
        objects.detections.push(detection);
    }
    Ok(SampleRecord {
        metadata: metadata(width, height),
        labels: objects.into_fields(field),
        ..record
    })
}

/// Reads the samples of a file that CVAT exports for images (`CVAT for images 1.1`). Boxes go to the field `field`, and other
/// shapes to those of the same name with `_polylines`, `_keypoints` or `_classes` behind it. Returns how many samples there
/// are.
///
/// # Errors
/// When the file is none of CVAT's. Shapes that cannot be read are reported.
pub fn import_cvat(
    file: &Path,
    images: Option<&Path>,
    field: &str,
    report: &mut ImportReport,
    sink: Sink<'_>,
) -> Result<u64, FormatError> {
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
        let filepath = match images {
            Some(images) => beside(images, name)?,
            None => picture_of(file, name)?,
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
            ..SampleRecord::image(filepath)
        };
        sink(record, &place, report)?;
        count += 1;
    }
    Ok(count)
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
            for attribute in children(shape, "attribute") {
                if let (Some(name), Some(text)) = (attribute.attribute("name"), attribute.text()) {
                    detection.attributes.insert(name.to_owned(), text.into());
                }
            }
            objects.detections.push(detection);
        }
        "polygon" => objects
            .polylines
            .push(Polyline::new(label, vec![points()?]).into_polygon()),
        "polyline" => objects.polylines.push(Polyline::new(label, vec![points()?])),
        "points" => objects.keypoints.push(Keypoint::new(points()?).with_label(label)),
        "tag" => objects.classes.push(Classification::new(label)),
        other => {
            return Err(format!(
                "a {other} `{label}` is left out: shapes of this kind are not read"
            ));
        }
    }
    Ok(())
}

/// The picture that a file of labels names, in one of the folders that it may be in; or else as it is named.
fn picture_of(file: &Path, name: &str) -> Result<String, FormatError> {
    let own = folder_of(file);
    let own = std::path::absolute(&own).map_err(|source| FormatError::read(&own, source))?;
    let roots = || own.parent().into_iter().chain([own.as_path()]);
    let inner = roots().flat_map(|root| PICTURE_FOLDERS.map(|folder| root.join(folder)));
    for folder in inner
        .chain([own.clone()])
        .chain(own.parent().map(ToOwned::to_owned))
    {
        let named = folder.join(name);
        if !name.is_empty() && named.is_file() {
            return Ok(path_to_text(&named));
        }
        // Names in files are often those that pictures had once: the file's own name counts then.
        let is_same = |path: &PathBuf| {
            path.file_stem() == file.file_stem() && MediaKind::from_path(path) == Some(MediaKind::Image)
        };
        let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        let is_voc = own.ends_with("Annotations");
        if let Some(path) = entries
            .map(|entry| entry.path())
            .find(|path| is_voc && is_same(path))
        {
            return Ok(path_to_text(&path));
        }
    }
    beside(&own, name)
}

fn read_text(file: &Path) -> Result<String, FormatError> {
    let failure = |source| FormatError::read(file, source);
    std::io::read_to_string(open_text(file).map_err(failure)?).map_err(failure)
}

fn metadata(width: f64, height: f64) -> Option<Metadata> {
    Some(Metadata::Image(ImageMetadata {
        width: width as u32,
        height: height as u32,
        ..ImageMetadata::default()
    }))
}

fn size_of_file(record: &SampleRecord) -> Option<(f64, f64)> {
    let metadata = crate::media::Decoder::default()
        .read_metadata(record.path())
        .ok()?;
    Some((f64::from(metadata.width), f64::from(metadata.height)))
}

fn finite(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

fn children<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(move |child| child.has_tag_name(name))
}

fn child<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> Option<Node<'a, 'i>> {
    children(node, name).next()
}

fn text_of<'a>(node: Node<'a, '_>, name: &'static str) -> Option<&'a str> {
    child(node, name)?.text().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn collect(
        import: impl FnOnce(&mut ImportReport, Sink<'_>) -> Result<u64, FormatError>,
    ) -> (Vec<Value>, u64) {
        let (mut records, mut report) = (Vec::new(), ImportReport::lenient());
        import(&mut report, &mut |record, _, _| {
            records.push(serde_json::to_value(record).unwrap());
            Ok(())
        })
        .unwrap();
        (records, report.finish().0.count())
    }

    #[test]
    fn folders_of_voc_are_read() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("JPEGImages/a.jpg", ""),
            (
                "Annotations/a.xml",
                "<annotation><filename>a.jpg</filename><size><width>100</width><height>50</height></size>
                 <object><name>dog</name><difficult>1</difficult><bndbox><xmin>10</xmin><ymin>10</ymin><xmax>60</xmax><ymax>20</ymax></bndbox></object>
                 <object><name>cat</name></object></annotation>",
            ),
            ("Annotations/b.xml", "<annotation>"),
        ] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        assert!(is_voc_at(folder.path()));
        let (records, lost) = collect(|report, sink| import_voc(folder.path(), "truth", report, sink));
        assert_eq!((records.len(), lost), (1, 2));
        let detection = &records[0]["truth"]["detections"][0];
        assert_eq!(detection["bounding_box"], json!([0.1, 0.2, 0.5, 0.2]));
        assert_eq!(detection["difficult"], 1);
        assert!(records[0]["filepath"].as_str().unwrap().ends_with("a.jpg"));
    }

    #[test]
    fn shapes_of_cvat_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("annotations.xml");
        std::fs::write(
            &file,
            r#"<annotations><version>1.1</version><image id="0" name="a.jpg" width="100" height="50">
                <box label="dog" xtl="10" ytl="10" xbr="60" ybr="20"><attribute name="color">red</attribute></box>
                <polygon label="cat" points="0,0;50,0;50,25"/><points label="eye" points="1,2"/><tag label="day"/>
                <ellipse label="x" cx="1"/></image></annotations>"#,
        )
        .unwrap();
        let (records, lost) = collect(|report, sink| import_cvat(&file, None, "truth", report, sink));
        assert_eq!((records.len(), lost), (1, 1));
        assert_eq!(records[0]["truth"]["detections"][0]["color"], "red");
        assert_eq!(
            records[0]["truth_polylines"]["polylines"][0]["points"],
            json!([[[0.0, 0.0], [0.5, 0.0], [0.5, 0.5]]])
        );
        assert_eq!(records[0]["truth_classes"]["classifications"][0]["label"], "day");
    }
}
