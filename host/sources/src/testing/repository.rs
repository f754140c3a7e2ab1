//! Git repositories made for a test.
use git2::{ObjectType, Oid, Repository, Signature, Time};
use std::path::{Path, PathBuf};

/// A bare repository that a test fills.
pub(crate) struct TestRepository {
    repository: Repository,
    path: PathBuf,
}

/// What a test puts into a commit.
#[derive(Clone, Copy)]
pub(crate) enum Entry<'a> {
    File(&'a str),
    Executable(&'a str),
    Link(&'a str),
    Submodule,
}

impl TestRepository {
    /// An empty repository whose default branch is `main`.
    pub(crate) fn new(path: &Path) -> Self {
        let mut options = git2::RepositoryInitOptions::new();
        options.bare(true).initial_head("main");
        Self {
            repository: Repository::init_opts(path, &options).unwrap(),
            path: path.to_owned(),
        }
    }

    /// `file:///...`
    pub(crate) fn url(&self) -> String {
        format!("file://{}", self.path.display())
    }

    /// A commit of exactly these files, on a branch.
    pub(crate) fn commit(&self, branch: &str, entries: &[(&str, Entry<'_>)]) -> String {
        let tree = self.tree(entries);
        self.commit_tree(branch, tree)
    }

    /// A commit with a manifest that declares one model, and further files.
    pub(crate) fn commit_source(&self, branch: &str, model: &str, entries: &[(&str, Entry<'_>)]) -> String {
        let manifest = format!("{{\"models\": [{{\"base_name\": \"{model}\"}}]}}");
        let mut all = vec![("manifest.json", Entry::File(&manifest))];
        all.extend(entries);
        self.commit(branch, &all)
    }

    pub(crate) fn commit_tree(&self, branch: &str, tree: Oid) -> String {
        let reference = format!("refs/heads/{branch}");
        let author = Signature::new("Author", "author@example.com", &Time::new(1_700_000_000, 0)).unwrap();
        let parent = self
            .repository
            .refname_to_id(&reference)
            .and_then(|id| self.repository.find_commit(id))
            .ok();
        let parents: Vec<_> = parent.iter().collect();
        let tree = self.repository.find_tree(tree).unwrap();
        self.repository
            .commit(Some(&reference), &author, &author, "A commit", &tree, &parents)
            .unwrap()
            .to_string()
    }

    pub(crate) fn tag(&self, name: &str, commit: &str) {
        let id = Oid::from_str(commit).unwrap();
        self.repository
            .reference(&format!("refs/tags/{name}"), id, true, "tag")
            .unwrap();
    }

    pub(crate) fn annotated_tag(&self, name: &str, commit: &str) {
        let object = self
            .repository
            .find_object(Oid::from_str(commit).unwrap(), None)
            .unwrap();
        let author = Signature::new("Author", "author@example.com", &Time::new(1_700_000_000, 0)).unwrap();
        self.repository
            .tag(name, &object, &author, "A tag", true)
            .unwrap();
    }

    /// Allows what is off by default: to fetch commits that no ref points to.
    pub(crate) fn allow_any_commit(&self) {
        self.repository
            .config()
            .unwrap()
            .set_bool("uploadpack.allowAnySHA1InWant", true)
            .unwrap();
    }

    pub(crate) fn tree(&self, entries: &[(&str, Entry<'_>)]) -> Oid {
        let mut folders: Vec<&str> = Vec::new();
        let mut builder = self.repository.treebuilder(None).unwrap();
        for (path, entry) in entries {
            match path.split_once('/') {
                Some((folder, _)) if folders.contains(&folder) => {}
                Some((folder, _)) => {
                    folders.push(folder);
                    let prefix = format!("{folder}/");
                    let inside: Vec<_> = entries
                        .iter()
                        .filter_map(|(path, entry)| Some((path.strip_prefix(&prefix)?, *entry)))
                        .collect();
                    builder.insert(folder, self.tree(&inside), 0o040_000).unwrap();
                }
                None => {
                    let (id, mode) = self.object(*entry);
                    builder.insert(path, id, mode).unwrap();
                }
            }
        }
        builder.write().unwrap()
    }

    /// A tree with one entry of any name, which no proper program would write.
    pub(crate) fn tree_with_name(&self, name: &[u8], content: &str) -> Oid {
        let (id, _) = self.object(Entry::File(content));
        let mut bytes = b"100644 ".to_vec();
        bytes.extend(name);
        bytes.push(0);
        bytes.extend(id.as_bytes());
        self.repository
            .odb()
            .unwrap()
            .write(ObjectType::Tree, &bytes)
            .unwrap()
    }

    fn object(&self, entry: Entry<'_>) -> (Oid, i32) {
        let blob = |content: &str| self.repository.blob(content.as_bytes()).unwrap();
        match entry {
            Entry::File(content) => (blob(content), 0o100_644),
            Entry::Executable(content) => (blob(content), 0o100_755),
            Entry::Link(target) => (blob(target), 0o120_000),
            Entry::Submodule => (Oid::from_str(&"1".repeat(40)).unwrap(), 0o160_000),
        }
    }
}
