//! What to do next, in the words of the command line.

use modelzoo::diagnosis::NextStep;

/// Says a next step with the commands and options that take it; most advice is the same everywhere.
pub fn words(step: &NextStep) -> String {
    match step {
        NextStep::AllowSource { source } => format!(
            "its code would run here; after a look at it: modelzoo trust allow {source}"
        ),
        NextStep::TakeBackDenial { identity } => {
            format!("to take it back: modelzoo trust revoke {identity}")
        }
        NextStep::AcceptContent { source } => {
            format!("find out why it changed; to accept it, run `modelzoo sources update {source}`")
        }
        NextStep::AcceptMovedTag { source } => format!(
            "its owner, or somebody in his place, replaced published code: compare the two commits; `modelzoo update {source}` \
             accepts the new one"
        ),
        NextStep::LetLockChange => {
            "run the command once without --locked, and look at the lock's change".to_owned()
        }
        NextStep::WriteLock => "write it with `modelzoo lock`".to_owned(),
        NextStep::RestoreLock { path } => format!(
            "restore {} from version control, or write it anew with `modelzoo lock`",
            path.display()
        ),
        NextStep::DownloadModel => "`modelzoo download`, with the same arguments, gets it".to_owned(),
        NextStep::GetPlugin => "`modelzoo download` builds it, or takes the one that its author compiled".to_owned(),
        NextStep::NameModel { name } => format!("name it with `-n {name}`"),
        NextStep::NameSource { source, model } => format!("name the source as well: `{source} -n {model}`"),
        NextStep::ListModels => {
            "`modelzoo list` shows all models; a source may be named instead: `user/repo`".to_owned()
        }
        NextStep::ListSources => "`modelzoo sources list` shows what is registered".to_owned(),
        NextStep::ShowModel => "`modelzoo info` tells what a model can do".to_owned(),
        NextStep::SpellSource => {
            "a source is spelt `user/repo[@ref][//sub/dir]`, or `hf:owner/model`; see `modelzoo sources add --help`".to_owned()
        }
        NextStep::StartFromTemplate => {
            "`modelzoo plugin new` writes a source to start from or to compare with".to_owned()
        }
        NextStep::GoOnline => "run the command again without --offline".to_owned(),
        NextStep::CheckNetwork => {
            "check the network and the proxy, or use `--offline` with what the store has".to_owned()
        }
        NextStep::FreeSpace => {
            "free space with `modelzoo store gc`, or set MODELZOO_STORE to a folder on another disk".to_owned()
        }
        NextStep::AllowWriting => {
            "check who may write there, or set MODELZOO_STORE to another folder".to_owned()
        }
        NextStep::VerifyStore => "`modelzoo store verify` finds and removes what was changed".to_owned(),
        NextStep::PassOverFailures => {
            "without --no-skip-failures the other samples are done all the same".to_owned()
        }
        NextStep::WaitLonger => {
            "if it only needs more time: `--stall-timeout SECONDS` (of `apply`, `embed` and `plugin bench`), or \
             `plugin.stall_timeout_seconds` in the configuration; 0 waits for ever"
                .to_owned()
        }
        NextStep::UseLessMemory => "a smaller --batch-size or a smaller model takes less memory".to_owned(),
        NextStep::ShowPluginOutput => {
            "`-vv` shows all that it printed; the source's author should know".to_owned()
        }
        NextStep::RunInProcess => "--isolation none runs the plugin in this process".to_owned(),
        NextStep::BuildPlugin => {
            "tell the source's author; `--build` builds the plugin from its source instead".to_owned()
        }
        NextStep::MakeBundle => {
            "`modelzoo bundle save REF -o FILE` makes one, on a machine with network".to_owned()
        }
        NextStep::VouchForBundle => {
            "`--sha256 HASH` takes it all the same: the hash that `bundle save` told, if you have it by another way than the \
             bundle"
                .to_owned()
        }
        NextStep::RelaxSandbox => "--sandbox auto uses what this system has".to_owned(),
        NextStep::CreateDataset { path } => format!(
            "`modelzoo dataset create {} INPUT` makes one of pictures and videos",
            path.display()
        ),
        NextStep::GoOnWithDataset { path } => format!(
            "name the dataset as the input to go on with it; `modelzoo dataset import {} INPUT` adds to it",
            path.display()
        ),
        NextStep::AddToDataset { path } => format!(
            "name the dataset alone, or add the files to it with `modelzoo dataset import {} INPUT`",
            path.display()
        ),
        NextStep::NameFormat { formats, endings } => format!(
            "name it with --format ({}), or end in {}",
            formats.join(", "),
            endings.join(", ")
        ),
        NextStep::ReplaceValues => {
            "`--overwrite` replaces them; a field of another name keeps them".to_owned()
        }
        NextStep::NameColumn => "name it with --column".to_owned(),
        NextStep::ReplaceShard => "`--overwrite` does it again; another file keeps it".to_owned(),
        other => other.to_string(),
    }
}
