//! The tables, and how files of earlier formats are brought up to date.

use super::error::Reason;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use std::{fs::File, io::Read as _, ops::Range, path::Path};

/// Marks the file as a dataset, for `file(1)` and for this program: the letters `mzds`.
const APPLICATION_ID: i32 = 0x6d7a_6473;

/// What turns format `n` into format `n + 1`. A released step is never changed: a new one is added.
const STEPS: [&str; 2] = [include_str!("schema.sql"), include_str!("warnings.sql")];

/// Whether a file is SQLite's (<https://www.sqlite.org/fileformat.html>, 1.3), with a dataset's mark. What is damaged
/// behind its header is a dataset all the same.
pub(super) fn is_dataset(path: &Path) -> bool {
    const HEADER: &[u8] = b"SQLite format 3\0";
    /// Where the header has the application's mark.
    const MARK: Range<usize> = 68..72;
    let mut start = [0; MARK.end];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut start));
    if read.is_err() || !start.starts_with(HEADER) {
        return false;
    }
    if start[MARK] == APPLICATION_ID.to_be_bytes() {
        return true;
    }
    // The mark of a new dataset is in the log beside the file at first, which SQLite itself knows to read.
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
        .and_then(|connection| version(&connection))
        .is_ok_and(|(application_id, _)| application_id == APPLICATION_ID)
}

/// Makes an empty file a dataset, brings an older dataset up to date, and refuses what is neither.
pub(super) fn prepare(connection: &mut Connection) -> Result<(), Reason> {
    if version(connection)? == (APPLICATION_ID, STEPS.len() as u32) {
        return Ok(());
    }
    // Two processes may open the same old file at once: the second waits here and finds it done.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let (application_id, version) = version(&transaction)?;
    let tables: u32 = transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application_id != APPLICATION_ID && (application_id, version, tables) != (0, 0, 0) {
        return Err(Reason::NotADataset("it is an SQLite file of another program"));
    }
    let pending = STEPS.get(version as usize..).ok_or(Reason::Newer {
        found: version,
        supported: STEPS.len() as u32,
    })?;
    for step in pending {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", STEPS.len())?;
    Ok(transaction.commit()?)
}

fn version(connection: &Connection) -> rusqlite::Result<(i32, u32)> {
    Ok((
        connection.pragma_query_value(None, "application_id", |row| row.get(0))?,
        connection.pragma_query_value(None, "user_version", |row| row.get(0))?,
    ))
}
