//! `modelzoo plugin signed-text`: what an author signs, so that users can insist on the author's key.

use crate::{
    arguments::SignedTextArguments,
    exit::Exit,
    terminal::{Result, Terminal, ensure, print},
};
use modelzoo::trust::{SIGNATURE_FILE, message_to_sign};

pub fn run(arguments: &SignedTextArguments, terminal: &Terminal) -> Result<Exit> {
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
