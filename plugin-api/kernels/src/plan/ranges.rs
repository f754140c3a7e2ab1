//! Between which values the results of layers lie.

use std::collections::BTreeMap;

/// The smallest and the largest value of layers' results, by the layers' names: what a plan of bytes is made from, see
/// [`PlanOptions::ranges`](super::PlanOptions::ranges). It is plain data, to be kept from one program to the next.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ranges(BTreeMap<String, [f32; 2]>);

impl Ranges {
    /// The smallest and the largest value of a layer's result, where they are known.
    pub fn get(&self, layer: &str) -> Option<[f32; 2]> {
        self.0.get(layer).copied()
    }

    /// All of them, in the order of the names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, [f32; 2])> {
        self.0.iter().map(|(layer, range)| (layer.as_str(), *range))
    }

    /// Makes a layer's range so wide that these values are in it; those that are no finite numbers do not count.
    pub fn widen(&mut self, layer: &str, values: &[f32]) {
        let finite = values.iter().copied().filter(|value| value.is_finite());
        let Some(found) = finite.fold(None, |range: Option<[f32; 2]>, value| {
            let [lowest, highest] = range.unwrap_or([value; 2]);
            Some([lowest.min(value), highest.max(value)])
        }) else {
            return;
        };
        match self.0.get_mut(layer) {
            Some([lowest, highest]) => {
                *lowest = lowest.min(found[0]);
                *highest = highest.max(found[1]);
            }
            None => {
                self.0.insert(layer.to_owned(), found);
            }
        }
    }
}

impl FromIterator<(String, [f32; 2])> for Ranges {
    /// Without those that are no ranges of finite numbers.
    fn from_iter<I: IntoIterator<Item = (String, [f32; 2])>>(ranges: I) -> Self {
        let is_range = |range: &[f32; 2]| range.iter().all(|end| end.is_finite()) && range[0] <= range[1];
        Self(ranges.into_iter().filter(|(_, range)| is_range(range)).collect())
    }
}
