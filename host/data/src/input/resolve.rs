//! From what the user typed to files.

use super::{
    error::InputError,
    media_kind::MediaKind,
    passed_over::PassedOver,
    relative::{common_folder, relative_to},
    text::open_text,
    walk::media_files,
};
use modelzoo_base::suggest;
use std::{
    io::{self, BufRead as _},
    path::{Path, PathBuf},
};

/// A file to work on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputFile {
    /// Where it is: as given, or below the folder that was given.
    pub path: PathBuf,
    /// Its name below the folder, the glob's fixed part or the list file's folder; for several files, below the
    /// folder they share. It has no root and no `..`, so it can be joined to an output folder.
    pub relative_path: PathBuf,
    /// What it holds, going by its name. Of a file that was named itself and has an unknown ending, its content decides;
    /// what is neither is taken for a picture.
    pub kind: MediaKind,
}

/// The files that some inputs stand for.
#[derive(Clone, Debug)]
pub struct Inputs {
    sources: Vec<Source>,
    kinds: Vec<MediaKind>,
    passed_over: PassedOver,
}

#[derive(Clone, Debug)]
enum Source {
    Folder(PathBuf),
    Glob { pattern: String, base: PathBuf },
    File { path: PathBuf, base: PathBuf },
    List(PathBuf),
}

type Files<'a> = Box<dyn Iterator<Item = Result<InputFile, InputError>> + Send + 'a>;

impl Inputs {
    /// Finds out what each input is: a folder, a list file (ending in `.txt`, with a path on each line, relative to
    /// the list's own folder), another file, or a glob (`*`, `?`, `[...]`, and `**` for folders at any depth).
    ///
    /// Folders and globs give files whose endings are of the given kinds; files that are named are taken as they
    /// are.
    ///
    /// # Errors
    /// When an input does not exist, or leads to no file at all.
    pub fn resolve<P: AsRef<Path>>(inputs: &[P], kinds: &[MediaKind]) -> Result<Self, InputError> {
        if inputs.is_empty() {
            return Err(InputError::NoInput);
        }
        let files = inputs
            .iter()
            .map(AsRef::as_ref)
            .filter(|path| path.is_file() && !is_list(path));
        let base = common_folder(files);
        let sources = inputs
            .iter()
            .map(|input| Source::detect(input.as_ref(), &base))
            .collect::<Result<_, _>>()?;
        let resolved = Self {
            sources,
            kinds: kinds.to_vec(),
            passed_over: PassedOver::default(),
        };
        for source in &resolved.sources {
            // An item that cannot be read concerns itself alone, whichever it is, as long as there is another.
            let mut first_error = None;
            let is_found = source
                .files(&resolved.kinds, &resolved.passed_over)?
                .any(|file| match file {
                    Ok(_) => true,
                    Err(error) => {
                        first_error.get_or_insert(error);
                        false
                    }
                });
            if !is_found {
                return Err(first_error.unwrap_or_else(|| source.nothing_found(kinds)));
            }
        }
        Ok(resolved)
    }

    /// The files, input by input; within a folder or a glob in the order of their paths' parts. An error is a folder
    /// or a line of a list that cannot be read; the rest follows all the same.
    pub fn iter(&self) -> impl Iterator<Item = Result<InputFile, InputError>> + Send + '_ {
        self.sources
            .iter()
            .flat_map(|source| match source.files(&self.kinds, &self.passed_over) {
                Ok(files) => files,
                Err(error) => Box::new(std::iter::once(Err(error))),
            })
    }

    /// What was passed over though it may have been wanted (pictures of formats that are not read), a line for each folder
    /// that [`Inputs::iter`] has walked to its end.
    pub fn passed_over(&self) -> Vec<String> {
        self.passed_over.lines()
    }

    /// How many items [`Inputs::iter`] gives. Walks all of them.
    pub fn count(&self) -> usize {
        self.iter().count()
    }
}

impl Source {
    fn detect(input: &Path, base: &Path) -> Result<Self, InputError> {
        if input.is_dir() {
            return Ok(Self::Folder(input.to_owned()));
        }
        if input.exists() {
            let path = input.to_owned();
            return Ok(if is_list(input) {
                Self::List(path)
            } else {
                Self::File {
                    path,
                    base: base.to_owned(),
                }
            });
        }
        match input.to_str() {
            Some(pattern) if pattern.contains(['*', '?', '[']) => {
                glob::Pattern::new(pattern).map_err(|error| invalid_glob(pattern, &error))?;
                Ok(Self::Glob {
                    pattern: pattern.to_owned(),
                    base: fixed_part(input),
                })
            }
            _ => Err(not_found(input)),
        }
    }

