//! The pages of a forge: what the address bar of a browser shows while one looks at a repository.
use super::{error::Problem, revision::Revision};

/// Pages that are no refs. `user/repo/main` is a ref in FiftyOne's spelling; `user/repo/issues` never is.
const GITHUB_PAGES: [&str; 26] = [
    "actions",
    "activity",
    "blame",
    "branches",
    "commits",
    "compare",
    "contributors",
    "discussions",
    "edit",
    "find",
    "forks",
    "graphs",
    "issues",
    "labels",
    "milestones",
    "network",
    "projects",
    "pull",
    "pulls",
    "pulse",
    "raw",
    "releases",
    "security",
    "settings",
    "tags",
    "wiki",
];

/// Whether a path on a forge of any kind (GitLab, Gitea) is that of a page below `owner/name`, as far as it tells: a
/// repository in a group of groups may be called so as well.
pub(super) fn looks_like_page(parts: &[&str]) -> bool {
    let is_page = |part: &str| matches!(part, "tree" | "commit" | "commits" | "releases" | "blob" | "src");
    parts.get(2).is_some_and(|part| is_page(part))
}

/// The revision that the page below a repository shows. `is_github` allows a bare ref as the page.
pub(super) fn revision(page: &[&str], is_github: bool) -> Result<Revision, Problem> {
    let refuse = || Err(Problem::Page { page: page.join("/") });
    let joined = |parts: &[&str]| parts.join("/");
    let tagged = |parts: &[&str]| Revision::named(&format!("refs/tags/{}", parts.join("/")));
    match page {
        [] | ["tree" | "commits" | "src"] => Ok(Revision::Default),
        ["-", rest @ ..] if !matches!(rest, [] | ["-", ..]) => revision(rest, false),
        ["tree", rest @ ..] => Revision::ref_or_path(&joined(rest)),
        ["src", "branch" | "tag" | "commit", rest @ ..] if !rest.is_empty() => {
            Revision::ref_or_path(&joined(rest))
        }
        ["commit" | "commits", name] => Revision::named(name),
        ["commits", rest @ ..] => Revision::ref_or_path(&joined(rest)),
        ["releases", "tag", rest @ ..] | ["tags", rest @ ..] if !rest.is_empty() => tagged(rest),
        // The page of the manifest stands for the folder that it is in; that of another file is no source.
        ["blob", rest @ .., "manifest.json"] if !rest.is_empty() => Revision::ref_or_path(&joined(rest)),
        ["blob", ..] => refuse(),
        [first, ..] if is_github && !GITHUB_PAGES.contains(first) => Revision::ref_or_path(&joined(page)),
        _ => refuse(),
    }
}
