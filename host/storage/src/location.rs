//! URLs, as paths that begin with a scheme.

use crate::error::StorageError;
use object_store::path::Path as Key;
use percent_encoding::percent_decode_str;
use std::path::Path;

/// Whether a path is the URL of something that is not on this machine.
pub fn is_url(path: &Path) -> bool {
    path.to_str()
        .and_then(|text| text.split_once("://"))
        .is_some_and(|(scheme, _)| Service::of(scheme).is_some())
}

/// The last part of a path's name: of a URL without what follows a question mark, and as it was before it was encoded.
pub fn name_of(path: &Path) -> String {
    let text = path.to_string_lossy();
    let Some((scheme, rest)) = text.split_once("://") else {
        return path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
    };
    let last = |text: &str| text.rsplit('/').next().unwrap_or_default().to_owned();
    match Service::of(scheme) {
        Some(Service::Web) => {
            let path = rest.split(['?', '#']).next().unwrap_or_default();
            // What was encoded may be a separator, too.
            last(&percent_decode_str(&last(path)).decode_utf8_lossy())
        }
        _ => last(rest),
    }
}

/// Who keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Service {
    S3,
    Google,
    Azure,
    Web,
}

impl Service {
    fn of(scheme: &str) -> Option<Self> {
        Some(match scheme {
            "s3" | "s3a" => Self::S3,
            "gs" => Self::Google,
            "az" | "azure" => Self::Azure,
            "http" | "https" => Self::Web,
            _ => return None,
        })
    }
}

/// Where something is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Location {
    pub(crate) service: Service,
    /// The bucket or container; of the web, the whole URL.
    pub(crate) bucket: String,
    /// The name in it, as it is and not encoded; empty of the web.
    pub(crate) key: String,
}

impl Location {
    /// Reads a URL. Names in stores stand in it as they are: a percent sign is one.
    pub(crate) fn parse(path: &Path) -> Result<Self, StorageError> {
        let text = path
            .to_str()
            .ok_or_else(|| StorageError::invalid("it is not UTF-8 text"))?;
        let (scheme, rest) = text
            .split_once("://")
            .ok_or_else(|| StorageError::invalid("it has no scheme"))?;
        let service = Service::of(scheme)
            .ok_or_else(|| StorageError::invalid("s3://, gs://, az:// and https:// are known"))?;
        if service == Service::Web {
            return Ok(Self {
                service,
                bucket: text.to_owned(),
                key: String::new(),
            });
        }
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(StorageError::invalid("it names no bucket"));
        }
        Ok(Self {
            service,
            bucket: bucket.to_owned(),
            key: key.to_owned(),
        })
    }

    /// Whether something can be written there.
    pub(crate) fn is_writable(&self) -> bool {
        self.service != Service::Web
    }

    /// The name as the stores' library has it.
    pub(crate) fn key(&self) -> Result<Key, StorageError> {
        if self.service == Service::Web {
            // The URL is sent as it is; no name of the library's is.
            return Ok(Key::from("file"));
        }
        if self.key.is_empty() {
            return Err(StorageError::invalid("it names a bucket and nothing in it"));
        }
        Key::parse(&self.key).map_err(|error| StorageError::invalid(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_told_from_paths() {
        for url in ["s3://bucket/a.jpg", "https://host/a", "gs://b", "az://c/d"] {
            assert!(is_url(Path::new(url)), "{url}");
        }
        for path in [
            "a.jpg",
            "/a/b",
            "s3:/b",
            "file:///a",
            "a/s3://b",
            "c:\\a",
            "ftp://a/b",
        ] {
            assert!(!is_url(Path::new(path)), "{path}");
        }
    }

    #[test]
    fn names_in_stores_stand_as_they_are() {
        let parsed = |url: &str| {
            let location = Location::parse(Path::new(url)).unwrap();
            (location.bucket, location.key)
        };
        assert_eq!(parsed("s3://b/a %20?#.jpg"), ("b".into(), "a %20?#.jpg".into()));
        assert_eq!(parsed("s3://b"), ("b".into(), String::new()));
        assert!(Location::parse(Path::new("s3:///a")).is_err());
        assert!(Location::parse(Path::new("s3://b/")).unwrap().key().is_err());
        assert!(Location::parse(Path::new("s3://b/a//c")).unwrap().key().is_err());
    }

    #[test]
    fn the_name_is_the_last_part() {
        let name = |path: &str| name_of(Path::new(path));
        assert_eq!(name("https://host/a/b%20c.jpg?signature=d/e.png#f"), "b c.jpg");
        assert_eq!(name("https://host/a%2F..%2F..%2fb.jpg"), "b.jpg");
        assert_eq!(name("s3://bucket/a/b%20.jpg"), "b%20.jpg");
        assert_eq!(name("a/b.jpg"), "b.jpg");
    }
}
