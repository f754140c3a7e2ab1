//! How the network is reached. It is not tried: whether a site answers is that site's matter.
use super::{Check, Machine};
use crate::config::Config;
use url::Url;

/// The variables that name a proxy, in the order in which they count for https.
pub const PROXY_VARIABLES: [&str; 6] = [
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
    "HTTP_PROXY",
    "http_proxy",
];
const PROXY_SCHEMES: [&str; 5] = ["http", "https", "socks4", "socks5", "socks5h"];

pub(super) fn checks(machine: &dyn Machine, config: Option<&Config>) -> Vec<Check> {
    let mut checks = vec![proxy(machine)];
    let mirrors: Vec<String> = config
        .into_iter()
        .flat_map(|config| {
            config
                .mirrors
                .iter()
                .map(|(prefix, mirror)| format!("{prefix} -> {mirror}"))
        })
        .collect();
    if !mirrors.is_empty() {
        checks.push(Check::good("mirrors", mirrors.join(", ")));
    }
    let tokens: Vec<&str> = ["GITHUB_TOKEN", "HF_TOKEN"]
        .into_iter()
        .filter(|name| machine.variable(name).is_some())
        .collect();
    let detail = match tokens.as_slice() {
        [] => "neither GITHUB_TOKEN nor HF_TOKEN is set; public sources need none".to_owned(),
        tokens => format!("{} is set", tokens.join(" and ")),
    };
    checks.push(Check::good("tokens", detail));
    checks
}

fn proxy(machine: &dyn Machine) -> Check {
    let name = "proxy";
    let mut found = Vec::new();
    for variable in PROXY_VARIABLES {
        let Some(value) = machine.variable(variable) else {
            continue;
        };
        // A proxy may be written without its scheme.
        let url = if value.contains("://") {
            Url::parse(&value)
        } else {
            Url::parse(&format!("http://{value}"))
        };
        match url {
            Ok(url) if PROXY_SCHEMES.contains(&url.scheme()) && url.has_host() => {
                found.push(format!("{variable}={}", without_credentials(url)));
            }
            // The value may have a password in it, so it is not shown.
            _ => {
                let remedy =
                    format!("set it to a URL such as http://proxy.example.com:3128, or unset {variable}");
                return Check::bad(name, format!("{variable} is no URL of a proxy"), remedy);
            }
        }
    }
    Check::good(
        name,
        if found.is_empty() {
            "none is set".to_owned()
        } else {
            found.join(", ")
        },
    )
}

fn without_credentials(mut url: Url) -> String {
    // These fail only for URLs without a host.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.into()
}
