//! `manager`: where a model's weights are.
use super::read::check_relative;
use modelzoo_base::Sha256Digest;
use serde::{
    Deserialize, Serialize,
    de::{Deserializer, Error as _},
};
use serde_json::{Map, Value};

/// The names under which FiftyOne writes its manager, and the one for what only modelzoo reads.
const KNOWN_TYPES: [&str; 3] = [
    "modelzoo.ModelManager",
    "fiftyone.core.models.ModelManager",
    "eta.core.models.ETAModelManager",
];

/// What a manager's configuration may hold.
pub(super) const CONFIG_FIELDS: [&str; 10] = [
    "url",
    "urls",
    "google_drive_id",
    "file",
    "repo",
    "revision",
    "sha256",
    "size_bytes",
    "extract_archive",
    "delete_archive",
];

/// Where the weights of a model are and what they must be.
///
/// `config` may hold, besides FiftyOne's `url`, `google_drive_id`, `extract_archive` and `delete_archive`:
///
/// | field | means |
/// |---|---|
/// | `url`: list, or `urls` | mirrors of one file, tried in order |
/// | `file` | a file of the source itself, relative to the manifest |
/// | `repo`, `file`, `revision` | a file of a repository on Hugging Face; the revision is `main` unless said |
/// | `sha256`, `size_bytes` | what the file must be |
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Manager {
    /// The class of the manager.
    #[serde(rename = "type")]
    pub type_name: String,
    /// The configuration as written.
    pub config: Map<String, Value>,
    /// The places that have the file, in the order in which to try them. Empty when the type is not known.
    #[serde(skip)]
    pub origins: Vec<Origin>,
    /// The digest of the file, before extraction.
    #[serde(skip)]
    pub sha256: Option<Sha256Digest>,
    /// The size of the file, before extraction.
    #[serde(skip)]
    pub size_bytes: Option<u64>,
    /// Whether the file is an archive to extract beside itself.
    #[serde(skip)]
    pub extract_archive: bool,
    /// Whether the archive is deleted after extraction.
    #[serde(skip)]
    pub delete_archive: bool,
}

/// A place that has a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A URL.
    Url(String),
    /// A file on Google Drive.
    GoogleDrive {
        /// Its id.
        id: String,
    },
    /// A file of a repository on Hugging Face.
    HuggingFace {
        /// `owner/name`.
        repo: String,
        /// The path in the repository.
        file: String,
        /// A branch, tag or commit.
        revision: String,
    },
    /// A file of the source itself, relative to its manifest.
    SourceFile(String),
}

impl Manager {
    /// Whether the manager's type is one that can be read. Models of others are listed, but cannot be downloaded.
    pub fn is_known(&self) -> bool {
        KNOWN_TYPES.contains(&self.type_name.as_str())
    }
}

#[derive(Deserialize)]
struct Written {
    #[serde(rename = "type")]
    type_name: String,
    #[serde(default)]
    config: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
struct Config {
    url: Option<OneOrMore>,
    urls: Option<Vec<String>>,
    google_drive_id: Option<String>,
    file: Option<String>,
    repo: Option<String>,
    revision: Option<String>,
    sha256: Option<Sha256Digest>,
    size_bytes: Option<u64>,
    extract_archive: Option<bool>,
    delete_archive: Option<bool>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "`url` must be a text or a list of texts")]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl<'de> Deserialize<'de> for Manager {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Written { type_name, config } = Written::deserialize(deserializer)?;
        let config = config.unwrap_or_default();
        let mut manager = Self {
            type_name,
            config,
            origins: Vec::new(),
            sha256: None,
            size_bytes: None,
            extract_archive: false,
            delete_archive: false,
        };
        if manager.is_known() {
            let config = Config::deserialize(&manager.config)
                .map_err(|error| D::Error::custom(format!("in the manager's config: {error}")))?;
            manager.sha256 = config.sha256;
            manager.size_bytes = config.size_bytes;
            manager.extract_archive = config.extract_archive.unwrap_or(false);
            manager.delete_archive = config.delete_archive.unwrap_or(false);
            manager.origins = origins(config).map_err(D::Error::custom)?;
        }
        Ok(manager)
    }
}

/// All places that a configuration names: the source itself first, then FiftyOne's order.
fn origins(config: Config) -> Result<Vec<Origin>, String> {
    let mut origins = Vec::new();
    match (config.repo, config.file) {
        (Some(repo), Some(file)) => {
            check_relative(&repo, "the manager's repo")?;
            check_relative(&file, "the manager's file")?;
            let revision = config.revision.unwrap_or_else(|| "main".to_owned());
            origins.push(Origin::HuggingFace { repo, file, revision });
        }
        (Some(repo), None) => {
            return Err(format!(
                "the manager names the repo `{repo}` without a `file` in it"
            ));
        }
        (None, Some(file)) => {
            check_relative(&file, "the manager's file")?;
            origins.push(Origin::SourceFile(file));
        }
        (None, None) => {}
    }
    origins.extend(
        config
            .google_drive_id
            .filter(|id| !id.is_empty())
            .map(|id| Origin::GoogleDrive { id }),
    );
    let urls = match config.url {
        Some(OneOrMore::One(url)) => vec![url],
        Some(OneOrMore::More(urls)) => urls,
        None => Vec::new(),
    };
    let urls = urls
        .into_iter()
        .chain(config.urls.unwrap_or_default())
        .filter(|url| !url.is_empty());
    origins.extend(urls.map(Origin::Url));
    Ok(origins)
}
