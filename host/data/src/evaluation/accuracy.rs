//! Top-k accuracy.

use modelzoo_plugin_api::label::Label;
use serde::Serialize;

/// The classes that a prediction puts first, best first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ranking {
    /// Their names.
    pub classes: Vec<String>,
    /// Whether more of them would be known if they had been asked for: a prediction of one class says nothing of the fifth.
    pub is_whole: bool,
}

impl Ranking {
    /// Ranks the classes of a label: by its logits, where it has such and they are of the model's `classes`; else by its
    /// confidences. `None` for labels that are no classification.
    pub fn of(label: &Label, classes: &[String]) -> Option<Self> {
        let (logits, named) = match label {
            Label::Classification(one) => {
                let named = one.label.iter().map(|label| (label, 0.0)).collect();
                (one.logits.as_ref(), named)
            }
            Label::Classifications(all) => {
                let named = all.classifications.iter().filter_map(|one| {
                    let label = one.label.as_ref()?;
                    Some((label, one.confidence.unwrap_or(0.0)))
                });
                (all.logits.as_ref(), named.collect::<Vec<_>>())
            }
            _ => return None,
        };
        let scores = logits
            .map(|logits| logits.to_f64())
            .filter(|scores| !scores.is_empty() && scores.len() == classes.len());
        Some(match scores {
            Some(scores) => Self {
                classes: ranked(classes.iter().zip(scores)),
                is_whole: true,
            },
            None => Self {
                is_whole: named.len() > 1,
                classes: ranked(named),
            },
        })
    }
}

/// The names by their scores; of equal ones, the first comes first.
fn ranked<'a>(scored: impl IntoIterator<Item = (&'a String, f64)>) -> Vec<String> {
    let mut scored: Vec<_> = scored.into_iter().collect();
    scored.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    scored.into_iter().map(|(name, _)| name.clone()).collect()
}

/// How many of the pictures have their class in the first place, and among the first five.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Accuracy {
    /// How many pictures count: all whose class is known.
    pub pictures: u64,
    /// Of how many of them the class is the first.
    pub top1: u64,
    /// Of how many of them the class is among the first five; `None` where a prediction had fewer to choose from.
    pub top5: Option<u64>,
}

impl Accuracy {
    /// The places that count for `top5`.
    const PLACES: usize = 5;

    /// Counts a picture; without a prediction it counts as wrong.
    pub fn add(&mut self, truth: &str, ranking: Option<&Ranking>) {
        let is_first = self.pictures == 0;
        self.pictures += 1;
        let place = ranking.and_then(|ranking| ranking.classes.iter().position(|class| class == truth));
        self.top1 += u64::from(place == Some(0));
        let is_whole = ranking.is_none_or(|ranking| ranking.is_whole);
        let before = if is_first { Some(0) } else { self.top5 };
        self.top5 = before
            .filter(|_| is_whole)
            .map(|before| before + u64::from(place.is_some_and(|place| place < Self::PLACES)));
    }

    /// The share of pictures whose class is the first, 0 to 1; `None` where there are none.
    pub fn top1_share(&self) -> Option<f64> {
        self.share(self.top1)
    }

    /// The share of pictures whose class is among the first five, 0 to 1.
    pub fn top5_share(&self) -> Option<f64> {
        self.share(self.top5?)
    }

    fn share(&self, count: u64) -> Option<f64> {
        (self.pictures > 0).then(|| count as f64 / self.pictures as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use modelzoo_plugin_api::{
        Array,
        label::{Classification, Classifications},
    };

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn logits_rank_all_classes_and_confidences_those_that_are_there() {
        let classes = names(&["a", "b", "c"]);
        let logits = Array::vector(vec![0.5f32, 2.0, 2.0]);
        let one = Classification::new("b").with_logits(logits);
        let ranking = Ranking::of(&one.into(), &classes).unwrap();
        assert_eq!(ranking.classes, ["b", "c", "a"]);
        assert!(ranking.is_whole);
        let alone = Ranking::of(&Classification::new("b").into(), &classes).unwrap();
        assert_eq!((alone.classes, alone.is_whole), (names(&["b"]), false));
        let several =
            ["a", "c"].map(|name| Classification::new(name).with_confidence(f64::from(name == "c")));
        let several = Classifications::new(several.to_vec());
        assert_eq!(Ranking::of(&several.into(), &[]).unwrap().classes, ["c", "a"]);
        let odd = Classification::new("b").with_logits(Array::vector(vec![1.0f32]));
        assert_eq!(Ranking::of(&odd.into(), &classes).unwrap().classes, ["b"]);
        assert_eq!(Ranking::of(&Label::Unknown, &classes), None);
    }

    #[test]
    fn a_class_counts_by_its_place() {
        let ranking = |classes: &[&str], is_whole| Ranking {
            classes: names(classes),
            is_whole,
        };
        let mut accuracy = Accuracy::default();
        accuracy.add("a", Some(&ranking(&["a", "b", "c", "d", "e", "f"], true)));
        accuracy.add("e", Some(&ranking(&["a", "b", "c", "d", "e", "f"], true)));
        accuracy.add("f", Some(&ranking(&["a", "b", "c", "d", "e", "f"], true)));
        accuracy.add("a", None);
        assert_eq!((accuracy.pictures, accuracy.top1, accuracy.top5), (4, 1, Some(2)));
        assert_eq!(accuracy.top1_share(), Some(0.25));
        accuracy.add("a", Some(&ranking(&["a"], false)));
        accuracy.add("a", Some(&ranking(&["a", "b"], true)));
        assert_eq!((accuracy.top1, accuracy.top5_share()), (3, None));
        assert_eq!(Accuracy::default().top1_share(), None);
    }
}
