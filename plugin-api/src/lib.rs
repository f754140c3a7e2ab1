//! Everything that the author of a modelzoo plugin needs.
