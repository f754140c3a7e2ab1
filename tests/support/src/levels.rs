//! What errors must not do: say something twice.

use std::collections::HashSet;

/// What the levels of an error, the outermost first, say more than once: a level that holds the text of a later one, or a
/// path or URL that is named twice. `None` where each says its own.
pub fn repetition(levels: &[String]) -> Option<String> {
    for (index, outer) in levels.iter().enumerate() {
        let repeats = |inner: &&String| outer.to_lowercase().contains(&inner.to_lowercase());
        if let Some(inner) = levels[index + 1..].iter().find(repeats) {
            return Some(format!("`{outer}` repeats its cause `{inner}`"));
        }
    }
    let mut seen = HashSet::new();
    let mut places = levels
        .iter()
        .flat_map(|level| level.split_whitespace())
        .filter_map(place);
    let twice = places.find(|place| !seen.insert(*place))?;
    Some(format!("`{}` names {twice} twice", levels.join(": ")))
}

/// The path or URL that a word is, without the line and column behind it and the punctuation around it.
fn place(word: &str) -> Option<&str> {
    let is_around = |letter: char| "`'\"()[]{}<>,;:.!?".contains(letter);
    let word = word
        .trim_start_matches(|letter| is_around(letter) && letter != '.')
        .trim_end_matches(is_around);
    if word.contains("://") {
        return Some(word);
    }
    let path = word.split(':').next()?;
    (path.contains('/') && path.len() > 2).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(levels: &[&str]) -> Option<String> {
        repetition(&levels.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn levels_that_say_their_own_are_good() {
        assert_eq!(of(&["cannot read ./a/b", "no such file"]), None);
        assert_eq!(of(&["/a: wrong", "/a/b: worse", "and / or", "/c:3:4: bad"]), None);
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn a_repeated_cause_and_a_repeated_path_are_found() {
        assert!(of(&["cannot read it: No such file", "no such file"]).is_some());
        assert!(of(&["cannot read ./a/b", "failed to open `./a/b`", "no such file"]).is_some());
        assert!(of(&["cannot write a/b", "failed to create directory `a/b`"]).is_some());
        assert!(of(&["/home:3: wrong", "/home is no TOML"]).is_some());
        assert!(of(&["cannot fetch https://a/b: nothing at https://a/b."]).is_some());
    }
}
