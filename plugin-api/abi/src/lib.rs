//! The frozen binary contract between modelzoo and its plugins.
