//! The paths that repositories can have on their hosts.

use super::error::{Problem, Understood};

/// Checks `user/repo` by GitHub's rules.
pub(super) fn github_path(parts: &[&str], understood: &mut Understood) -> Result<String, Problem> {
    let allowed = |name: &str, more: &str| {
        !name.is_empty()
            && !name.starts_with('-')
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || more.contains(c))
    };
    let [owner, repository] = parts else {
        return Err(Problem::Repository {
            name: parts.join("/"),
        });
    };
    if !allowed(owner, "-_") || owner.len() > 100 {
        return Err(Problem::Owner {
            name: (*owner).to_owned(),
        });
    }
    understood.push(("owner", (*owner).to_owned()));
    let name = without_git_ending(repository);
    if !allowed(name, "-_.") || matches!(name, "." | "..") || name.len() > 100 {
        return Err(Problem::Repository {
            name: (*repository).to_owned(),
        });
    }
    understood.push(("repository", name.to_owned()));
    Ok(format!("{owner}/{name}"))
}

/// A name on a host that does not mind upper and lower case, without `.git` at its end.
fn without_git_ending(mut name: &str) -> &str {
    const ENDING: &str = ".git";
    while let Some(at) = name.len().checked_sub(ENDING.len())
        && let Some((stem, ending)) = name.split_at_checked(at)
        && ending.eq_ignore_ascii_case(ENDING)
    {
        name = stem;
    }
    name
}

/// Checks `owner/name` of a model on Hugging Face. What it has besides models begins with a word of its own.
pub(super) fn hub_path(parts: &[&str], understood: &mut Understood) -> Result<String, Problem> {
    let (["datasets" | "spaces", _] | [_] | []) = parts else {
        let parts: Vec<&str> = parts.iter().map(|part| part.trim_end_matches(".git")).collect();
        return host_path(&parts, understood);
    };
    Err(Problem::Repository {
        name: parts.join("/"),
    })
}

/// Whether a part of a path is a folder, with and without the `.git` at its end that an identity leaves out.
pub(super) fn is_folder_name(part: &str) -> bool {
    !matches!(part.trim_end_matches(".git"), "" | "." | "..")
}

/// Checks the path of a repository on any other host.
pub(super) fn host_path(parts: &[&str], understood: &mut Understood) -> Result<String, Problem> {
    let path = parts.join("/");
    let is_sound =
        |part: &str| is_folder_name(part) && !part.starts_with('-') && !part.contains(['\\', '/', ':', '@']);
    // `@scope` is the name of a group on some hosts. A page of no repository leaves nothing here.
    let mut names = parts.iter().map(|part| part.strip_prefix('@').unwrap_or(part));
    if parts.is_empty() || !names.all(is_sound) {
        return Err(Problem::Repository { name: path });
    }
    understood.push(("repository", path.clone()));
    Ok(path)
}
