//! Building plugins, loading them, and running them in worker processes.
