//! How a person names a model: by its name, or by its source.
use super::{
    SourceRef,
    error::{Problem, ReferenceError},
    is_archive_name,
    parse::{Forges, is_path_spelling},
};
use std::{fmt, path::Path};

/// What begins the name of a model behind a source.
const MODEL_SIGN: char = '#';

/// A model as a person names it.
///
/// | spelling | means |
/// |---|---|
/// | `base_name`, `owner/base_name@version` | the known model of that name; where there is none, a source of that spelling |
/// | `https://host/repo.git`, `./folder`, `gh:user/repo` | the only model of a source |
/// | `SOURCE#base_name[@version]` | this model of a source; `#` and nothing says that it is a source, whatever it looks like |
///
/// A `#` that is a part of a Git ref is spelt `%23`. A path that exists as it stands is read as it stands, so folders
/// may have a `#` in their names. What follows the query of a page (`https://host/user/repo?tab=readme#install`) is a
/// place on that page and names no model.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ModelRef {
    /// What may be the name of a known model.
    Name(String),
    /// A model of a source.
    InSource {
        /// The source.
        source: SourceRef,
        /// The model's name; a source with one model needs none.
        model: Option<String>,
    },
}

impl Forges {
    /// Reads a spelling of a model. `name` says which one of the source it is where the spelling does not.
    ///
    /// # Errors
    /// As for [`Forges::parse`]; also when the spelling names one model of the source, and `name` another.
    pub fn parse_model(&self, spelling: &str, name: Option<&str>) -> Result<ModelRef, ReferenceError> {
        let spelling = spelling.trim();
        let (source, model) = split_model(spelling);
        if let (None, None) = (model, name)
            && may_be_name(spelling)
        {
            return Ok(ModelRef::Name(spelling.to_owned()));
        }
        let model = model.filter(|model| !model.is_empty());
        let refuse = |problem| Err(ReferenceError::new(spelling, Vec::new(), problem));
        if let (Some(model), Some(name)) = (model, name)
            && model != name
        {
            return refuse(Problem::TwoModels {
                first: model.to_owned(),
                second: name.to_owned(),
            });
        }
        let model = model.or(name);
        if let Some(character) = model.and_then(|model| model.chars().find(|c| c.is_control())) {
            return refuse(Problem::Character { character });
        }
        Ok(ModelRef::InSource {
            source: self.parse(source)?,
            model: model.map(str::to_owned),
        })
    }
}

impl ModelRef {
    /// The model `name` of a source, or its only one.
    pub fn in_source(source: SourceRef, name: Option<&str>) -> Self {
        Self::InSource {
            source,
            model: name.map(str::to_owned),
        }
    }
}

impl fmt::Display for ModelRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => formatter.write_str(name),
            Self::InSource { source, model } => {
                let source = source.to_string();
                formatter.write_str(&source)?;
                match model {
                    Some(model) => write!(formatter, "{MODEL_SIGN}{model}"),
                    None if may_be_name(&source) || source.contains(MODEL_SIGN) => {
                        write!(formatter, "{MODEL_SIGN}")
                    }
                    None => Ok(()),
                }
            }
        }
    }
}

/// Splits `source#model`.
fn split_model(spelling: &str) -> (&str, Option<&str>) {
    if is_path_spelling(spelling) {
        if Path::new(spelling).exists() {
            return (spelling, None);
        }
        return match spelling.rsplit_once(MODEL_SIGN) {
            Some((path, model)) => (path, Some(model)),
            None => (spelling, None),
        };
    }
    let Some((source, model)) = spelling.split_once(MODEL_SIGN) else {
        return (spelling, None);
    };
    let is_page = source
        .split_once('?')
        .is_some_and(|(path, _)| !is_archive_name(archive_of(path)));
    (source, (!is_page).then_some(model))
}

/// The path of an archive without the folder in it: `https://host/a.zip//sub` is `https://host/a.zip`.
fn archive_of(path: &str) -> &str {
    let start = path.find("://").map_or(0, |scheme| scheme + "://".len());
    let end = path[start..].find("//").map_or(path.len(), |end| start + end);
    &path[..end]
}

