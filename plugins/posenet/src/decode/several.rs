//! Several people: from the surest keypoint of each along the tree to all others.
//!
//! Source: Papandreou et al., "PersonLab" (2018), section 3.1, "Fast greedy decoding".

use super::{Cell, Found, Maps, Person, vector};
use crate::{
    Settings,
    body::{KEYPOINTS, TREE},
    network::CELLS,
};

/// A keypoint is a root only where no neighbour at most this many cells away has a higher score.
const NEIGHBOURHOOD: usize = 1;
/// How often the end of a displacement is corrected by the offset there.
const CORRECTIONS: usize = 2;

/// A place from which a person is put together.
struct Root {
    keypoint: usize,
    found: Found,
}

/// People, the surest first.
pub(crate) fn several_people(maps: &Maps<'_>, settings: &Settings) -> Vec<Person> {
    let mut people: Vec<(Person, f32)> = Vec::new();
    for root in roots(maps, settings.root_threshold) {
        if people.len() >= settings.most_people {
            break;
        }
        let is_taken = |(person, _): &(Person, f32)| {
            person[root.keypoint]
                .point
                .is_within(settings.nms_radius, root.found.point)
        };
        if people.iter().any(is_taken) {
            continue;
        }
        let person = grow(maps, &root);
        let score = score_of_new(&person, &people, settings.nms_radius);
        if score >= settings.person_threshold {
            people.push((person, score));
        }
    }
    people.sort_by(|a, b| b.1.total_cmp(&a.1));
    people.into_iter().map(|(person, _)| person).collect()
}

/// Local maxima of all keypoints that reach the threshold, the surest first.
fn roots(maps: &Maps<'_>, threshold: f32) -> Vec<Root> {
    let mut roots = Vec::new();
    for keypoint in 0..KEYPOINTS {
        for row in 0..CELLS {
            for column in 0..CELLS {
                let cell = Cell { row, column };
                let found = maps.keypoint_at(cell, keypoint);
                if found.score >= threshold && is_local_maximum(maps.logits(keypoint), cell) {
                    roots.push(Root { keypoint, found });
                }
            }
        }
    }
    roots.sort_by(|a, b| b.found.score.total_cmp(&a.found.score));
    roots
}

fn is_local_maximum(logits: &[f32], cell: Cell) -> bool {
    let around =
        |position: usize| position.saturating_sub(NEIGHBOURHOOD)..(position + NEIGHBOURHOOD + 1).min(CELLS);
    around(cell.row)
        .flat_map(|row| around(cell.column).map(move |column| Cell { row, column }))
        .all(|neighbour| logits[neighbour.index()] <= logits[cell.index()])
}

/// Follows the tree from the root to all keypoints: up to the tree's root first, then down.
fn grow(maps: &Maps<'_>, root: &Root) -> Person {
    let mut known: [Option<Found>; KEYPOINTS] = [None; KEYPOINTS];
    known[root.keypoint] = Some(root.found);
    for (edge, (parent, child)) in TREE.into_iter().enumerate().rev() {
        if let (None, Some(found)) = (known[parent], known[child]) {
            known[parent] = Some(follow(maps, maps.to_parent, edge, found, parent));
        }
    }
    for (edge, (parent, child)) in TREE.into_iter().enumerate() {
        if let (Some(found), None) = (known[parent], known[child]) {
            known[child] = Some(follow(maps, maps.to_child, edge, found, child));
        }
    }
    known.map(Option::unwrap_or_default)
}

/// Goes from a keypoint along an edge of the tree to the `target` at its other end.
fn follow(maps: &Maps<'_>, displacements: &[f32], edge: usize, from: Found, target: usize) -> Found {
    let displacement = vector(displacements, TREE.len(), edge, from.point.cell());
    let mut point = from.point.plus(displacement);
    for _ in 0..CORRECTIONS {
        point = maps.keypoint_at(point.cell(), target).point;
    }
    Found {
        point,
        score: maps.keypoint_at(point.cell(), target).score,
    }
}

/// The mean score of a person's keypoints, without those that a surer person has already.
fn score_of_new(person: &Person, people: &[(Person, f32)], radius: f32) -> f32 {
    let is_new = |keypoint: usize, found: &Found| {
        people
            .iter()
            .all(|(other, _)| !other[keypoint].point.is_within(radius, found.point))
    };
    let scores = person
        .iter()
        .enumerate()
        .filter(|(keypoint, found)| is_new(*keypoint, found));
    scores.map(|(_, found)| found.score).sum::<f32>() / KEYPOINTS as f32
}
