//! Connections to a dataset's file.

use super::{
    error::{DatasetError, Reason},
    schema,
};
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// How long one process waits for another's transaction, which is a batch or a page of samples.
const BUSY_TIMEOUT: Duration = Duration::from_secs(60);

/// How many prepared statements a connection keeps.
const PREPARED_STATEMENTS: usize = 64;

/// A connection, and the path for its errors.
#[derive(Debug)]
pub(super) struct Database {
    path: PathBuf,
    connection: Connection,
}

impl Database {
    /// Makes a file that is not there yet. One that an interrupted call left empty counts as not there.
    pub(super) fn create(path: &Path) -> Result<Self, DatasetError> {
        if std::fs::metadata(path).is_ok_and(|file| file.len() > 0) {
            return Err(Reason::Exists.at(path));
        }
        Self::connect(path, OpenFlags::SQLITE_OPEN_CREATE)
    }

    /// Opens a file that is there.
    pub(super) fn open(path: &Path) -> Result<Self, DatasetError> {
        match std::fs::metadata(path) {
            Ok(file) if file.is_dir() => Err(Reason::NotADataset("it is a folder").at(path)),
            Ok(file) if file.len() == 0 => Err(Reason::NotADataset("it is empty").at(path)),
            Ok(_) => Self::connect(path, OpenFlags::empty()),
            Err(_) => Err(Reason::NotFound.at(path)),
        }
    }

    /// A second connection to the same file.
    pub(super) fn reopen(&self) -> Result<Self, DatasetError> {
        Self::open(&self.path)
    }

    fn connect(path: &Path, flags: OpenFlags) -> Result<Self, DatasetError> {
        let flags = flags | OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connect = || -> Result<Connection, Reason> {
            let mut connection = Connection::open_with_flags(path, flags)?;
            connection.set_prepared_statement_cache_capacity(PREPARED_STATEMENTS);
            connection.busy_timeout(BUSY_TIMEOUT)?;
            connection.pragma_update(None, "foreign_keys", true)?;
            // Readers and one writer at a time. A commit survives the end of the process at once, and a power
            // failure as of the next checkpoint; the file stays sound either way.
            connection.pragma_update(None, "journal_mode", "wal")?;
            connection.pragma_update(None, "synchronous", "normal")?;
            schema::prepare(&mut connection)?;
            Ok(connection)
        };
        Ok(Self {
            connection: connect().map_err(|reason| not_sqlite(reason).at(path))?,
            path: path.to_owned(),
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads, or writes a single statement.
    pub(super) fn with<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Reason>,
    ) -> Result<T, DatasetError> {
        work(&self.connection).map_err(|reason| reason.at(&self.path))
    }

    /// Writes several statements that hold together or not at all. The transaction takes the write lock at its
    /// beginning, so that what it reads stays true until it ends.
    pub(super) fn write<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Reason>,
    ) -> Result<T, DatasetError> {
        let write = || -> Result<T, Reason> {
            let transaction = self
                .connection
                .transaction_with_behavior(TransactionBehavior::Immediate)?;
            let result = work(&transaction)?;
            transaction.commit()?;
            Ok(result)
        };
        write().map_err(|reason| reason.at(&self.path))
    }
}

/// Says in plain words that a file is none of SQLite's.
fn not_sqlite(reason: Reason) -> Reason {
    match &reason {
        Reason::Sqlite(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::NotADatabase) => {
            Reason::NotADataset("it is no SQLite file")
        }
        _ => reason,
    }
}