/// Whether a text can be a model's name: not a path, not a URL, nothing that says that it is a source.
fn may_be_name(text: &str) -> bool {
    !is_path_spelling(text)
        && !text.contains("://")
        && !text.contains(MODEL_SIGN)
        && !text.starts_with("gh:")
        && !text.starts_with("hf:")
        && !text.starts_with("git@")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(spelling: &str) -> ModelRef {
        Forges::default()
            .parse_model(spelling, None)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    fn in_source(source: &str, model: Option<&str>) -> ModelRef {
        ModelRef::in_source(SourceRef::parse(source).unwrap(), model)
    }

    #[test]
    fn what_may_be_a_name_is_one() {
        for name in [
            "resnet18",
            "test/boxes",
            "user/detector@2",
            "github.com/user/repo",
        ] {
            assert_eq!(parse(name), ModelRef::Name(name.to_owned()));
        }
        for source in [
            "gh:user/repo",
            "hf:owner/name",
            "https://example.com/repo.git",
            "./folder",
            "git@host:path",
        ] {
            assert_eq!(parse(source), in_source(source, None));
        }
        assert_eq!(parse("user/repo#"), in_source("user/repo", None));
    }

    #[test]
    fn a_model_of_a_source_follows_it() {
        for (spelling, source, model) in [
            ("user/repo#small", "user/repo", "small"),
            ("user/repo@v1#test/boxes@2", "user/repo@v1", "test/boxes@2"),
            ("user/repo@v1//sub/dir#small", "user/repo@v1//sub/dir", "small"),
            ("user/repo@fix%2312#small", "user/repo@fix%2312", "small"),
            (
                "https://example.com/a.zip?key=1#small",
                "https://example.com/a.zip?key=1",
                "small",
            ),
            (
                "https://example.com/a.zip//sub?key=1#small",
                "https://example.com/a.zip//sub?key=1",
                "small",
            ),
            ("git@host:path#small", "git@host:path", "small"),
            ("./no such folder#test/boxes", "./no such folder", "test/boxes"),
            ("./no#such#boxes", "./no#such", "boxes"),
        ] {
            assert_eq!(parse(spelling), in_source(source, Some(model)), "{spelling}");
        }
    }

    #[test]
    fn a_place_on_a_page_is_no_model() {
        assert_eq!(
            parse("https://github.com/user/repo?tab=readme-ov-file#install"),
            in_source("https://github.com/user/repo", None)
        );
    }

    #[test]
    fn a_path_that_exists_is_read_as_it_stands() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model #1");
        std::fs::create_dir(&path).unwrap();
        let spelling = path.display().to_string();
        assert_eq!(parse(&spelling), in_source(&spelling, None));
        assert_eq!(
            parse(&format!("{spelling}#small")),
            in_source(&spelling, Some("small"))
        );
    }

    #[test]
    fn a_name_beside_the_spelling_says_that_it_is_a_source() {
        let parse = |spelling, name| Forges::default().parse_model(spelling, Some(name));
        assert_eq!(
            parse("user/repo", "small").unwrap(),
            in_source("user/repo", Some("small"))
        );
        assert_eq!(
            parse("user/repo#small", "small").unwrap(),
            in_source("user/repo", Some("small"))
        );
        let two = parse("user/repo#large", "small").unwrap_err();
        assert_eq!(
            two.to_string(),
            "`user/repo#large` is not a source: it names the model `large`, and beside it stands `small`"
        );
        assert!(parse("user/repo", "sm\nall").is_err());
        assert!(parse("word", "small").is_err(), "a word is no source");
    }

    proptest! {
        #[test]
        fn spelling_and_meaning_go_round(spelling in "\\PC{0,40}", name in proptest::option::of("[a-z/@.0-9]{1,9}")) {
            if let Ok(meant) = Forges::default().parse_model(&spelling, name.as_deref()) {
                let again = Forges::default().parse_model(&meant.to_string(), None);
                prop_assert_eq!(again.ok(), Some(meant));
            }
        }
    }
}
