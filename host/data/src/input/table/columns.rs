//! Which columns of a table are looked at.

use parquet::{
    basic::{ConvertedType, LogicalType, Type as Physical},
    record::{Field, Row as RecordRow},
    schema::types::Type,
};
use std::sync::Arc;

/// Columns with pictures go by these names, where there are several with bytes.
const PICTURES: [&str; 8] = [
    "image", "jpg", "jpeg", "png", "webp", "picture", "content", "bytes",
];
/// Columns with paths or URLs go by these, the likeliest first.
const PLACES: [&str; 9] = [
    "filepath",
    "path",
    "image_path",
    "file_path",
    "file",
    "url",
    "image_url",
    "uri",
    "image",
];
/// Columns that say what a row is called.
const NAMES: [&str; 9] = [
    "filepath",
    "path",
    "file_name",
    "filename",
    "file",
    "__key__",
    "key",
    "name",
    "url",
];

/// Which column has the pictures, and which one their names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Columns {
    pictures: String,
    kind: Kind,
    names: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Bytes,
    /// Bytes with a path, as the library `datasets` has pictures.
    Group,
    Place,
}

/// What a row says.
#[derive(Debug, Default)]
pub(super) struct Row {
    pub(super) held: Held,
    pub(super) name: Option<String>,
}

/// Where the picture of a row is.
#[derive(Debug, Default)]
pub(super) enum Held {
    /// Nowhere: the column is null.
    #[default]
    Nothing,
    /// In the row, but it was not read.
    Unread,
    /// It is the row's.
    Bytes(Vec<u8>),
    /// At a path or URL.
    Place(String),
}

impl Columns {
    /// The column `wanted`; or the one that holds bytes, or a path or URL under a name that says so.
    pub(super) fn choose(schema: &Type, wanted: Option<&str>) -> Result<Self, String> {
        let fields = schema.get_fields();
        let known: Vec<(&str, Kind)> = fields
            .iter()
            .filter_map(|field| Some((field.name(), kind_of(field)?)))
            .collect();
        let found = match wanted {
            Some(wanted) => known.iter().find(|(name, _)| *name == wanted),
            None => likeliest(&known),
        };
        let Some(&(pictures, kind)) = found else {
            let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
            return Err(match (wanted, names.is_empty()) {
                (_, true) => "no column holds bytes or text".to_owned(),
                (Some(wanted), _) => format!(
                    "there is no column `{wanted}` of bytes or text; there are {}",
                    names.join(", ")
                ),
                (None, _) => format!(
                    "which column holds the pictures does not show; there are {}",
                    names.join(", ")
                ),
            });
        };
        let is_name = |name: &&str| {
            known
                .iter()
                .any(|(field, kind)| field == name && *kind == Kind::Place)
        };
        let names = match kind {
            Kind::Place => None,
            Kind::Bytes | Kind::Group => NAMES
                .iter()
                .find(|name| is_name(name))
                .map(|&name| name.to_owned()),
        };
        Ok(Self {
            pictures: pictures.to_owned(),
            kind,
            names,
        })
    }

    /// The part of the schema that is read.
    pub(super) fn projection(&self, schema: &Type, with_content: bool) -> Type {
        let wanted = |field: &&Arc<Type>| {
            (field.name() == self.pictures
                && (with_content || self.kind != Kind::Bytes || self.names.is_none()))
                || self.names.as_deref() == Some(field.name())
        };
        let fields = schema.get_fields().iter().filter(wanted).cloned().collect();
        let builder = Type::group_type_builder(schema.name()).with_fields(fields);
        builder
            .build()
            .unwrap_or_else(|error| unreachable!("a part of a schema is one: {error}"))
    }

    /// What a row says, of those columns.
    pub(super) fn read(&self, row: &RecordRow) -> Row {
        let mut read = Row::default();
        let mut has_pictures = false;
        for (name, field) in row.get_column_iter() {
            if *name == self.pictures {
                has_pictures = true;
                self.take_picture(field, &mut read);
            }
            if self.names.as_ref() == Some(name)
                && let Field::Str(text) = field
            {
                read.name = Some(text.clone());
            }
        }
        if !has_pictures {
            read.held = Held::Unread;
        }
        read
    }

    fn take_picture(&self, field: &Field, read: &mut Row) {
        match field {
            Field::Bytes(bytes) => read.held = Held::Bytes(bytes.data().to_vec()),
            Field::Str(place) => read.held = Held::Place(place.clone()),
            Field::Group(group) => {
                for (name, field) in group.get_column_iter() {
                    match (name.as_str(), field) {
                        ("bytes", Field::Bytes(bytes)) => read.held = Held::Bytes(bytes.data().to_vec()),
                        ("path", Field::Str(path)) => read.name = Some(path.clone()),
                        _ => {}
                    }
                }
                // Without bytes, the path is where the picture is.
                if let (Held::Nothing, Some(place)) = (&read.held, &read.name) {
                    read.held = Held::Place(place.clone());
                }
            }
            _ => {}
        }
    }
}

fn likeliest<'a>(known: &'a [(&'a str, Kind)]) -> Option<&'a (&'a str, Kind)> {
    let of = |names: &[&str], holds_bytes: bool| {
        let fits = |name: &str| {
            known
                .iter()
                .find(|(field, kind)| *field == name && (*kind != Kind::Place) == holds_bytes)
        };
        names.iter().find_map(|name| fits(name))
    };
    let mut with_bytes = known.iter().filter(|(_, kind)| *kind != Kind::Place);
    match (with_bytes.next(), with_bytes.next()) {
        (Some(one), None) => Some(one),
        (Some(_), Some(_)) => of(&PICTURES, true),
        _ => of(&PLACES, false).or(match known {
            [one] => Some(one),
            _ => None,
        }),
    }
}

fn kind_of(field: &Type) -> Option<Kind> {
    if !field.is_primitive() {
        let is_bytes = |child: &Arc<Type>| child.name() == "bytes" && kind_of(child) == Some(Kind::Bytes);
        return field.get_fields().iter().any(is_bytes).then_some(Kind::Group);
    }
    if field.get_physical_type() != Physical::BYTE_ARRAY {
        return None;
    }
    let info = field.get_basic_info();
    match (info.logical_type_ref(), info.converted_type()) {
        (Some(LogicalType::String), _) | (None, ConvertedType::UTF8) => Some(Kind::Place),
        (None, ConvertedType::NONE) => Some(Kind::Bytes),
        _ => None,
    }
}