    fn files(&self, kinds: &[MediaKind], passed_over: &PassedOver) -> Result<Files<'_>, InputError> {
        Ok(match self {
            Self::Folder(folder) => Box::new(media_files(folder, kinds, passed_over).map(move |file| {
                let (path, kind) = file?;
                Ok(InputFile {
                    relative_path: relative_to(&path, folder),
                    path,
                    kind,
                })
            })),
            Self::Glob { pattern, base } => {
                let kinds = kinds.to_vec();
                let options = glob::MatchOptions {
                    require_literal_leading_dot: true,
                    ..glob::MatchOptions::new()
                };
                let paths =
                    glob::glob_with(pattern, options).map_err(|error| invalid_glob(pattern, &error))?;
                Box::new(paths.filter_map(move |path| match path {
                    Ok(path) => {
                        let kind = MediaKind::from_path(&path)
                            .filter(|kind| kinds.contains(kind) && !path.is_dir())?;
                        Some(Ok(InputFile {
                            relative_path: relative_to(&path, base),
                            path,
                            kind,
                        }))
                    }
                    Err(error) => Some(Err(InputError::Io {
                        path: error.path().to_owned(),
                        source: error.into(),
                    })),
                }))
            }
            Self::File { path, base } => Box::new(std::iter::once(Ok(named_file(path.clone(), base)))),
            Self::List(list) => Box::new(listed_files(list)?),
        })
    }

    fn nothing_found(&self, kinds: &[MediaKind]) -> InputError {
        let (input, place) = match self {
            Self::Folder(folder) => (folder.clone(), "in this folder"),
            Self::Glob { pattern, .. } => (PathBuf::from(pattern), "match this glob"),
            Self::File { path, .. } | Self::List(path) => (path.clone(), "in this list"),
        };
        InputError::NothingFound {
            input,
            place,
            kinds: kinds.to_vec(),
        }
    }
}

fn is_list(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("txt"))
}

/// A file that was named itself.
fn named_file(path: PathBuf, base: &Path) -> InputFile {
    let by_content = || MediaKind::of_content(&path).ok().flatten();
    let kind = MediaKind::from_path(&path)
        .or_else(by_content)
        .unwrap_or(MediaKind::Image);
    InputFile {
        relative_path: relative_to(&path, base),
        path,
        kind,
    }
}

/// The files that a list names, one on a line; blank lines are passed over.
fn listed_files(list: &Path) -> Result<impl Iterator<Item = Result<InputFile, InputError>> + '_, InputError> {
    let failure = |source| InputError::Io {
        path: list.to_owned(),
        source,
    };
    let folder = list.parent().unwrap_or(Path::new(""));
    let lines = open_text(list).map_err(failure)?.lines();
    Ok(lines.enumerate().filter_map(move |(index, line)| match line {
        Ok(line) if line.trim().is_empty() => None,
        Ok(line) => Some(Ok(named_file(folder.join(line.trim()), folder))),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Some(Err(InputError::InvalidList {
            path: list.to_owned(),
            line: index + 1,
        })),
        Err(error) => Some(Err(failure(error))),
    }))
}

/// The folders of a glob before its first wildcard.
fn fixed_part(pattern: &Path) -> PathBuf {
    let is_fixed = |part: &std::path::Component<'_>| {
        !part
            .as_os_str()
            .as_encoded_bytes()
            .iter()
            .any(|byte| b"*?[".contains(byte))
    };
    pattern.components().take_while(is_fixed).collect()
}

fn invalid_glob(pattern: &str, error: &glob::PatternError) -> InputError {
    InputError::InvalidGlob {
        pattern: pattern.to_owned(),
        message: error.msg,
        position: error.pos + 1,
    }
}

/// Why there is nothing at a path: the system may only not let it be seen.
fn not_found(input: &Path) -> InputError {
    match input.metadata() {
        Err(source)
            if !matches!(
                source.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            InputError::Io {
                path: input.to_owned(),
                source,
            }
        }
        _ => InputError::NotFound {
            path: input.to_owned(),
            suggestions: similar_names(input),
        },
    }
}

/// Names in the folder of a missing path that are spelt much like its last part; at most three, the likeliest first.
fn similar_names(missing: &Path) -> Vec<String> {
    let (Some(name), folder) = (
        missing.file_name().and_then(|name| name.to_str()),
        missing.parent(),
    ) else {
        return Vec::new();
    };
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
    let Ok(entries) = std::fs::read_dir(folder.unwrap_or(Path::new("."))) else {
        return Vec::new();
    };
    let names: Vec<String> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    let spelt = |name: String| match folder {
        Some(folder) => folder.join(name).display().to_string(),
        None => name,
    };
    suggest::nearest(name, names.iter().map(String::as_str))
        .into_iter()
        .map(spelt)
        .collect()
}

#[cfg(test)]
mod tests;
