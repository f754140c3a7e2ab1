//! The question before a stranger's code runs.

use super::Terminal;
use modelzoo::{
    Consent,
    trust::{Summary, TrustState, Undecided},
};
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

impl Consent for Terminal {
    fn can_ask(&self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    fn ask(&self, summary: &Summary, undecided: &Undecided) -> Option<bool> {
        eprintln!("{}", question(summary, undecided));
        eprint!("Run it? [y/N] ");
        io::stderr().flush().ok()?;
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer).ok()?;
        Some(matches!(answer.trim(), "y" | "Y" | "yes"))
    }
}

/// What a person should know before answering.
fn question(summary: &Summary, undecided: &Undecided) -> String {
    let mut lines = vec![match undecided.state {
        TrustState::Stale if summary.prebuilt.is_some() => format!(
            "{} has changed since you allowed it. A binary that its author compiled would be run; it may hold other code \
             than the source does.",
            undecided.identity
        ),
        TrustState::Stale => format!("{} has changed since you allowed it.", undecided.identity),
        _ if summary.prebuilt.is_some() => format!(
            "{} has not run here before. A binary that its author compiled would be run on this machine; it may hold other \
             code than the source does.",
            undecided.identity
        ),
        _ => format!(
            "{} has not run here before. Its code would be built and run on this machine.",
            undecided.identity
        ),
    }];
    let mut fact = |name: &str, value: Option<String>| {
        lines.extend(
            value
                .filter(|value| !value.is_empty())
                .map(|value| format!("  {name:<15}{value}")),
        );
    };
    fact("owner", summary.owner.clone());
    fact("commit", summary.commit.clone());
    fact("allowed before", undecided.allowed_commit.clone());
    fact("date", summary.committed_at.map(|time| time.to_string()));
    fact("licence", Some(summary.licences.join(", ")));
    fact(
        "by the word of",
        summary.bundle.map(|bundle| {
            format!("whoever made the bundle {bundle}: what its owner publishes was not looked at")
        }),
    );
    if let Some(prebuilt) = &summary.prebuilt {
        fact("binary", Some(prebuilt.url.clone()));
        fact("sha256", Some(prebuilt.sha256.clone()));
        fact("vouched for by", Some(prebuilt.vouched_by.clone()));
        fact("instead", Some("--build builds the source".to_owned()));
        return lines.join("\n");
    }
    fact(
        "dependencies",
        summary.dependencies.map(|count| format!("{count} packages")),
    );
    fact("from elsewhere", Some(summary.foreign_dependencies.join(", ")));
    let known = if summary.is_complete {
        ""
    } else {
        " (of the plugin itself; not known of its dependencies, which are not here yet)"
    };
    fact(
        "build scripts",
        Some(format!("{}{known}", names(&summary.build_scripts))),
    );
    fact("macros", Some(format!("{}{known}", names(&summary.proc_macros))));
    lines.join("\n")
}

fn names(list: &[String]) -> String {
    if list.is_empty() {
        "none".to_owned()
    } else {
        list.join(", ")
    }
}
