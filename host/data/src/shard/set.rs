//! Putting the results of shards together.

use super::{Shard, ShardError, ShardRecord};
use modelzoo_storage::list_folder;
use std::{
    collections::BTreeMap,
    io::{self, BufRead as _, BufReader},
    path::{Path, PathBuf},
};

/// All shards of an input, each with its results as JSON Lines.
#[derive(Debug)]
pub struct ShardSet {
    /// In the order of their numbers.
    shards: Vec<(PathBuf, ShardRecord)>,
    /// The index of the shard of each sample, by the sample's place in the input.
    owners: Vec<usize>,
}

impl ShardSet {
    /// The shards of `output` that are beside it: `labels-00001-of-00004.jsonl` and so on of `labels.parquet`.
    ///
    /// # Errors
    /// There are none, or they are not whole ([`ShardSet::read`]).
    pub fn find(output: &Path) -> Result<Self, ShardError> {
        let lines = output.with_extension("jsonl");
        let folder = match lines.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let none_found = || ShardError::NoneFound {
            output: output.to_owned(),
            example: Shard::FIRST_OF_FOUR.path_of(&lines),
        };
        let files = match list_folder(folder) {
            Ok(files) => files,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(none_found()),
            Err(source) => return Err(ShardError::read(folder, source)),
        };
        let names = files
            .iter()
            .filter_map(|path| Some(lines.with_file_name(path.file_name()?)));
        let results: Vec<PathBuf> = names.filter(|path| is_shard_of(path, &lines)).collect();
        match results.is_empty() {
            true => Err(none_found()),
            false => Self::read(results),
        }
    }

    /// The shards whose results are in `files`, in any order.
    ///
    /// # Errors
    /// One of them is not done or was changed since, they do not belong together, some are missing, or they were not run
    /// over the same input.
    pub fn read(files: Vec<PathBuf>) -> Result<Self, ShardError> {
        let mut shards = BTreeMap::new();
        for path in files {
            modelzoo_storage::find(&path).map_err(|source| ShardError::read(&path, source))?;
            let Some(record) = ShardRecord::read(&path)? else {
                return Err(ShardError::Unfinished { path });
            };
            if !record.is_of(&path)? {
                return Err(ShardError::Changed { path });
            }
            let others: Option<(&Shard, &(PathBuf, ShardRecord))> = shards.iter().next();
            let different = others.and_then(|(_, (other, its))| {
                let difference = its.difference(&record)?;
                Some((other.clone(), difference))
            });
            if let Some((one, difference)) = different {
                let other = path;
                return Err(ShardError::Different {
                    one,
                    other,
                    difference,
                });
            }
            if let Some((one, _)) = shards.insert(record.shard, (path.clone(), record)) {
                return Err(ShardError::Different {
                    one,
                    other: path,
                    difference: "they are the same shard".to_owned(),
                });
            }
        }
        if let Some(&of) = shards.keys().next() {
            let missing: Vec<Shard> = of.all().filter(|shard| !shards.contains_key(shard)).collect();
            if !missing.is_empty() {
                return Err(ShardError::Missing { missing, of });
            }
        }
        let shards: Vec<(PathBuf, ShardRecord)> = shards.into_values().collect();
        let owners = owners(&shards)?;
        Ok(Self { shards, owners })
    }

    /// The records of the shards, in the order of their numbers.
    pub fn records(&self) -> impl Iterator<Item = &ShardRecord> {
        self.shards.iter().map(|(_, record)| record)
    }

    /// How many samples they have together.
    pub fn samples(&self) -> u64 {
        self.owners.len() as u64
    }

    /// How many of these failed, or of which a part did.
    pub fn failed(&self) -> u64 {
        self.records().map(|record| record.failed).sum()
    }

