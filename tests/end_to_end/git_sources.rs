//! Sources in Git repositories: over `file://` and from a real `git http-backend` with a token, by branch, tag and
//! commit.

use crate::support::{User, git_server::GitServer, project, published::publish, ssh_server::SshServer};
use std::{fs, os::unix::fs::PermissionsExt};

fn describes(user: &User, reference: &str) -> String {
    let run = user.run(["info", reference, "--json"]).expect(0);
    let info: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    format!(
        "{} {}",
        info["commit"].as_str().unwrap(),
        info["manifest"]["description"].as_str().unwrap()
    )
}

fn photos() -> String {
    project().join("examples/photos").to_str().unwrap().to_owned()
}

#[test]
fn a_repository_is_read_by_branch_tag_and_commit() {
    let user = User::new().with_empty_store();
    let root = user.path("repositories");
    fs::create_dir(&root).unwrap();
    let [first, second] = publish(&root);
    let url = format!("file://{}", root.join("acme/brightness.git").display());
    assert_eq!(
        describes(&user, &url),
        format!("{first} Tells bright pictures from dark ones")
    );
    assert_eq!(
        describes(&user, &format!("{url}@v1")),
        format!("{first} Tells bright pictures from dark ones")
    );
    let better = format!("{second} Distinguishes bright pictures from dark ones");
    assert_eq!(describes(&user, &format!("{url}@feature/bright")), better);
    assert_eq!(describes(&user, &format!("{url}@{second}")), better);

    let run = user.run(["info", &format!("{url}@v2")]).expect(3);
    assert!(run.error().contains("v2"), "{}", run.stderr);
    let run = user
        .run([
            "info",
            &format!("file://{}", root.join("acme/nothing.git").display()),
        ])
        .expect(3);
    assert!(run.error().contains("nothing"), "{}", run.stderr);
}

#[test]
fn a_private_repository_is_run_with_a_token_and_the_second_run_asks_nobody() {
    let user = User::new().with_empty_store();
    let root = user.path("repositories");
    fs::create_dir(&root).unwrap();
    let [first, _] = publish(&root);
    let server = GitServer::with_token(&root, "secret-token");
    let config = format!(
        "[mirrors]\n\"https://github.com/\" = \"{}\"\n[trust]\nallow = [\"acme\"]\n",
        server.url()
    );

    let stranger = user.with_config(&config);
    let run = stranger.run(["apply", "acme/brightness@v1", &photos()]);
    assert_ne!(run.code, 0);
    assert!(run.stderr.contains("GITHUB_TOKEN"), "{}", run.stderr);

    let user = stranger.with_variable("GITHUB_TOKEN", "secret-token");
    let reference = format!("acme/brightness@{first}");
    let before = user.run(["apply", &reference, &photos()]).expect(0);
    assert_eq!(before.json_lines().len(), 4);
    assert!(!before.stderr.contains("secret-token"));
    let asked = server.requests().len();
    assert!(asked > 0);

    // A commit never changes, so nothing is asked; and nothing is built, which a broken cargo proves.
    let tools = user.path("tools");
    fs::create_dir(&tools).unwrap();
    fs::write(tools.join("cargo"), "#!/bin/sh\nexit 42\n").unwrap();
    fs::set_permissions(tools.join("cargo"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap());
    let user = user.with_variable("PATH", &path);
    let after = user.run(["apply", &reference, &photos()]).expect(0);
    assert_eq!(after.stdout, before.stdout);
    assert_eq!(server.requests().len(), asked);
}

#[test]
fn a_repository_is_read_over_ssh_with_the_users_keys_from_a_known_host() {
    let Some(server) = SshServer::start() else {
        return;
    };
    let user = User::new().with_empty_store();
    let root = user.path("repositories");
    fs::create_dir(&root).unwrap();
    let [first, second] = publish(&root);
    let url = server.url(&root.join("acme/brightness.git"));

    let user = user.with_variable("SSH_AUTH_SOCK", "/no/agent");
    fs::create_dir(user.path(".ssh")).unwrap();
    let known_hosts = user.path(".ssh/known_hosts");
    let key_file = user.path(".ssh/id_ed25519");
    // `ssh` takes the home of the account, whatever `HOME` says; this is what it does there.
    let command = format!(
        "ssh -F none -o UserKnownHostsFile={} -o GlobalKnownHostsFile=none -o IdentityFile={}",
        known_hosts.display(),
        key_file.display()
    );
    let user = user.with_variable("GIT_SSH_COMMAND", &command);
    fs::write(&known_hosts, server.known_host()).unwrap();
    let keyless = user.run(["info", &url]).expect(1);
    assert!(
        keyless.stderr.contains("hint: start ssh-agent"),
        "{}",
        keyless.stderr
    );

    fs::copy(server.key_file(), &key_file).unwrap();
    assert!(describes(&user, &format!("{url}@v1")).starts_with(&first));
    fs::remove_file(key_file).unwrap();

    let agent = server.agent();
    let user = user.with_variable("SSH_AUTH_SOCK", agent.to_str().unwrap());
    assert!(describes(&user, &format!("{url}@feature/bright")).starts_with(&second));
    let missing = user.run(["info", &server.url(&root.join("acme/none.git"))]);
    assert_ne!(missing.code, 0);

    // The server says that it is somebody else than before, or was never met.
    for known in [server.known_host().replace("AAAAI", "AAAAJ"), String::new()] {
        fs::write(&known_hosts, known).unwrap();
        let stranger = user.run(["info", &url]).expect(1);
        assert!(
            stranger.error().contains("is not the one in ~/.ssh/known_hosts"),
            "{}",
            stranger.stderr
        );
    }
}

#[test]
fn a_silent_ssh_server_is_given_up() {
    let user = User::new()
        .with_empty_store()
        .with_config("[download]\nstall_timeout_seconds = 1\n")
        .with_variable("GIT_SSH_COMMAND", "sleep 30; true");
    let run = user
        .run(["info", "ssh://git@server.invalid/user/repo.git"])
        .expect(1);
    assert!(run.error().contains("sent nothing for 1 s"), "{}", run.stderr);
}
