//! Telling a page for people from the file that was asked for: sign-in pages, used-up quotas, captive portals.
use super::FailureReason;
use std::path::Path;

/// Enough of a page to have its title.
const LONGEST_BEGINNING: usize = 2048;
const LONGEST_TITLE: usize = 100;

/// The beginning of a content, until it is known whether it is a page.
pub(super) enum Beginning {
    Collecting(Vec<u8>),
    Decided,
}

impl Beginning {
    /// For the content of `destination`, of which `done` bytes have been seen before. A destination that is named as a
    /// page may be one.
    pub(super) fn new(destination: &Path, done: u64) -> Self {
        let extension = destination
            .extension()
            .map(|extension| extension.to_ascii_lowercase());
        let page_is_wanted = extension.is_some_and(|extension| extension == "html" || extension == "htm");
        if page_is_wanted || done > 0 {
            Self::Decided
        } else {
            Self::Collecting(Vec::new())
        }
    }

    /// Takes in the next bytes; fails once they turn out to be of a page.
    pub(super) fn look(&mut self, bytes: &[u8]) -> Result<(), FailureReason> {
        let Self::Collecting(beginning) = self else {
            return Ok(());
        };
        beginning.extend_from_slice(&bytes[..bytes.len().min(LONGEST_BEGINNING)]);
        if beginning.len() < LONGEST_BEGINNING {
            Ok(())
        } else {
            self.end()
        }
    }

    /// Decides by what has come, for there is no more.
    pub(super) fn end(&mut self) -> Result<(), FailureReason> {
        match std::mem::replace(self, Self::Decided) {
            Self::Collecting(beginning) if is_page(&beginning) => Err(FailureReason::WebPage {
                title: title(&String::from_utf8_lossy(&beginning)),
            }),
            _ => Ok(()),
        }
    }
}

fn is_page(beginning: &[u8]) -> bool {
    let without_mark = beginning
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(beginning)
        .trim_ascii_start();
    ["<!doctype html", "<html"].iter().any(|start| {
        without_mark
            .get(..start.len())
            .is_some_and(|found| found.eq_ignore_ascii_case(start.as_bytes()))
    })
}

/// The title of a page, on one line.
pub(super) fn title(page: &str) -> Option<String> {
    // Only ASCII letters change their case here, so places in one are places in the other.
    let lower = page.to_ascii_lowercase();
    let tag = lower.find("<title")?;
    let start = tag + lower[tag..].find('>')? + 1;
    let end = start + lower[start..].find("</title")?;
    let title = page[start..end].split_whitespace().collect::<Vec<_>>().join(" ");
    let title: String = title
        .chars()
        .filter(|letter| !letter.is_control())
        .take(LONGEST_TITLE)
        .collect();
    (!title.is_empty()).then_some(title)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(name: &str, pieces: &[&str]) -> Result<(), FailureReason> {
        let mut beginning = Beginning::new(Path::new(name), 0);
        pieces
            .iter()
            .try_for_each(|piece| beginning.look(piece.as_bytes()))?;
        beginning.end()
    }

    #[test]
    fn a_page_is_known_by_its_beginning_however_it_is_cut() {
        let page = [
            "\u{feff}\n <!DOC",
            "TYPE HTML><head><TITLE lang=en>Sign\n in",
            "</TITLE>",
        ];
        let reason = pieces("model.safetensors", &page).unwrap_err();
        assert_eq!(
            reason.to_string(),
            "a web page came instead of the file: \"Sign in\""
        );
        assert!(pieces("model", &["<html></html>"]).is_err());
    }

    #[test]
    fn other_content_is_left_alone() {
        assert!(pieces("page.HTML", &["<html></html>"]).is_ok());
        assert!(pieces("graph.xml", &["<?xml version=\"1.0\"?><html/>"]).is_ok());
        assert!(pieces("empty", &[]).is_ok());
        assert!(pieces("short", &["<ht"]).is_ok());
        assert!(pieces("big", &["x".repeat(5000).as_str(), "<html>"]).is_ok());
    }
}
