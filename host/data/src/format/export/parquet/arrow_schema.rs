//! The schema in Arrow's own words, which Arrow's readers look for in a file's metadata: it says what Parquet's schema
//! cannot, that lists are of one length.
//!
//! The words are a FlatBuffers message (<https://github.com/apache/arrow/blob/main/format/Message.fbs>, `Schema.fbs`
//! beside it) as Arrow's streams begin with, in Base64. The library writes tables by the places of their entries; what
//! `flatc` would generate from the descriptions is some thousand lines for the seven tables that are needed here.

use super::schema::{DataType, Field};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use flatbuffers::{FlatBufferBuilder, TableFinishedWIPOffset, UnionWIPOffset, WIPOffset};
use parquet::file::metadata::KeyValue;

/// The key of the metadata.
pub(super) const KEY: &str = "ARROW:schema";

/// `MetadataVersion.V5`.
const VERSION: i16 = 4;

/// `MessageHeader.Schema`.
const HEADER_IS_SCHEMA: u8 = 1;

/// Marks the beginning of a message in a stream.
const CONTINUATION: [u8; 4] = [0xff; 4];

/// Where entries stand in a table: the first at 4, each of the others two further.
const fn entry(index: u16) -> u16 {
    4 + 2 * index
}

type Table = WIPOffset<TableFinishedWIPOffset>;

/// The message for these columns, with the file's facts: Arrow's readers look for them here alone.
pub(super) fn encode(columns: &[Field], facts: &[KeyValue]) -> String {
    let mut builder = FlatBufferBuilder::new();
    let schema = schema(&mut builder, columns, facts);
    let message = table(&mut builder, |builder| {
        builder.push_slot_always(entry(0), VERSION);
        builder.push_slot_always(entry(1), HEADER_IS_SCHEMA);
        builder.push_slot_always(entry(2), schema);
    });
    builder.finish_minimal(message);
    let message = builder.finished_data();
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    BASE64_STANDARD.encode([&CONTINUATION, length.to_le_bytes().as_slice(), message].concat())
}

/// `Schema`; its numbers are little endian where nothing is said.
fn schema(builder: &mut FlatBufferBuilder<'_>, columns: &[Field], facts: &[KeyValue]) -> Table {
    let fields: Vec<Table> = columns.iter().map(|column| field(builder, column)).collect();
    let fields = builder.create_vector(&fields);
    let facts: Vec<Table> = facts.iter().map(|known| fact(builder, known)).collect();
    let facts = (!facts.is_empty()).then(|| builder.create_vector(&facts));
    table(builder, |builder| {
        builder.push_slot_always(entry(1), fields);
        if let Some(facts) = facts {
            builder.push_slot_always(entry(2), facts);
        }
    })
}

/// `KeyValue`.
fn fact(builder: &mut FlatBufferBuilder<'_>, known: &KeyValue) -> Table {
    let key = builder.create_string(&known.key);
    let value = builder.create_string(known.value.as_deref().unwrap_or_default());
    table(builder, |builder| {
        builder.push_slot_always(entry(0), key);
        builder.push_slot_always(entry(1), value);
    })
}

/// `Field`.
fn field(builder: &mut FlatBufferBuilder<'_>, described: &Field) -> Table {
    let children: &[Field] = match &described.data_type {
        DataType::Struct(fields) => fields,
        DataType::List(item) | DataType::FixedSizeList(item, _) => std::slice::from_ref(item),
        _ => &[],
    };
    let children: Vec<Table> = children.iter().map(|child| field(builder, child)).collect();
    let children = builder.create_vector(&children);
    let name = builder.create_string(&described.name);
    let (kind, data_type) = data_type(builder, &described.data_type);
    table(builder, |builder| {
        builder.push_slot_always(entry(0), name);
        builder.push_slot_always(entry(1), described.nullable);
        builder.push_slot_always(entry(2), kind);
        builder.push_slot_always(entry(3), data_type);
        builder.push_slot_always(entry(5), children);
    })
}

/// Which of the tables of the union `Type` it is, and that table.
fn data_type(builder: &mut FlatBufferBuilder<'_>, data_type: &DataType) -> (u8, WIPOffset<UnionWIPOffset>) {
    const SINGLE: i16 = 1;
    const DOUBLE: i16 = 2;
    let mut number = |precision: i16| table(builder, |builder| builder.push_slot_always(entry(0), precision));
    let (kind, written) = match data_type {
        DataType::Float32 => (3, number(SINGLE)),
        DataType::Float64 => (3, number(DOUBLE)),
        DataType::Int64 => {
            let whole = table(builder, |builder| {
                builder.push_slot_always(entry(0), 64_i32);
                builder.push_slot_always(entry(1), true);
            });
            (2, whole)
        }
        DataType::Text => (5, table(builder, |_| ())),
        DataType::Boolean => (6, table(builder, |_| ())),
        DataType::List(_) => (12, table(builder, |_| ())),
        DataType::Struct(_) => (13, table(builder, |_| ())),
        DataType::FixedSizeList(_, length) => (
            16,
            table(builder, |builder| builder.push_slot_always(entry(0), *length)),
        ),
    };
    (kind, written.as_union_value())
}

/// A table with what `fill` pushes.
fn table(builder: &mut FlatBufferBuilder<'_>, fill: impl FnOnce(&mut FlatBufferBuilder<'_>)) -> Table {
    let start = builder.start_table();
    fill(builder);
    builder.end_table(start)
}
