//! From the network's maps to people.

mod one;
mod several;

pub(crate) use one::one_person;
pub(crate) use several::several_people;

use crate::{
    body::{KEYPOINTS, TREE},
    network::{CELLS, STRIDE},
};
use modelzoo_candle::classifier::sigmoid;

/// Cells of a map.
const PLANE: usize = CELLS * CELLS;

/// A point in pixels of the network's input.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Point {
    pub(crate) x: f32,
    pub(crate) y: f32,
}

impl Point {
    fn plus(self, other: Self) -> Self {
        Self {
            x: self.x + other.x,
            y: self.y + other.y,
        }
    }

    fn is_within(self, radius: f32, other: Self) -> bool {
        (self.x - other.x).powi(2) + (self.y - other.y).powi(2) <= radius * radius
    }

    /// The cell that the point lies in; the nearest one for a point outside of the picture.
    fn cell(self) -> Cell {
        let index =
            |position: f32| (position / STRIDE as f32).round().clamp(0.0, (CELLS - 1) as f32) as usize;
        Cell {
            row: index(self.y),
            column: index(self.x),
        }
    }
}

/// A cell of the maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cell {
    row: usize,
    column: usize,
}

impl Cell {
    fn index(self) -> usize {
        self.row * CELLS + self.column
    }

    fn point(self) -> Point {
        Point {
            x: (self.column * STRIDE) as f32,
            y: (self.row * STRIDE) as f32,
        }
    }
}

/// A keypoint that was found.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Found {
    pub(crate) point: Point,
    /// How sure the network is, 0 to 1.
    pub(crate) score: f32,
}

/// The keypoints of a person.
pub(crate) type Person = [Found; KEYPOINTS];

/// The network's outputs for one picture; [`Maps::new`] checks their lengths.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Maps<'a> {
    logits: &'a [f32],
    offsets: &'a [f32],
    to_child: &'a [f32],
    to_parent: &'a [f32],
}

impl<'a> Maps<'a> {
    /// Logits, offsets, displacements from parent to child and from child to parent; `None` where a length is wrong.
    pub(crate) fn new([logits, offsets, to_child, to_parent]: [&'a [f32]; 4]) -> Option<Self> {
        let has = |values: &[f32], channels: usize| values.len() == channels * PLANE;
        let fits = has(logits, KEYPOINTS)
            && has(offsets, 2 * KEYPOINTS)
            && has(to_child, 2 * TREE.len())
            && has(to_parent, 2 * TREE.len());
        fits.then_some(Self {
            logits,
            offsets,
            to_child,
            to_parent,
        })
    }

    fn logits(&self, keypoint: usize) -> &[f32] {
        &self.logits[keypoint * PLANE..][..PLANE]
    }

    /// The keypoint that a cell points at.
    fn keypoint_at(&self, cell: Cell, keypoint: usize) -> Found {
        Found {
            point: cell.point().plus(vector(self.offsets, KEYPOINTS, keypoint, cell)),
            score: sigmoid(self.logits(keypoint)[cell.index()]),
        }
    }
}

/// A vector of maps that hold all y before all x.
fn vector(maps: &[f32], count: usize, index: usize, cell: Cell) -> Point {
    let value = |channel: usize| maps[channel * PLANE + cell.index()];
    Point {
        x: value(index + count),
        y: value(index),
    }
}

#[cfg(test)]
mod tests;
