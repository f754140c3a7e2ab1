/// What kind of failure an error is. The program's exit code follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// It failed, for a reason without a class of its own.
    Failed,
    /// What was asked for makes no sense.
    Usage,
    /// A source, model, file or field does not exist, or not on this machine.
    NotFound,
    /// The source's code may not run here.
    NotTrusted,
    /// The plugin does not compile.
    BuildFailed,
    /// Something is not what its hash says.
    Integrity,
    /// The plugin or model does not fit this host.
    Incompatible,
}
