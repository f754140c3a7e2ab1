//! "Did you mean": which known names are near one that is not known.

/// Up to three of `known` that `wanted` may have been meant for, the nearest first.
pub fn nearest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    const MOST_SUGGESTIONS: usize = 3;
    const LEAST_SIMILARITY: f64 = 0.6;
    let wanted = wanted.to_lowercase();
    let mut near: Vec<(f64, &str)> = known
        .into_iter()
        .filter_map(|name| {
            let similarity = similarity(&wanted, &name.to_lowercase());
            (similarity >= LEAST_SIMILARITY).then_some((similarity, name))
        })
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    near.dedup_by(|a, b| a.1 == b.1);
    near.into_iter()
        .take(MOST_SUGGESTIONS)
        .map(|(_, name)| name.to_owned())
        .collect()
}

/// The one of `known` that `word` is a misspelling of: short of it, or beyond it, by a letter or two. In a word of three
/// letters, most changes make another word; those that do not are letters in another order, and the other number.
pub fn misspelt<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const LETTERS_FOR_EACH_MISTAKE: usize = 4;
    let mistakes = |known: &str| strsim::damerau_levenshtein(word, known);
    let nearest = known.into_iter().min_by_key(|known| mistakes(known))?;
    let allowed = (word.len() / LETTERS_FOR_EACH_MISTAKE).min(2);
    let is_misspelt = (1..=allowed).contains(&mistakes(nearest))
        || (mistakes(nearest) == 1 && (has_letters_of(word, nearest) || is_other_number(word, nearest)));
    is_misspelt.then_some(nearest)
}

/// Whether two words differ in the order of their letters alone.
fn has_letters_of(word: &str, other: &str) -> bool {
    let letters = |word: &str| {
        let mut letters = Vec::from_iter(word.chars());
        letters.sort_unstable();
        letters
    };
    letters(word) == letters(other)
}

/// Whether one word is the other's plural.
fn is_other_number(word: &str, other: &str) -> bool {
    word.strip_suffix('s') == Some(other) || other.strip_suffix('s') == Some(word)
}

/// From 0 to 1. A name's last part counts as the name, since owners and branch folders are often left out.
fn similarity(wanted: &str, name: &str) -> f64 {
    let last_part = name.rsplit('/').next().unwrap_or(name);
    let contained = if wanted.len() >= 3 && name.contains(wanted) {
        0.9
    } else {
        0.0
    };
    strsim::normalized_damerau_levenshtein(wanted, name)
        .max(strsim::normalized_damerau_levenshtein(wanted, last_part))
        .max(contained)
}

/// `; did you mean `a`, `b` or `c`?`, or nothing.
pub fn question(suggestions: &[String]) -> String {
    match suggestions {
        [] => String::new(),
        [only] => format!("; did you mean `{only}`?"),
        [first @ .., last] => format!("; did you mean `{}` or `{last}`?", first.join("`, `")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_nearest_first() {
        let known = ["acme/nanodet", "nanodet-plus", "mobilenet_v2", "u2netp"];
        assert_eq!(nearest("nanodte", known), ["acme/nanodet"]);
        assert_eq!(nearest("NanoDet", known), ["acme/nanodet", "nanodet-plus"]);
        assert!(nearest("zebra", known).is_empty());
        assert_eq!(
            question(&["a".into(), "b".into(), "c".into()]),
            "; did you mean `a`, `b` or `c`?"
        );
    }

    #[test]
    fn a_misspelling_is_near_and_never_the_word_itself() {
        let known = ["base_filename", "license", "url", "tags"];
        assert_eq!(misspelt("base_filname", known), Some("base_filename"));
        assert_eq!(misspelt("licence", known), Some("license"));
        assert_eq!(misspelt("ulr", known), Some("url"));
        assert_eq!(misspelt("tag", known), Some("tags"));
        for word in ["license", "ur", "filename", "uri", "notes", ""] {
            assert_eq!(misspelt(word, known), None, "{word}");
        }
    }
}
