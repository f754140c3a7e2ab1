//! From what the user typed to files.

use super::{
    error::InputError,
    file::{Contents, InputFile},
    media_kind::MediaKind,
    passed_over::PassedOver,
    relative::common_folder,
    source::{Files, Source, Walk, is_list},
};
use modelzoo_storage::is_url;
use std::{
    fmt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// How inputs are read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InputOptions {
    /// The column of tables that holds the pictures, or their paths or URLs; where there is none, the one that clearly does.
    pub column: Option<String>,
}

/// The files that some inputs stand for.
#[derive(Clone, Debug)]
pub struct Inputs {
    sources: Vec<Source>,
    kinds: Vec<MediaKind>,
    options: InputOptions,
    passed_over: PassedOver,
}

impl Inputs {
    /// Finds out what each input is, with [`Inputs::resolve_with`] and no options.
    ///
    /// # Errors
    /// When an input does not exist, or leads to no file at all.
    pub fn resolve<P: AsRef<Path>>(inputs: &[P], kinds: &[MediaKind]) -> Result<Self, InputError> {
        Self::resolve_with(inputs, kinds, &InputOptions::default())
    }

    /// Finds out what each input is: a folder, a list file (ending in `.txt`, with an input on each line, relative to
    /// the list's own folder), a tar archive of files, a Parquet file with a column of files, their paths or URLs, another
    /// file, or a glob (`*`, `?`, `[...]`, and `**` for folders at any depth). Each may be a URL.
    ///
    /// Folders, archives and globs give files whose endings are of the given kinds; files that are named are taken as they
    /// are.
    ///
    /// # Errors
    /// When an input does not exist, or leads to no file at all.
    pub fn resolve_with<P: AsRef<Path>>(
        inputs: &[P],
        kinds: &[MediaKind],
        options: &InputOptions,
    ) -> Result<Self, InputError> {
        if inputs.is_empty() {
            return Err(InputError::NoInput);
        }
        let files = inputs
            .iter()
            .map(AsRef::as_ref)
            .filter(|path| (path.is_file() || is_url(path)) && !is_list(path));
        let base = common_folder(files);
        let sources = inputs
            .iter()
            .map(|input| Source::detect(input.as_ref(), &base))
            .collect::<Result<_, _>>()?;
        let resolved = Self {
            sources,
            kinds: kinds.to_vec(),
            options: options.clone(),
            passed_over: PassedOver::default(),
        };
        for source in &resolved.sources {
            // An item that cannot be read concerns itself alone, whichever it is, as long as there is another.
            let mut first_error = None;
            let is_found = source
                .files(&resolved.walk(Contents::All))?
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

    /// The files, input by input; within a folder or a glob in the order of their paths' parts, or as a store lists them. An
    /// error is a folder, an archive or a line of a list that cannot be read; the rest follows all the same.
    pub fn iter(&self) -> impl Iterator<Item = Result<InputFile, InputError>> + Send + '_ {
        self.all(self.walk(Contents::All))
    }

    /// The same; of what is in archives, the files whose relative paths are `wanted` alone come with their contents, and those
    /// of the others are not even read where that can be helped.
    pub fn iter_with_contents_of(
        &self,
        wanted: impl Fn(&Path) -> bool + Send + Sync + 'static,
    ) -> impl Iterator<Item = Result<InputFile, InputError>> + Send + '_ {
        self.all(self.walk(Contents::Of(Arc::new(wanted))))
    }

    fn all(&self, walk: Walk) -> impl Iterator<Item = Result<InputFile, InputError>> + Send + '_ {
        self.sources
            .iter()
            .flat_map(move |source| match source.files(&walk) {
                Ok(files) => files,
                Err(error) => Box::new(std::iter::once(Err(error))),
            })
    }

    fn walk(&self, contents: Contents) -> Walk {
        Walk {
            kinds: self.kinds.clone(),
            column: self.options.column.clone(),
            passed_over: self.passed_over.clone(),
            contents,
            has_unread: Arc::default(),
        }
    }

    /// The names of the files, which may take much less than their contents: the files of archives and tables are without
    /// theirs, and those of archives behind URLs are left out.
    pub fn names(&self) -> Names<'_> {
        let walk = self.walk(Contents::None);
        Names {
            has_unread: Arc::clone(&walk.has_unread),
            files: Box::new(self.all(walk)),
        }
    }

    /// What was passed over though it may have been wanted (pictures of formats that are not read), a line for each folder
    /// that [`Inputs::iter`] has walked to its end.
    pub fn passed_over(&self) -> Vec<String> {
        self.passed_over.lines()
    }

    /// How many items [`Inputs::iter`] gives; `None` where only reading archives behind URLs would tell. Walks all others.
    pub fn count(&self) -> Option<usize> {
        let mut names = self.names();
        let count = names.by_ref().count();
        (!names.has_left_out()).then_some(count)
    }
}

/// The files of inputs without their contents.
pub struct Names<'a> {
    files: Files<'a>,
    has_unread: Arc<AtomicBool>,
}

impl Names<'_> {
    /// Whether some were left out so far, because they are in archives behind URLs.
    pub fn has_left_out(&self) -> bool {
        self.has_unread.load(Ordering::Relaxed)
    }
}

impl Iterator for Names<'_> {
    type Item = Result<InputFile, InputError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.files.next()
    }
}

impl fmt::Debug for Names<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Names")
    }
}

#[cfg(test)]
mod tests;
