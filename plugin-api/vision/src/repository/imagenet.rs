//! The classes of ImageNet, and the selections of them that classifiers are trained on.

/// The classes of ImageNet-1k in their usual order, a line each, as torchvision calls them.
const FIRST: &str = include_str!("imagenet_1k.txt");

/// All classes in the order of WordNet's numbers, a line each: letters for the selections that have it, and its name by
/// WordNet. Written by `parity/make_classes.py`.
const ALL: &str = include_str!("imagenet_22k.txt");

/// The names of the classes of the selection that has so many, in its order; `None` where there is none.
///
/// Which has how many: timm, `timm/data/imagenet_info.py`.
pub(super) fn classes(count: usize) -> Option<Vec<String>> {
    Some(match count {
        1000 => FIRST.lines().map(str::to_owned).collect(),
        // "ImageNet-21K Pretraining for the Masses" (Ridnik et al., 2021).
        11_221 => selected(|letters| letters.contains('m')),
        // timm's.
        11_821 => selected(|letters| letters.contains('k')),
        // As it was published in 2011.
        21_841 => selected(|letters| letters.contains('w')),
        // Microsoft's, which begins with ImageNet-1k.
        21_842 => {
            let rest = selected(|letters| letters.contains('w') && !letters.contains('1'));
            FIRST.lines().map(str::to_owned).chain(rest).collect()
        }
        // Google's.
        21_843 => selected(|_| true),
        _ => return None,
    })
}

fn selected(has: impl Fn(&str) -> bool) -> Vec<String> {
    ALL.lines()
        .filter_map(|line| line.split_once(' '))
        .filter(|(letters, _)| has(letters))
        .map(|(_, name)| name.to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_selection_has_as_many_classes_as_it_is_known_by() {
        // Number 5000 by timm's `ImageNetInfo`.
        let middle = [
            (11_221, "milk can"),
            (11_821, "lever lock"),
            (21_841, "box coat"),
            (21_842, "attire"),
            (21_843, "box coat"),
        ];
        for (count, name) in middle {
            let names = classes(count).unwrap();
            assert_eq!((names.len(), names[5000].as_str()), (count, name));
            assert_eq!(names[count - 1], "knothole");
        }
        for (count, first) in [(1000, "tench"), (21_842, "tench"), (21_841, "organism")] {
            assert_eq!(classes(count).unwrap()[0], first);
        }
        assert_eq!(classes(999), None);
    }
}
