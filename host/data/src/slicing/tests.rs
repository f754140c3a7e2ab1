use super::*;
use modelzoo_plugin_api::Array;
use proptest::prelude::*;

fn slicing(size: u32, overlap: f64) -> Slicing {
    Slicing {
        overlap: overlap.try_into().unwrap(),
        ..Slicing::new(size.try_into().unwrap())
    }
}

fn corners(parts: &[PixelBox]) -> Vec<(u32, u32)> {
    parts.iter().map(|part| (part.x, part.y)).collect()
}

fn detection(label: &str, bounding_box: [f64; 4], confidence: f64) -> Detection {
    Detection::new(label, bounding_box).with_confidence(confidence)
}

/// What is found of a picture of 100 x 100 pixels in one part that is all of it, and one that has nothing.
fn merged(merging: Merging, found: Vec<Detection>) -> Vec<Detection> {
    let slicing = Slicing {
        merging,
        ..slicing(100, 0.0)
    };
    let whole = slicing.parts(100, 100)[0];
    slicing.merge(vec![(whole, found), (whole, Vec::new())], (100, 100))
}

#[test]
fn sizes_and_overlaps_are_within_their_bounds() {
    assert_eq!("32".parse::<SliceSize>().map(SliceSize::get), Ok(32));
    for text in ["31", "0", "-1", "4294967296", "1.5", ""] {
        assert_eq!(text.parse::<SliceSize>(), Err(SIZE), "{text}");
    }
    assert_eq!("0.5".parse::<SliceOverlap>().map(SliceOverlap::get), Ok(0.5));
    for text in ["0.51", "-0.1", "NaN", "inf", "a half"] {
        assert_eq!(text.parse::<SliceOverlap>(), Err(OVERLAP), "{text}");
    }
}

#[test]
fn the_last_slices_are_moved_back_into_the_picture() {
    let parts = slicing(64, 0.25).parts(150, 100);
    assert_eq!(
        (parts[0].width, parts[0].height),
        (150, 100),
        "the whole comes first"
    );
    assert_eq!(
        corners(&parts[1..]),
        [(0, 0), (48, 0), (86, 0), (0, 36), (48, 36), (86, 36)]
    );
    assert!(
        parts[1..]
            .iter()
            .all(|part| (part.width, part.height) == (64, 64))
    );
}

#[test]
fn what_is_no_larger_than_a_slice_is_looked_at_once() {
    assert_eq!(slicing(64, 0.2).parts(64, 10).len(), 1);
    // One side alone is larger.
    let parts = slicing(64, 0.0).parts(20, 128);
    assert_eq!(corners(&parts), [(0, 0), (0, 0), (0, 64)]);
    assert_eq!((parts[1].width, parts[1].height), (20, 64));
}

#[test]
fn boxes_of_slices_become_boxes_of_the_picture() {
    let slicing = slicing(50, 0.0);
    let parts = slicing.parts(100, 200);
    let last = parts.len() - 1;
    assert_eq!((parts[last].x, parts[last].y), (50, 150));
    let found = vec![
        (parts[0], vec![]),
        (parts[last], vec![detection("cat", [0.5, 0.5, 0.2, 0.4], 0.9)]),
    ];
    let merged = slicing.merge(found, (100, 200));
    assert_eq!(merged, [detection("cat", [0.75, 0.875, 0.1, 0.1], 0.9)]);
}

#[test]
fn an_object_across_slices_becomes_one() {
    // Both slices show half of it and some more.
    let halves = vec![
        detection("cat", [0.1, 0.1, 0.3, 0.2], 0.8),
        detection("cat", [0.2, 0.1, 0.3, 0.2], 0.9),
        detection("dog", [0.2, 0.1, 0.3, 0.2], 0.7),
    ];
    let united = merged(Merging::Unite, halves.clone());
    assert_eq!(united.len(), 2);
    assert_eq!(united[0].confidence, Some(0.9));
    let [x, y, width, height] = united[0].bounding_box;
    for (found, expected) in [x, y, width, height].into_iter().zip([0.1, 0.1, 0.4, 0.2]) {
        assert!((found - expected).abs() < 1e-12);
    }
    let suppressed = merged(Merging::Suppress, halves);
    assert_eq!(
        suppressed,
        [
            detection("cat", [0.2, 0.1, 0.3, 0.2], 0.9),
            detection("dog", [0.2, 0.1, 0.3, 0.2], 0.7)
        ]
    );
}

