//! The keypoints of a person and how they hang together.

/// How many keypoints a person has.
pub(crate) const KEYPOINTS: usize = 17;

/// The names of the keypoints, in COCO's order.
pub(crate) const NAMES: [&str; KEYPOINTS] = [
    "nose",
    "left_eye",
    "right_eye",
    "left_ear",
    "right_ear",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
    "left_hip",
    "right_hip",
    "left_knee",
    "right_knee",
    "left_ankle",
    "right_ankle",
];

/// The lines of the skeleton, as COCO draws it.
pub(crate) const SKELETON: [[usize; 2]; 16] = [
    [0, 1],
    [0, 2],
    [1, 3],
    [2, 4],
    [5, 6],
    [5, 7],
    [7, 9],
    [6, 8],
    [8, 10],
    [5, 11],
    [6, 12],
    [11, 12],
    [11, 13],
    [13, 15],
    [12, 14],
    [14, 16],
];

/// A tree over all keypoints, as pairs of parent and child, parents first: the network's displacements go along it.
pub(crate) const TREE: [(usize, usize); KEYPOINTS - 1] = [
    (0, 1),
    (1, 3),
    (0, 2),
    (2, 4),
    (0, 5),
    (5, 7),
    (7, 9),
    (5, 11),
    (11, 13),
    (13, 15),
    (0, 6),
    (6, 8),
    (8, 10),
    (6, 12),
    (12, 14),
    (14, 16),
];
