//! Files on Google Drive, which puts a page before big ones: "cannot scan for viruses, download anyway?"
use url::Url;

const DOWNLOAD: &str = "https://drive.usercontent.google.com/download";
const HOSTS: [&str; 3] = [
    "drive.google.com",
    "docs.google.com",
    "drive.usercontent.google.com",
];

/// The URL that gives the content of the file with this id.
pub fn google_drive_url(id: &str) -> String {
    let query = [("id", id), ("export", "download"), ("confirm", "t")];
    Url::parse_with_params(DOWNLOAD, query).map_or_else(|_| unreachable!("a constant URL"), Url::into)
}

/// Whether `url` is one of Google Drive's, where a page may stand before the file.
pub(super) fn is_google_drive(url: &Url) -> bool {
    url.host_str().is_some_and(|host| HOSTS.contains(&host))
}

/// For a link as people copy it from the address bar, the URL of the content; any other URL as it is.
pub(super) fn content_url(url: Url) -> Url {
    if !matches!(url.host_str(), Some("drive.google.com" | "docs.google.com")) {
        return url;
    }
    let segments: Vec<&str> = url.path_segments().map(Iterator::collect).unwrap_or_default();
    let id = match segments.as_slice() {
        ["file", "d", id, ..] => Some((*id).to_owned()),
        ["uc" | "open", ..] => url
            .query_pairs()
            .find(|(name, _)| name == "id")
            .map(|(_, id)| id.into_owned()),
        _ => None,
    };
    match id.and_then(|id| Url::parse(&google_drive_url(&id)).ok()) {
        Some(content) => content,
        None => url,
    }
}

/// Where the button of the page leads: the form's address with its hidden fields. `None` when the page has no such
/// form, as the one that says that a quota is used up.
pub(super) fn confirmed_url(page: &str, at: &Url) -> Option<Url> {
    let form =
        tags(page, "form").find(|tag| attribute(tag, "action").is_some_and(|to| to.contains("download")))?;
    let mut url = at.join(&attribute(form, "action")?).ok()?;
    // The page decides nothing but the query: the file still comes from Google.
    if !is_google_drive(&url) {
        return None;
    }
    let fields: Vec<(String, String)> = tags(page, "input")
        .filter_map(|tag| {
            Some((
                attribute(tag, "name")?,
                attribute(tag, "value").unwrap_or_default(),
            ))
        })
        .collect();
    url.query_pairs_mut().extend_pairs(fields);
    Some(url)
}

/// The opening tags called `name`, each without its angle brackets.
fn tags<'page>(page: &'page str, name: &'static str) -> impl Iterator<Item = &'page str> {
    page.split('<').skip(1).filter_map(move |piece| {
        let tag = &piece[..piece.find('>')?];
        let rest = tag.strip_prefix(name)?;
        rest.starts_with(|next: char| next.is_whitespace())
            .then_some(rest)
    })
}

/// The value of the attribute `name` in a tag, in either kind of quotes.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let mut rest = tag;
    while let Some(at) = rest.find(name) {
        let own_word = rest[..at].ends_with(|before: char| before.is_whitespace());
        rest = &rest[at + name.len()..];
        let Some(value) = rest.strip_prefix('=').filter(|_| own_word) else {
            continue;
        };
        let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        let end = value[1..].find(quote)?;
        return Some(value[1..=end].replace("&amp;", "&"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"<!DOCTYPE html><html><head><title>Google Drive - Virus scan warning</title></head><body>
        <form id="download-form" action="https://drive.usercontent.google.com/download" method="get">
        <input type="submit" id="uc-download-link" value="Download anyway"/>
        <input type="hidden" name="id" value="1AbC"><input type="hidden" name="export" value="download">
        <input type="hidden" name="confirm" value="t"><input type='hidden' name='uuid' value='a&amp;b'></form>"#;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn links_that_people_copy_lead_to_the_content() {
        for link in [
            "https://drive.google.com/file/d/1AbC/view?usp=sharing",
            "https://drive.google.com/open?id=1AbC",
            "https://docs.google.com/uc?export=download&id=1AbC",
        ] {
            assert_eq!(
                content_url(url(link)).as_str(),
                google_drive_url("1AbC"),
                "{link}"
            );
        }
        let other = url("https://example.com/file/d/1AbC/view");
        assert_eq!(content_url(other.clone()), other);
    }

    #[test]
    fn the_page_before_a_big_file_is_passed() {
        let at = url(&google_drive_url("1AbC"));
        let next = confirmed_url(PAGE, &at).unwrap();
        let query = "id=1AbC&export=download&confirm=t&uuid=a%26b";
        assert_eq!(
            next.as_str(),
            format!("https://drive.usercontent.google.com/download?{query}")
        );
    }

    #[test]
    fn a_page_that_leads_elsewhere_or_nowhere_is_not_followed() {
        let at = url(&google_drive_url("1AbC"));
        let elsewhere = PAGE.replace("drive.usercontent.google.com", "evil.example");
        assert_eq!(confirmed_url(&elsewhere, &at), None);
        assert_eq!(confirmed_url("<html><title>Quota exceeded</title>", &at), None);
        assert_eq!(confirmed_url("<form action=\"/download><", &at), None);
    }
}