#[test]
fn what_a_single_part_says_is_left_as_it_is() {
    let slicing = slicing(100, 0.2);
    let parts = slicing.parts(80, 60);
    let twins = vec![detection("cat", [0.1, 0.1, 0.3, 0.2], 0.5); 2];
    assert_eq!(slicing.merge(vec![(parts[0], twins.clone())], (80, 60)), twins);
}

#[test]
fn masks_are_united_pixel_by_pixel() {
    let mask = |values: [u8; 4]| Array::new([2, 2], values.to_vec()).unwrap();
    // Two pixels a side each, one pixel apart: 3 x 2 pixels together.
    let found = vec![
        detection("cat", [0.0, 0.0, 0.02, 0.02], 0.9).with_mask(mask([1, 1, 0, 1])),
        detection("cat", [0.01, 0.0, 0.02, 0.02], 0.8).with_mask(mask([0, 1, 0, 0])),
    ];
    let united = merged(Merging::Unite, found.clone());
    let expected = Array::new([2, 3], vec![1u8, 1, 1, 0, 1, 0]).unwrap();
    assert_eq!(united.len(), 1);
    assert_eq!(united[0].mask, Some(expected));
    // Half of a mask would be a wrong one.
    let mut one = found;
    one[1].mask = None;
    assert_eq!(merged(Merging::Unite, one)[0].mask, None);
}

/// What SAHI's `GreedyNMMPostprocess` and `NMSPostprocess` make of random boxes: `tests/slicing/make.py` says how.
#[test]
fn the_same_is_left_as_with_sahi() {
    let cases: serde_json::Value =
        serde_json::from_str(include_str!("../../tests/slicing/sahi.json")).unwrap();
    for (number, case) in cases.as_array().unwrap().iter().enumerate() {
        let found = read(&case["found"]);
        for (name, merging) in [("nmm", Merging::Unite), ("nms", Merging::Suppress)] {
            let expected = read(&case[name]);
            let merged = merged(merging, found.clone());
            assert_eq!(merged.len(), expected.len(), "case {number}, {name}");
            for (one, other) in merged.iter().zip(&expected) {
                assert_eq!(
                    (&one.label, one.confidence),
                    (&other.label, other.confidence),
                    "case {number}, {name}"
                );
                for (found, expected) in one.bounding_box.iter().zip(other.bounding_box) {
                    assert!((found - expected).abs() < 1e-5, "case {number}, {name}");
                }
            }
        }
    }
}

/// `[class, x, y, width, height, confidence]` each, in pixels of a picture of 100 x 100.
fn read(boxes: &serde_json::Value) -> Vec<Detection> {
    let number = |value: &serde_json::Value| value.as_f64().unwrap();
    boxes
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let bounding_box = [1, 2, 3, 4].map(|place| number(&one[place]) / 100.0);
            detection(one[0].as_str().unwrap(), bounding_box, number(&one[5]))
        })
        .collect()
}

proptest! {
    #[test]
    fn slices_cover_the_picture_and_stay_within_it(
        size in 32u32..70,
        overlap in 0.0f64..0.5,
        width in 1u32..200,
        height in 1u32..200,
    ) {
        let parts = slicing(size, overlap).parts(width, height);
        let within = |part: &PixelBox| part.x + part.width <= width && part.y + part.height <= height;
        prop_assert!(parts.iter().all(within));
        let slices = if parts.len() > 1 { &parts[1..] } else { &parts[..] };
        for (x, y) in [(0, 0), (width - 1, 0), (0, height - 1), (width - 1, height - 1), (width / 2, height / 3)] {
            let has = |part: &PixelBox| (part.x..part.x + part.width).contains(&x) && (part.y..part.y + part.height).contains(&y);
            prop_assert!(slices.iter().any(has));
        }
    }

    #[test]
    fn nothing_that_a_model_says_ends_it(
        boxes in prop::collection::vec(prop::array::uniform4(prop_oneof![any::<f64>(), -1.0f64..2.0]), 0..12),
        confidences in prop::collection::vec(prop::option::of(any::<f64>()), 12),
    ) {
        let found: Vec<Detection> = boxes.into_iter().zip(confidences).map(|(bounding_box, confidence)| {
            let mut found = Detection::new("x", bounding_box).with_mask(Array::new([1, 1], vec![1u8]).unwrap());
            found.confidence = confidence;
            found
        }).collect();
        let count = found.len();
        prop_assert!(merged(Merging::Unite, found).len() <= count);
    }
}
