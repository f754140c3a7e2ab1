use super::*;
use crate::Settings;

/// Maps of people who stand still: keypoint `k` of each lies in the column of its person and in row `k`.
struct Scene {
    logits: Vec<f32>,
    offsets: Vec<f32>,
    to_child: Vec<f32>,
    to_parent: Vec<f32>,
}

impl Scene {
    fn new(columns: &[usize]) -> Self {
        let mut scene = Self {
            logits: vec![-9.0; KEYPOINTS * PLANE],
            offsets: vec![0.0; 2 * KEYPOINTS * PLANE],
            to_child: vec![0.0; 2 * TREE.len() * PLANE],
            to_parent: vec![0.0; 2 * TREE.len() * PLANE],
        };
        for &column in columns {
            for keypoint in 0..KEYPOINTS {
                let cell = Cell {
                    row: keypoint,
                    column,
                }
                .index();
                scene.logits[keypoint * PLANE + cell] = 4.0 - keypoint as f32 * 0.1;
                // The keypoint lies 3 pixels below and 2 at the left of its cell.
                scene.offsets[keypoint * PLANE + cell] = 3.0;
                scene.offsets[(keypoint + KEYPOINTS) * PLANE + cell] = -2.0;
            }
        }
        for (edge, (parent, child)) in TREE.into_iter().enumerate() {
            let rows = child as f32 - parent as f32;
            scene.to_child[edge * PLANE..][..PLANE].fill(rows * STRIDE as f32);
            scene.to_parent[edge * PLANE..][..PLANE].fill(-rows * STRIDE as f32);
        }
        scene
    }

    fn maps(&self) -> Maps<'_> {
        Maps::new([&self.logits, &self.offsets, &self.to_child, &self.to_parent]).unwrap()
    }
}

fn stands_in(person: &Person, column: usize) -> bool {
    person.iter().enumerate().all(|(keypoint, found)| {
        let expected = Point {
            x: (column * STRIDE) as f32 - 2.0,
            y: (keypoint * STRIDE) as f32 + 3.0,
        };
        found.point == expected && found.score > 0.9
    })
}

#[test]
fn one_person_is_where_the_scores_are_highest() {
    let scene = Scene::new(&[5]);
    assert!(stands_in(&one_person(&scene.maps()), 5));
}

#[test]
fn people_side_by_side_are_told_apart() {
    let scene = Scene::new(&[4, 12, 20]);
    let people = several_people(&scene.maps(), &Settings::default());
    assert_eq!(people.len(), 3);
    for column in [4, 12, 20] {
        assert_eq!(
            people.iter().filter(|person| stands_in(person, column)).count(),
            1
        );
    }
    let at_most_two = Settings {
        most_people: 2,
        ..Settings::default()
    };
    assert_eq!(several_people(&scene.maps(), &at_most_two).len(), 2);
}

#[test]
fn a_person_grows_from_any_keypoint() {
    let mut scene = Scene::new(&[8]);
    // Only an ankle is sure enough to begin with.
    for keypoint in 0..16 {
        let cell = Cell {
            row: keypoint,
            column: 8,
        }
        .index();
        scene.logits[keypoint * PLANE + cell] = -0.5;
    }
    let people = several_people(&scene.maps(), &Settings::default());
    assert_eq!(people.len(), 1);
    assert_eq!(people[0][0].point, Point { x: 126.0, y: 3.0 });
}

#[test]
fn nobody_is_found_where_nobody_is() {
    let scene = Scene::new(&[]);
    assert!(several_people(&scene.maps(), &Settings::default()).is_empty());
}

#[test]
fn points_outside_of_the_picture_belong_to_its_border() {
    let point = Point { x: -50.0, y: 9999.0 };
    assert_eq!(
        point.cell(),
        Cell {
            row: CELLS - 1,
            column: 0
        }
    );
    assert!(Maps::new([&[], &[], &[], &[]]).is_none());
}
