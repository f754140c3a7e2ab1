//! `modelzoo plugin new`: a source to start from.

use super::shown;
use crate::{
    arguments::{NewArguments, TaskArgument},
    commands::plan::carry_out,
    exit::Exit,
    terminal::{Context, Failure, Hinted, Result, Terminal, ensure},
};
use modelzoo::{Plan, diagnosis::ErrorClass};
use std::path::{self, Path};

/// The files that every new source has, with words in capitals that stand for its own.
const FILES: [(&str, &str); 7] = [
    (".gitignore", include_str!("../../../templates/plugin/gitignore")),
    (
        ".github/workflows/check.yml",
        include_str!("../../../templates/plugin/workflows/check.yml"),
    ),
    ("Cargo.toml", include_str!("../../../templates/plugin/Cargo.toml")),
    ("LICENSE", include_str!("../../../templates/plugin/LICENSE")),
    ("README.md", include_str!("../../../templates/plugin/README.md")),
    (
        "manifest.json",
        include_str!("../../../templates/plugin/manifest.json"),
    ),
    ("src/lib.rs", include_str!("../../../templates/plugin/source.rs")),
];

const MODEL_FILE: &str = "src/model.rs";

/// What a source of a task has of its own.
struct Template {
    /// The code of its model.
    model: &'static str,
    /// What the model does.
    description: &'static str,
    /// What people find such models by.
    tag: &'static str,
    /// The command that runs it.
    command: &'static str,
}

impl Template {
    const fn of(task: TaskArgument) -> Self {
        match task {
            TaskArgument::Classification => Self::labels(
                include_str!("../../../templates/plugin/tasks/classification.rs"),
                "Tells bright pictures from dark ones",
                "classification",
            ),
            TaskArgument::Detection => Self::labels(
                include_str!("../../../templates/plugin/tasks/detection.rs"),
                "Puts a box around what is bright",
                "detection",
            ),
            TaskArgument::Segmentation => Self::labels(
                include_str!("../../../templates/plugin/tasks/segmentation.rs"),
                "Tells bright pixels from dark ones",
                "segmentation",
            ),
            TaskArgument::Keypoints => Self::labels(
                include_str!("../../../templates/plugin/tasks/keypoints.rs"),
                "Points at the brightest pixel",
                "keypoints",
            ),
            TaskArgument::Embedding => Self {
                command: "embed",
                ..Self::labels(
                    include_str!("../../../templates/plugin/tasks/embedding.rs"),
                    "Embeds pictures by the mean colours of their quarters",
                    "embeddings",
                )
            },
            TaskArgument::Heatmap => Self::labels(
                include_str!("../../../templates/plugin/tasks/heatmap.rs"),
                "Maps how bright each pixel is",
                "heatmap",
            ),
            TaskArgument::Video => Self::labels(
                include_str!("../../../templates/plugin/tasks/video.rs"),
                "Tells a video's bright frames from its dark ones",
                "video",
            ),
            TaskArgument::Custom => Self::labels(
                include_str!("../../../templates/plugin/tasks/custom.rs"),
                "Tells bright pictures from dark ones, and how bright they are",
                "custom",
            ),
        }
    }

    /// A model whose answers are labels.
    const fn labels(model: &'static str, description: &'static str, tag: &'static str) -> Self {
        Self {
            model,
            description,
            tag,
            command: "apply",
        }
    }
}

pub fn run(arguments: &NewArguments, terminal: &Terminal) -> Result<Exit> {
    let folder = &arguments.folder;
    // `.` has no last part of its own.
    let absolute = path::absolute(folder).context("there is no current folder")?;
    let name = absolute
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_'));
    ensure!(
        is_name,
        "{name:?} cannot name a crate: it takes letters, digits, - and _, a letter first"
    );
    let is_free = match fs_err::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(_) => !folder.exists(),
    };
    if !is_free {
        return Err(Hinted {
            message: format!("{} is there already", folder.display()),
            hint: "name a folder that is not there yet, or an empty one".to_owned(),
            class: ErrorClass::Failed,
        }
        .into());
    }
    let template = Template::of(arguments.task);
    let command = template.command;
    let source = NewSource {
        folder,
        name,
        template,
    };
    if carry_out(source, arguments.dry_run, false)?.is_some() {
        let folder = shown(folder);
        terminal.say(format!(
            "{folder} is a source; `modelzoo {command} {folder} PICTURES` runs it, `modelzoo plugin check {folder}` \
             checks it, `modelzoo plugin dev {folder}` lets cargo and editors work in it"
        ));
    }
    Ok(Exit::Done)
}

/// A source that is written.
struct NewSource<'a> {
    folder: &'a Path,
    name: &'a str,
    template: Template,
}

impl NewSource<'_> {
    /// The files by their paths in the source.
    fn files(&self) -> impl Iterator<Item = (&'static str, String)> {
        let files = FILES.into_iter().chain([(MODEL_FILE, self.template.model)]);
        files.map(|(path, text)| (path, self.put_in(text)))
    }

    /// Puts this source's words in the place of those in capitals.
    fn put_in(&self, text: &str) -> String {
        text.replace("DESCRIPTION", self.template.description)
            .replace("COMMAND", self.template.command)
            .replace("TASK", self.template.tag)
            .replace("NAME", self.name)
    }
}

impl Plan for NewSource<'_> {
    type Step = String;
    type Outcome = ();
    type Error = Failure;

    fn steps(&self) -> Result<Vec<String>> {
        let step = |(path, _): (&str, String)| format!("write {}", self.folder.join(path).display());
        Ok(self.files().map(step).collect())
    }

    fn execute(self) -> Result<()> {
        for (path, content) in self.files() {
            let path = self.folder.join(path);
            let parent = path.parent().unwrap_or(self.folder);
            fs_err::create_dir_all(parent)
                .and_then(|()| fs_err::write(&path, content))
                .context("cannot write the source")?;
        }
        Ok(())
    }
}
