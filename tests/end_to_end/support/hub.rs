//! A hub of models on this machine: a real Git server whose repositories hold pointers, and the files behind these.

use super::{
    User,
    git_server::GitServer,
    http_server::{Answer, Seen},
    project,
    published::git,
};
use sha2::{Digest as _, Sha256};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

/// What a hub keeps outside of its repositories.
const KEPT_ELSEWHERE: [&str; 3] = ["safetensors", "bin", "pth"];

/// One of the small models with random weights that the plugin of published models is tested with.
pub fn small_model(name: &str) -> PathBuf {
    project().join("plugin-api/vision/tests/goldens").join(name)
}

/// How the hub answers when a file is asked for: the number of the request among those, the request, and the content.
pub type Behaviour = Box<dyn Fn(usize, &Seen, &[u8]) -> Answer + Send + Sync>;

/// A hub with one model.
pub struct Hub {
    server: GitServer,
    folder: tempfile::TempDir,
    name: String,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// Contents by their digest, and the files of each commit are found in the work tree's pointers.
    contents: Mutex<Vec<(String, Vec<u8>)>>,
    asked: Mutex<Vec<Seen>>,
    behaviour: Mutex<Option<Behaviour>>,
    /// A name that the model had before.
    old_name: Mutex<Option<String>>,
}

impl Hub {
    /// A hub with the small model `small`, published as `name` (`owner/name`), in one commit.
    pub fn with_model(name: &str, small: &str) -> Self {
        let hub = Self::empty(name);
        for file in [
            "config.json",
            "preprocessor_config.json",
            "tokenizer.json",
            "model.safetensors",
        ] {
            if let Ok(content) = fs::read(small_model(small).join(file)) {
                hub.write(file, &content);
            }
        }
        hub.write(
            "README.md",
            b"---\nlicense: apache-2.0\npipeline_tag: image-classification\n---\n# A model\n",
        );
        hub.commit("The first version");
        hub
    }

    /// A hub with an empty repository `name`.
    pub fn empty(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let shared = Arc::new(Shared::default());
        let served = Arc::clone(&shared);
        let root = folder.path().join("served");
        let work = folder.path().join("work");
        fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
        fs::create_dir(&work).unwrap();
        git(&work, &["init", "--quiet"]);
        git(&root, &["init", "--quiet", "--bare", name]);
        let bare = root.join(name);
        git(&bare, &["config", "uploadpack.allowAnySHA1InWant", "true"]);
        let server = GitServer::with_files(&root, move |seen| served.answer(&work, seen));
        Self {
            server,
            folder,
            name: name.to_owned(),
            shared,
        }
    }

    /// A user who reaches the hub instead of the public one.
    pub fn user(&self) -> User {
        let mirror = format!(
            "[mirrors]\n\"https://huggingface.co/\" = \"{}\"\n",
            self.server.url()
        );
        User::new()
            .with_empty_store()
            .with_config(&mirror)
            .with_variable("MODELZOO_DOWNLOAD_RETRIES", "1")
    }

    /// The hub's address.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// The folder of the next commit.
    pub fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    /// Puts a file into the next commit: as a pointer where hubs keep such files elsewhere.
    pub fn write(&self, name: &str, content: &[u8]) {
        let is_elsewhere = KEPT_ELSEWHERE.iter().any(|ending| name.ends_with(ending));
        let path = self.work().join(name);
        if is_elsewhere {
            let digest = sha256(content);
            fs::write(path, pointer(&digest, content.len())).unwrap();
            self.shared
                .contents
                .lock()
                .unwrap()
                .push((digest, content.to_vec()));
        } else {
            fs::write(path, content).unwrap();
        }
    }

    /// Changes the configuration for the next commit.
    pub fn configure(&self, change: impl FnOnce(&mut serde_json::Value)) {
        let path = self.work().join("config.json");
        let mut config = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        change(&mut config);
        fs::write(&path, config.to_string()).unwrap();
    }

    /// Publishes what was written; gives the commit.
    pub fn commit(&self, message: &str) -> String {
        let work = self.work();
        git(&work, &["add", "--all"]);
        git(&work, &["commit", "--quiet", "-m", message]);
        self.push("HEAD:refs/heads/main");
        git(&work, &["rev-parse", "HEAD"])
    }

    /// Makes a ref of the hub's repository, as `git push` is told of it.
    pub fn push(&self, refspec: &str) {
        let bare = self.folder.path().join("served").join(&self.name);
        git(
            &self.work(),
            &["push", "--quiet", bare.to_str().unwrap(), refspec],
        );
    }

    /// Lets files be answered otherwise than well.
    pub fn behave(&self, behaviour: impl Fn(usize, &Seen, &[u8]) -> Answer + Send + Sync + 'static) {
        *self.shared.behaviour.lock().unwrap() = Some(Box::new(behaviour));
    }

    /// Lets the model have had another name.
    pub fn rename_from(&self, old: &str) {
        *self.shared.old_name.lock().unwrap() = Some(format!("/{old}/"));
    }

    /// The files that were asked for.
    pub fn asked(&self) -> Vec<Seen> {
        self.shared.asked.lock().unwrap().clone()
    }

    /// How many requests there were of any kind.
    pub fn requests(&self) -> usize {
        self.server.requests().len()
    }
}

impl Shared {
    /// The answer to a request for a file; `None` for one of Git's.
    fn answer(&self, work: &Path, seen: &Seen) -> Option<Answer> {
        if let Some(old) = self.old_name.lock().unwrap().as_ref()
            && let Some(rest) = seen.path.strip_prefix(old.as_str())
        {
            return Some(
                Answer::new("307 Temporary Redirect", "").header("Location", format!("/new/name/{rest}")),
            );
        }
        let (_, commit_and_file) = seen.path.split_once("/resolve/")?;
        let number = {
            let mut asked = self.asked.lock().unwrap();
            asked.push(seen.clone());
            asked.len() - 1
        };
        let (commit, file) = commit_and_file.split_once('/')?;
        let pointer = git(work, &["show", &format!("{commit}:{file}")]);
        let contents = self.contents.lock().unwrap();
        let (_, content) = contents
            .iter()
            .find(|(digest, _)| pointer.contains(digest.as_str()))?;
        Some(match self.behaviour.lock().unwrap().as_ref() {
            Some(behaviour) => behaviour(number, seen, content),
            None => Answer::with_ranges(seen, content, "\"v1\""),
        })
    }
}

/// A pointer of Git LFS.
pub fn pointer(digest: &str, size: usize) -> String {
    format!("version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {size}\n")
}

/// The digest of a content, in hexadecimal.
pub fn sha256(content: &[u8]) -> String {
    Sha256::digest(content)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
