//! What an input is, and which files it leads to.

use super::{
    archive,
    error::InputError,
    file::{Content, Contents, InputFile, Named, kind_by_name},
    media_kind::MediaKind,
    passed_over::PassedOver,
    relative::relative_to,
    text::open_text,
    walk::media_files,
};
use modelzoo_base::suggest;
use modelzoo_storage::is_url;
use std::{
    io::{self, BufRead as _},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// One of the inputs.
#[derive(Clone, Debug)]
pub(super) enum Source {
    Folder(PathBuf),
    /// What is below a URL.
    Prefix(PathBuf),
    Glob {
        pattern: String,
        base: PathBuf,
    },
    /// A glob of what is below a URL.
    PrefixGlob {
        pattern: glob::Pattern,
        base: PathBuf,
    },
    File {
        path: PathBuf,
        base: PathBuf,
    },
    List(PathBuf),
}

/// How files are gone through.
#[derive(Clone, Debug)]
pub(super) struct Walk {
    pub(super) kinds: Vec<MediaKind>,
    pub(super) column: Option<String>,
    pub(super) passed_over: PassedOver,
    /// What of archives and tables comes with its names.
    pub(super) contents: Contents,
    /// Set once something was left out that only its content would tell.
    pub(super) has_unread: Arc<AtomicBool>,
}

pub(super) type Files<'a> = Box<dyn Iterator<Item = Result<InputFile, InputError>> + Send + 'a>;

impl Source {
    pub(super) fn detect(input: &Path, base: &Path) -> Result<Self, InputError> {
        if is_url(input) {
            return Self::detect_url(input, base);
        }
        if input.is_dir() {
            return Ok(Self::Folder(input.to_owned()));
        }
        if input.exists() {
            return Ok(Self::of_file(input, base));
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

    fn of_file(path: &Path, base: &Path) -> Self {
        match is_list(path) {
            true => Self::List(path.to_owned()),
            false => Self::File {
                path: path.to_owned(),
                base: base.to_owned(),
            },
        }
    }

    /// What is behind a URL: what its name says it is; or where that says nothing, something of the name if there is, and
    /// otherwise what is below it.
    fn detect_url(url: &Path, base: &Path) -> Result<Self, InputError> {
        let text = url.to_string_lossy();
        let is_web = text.starts_with("http");
        // What is after a question mark is part of a URL of the web, and no glob.
        if !is_web && text.contains(['*', '?', '[']) {
            let pattern = glob::Pattern::new(&text).map_err(|error| invalid_glob(&text, &error))?;
            return Ok(Self::PrefixGlob {
                pattern,
                base: fixed_part_of_url(&text),
            });
        }
        let is_named = Named::of(url) != Named::Media || kind_by_name(url).is_some();
        if is_web || (is_named && !text.ends_with('/')) {
            return Ok(Self::of_file(url, base));
        }
        let has_name = text.splitn(4, '/').nth(3).is_some_and(|key| !key.is_empty()) && !text.ends_with('/');
        match has_name.then(|| modelzoo_storage::find(url)) {
            Some(Ok(())) => Ok(Self::of_file(url, base)),
            Some(Err(source)) if source.kind() != io::ErrorKind::NotFound => Err(InputError::Io {
                path: url.to_owned(),
                source,
            }),
            _ => Ok(Self::Prefix(url.to_owned())),
        }
    }

    /// The files that it leads to.
    pub(super) fn files<'a>(&'a self, walk: &Walk) -> Result<Files<'a>, InputError> {
        Ok(match self {
            Self::Folder(folder) => Box::new(media_files(folder, &walk.kinds, &walk.passed_over).map(
                move |file| {
                    let (path, kind) = file?;
                    Ok(InputFile {
                        relative_path: relative_to(&path, folder),
                        path,
                        kind,
                        content: Content::AtPath,
                    })
                },
            )),
            Self::Prefix(url) => Box::new(stored(url, walk.clone(), |path| Named::of(path) == Named::Media)?),
            Self::PrefixGlob { pattern, base } => {
                let takes_contained = Named::of(Path::new(pattern.as_str())) != Named::Media;
                let is_wanted = move |path: &Path| {
                    pattern.matches_path_with(path, glob_options())
                        && (takes_contained || Named::of(path) == Named::Media)
                };
                Box::new(stored(base, walk.clone(), is_wanted)?)
            }
            Self::Glob { pattern, base } => {
                let walk = walk.clone();
                // Results of an earlier run may lie among pictures; archives and tables are asked for.
                let takes_contained = Named::of(Path::new(pattern)) != Named::Media;
                let paths = glob::glob_with(pattern, glob_options())
                    .map_err(|error| invalid_glob(pattern, &error))?;
                Box::new(paths.flat_map(move |path| match path {
                    Ok(path) if takes_contained || Named::of(&path) == Named::Media => {
                        found_file(path, base, &walk)
                    }
                    Ok(_) => nothing(),
                    Err(error) => once(Err(InputError::Io {
                        path: error.path().to_owned(),
                        source: error.into(),
                    })),
                }))
            }
            Self::File { path, base } => named_file(path.clone(), base, walk),
            Self::List(list) => Box::new(listed_files(list, walk.clone())?),
        })
    }

    pub(super) fn nothing_found(&self, kinds: &[MediaKind]) -> InputError {
        let (input, place) = match self {
            Self::Folder(folder) => (folder.clone(), "in this folder"),
            Self::Prefix(url) => (url.clone(), "below this URL"),
            Self::Glob { pattern, .. } => (PathBuf::from(pattern), "match this glob"),
            Self::PrefixGlob { pattern, .. } => (PathBuf::from(pattern.as_str()), "match this glob"),
            Self::List(path) => (path.clone(), "in this list"),
            Self::File { path, .. } => (path.clone(), "in this file"),
        };
        InputError::NothingFound {
            input,
            place,
            kinds: kinds.to_vec(),
        }
    }
}

fn glob_options() -> glob::MatchOptions {
    glob::MatchOptions {
        require_literal_separator: true,
        require_literal_leading_dot: true,
        ..glob::MatchOptions::new()
    }
}

/// Whether a file lists others.
pub(super) fn is_list(path: &Path) -> bool {
    Named::of(path) == Named::List
}

fn once<'a>(file: Result<InputFile, InputError>) -> Files<'a> {
    Box::new(std::iter::once(file))
}

fn nothing<'a>() -> Files<'a> {
    Box::new(std::iter::empty())
}

/// The files below a URL that are wanted.
fn stored<'a>(
    folder: &'a Path,
    walk: Walk,
    is_wanted: impl Fn(&Path) -> bool + Send + 'a,
) -> Result<impl Iterator<Item = Result<InputFile, InputError>> + Send + 'a, InputError> {
    let failure = |source| InputError::Io {
        path: folder.to_owned(),
        source,
    };
    let listed = modelzoo_storage::list(folder).map_err(failure)?;
    Ok(listed.flat_map(move |path| match path {
        Ok(path) if is_wanted(&path) => found_file(path, folder, &walk),
        Ok(_) => nothing(),
        Err(error) => once(Err(failure(error))),
    }))
}

