//! Copies of pictures with what a model said drawn on them, for a person to look at.
//!
//! Text is set in DejaVu Sans, embedded in the program (its licence: `licenses/DejaVu-Fonts.txt` in this crate).

mod annotate;
mod boxes;
mod canvas;
mod caption;
mod color;
mod folder;
mod maps;
mod points;
mod tags;
mod text;

pub use annotate::Annotator;
pub use folder::AnnotationFolder;
