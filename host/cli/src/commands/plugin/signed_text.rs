//! `modelzoo plugin signed-text`: what an author signs, so that users can insist on the author's key.

use crate::{
    exit::Exit,
    terminal::{Terminal, print},
};
use anyhow::ensure;
use clap::Args;
use modelzoo_sources::trust::{SIGNATURE_FILE, message_to_sign};
use std::path::PathBuf;

#[derive(Clone, Debug, Args)]
pub struct SignedTextArguments {
    /// The root of what is published: a source, or a repository with several
    #[arg(default_value = ".")]
    folder: PathBuf,
}

pub fn run(arguments: &SignedTextArguments, terminal: &Terminal) -> anyhow::Result<Exit> {
    let folder = &arguments.folder;
    ensure!(folder.is_dir(), "{}: there is no such folder", folder.display());
    print(message_to_sign(folder)?)?;
    let signature = folder.join(SIGNATURE_FILE);
    terminal.say(format!(
        "`minisign -S -m FILE -x {}` signs it, once it is in FILE; any change of the source needs a new signature",
        signature.display()
    ));
    Ok(Exit::Done)
}