    /// Gives the lines of all shards, each with its end, in the order in which one run would have written them.
    ///
    /// # Errors
    /// A file cannot be read, has another number of lines than its record says, or `take` fails.
    pub fn lines<E: From<ShardError>>(
        &self,
        mut take: impl FnMut(&Path, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let open = |(path, _): &(PathBuf, ShardRecord)| match modelzoo_storage::open(path) {
            Ok(file) => Ok(BufReader::new(file)),
            Err(source) => Err(ShardError::read(path, source)),
        };
        let mut files: Vec<BufReader<_>> = self.shards.iter().map(open).collect::<Result<_, _>>()?;
        let mut line = Vec::new();
        for &owner in &self.owners {
            let (path, record) = &self.shards[owner];
            line.clear();
            files[owner]
                .read_until(b'\n', &mut line)
                .map_err(|source| ShardError::read(path, source))?;
            if line.is_empty() {
                return Err(wrong_length(path, record).into());
            }
            take(path, &line)?;
        }
        for (file, (path, record)) in files.iter_mut().zip(&self.shards) {
            let rest = file.fill_buf().map_err(|source| ShardError::read(path, source))?;
            if !rest.is_empty() {
                return Err(wrong_length(path, record).into());
            }
        }
        Ok(())
    }
}

fn wrong_length(path: &Path, record: &ShardRecord) -> ShardError {
    let problem = format!(
        "it has not the {} lines that its record says",
        record.positions.len()
    );
    ShardError::content(path, problem)
}

/// Whose sample stands at each place of the input.
fn owners(shards: &[(PathBuf, ShardRecord)]) -> Result<Vec<usize>, ShardError> {
    let total = shards.iter().map(|(_, record)| record.positions.len()).sum();
    let mut owners: Vec<Option<usize>> = vec![None; total];
    for (index, (path, record)) in shards.iter().enumerate() {
        for &position in &record.positions {
            let place = usize::try_from(position)
                .ok()
                .and_then(|position| owners.get_mut(position));
            let problem = match place {
                // As many samples as places: where one is beyond them, a place is empty.
                None => "some samples of the input are in no shard".to_owned(),
                Some(Some(_)) => format!("both have the sample at place {position} of the input"),
                Some(free) => {
                    *free = Some(index);
                    continue;
                }
            };
            let other = shards.iter().map(|(path, _)| path).find(|other| *other != path);
            return Err(ShardError::Different {
                one: path.clone(),
                other: other.unwrap_or(path).clone(),
                difference: problem,
            });
        }
    }
    // All are taken, since none was taken twice.
    Ok(owners.into_iter().flatten().collect())
}

/// Whether a path is what [`Shard::path_of`] makes of `output` for some shard.
fn is_shard_of(path: &Path, output: &Path) -> bool {
    let stem = |path: &Path| Some(path.file_stem()?.to_str()?.to_owned());
    let numbers = || {
        let (name, whole) = (stem(path)?, stem(output)?);
        let (number, count) = name.strip_prefix(&whole)?.strip_prefix('-')?.split_once("-of-")?;
        let shard = format!(
            "{}/{}",
            number.trim_start_matches('0'),
            count.trim_start_matches('0')
        );
        shard.parse().ok()
    };
    numbers().is_some_and(|shard: Shard| shard.path_of(output) == path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Provenance;
    use modelzoo_base::error::{Diagnose as _, ErrorClass};
    use std::fs;

    /// Two shards of the samples a to e, of which the second and the last are those of the second shard.
    fn two(folder: &Path, change: impl Fn(&mut ShardRecord)) -> Vec<PathBuf> {
        let parts = [("1/2", "a\nc\nd\n", vec![0, 2, 3]), ("2/2", "b\ne\n", vec![1, 4])];
        parts
            .into_iter()
            .map(|(shard, lines, positions)| {
                let shard: Shard = shard.parse().unwrap();
                let path = shard.path_of(&folder.join("out.jsonl"));
                fs::write(&path, lines).unwrap();
                let mut record = ShardRecord::new(shard, "predictions".to_owned(), Provenance::default());
                record.positions = positions;
                change(&mut record);
                record.write(&path).unwrap();
                path
            })
            .collect()
    }

    fn lines(set: &ShardSet) -> Result<String, ShardError> {
        let mut text = Vec::new();
        set.lines(|_, line| {
            text.extend_from_slice(line);
            Ok::<(), ShardError>(())
        })?;
        Ok(String::from_utf8(text).unwrap())
    }

    fn problem(folder: &Path) -> String {
        let told = match ShardSet::find(&folder.join("out.jsonl")) {
            Ok(set) => lines(&set).unwrap_err().to_string(),
            Err(error) => error.to_string(),
        };
        told.replace(&format!("{}/", folder.display()), "")
    }

    #[test]
    fn lines_come_in_the_order_of_the_input() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = two(folder.path(), |_| ());
        // What is no shard of this output is not taken for one.
        fs::write(folder.path().join("out-1-of-2.jsonl"), "x").unwrap();
        fs::write(folder.path().join("other-00001-of-00002.jsonl"), "x").unwrap();
        let found = ShardSet::find(&folder.path().join("out.parquet")).unwrap();
        assert_eq!(found.samples(), 5);
        assert_eq!(lines(&found).unwrap(), "a\nb\nc\nd\ne\n");
        files.reverse();
        assert_eq!(lines(&ShardSet::read(files).unwrap()).unwrap(), "a\nb\nc\nd\ne\n");
    }

    #[test]
    fn what_does_not_belong_together_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let missing = ShardSet::read(vec![path.join("none.jsonl")]).unwrap_err();
        assert_eq!(missing.class(), ErrorClass::NotFound);
        assert_eq!(problem(path), "out.jsonl: there are no shards of it here");
        let files = two(path, |_| ());
        fs::remove_file(&files[0]).unwrap();
        assert_eq!(problem(path), "1 of 2 shards are missing: 1");
        fs::write(&files[0], "a\nc\nD\n").unwrap();
        assert_eq!(
            problem(path),
            "out-00001-of-00002.jsonl: it was changed after its shard was done"
        );
        ShardRecord::remove(&files[0]).unwrap();
        assert_eq!(
            problem(path),
            "out-00001-of-00002.jsonl: there is no record of a finished shard beside it"
        );
        two(path, |record| record.field = record.shard.to_string());
        assert_eq!(
            problem(path),
            "out-00001-of-00002.jsonl and out-00002-of-00002.jsonl do not belong together: \
             field 2/2 instead of 1/2"
        );
        // As after a picture was added between the runs.
        two(path, |record| {
            if record.shard.number() == 2 {
                record.positions = vec![2, 5];
            }
        });
        assert!(problem(path).contains("both have the sample at place 2 of the input"));
        two(path, |record| {
            if record.shard.number() == 2 {
                record.positions = vec![1, 5];
            }
        });
        assert!(problem(path).ends_with("some samples of the input are in no shard"));
        two(path, |record| {
            if record.shard.number() == 2 {
                record.positions = vec![1, 4, 5];
            }
        });
        assert_eq!(
            problem(path),
            "out-00002-of-00002.jsonl: it has not the 3 lines that its record says"
        );
    }
}
