//! Tags of samples.

use super::{
    Dataset, SampleId,
    error::{DatasetError, Reason},
};
use rusqlite::{Connection, params};

/// Adds a tag behind those that the sample has.
pub(super) fn add(connection: &Connection, sample: SampleId, tag: &str) -> Result<(), Reason> {
    connection
        .prepare_cached(
            "INSERT INTO tags (sample_id, position, tag)
             SELECT ?1, coalesce(max(position) + 1, 0), ?2 FROM tags WHERE sample_id = ?1
             ON CONFLICT DO NOTHING",
        )?
        .execute(params![sample.0, tag])?;
    Ok(())
}

/// The tags of a sample, in the order in which they were added.
pub(super) fn of_sample(connection: &Connection, sample: SampleId) -> Result<Vec<String>, Reason> {
    let mut statement =
        connection.prepare_cached("SELECT tag FROM tags WHERE sample_id = ? ORDER BY position")?;
    let tags = statement.query_map([sample.0], |row| row.get(0))?;
    Ok(tags.collect::<Result<_, _>>()?)
}

impl Dataset {
    /// Adds a tag to samples that lack it.
    pub fn add_tag(&mut self, samples: &[SampleId], tag: &str) -> Result<(), DatasetError> {
        self.database.write(|transaction| {
            samples
                .iter()
                .try_for_each(|&sample| add(transaction, sample, tag))
        })
    }

    /// Takes a tag from samples that have it.
    pub fn remove_tag(&mut self, samples: &[SampleId], tag: &str) -> Result<(), DatasetError> {
        self.database.write(|transaction| {
            for sample in samples {
                transaction
                    .prepare_cached("DELETE FROM tags WHERE sample_id = ? AND tag = ?")?
                    .execute(params![sample.0, tag])?;
            }
            Ok(())
        })
    }

    /// Every tag with the number of samples that have it, by name.
    pub fn tag_counts(&self) -> Result<Vec<(String, u64)>, DatasetError> {
        self.database.with(|connection| {
            let mut statement =
                connection.prepare("SELECT tag, count(*) FROM tags GROUP BY tag ORDER BY tag")?;
            let counts = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(counts.collect::<Result<_, _>>()?)
        })
    }
}
