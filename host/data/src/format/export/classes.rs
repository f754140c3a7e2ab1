//! Numbers of classes.

use std::collections::HashMap;

/// Numbers classes: those that are known by their place, others in the order in which they come.
#[derive(Debug, Default)]
pub(super) struct Classes {
    names: Vec<String>,
    indices: HashMap<String, usize>,
}

impl Classes {
    pub fn new(names: &[String]) -> Self {
        let mut classes = Self::default();
        for name in names {
            classes.names.push(name.clone());
            // A name that a model has twice means the first of its places.
            classes
                .indices
                .entry(name.clone())
                .or_insert(classes.names.len() - 1);
        }
        classes
    }

    /// The number of a class, from 0.
    pub fn index(&mut self, name: &str) -> usize {
        if let Some(&index) = self.indices.get(name) {
            return index;
        }
        self.names.push(name.to_owned());
        self.indices.insert(name.to_owned(), self.names.len() - 1);
        self.names.len() - 1
    }

    /// The names, by number.
    pub fn names(&self) -> &[String] {
        &self.names
    }
}

#[cfg(test)]
mod tests {
    use super::Classes;

    #[test]
    fn known_classes_keep_their_places_and_others_follow() {
        let mut classes = Classes::new(&["cat".to_owned(), "dog".to_owned(), "cat".to_owned()]);
        assert_eq!((classes.index("dog"), classes.index("cat")), (1, 0));
        assert_eq!((classes.index("fox"), classes.index("fox")), (3, 3));
        assert_eq!(classes.names(), ["cat", "dog", "cat", "fox"]);
    }
}
