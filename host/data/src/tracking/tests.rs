use super::*;
use proptest::prelude::*;

const SIZE: (u32, u32) = (100, 100);

fn at(x: f64, y: f64, confidence: f64) -> Detection {
    Detection::new("ball", [x / 100.0, y / 100.0, 0.1, 0.2]).with_confidence(confidence)
}

/// The numbers of the objects of each frame.
fn numbers(frames: &[&[Detection]]) -> Vec<Vec<Option<i64>>> {
    let mut tracks = Tracks::default();
    for (number, frame) in (1..).zip(frames) {
        tracks.add(number, frame, SIZE);
    }
    tracks.numbers().into_values().collect()
}

#[test]
fn an_object_keeps_its_number_whatever_its_place_in_the_list() {
    let found = numbers(&[
        &[at(10.0, 10.0, 0.9), at(60.0, 60.0, 0.8)],
        &[at(62.0, 60.0, 0.8), at(11.0, 10.0, 0.9)],
        &[at(12.0, 10.0, 0.9), at(64.0, 60.0, 0.8)],
    ]);
    assert_eq!(
        found,
        [
            vec![Some(1), Some(2)],
            vec![Some(2), Some(1)],
            vec![Some(1), Some(2)]
        ]
    );
}

#[test]
fn what_comes_later_has_a_number_from_its_first_frame_on_if_it_is_seen_again() {
    let still = at(10.0, 10.0, 0.9);
    let found = numbers(&[
        std::slice::from_ref(&still),
        &[still.clone(), at(60.0, 60.0, 0.9), at(30.0, 70.0, 0.9)],
        &[still.clone(), at(61.0, 60.0, 0.9)],
    ]);
    assert_eq!(
        found,
        [
            vec![Some(1)],
            vec![Some(1), Some(2), None],
            vec![Some(1), Some(2)]
        ]
    );
}

#[test]
fn an_object_that_is_half_hidden_goes_on_and_one_that_is_hidden_comes_back() {
    let hidden: &[Detection] = &[];
    let found = numbers(&[
        &[at(10.0, 10.0, 0.9)],
        // Too unsure to begin a track.
        &[at(11.0, 10.0, 0.15), at(70.0, 70.0, 0.15)],
        hidden,
        hidden,
        &[at(12.0, 10.0, 0.9)],
    ]);
    assert_eq!(
        found,
        [vec![Some(1)], vec![Some(1), None], vec![], vec![], vec![Some(1)]]
    );
}

#[test]
fn an_object_that_comes_back_too_late_is_another_one() {
    let hidden: &[Detection] = &[];
    let ball: &[Detection] = &[at(10.0, 10.0, 0.9)];
    for (frames, number) in [(31, 1), (32, 2)] {
        let mut all = vec![ball];
        all.extend(vec![hidden; frames - 1]);
        all.extend([ball, ball]);
        let found = numbers(&all);
        assert_eq!(found.last().unwrap(), &[Some(number)], "{frames}");
    }
}

/// The tracks that supervision's `ByteTrack` finds in the same frames: `tests/tracking/make.py` says how. It drops what it has
/// no number for, and numbers in another order.
#[test]
fn the_same_objects_are_told_apart_as_by_supervision() {
    let cases: serde_json::Value =
        serde_json::from_str(include_str!("../../tests/tracking/supervision.json")).unwrap();
    let mut compared = 0;
    for (number, case) in cases.as_array().unwrap().iter().enumerate() {
        let mut tracks = Tracks::default();
        let frames = case.as_array().unwrap();
        for (frame, objects) in (1..).zip(frames) {
            let objects: Vec<Detection> = objects.as_array().unwrap().iter().map(read).collect();
            tracks.add(frame, &objects, SIZE);
        }
        let mut same: BTreeMap<i64, i64> = BTreeMap::new();
        for ((frame, ours), objects) in tracks.numbers().into_iter().zip(frames) {
            for (our, object) in ours.into_iter().zip(objects.as_array().unwrap()) {
                let Some(their) = object[5].as_i64() else { continue };
                let our =
                    our.unwrap_or_else(|| panic!("case {number}, frame {frame}: {object} has no number"));
                assert_eq!(
                    *same.entry(their).or_insert(our),
                    our,
                    "case {number}, frame {frame}"
                );
                compared += 1;
            }
        }
        let ours: BTreeSet<i64> = same.values().copied().collect();
        assert_eq!(
            ours.len(),
            same.len(),
            "case {number}: two of theirs are one of ours"
        );
    }
    assert!(compared > 1000, "{compared}");
}

/// `[x, y, width, height, confidence, number]`, in pixels.
fn read(object: &serde_json::Value) -> Detection {
    let number = |place: usize| object[place].as_f64().unwrap();
    Detection::new("ball", [0, 1, 2, 3].map(|place| number(place) / 100.0)).with_confidence(number(4))
}

proptest! {
    #[test]
    fn no_boxes_end_it_and_no_number_is_given_twice_in_a_frame(
        frames in prop::collection::vec(
            prop::collection::vec(
                (prop::array::uniform4(prop_oneof![4 => 0.0f64..1.0, 1 => any::<f64>()]), prop::option::of(any::<f64>())),
                0..8,
            ),
            0..12,
        ),
    ) {
        let mut tracks = Tracks::default();
        for (number, frame) in (1..).zip(&frames) {
            let objects: Vec<Detection> = frame.iter().map(|(bounding_box, confidence)| {
                let mut object = Detection::new("x", *bounding_box);
                object.confidence = *confidence;
                object
            }).collect();
            tracks.add(number, &objects, SIZE);
        }
        for (frame, numbers) in tracks.numbers() {
            prop_assert_eq!(numbers.len(), frames[frame as usize - 1].len());
            let given: Vec<i64> = numbers.into_iter().flatten().collect();
            let different: BTreeSet<i64> = given.iter().copied().collect();
            prop_assert_eq!(given.len(), different.len());
        }
    }
}
