//! Long lists in JSON files, an element at a time.

use super::FormatError;
use crate::format::non_finite::open_json;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::{fmt, marker::PhantomData, path::Path};

/// Hands each element of the lists under `keys` in the object that `file` holds to `take`, with its key. The rest is
/// passed over, and so is `null` in the place of a list.
pub(super) fn for_each_element<T: DeserializeOwned>(
    file: &Path,
    keys: &'static [&'static str],
    mut take: impl FnMut(&'static str, T) -> Result<(), FormatError>,
) -> Result<(), FormatError> {
    let mut failure = None;
    let mut json = serde_json::Deserializer::from_reader(open_json(file)?);
    let walked = json.deserialize_map(Walk {
        keys,
        key: "",
        take: &mut take,
        failure: &mut failure,
        element: PhantomData::<T>,
    });
    match (failure, walked) {
        (Some(failure), _) => Err(failure),
        (None, Err(error)) => Err(FormatError::json(file, error)),
        (None, Ok(())) => Ok(()),
    }
}

/// Walks the object, and then its list. What `take` says cannot go through serde's own errors; it is put aside.
struct Walk<'a, T, F> {
    keys: &'static [&'static str],
    /// That of the list at hand.
    key: &'static str,
    take: &'a mut F,
    failure: &'a mut Option<FormatError>,
    element: PhantomData<T>,
}

impl<'de, T, F> Visitor<'de> for Walk<'_, T, F>
where
    T: DeserializeOwned,
    F: FnMut(&'static str, T) -> Result<(), FormatError>,
{
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "an object with a list under `{}`",
            self.keys.join("`, `")
        )
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        // An object in the place of a list has one.
        if !self.key.is_empty() {
            return Err(serde::de::Error::invalid_type(
                serde::de::Unexpected::Map,
                &"a list",
            ));
        }
        while let Some(key) = map.next_key::<String>()? {
            if let Some(known) = self.keys.iter().find(|known| key == **known) {
                self.key = known;
                map.next_value_seed(&mut self)?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        // A list in the place of the object has no key.
        if self.key.is_empty() {
            let list = serde::de::Unexpected::Seq;
            return Err(serde::de::Error::invalid_type(list, &self));
        }
        while let Some(element) = list.next_element()? {
            if let Err(failure) = (self.take)(self.key, element) {
                *self.failure = Some(failure);
                return Err(serde::de::Error::custom("stopped"));
            }
        }
        Ok(())
    }
}

impl<'de, T, F> DeserializeSeed<'de> for &mut Walk<'_, T, F>
where
    T: DeserializeOwned,
    F: FnMut(&'static str, T) -> Result<(), FormatError>,
{
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(Walk {
            keys: self.keys,
            key: self.key,
            take: &mut *self.take,
            failure: &mut *self.failure,
            element: PhantomData::<T>,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content: &str) -> Result<Vec<u32>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        std::fs::write(&path, content).unwrap();
        let mut seen = Vec::new();
        for_each_element(&path, &["list", "other"], |key, element: u32| {
            assert!(["list", "other"].contains(&key));
            if element == 13 {
                return Err(FormatError::content(&path, "", "unlucky"));
            }
            seen.push(element);
            Ok(())
        })
        .map(|()| seen)
        .map_err(|error| error.to_string().replace(path.to_str().unwrap(), "a.json"))
    }

    #[test]
    fn elements_come_one_by_one() {
        assert_eq!(
            read(r#"{"before": {"list": [9]}, "list": [1, 2], "more": [3], "other": [4]}"#).unwrap(),
            [1, 2, 4]
        );
        assert_eq!(read(r#"{"other": null}"#).unwrap(), [0; 0]);
        assert_eq!(read(r#"{"before": 1}"#).unwrap(), [0; 0]);
    }

    #[test]
    fn errors_say_where() {
        assert_eq!(read(r#"{"list": [13]}"#).unwrap_err(), "a.json: unlucky");
        let error = read("{\"list\": [1,\n\"x\"]}").unwrap_err();
        assert!(error.starts_with("a.json:2:3: invalid type: string"), "{error}");
        let error = read("[1]").unwrap_err();
        assert!(
            error.contains("expected an object with a list under `list`, `other`"),
            "{error}"
        );
    }
}
