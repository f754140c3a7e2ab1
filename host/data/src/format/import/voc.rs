//! Pascal VOC's folders: an XML file of boxes for each picture.

use super::{
    FormatError, ImportReport, Place, Sink,
    objects::Objects,
    place::PictureFolders,
    xml::{add_attribute, child, children, finite, metadata, read_text, text_of},
};
use crate::{
    media::{Decoder, ImageFormat},
    record::SampleRecord,
};
use modelzoo_plugin_api::label::Detection;
use roxmltree::{Document, Node};
use std::path::{Path, PathBuf};

/// The folders that the files may be in, as Pascal VOC and FiftyOne call them.
const LABEL_FOLDERS: [&str; 2] = ["Annotations", "labels"];

/// Parts of an object that are no facts about it.
const OWN_PARTS: [&str; 4] = ["name", "bndbox", "part", "attributes"];

/// Reads the samples of a folder: `Annotations` with a file for each picture in `JPEGImages`, `labels` and `data`, or
/// files beside the pictures. Boxes go to the field `field`. Returns how many samples there are.
///
/// # Errors
/// When the folder cannot be read. Files that are no labels are reported.
pub fn import_voc(
    folder: &Path,
    field: &str,
    report: &mut ImportReport,
    sink: Sink<'_>,
) -> Result<u64, FormatError> {
    let (mut count, mut pictures) = (0, None);
    for file in files(folder) {
        let place = Place::new(&file, "");
        let pictures = pictures.get_or_insert_with(|| PictureFolders::new(&file, None));
        let read = read_text(&file).and_then(|text| {
            let document = Document::parse(&text).map_err(|error| place.error(error))?;
            read(document.root_element(), &file, field, pictures, report)
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
pub(super) fn is_at(folder: &Path) -> bool {
    files(folder).first().is_some_and(|file| {
        read_text(file).is_ok_and(|text| text.contains("<annotation") && !text.contains("<annotations"))
    })
}

/// The files of labels, by name.
fn files(folder: &Path) -> Vec<PathBuf> {
    let inner = LABEL_FOLDERS.map(|name| folder.join(name)).into_iter();
    let places = inner.chain([folder.to_owned()]);
    places
        .map(|place| xml_files(&place))
        .find(|files| !files.is_empty())
        .unwrap_or_default()
}

fn xml_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let is_xml = |path: &PathBuf| {
        path.extension()
            .is_some_and(|ending| ending.eq_ignore_ascii_case("xml"))
    };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(is_xml).collect();
    files.sort();
    files
}

fn read(
    annotation: Node<'_, '_>,
    file: &Path,
    field: &str,
    pictures: &mut PictureFolders,
    report: &mut ImportReport,
) -> Result<SampleRecord, FormatError> {
    let place = Place::new(file, "");
    if annotation.tag_name().name() != "annotation" {
        return Err(place.error("this is no annotation of Pascal VOC"));
    }
    let record = SampleRecord::image(picture_of(annotation, file, pictures)?);
    let size = child(annotation, "size");
    let side = |name| size.and_then(|size| finite(text_of(size, name)?));
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
        let bounding_box = [
            left / width,
            top / height,
            (right - left) / width,
            (bottom - top) / height,
        ];
        let mut detection = Detection::new(class, bounding_box);
        for (name, text) in facts(object) {
            add_attribute(&mut detection.attributes, name, text);
        }
        objects.detections.push(detection);
    }
    Ok(SampleRecord {
        metadata: metadata(width, height),
        labels: objects.into_fields(field),
        ..record
    })
}

/// What is said of an object beside its class and its box: `difficult`, for example, and the attributes of CVAT.
fn facts<'a>(object: Node<'a, '_>) -> impl Iterator<Item = (&'a str, &'a str)> {
    let own = object.children().filter_map(|child| {
        let name = child.tag_name().name();
        let is_fact = child.is_element()
            && !OWN_PARTS.contains(&name)
            && !child.children().any(|part| part.is_element());
        is_fact.then_some((name, child.text()?))
    });
    let attributes = children(object, "attributes").flat_map(|list| children(list, "attribute"));
    own.chain(attributes.filter_map(|attribute| text_of(attribute, "name").zip(text_of(attribute, "value"))))
}

/// The picture of a file of labels. The names in files are often those that pictures had once: then the picture counts
/// that is called like the file.
fn picture_of(
    annotation: Node<'_, '_>,
    file: &Path,
    pictures: &mut PictureFolders,
) -> Result<String, FormatError> {
    let named = text_of(annotation, "filename").unwrap_or_default();
    if let Some(found) = pictures.look_for(named)? {
        return Ok(found);
    }
    for ending in ImageFormat::EXTENSIONS
        .iter()
        .flat_map(|ending| [ending.to_string(), ending.to_uppercase()])
    {
        let name = file.with_extension(ending);
        let name = name
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if let Some(found) = pictures.look_for(name)? {
            return Ok(found);
        }
    }
    pictures.find(named)
}

fn size_of_file(record: &SampleRecord) -> Option<(f64, f64)> {
    let metadata = Decoder::default().read_metadata(record.path()).ok()?;
    Some((f64::from(metadata.width), f64::from(metadata.height)))
}

#[cfg(test)]
mod tests {
    use super::{super::testing::collect, *};
    use serde_json::json;

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
        assert!(is_at(folder.path()));
        let (records, lost) = collect(|report, sink| import_voc(folder.path(), "truth", report, sink));
        assert_eq!((records.len(), lost), (1, 2));
        let detection = &records[0]["truth"]["detections"][0];
        assert_eq!(detection["bounding_box"], json!([0.1, 0.2, 0.5, 0.2]));
        assert_eq!(detection["difficult"], 1);
        assert!(records[0]["filepath"].as_str().unwrap().ends_with("a.jpg"));
    }
}
