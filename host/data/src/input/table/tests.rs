use super::*;
use parquet::{
    data_type::{ByteArray, ByteArrayType},
    file::{properties::WriterProperties, writer::SerializedFileWriter},
    schema::parser::parse_message_type,
};
use proptest::prelude::*;
use std::{fs::File, sync::Arc};

/// A table of columns of bytes or text, all of them optional; what is empty is null.
fn table(path: &Path, message: &str, columns: &[&[&str]]) {
    let schema = Arc::new(parse_message_type(message).unwrap());
    let file = File::create(path).unwrap();
    let mut writer = SerializedFileWriter::new(file, schema, Arc::new(WriterProperties::default())).unwrap();
    let mut group = writer.next_row_group().unwrap();
    for values in columns {
        let mut column = group.next_column().unwrap().unwrap();
        let present: Vec<ByteArray> = values
            .iter()
            .filter(|value| !value.is_empty())
            .map(|value| ByteArray::from(*value))
            .collect();
        let most = column.typed::<ByteArrayType>().get_descriptor().max_def_level();
        let levels: Vec<i16> = values
            .iter()
            .map(|value| if value.is_empty() { most - 1 } else { most })
            .collect();
        column
            .typed::<ByteArrayType>()
            .write_batch(&present, Some(&levels), None)
            .unwrap();
        column.close().unwrap();
    }
    group.close().unwrap();
    writer.close().unwrap();
}

fn told(path: &Path, wanted: Option<&str>) -> Vec<String> {
    let folder = path.parent().unwrap();
    let files = match files(path, folder, &MediaKind::ALL, wanted, true) {
        Ok(files) => files,
        Err(error) => return vec![error.to_string().replace(&format!("{}/", folder.display()), "")],
    };
    files
        .map(|file| match file {
            Ok(file) => {
                let content = match &file.content {
                    Content::AtPath => String::new(),
                    Content::Bytes(bytes) => format!(" {}", String::from_utf8_lossy(bytes)),
                };
                format!("{}{content}", file.relative_path.display())
            }
            Err(error) => error.to_string().replace(&format!("{}/", folder.display()), ""),
        })
        .collect()
}

#[test]
fn bytes_are_found_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    let message = "message m { optional binary jpg; optional binary key (STRING); optional int32 n; }";
    let without_number = message.replace("optional int32 n; ", "");
    table(&path, &without_number, &[&["A", "", "C"], &["x/1.jpg", "2", ""]]);
    assert_eq!(
        told(&path, None),
        [
            "t.parquet/x/1.jpg A",
            "t.parquet: row 2 has no picture",
            "t.parquet/00000003 C"
        ]
    );
    assert_eq!(
        told(&path, Some("key")),
        ["x/1.jpg", "2", "t.parquet: row 3 has no picture"]
    );
    assert_eq!(
        told(&path, Some("none")),
        ["t.parquet: there is no column `none` of bytes or text; there are jpg, key"]
    );
    let without = files(&path, folder.path(), &MediaKind::ALL, None, false).unwrap();
    assert!(
        without
            .filter_map(Result::ok)
            .all(|file| file.content == Content::AtPath)
    );
}

#[test]
fn pictures_of_datasets_are_groups() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    let message =
        "message m { optional group image { optional binary bytes; optional binary path (STRING); } }";
    table(&path, message, &[&["A", ""], &["a.png", "b.png"]]);
    assert_eq!(told(&path, None), ["t.parquet/a.png A", "b.png"]);
}

#[test]
fn places_go_by_their_names() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    let text = |names: [&str; 2]| {
        let fields: Vec<String> = names
            .iter()
            .map(|name| format!("optional binary {name} (STRING);"))
            .collect();
        format!("message m {{ {} }}", fields.join(" "))
    };
    table(
        &path,
        &text(["caption", "url"]),
        &[&["a cat"], &["https://host/cat.jpg?x=1"]],
    );
    assert_eq!(told(&path, None), ["https:/host/cat.jpg?x=1"]);
    table(&path, &text(["caption", "title"]), &[&["a cat"], &["cat"]]);
    assert_eq!(
        told(&path, None),
        ["t.parquet: which column holds the pictures does not show; there are caption, title"]
    );
    std::fs::write(&path, "PAR1 no table PAR1").unwrap();
    assert_eq!(told(&path, None), ["t.parquet: cannot be read"]);
}

/// The library would count for hours.
#[test]
fn a_table_that_announces_billions_of_elements_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    let endless = [0x39, 0xf2, 0xff, 0xff, 0xff, 0xff, 0x07];
    let description = endless.repeat(10_000);
    let length = u32::try_from(description.len()).unwrap().to_le_bytes();
    std::fs::write(&path, [b"PAR1", &description[..], &length, b"PAR1"].concat()).unwrap();
    assert_eq!(told(&path, None), ["t.parquet: cannot be read"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Whatever is changed in a table, it comes to an end, and names stay below the output.
    #[test]
    fn changed_tables_are_read_or_told(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<Option<prop::sample::Index>>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.parquet");
        let message = "message m { optional binary jpg; optional binary key (STRING); }";
        table(&path, message, &[&["A", "", "C"], &["x/1.jpg", "../2", ""]]);
        let mut bytes = std::fs::read(&path).unwrap();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        std::fs::write(&path, bytes).unwrap();
        for wanted in [None, Some("jpg")] {
            let Ok(files) = files(&path, folder.path(), &MediaKind::ALL, wanted, true) else { continue };
            // A length of rows that is not true may make many of them, each without a picture.
            for file in files.take(10_000).flatten() {
                let mut parts = file.relative_path.components();
                prop_assert!(parts.all(|part| matches!(part, std::path::Component::Normal(_))));
            }
        }
    }
}
