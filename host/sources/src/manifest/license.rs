//! Licences as manifests and hubs name them.

/// Stands for all licences that let a model be used for anything, with no more than a notice.
const PERMISSIVE: &str = "permissive";

/// What such licences are called, without case, spaces and signs.
const PERMISSIVE_LICENSES: [&str; 13] = [
    "apache20",
    "apache2",
    "apachelicense20",
    "mit",
    "mitlicense",
    "bsd",
    "bsd2clause",
    "bsd3clause",
    "bsd3",
    "isc",
    "cc010",
    "unlicense",
    "zlib",
];

/// Whether any of the `wanted` licences is among a model's `own`; `permissive` stands for Apache, MIT, BSD and their like.
/// An empty list asks for nothing.
pub fn is_any_license<'a, S: AsRef<str>>(own: impl IntoIterator<Item = &'a str>, wanted: &[S]) -> bool {
    if wanted.is_empty() {
        return true;
    }
    let wanted: Vec<&str> = wanted.iter().map(|wanted| wanted.as_ref().trim()).collect();
    own.into_iter()
        .any(|own| wanted.contains(&own) || (wanted.contains(&PERMISSIVE) && is_permissive(own)))
}

fn is_permissive(license: &str) -> bool {
    let letters = license.chars().filter(char::is_ascii_alphanumeric);
    let plain: String = letters.map(|letter| letter.to_ascii_lowercase()).collect();
    PERMISSIVE_LICENSES.contains(&plain.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissive_stands_for_licences_that_ask_for_a_notice_alone() {
        for own in ["Apache 2.0", "apache-2.0", "MIT", "BSD-3-Clause", "cc0-1.0"] {
            assert!(is_any_license([own], &["permissive"]), "{own}");
        }
        for own in ["AGPL-3.0", "cc-by-nc-4.0", "other", "", "GPL"] {
            assert!(!is_any_license([own], &["permissive"]), "{own}");
        }
        assert!(is_any_license(["AGPL-3.0"], &["permissive", "AGPL-3.0"]));
        assert!(is_any_license::<&str>([], &[]) && !is_any_license([], &["MIT"]));
    }
}