/// A file that was come upon: media of the wanted kinds, and archives and tables.
fn found_file<'a>(path: PathBuf, base: &Path, walk: &Walk) -> Files<'a> {
    // A walk through folders passes over what is hidden by itself.
    let is_hidden = |path: &Path| {
        let below = relative_to(path, base);
        let mut parts = below.components();
        is_url(path) && parts.any(|part| part.as_os_str().as_encoded_bytes().starts_with(b"."))
    };
    match Named::of(&path) {
        Named::Archive | Named::Table if !path.is_dir() => named_file(path, base, walk),
        _ => match kind_by_name(&path).filter(|kind| walk.kinds.contains(kind)) {
            Some(kind) if !path.is_dir() && !is_hidden(&path) => once(Ok(InputFile {
                relative_path: relative_to(&path, base),
                path,
                kind,
                content: Content::AtPath,
            })),
            _ => nothing(),
        },
    }
}

/// A file that was named itself, or what is in it.
fn named_file<'a>(path: PathBuf, base: &Path, walk: &Walk) -> Files<'a> {
    match Named::of(&path) {
        Named::Archive if is_url(&path) && walk.contents.are_left_out() => {
            walk.has_unread.store(true, Ordering::Relaxed);
            nothing()
        }
        Named::Archive => Box::new(archive::files(&path, base, &walk.kinds, walk.contents.clone())),
        Named::Table => table_files(&path, base, walk),
        Named::List | Named::Media => once(Ok(media_file(path, base))),
    }
}

#[cfg(feature = "parquet")]
fn table_files<'a>(path: &Path, base: &Path, walk: &Walk) -> Files<'a> {
    let column = walk.column.as_deref();
    let with_content = !walk.contents.are_left_out();
    match super::table::files(path, base, &walk.kinds, column, with_content) {
        Ok(files) => Box::new(files),
        Err(error) => once(Err(error)),
    }
}

#[cfg(not(feature = "parquet"))]
fn table_files<'a>(path: &Path, _: &Path, _: &Walk) -> Files<'a> {
    once(Err(InputError::Column {
        path: path.to_owned(),
        problem: "this program is built without Parquet".to_owned(),
    }))
}

fn media_file(path: PathBuf, base: &Path) -> InputFile {
    let by_content = || match is_url(&path) {
        true => None,
        false => MediaKind::of_content(&path).ok().flatten(),
    };
    let kind = kind_by_name(&path)
        .or_else(by_content)
        .unwrap_or(MediaKind::Image);
    let mut relative_path = relative_to(&path, base);
    if is_url(&path) {
        // A URL of the web may go on after its path.
        relative_path.set_file_name(modelzoo_storage::name_of(&path));
        relative_path = relative_to(&relative_path, Path::new(""));
    }
    InputFile {
        relative_path,
        path,
        kind,
        content: Content::AtPath,
    }
}

/// What a list names, a file on each line; blank lines are passed over.
fn listed_files<'a>(
    list: &'a Path,
    walk: Walk,
) -> Result<impl Iterator<Item = Result<InputFile, InputError>> + Send + 'a, InputError> {
    let failure = |source| InputError::Io {
        path: list.to_owned(),
        source,
    };
    let folder = list.parent().unwrap_or(Path::new(""));
    let lines = open_text(list).map_err(failure)?.lines();
    Ok(lines.enumerate().flat_map(move |(index, line)| match line {
        Ok(line) if line.trim().is_empty() => nothing(),
        Ok(line) => {
            let named = PathBuf::from(line.trim());
            let path = if is_url(&named) { named } else { folder.join(named) };
            named_file(path, folder, &walk)
        }
        Err(error) if error.kind() == io::ErrorKind::InvalidData => once(Err(InputError::InvalidList {
            path: list.to_owned(),
            line: index + 1,
        })),
        Err(error) => once(Err(failure(error))),
    }))
}

/// The part of a URL's glob before its first wildcard.
fn fixed_part_of_url(pattern: &str) -> PathBuf {
    let fixed = pattern.split(['*', '?', '[']).next().unwrap_or_default();
    let folder = fixed.rsplit_once('/').map_or(fixed, |(folder, _)| folder);
    PathBuf::from(folder)
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
