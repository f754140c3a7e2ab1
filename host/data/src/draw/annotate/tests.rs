use super::*;
use modelzoo_plugin_api::{Array, label::*};

const WIDTH: u32 = 320;
const HEIGHT: u32 = 240;

fn grey() -> RgbImage {
    RgbImage::from_raw(WIDTH, HEIGHT, vec![128; (WIDTH * HEIGHT * 3) as usize]).expect("fits")
}

fn draw(label: impl Into<Label>) -> RgbImage {
    Annotator::new().draw(&grey(), &[("predictions".to_owned(), label.into())].into())
}

/// Whether any pixel of a region, given relative to the picture, was drawn on.
fn touched(image: &RgbImage, [left, top, right, bottom]: [f64; 4]) -> bool {
    let columns = (left * f64::from(WIDTH)) as u32..(right * f64::from(WIDTH)) as u32;
    let rows = (top * f64::from(HEIGHT)) as u32..(bottom * f64::from(HEIGHT)) as u32;
    rows.into_iter()
        .any(|y| columns.clone().any(|x| image.pixel(x, y) != [128; 3]))
}

#[test]
fn a_box_is_drawn_at_its_edges_with_its_name_above() {
    let image = draw(Detection::new("cat", [0.25, 0.5, 0.5, 0.25]).with_confidence(0.9));
    assert!(touched(&image, [0.24, 0.55, 0.26, 0.6]), "the left edge");
    assert!(touched(&image, [0.5, 0.74, 0.6, 0.76]), "the lower edge");
    assert!(touched(&image, [0.26, 0.42, 0.3, 0.48]), "the name");
    assert!(!touched(&image, [0.3, 0.55, 0.7, 0.7]), "the inside");
    assert!(!touched(&image, [0.0, 0.0, 0.2, 1.0]), "the rest");
}

#[test]
fn a_mask_fills_its_part_of_the_box() {
    let mask = Array::new([1, 2], vec![true, false]).expect("fits");
    let image = draw(Detection::new("cat", [0.2, 0.3, 0.6, 0.6]).with_mask(mask));
    assert!(touched(&image, [0.3, 0.5, 0.31, 0.51]));
    assert!(!touched(&image, [0.65, 0.5, 0.75, 0.8]));
}

#[test]
fn missing_points_and_their_lines_are_left_out() {
    let both = Keypoints::new(vec![Keypoint::new(vec![[0.2, 0.5], [0.8, 0.5]])]);
    let one = Keypoints::new(vec![Keypoint::new(vec![[0.2, 0.5], [f64::NAN, f64::NAN]])]);
    let annotator = Annotator::new().with_skeleton([[0, 1]]);
    let draw = |label: Keypoints| annotator.draw(&grey(), &[("pose".to_owned(), label.into())].into());
    assert!(touched(&draw(both), [0.45, 0.45, 0.55, 0.55]));
    let image = draw(one);
    assert!(touched(&image, [0.18, 0.47, 0.22, 0.53]) && !touched(&image, [0.3, 0.0, 1.0, 1.0]));
}

#[test]
fn a_segmentation_is_painted_but_for_its_background_and_named() {
    let mask = Array::new([1, 2], vec![0u8, 3]).expect("fits");
    let image = draw(Segmentation::new(mask));
    assert!(!touched(&image, [0.0, 0.0, 0.49, 0.8]) && touched(&image, [0.51, 0.0, 0.6, 0.1]));
    assert!(touched(&image, [0.0, 0.95, 0.2, 1.0]), "the caption");
}

#[test]
fn heat_shows_where_it_is() {
    let map = Array::new([1, 2], vec![0.0f32, 1.0]).expect("fits");
    let image = draw(Heatmap::new(map));
    assert!(!touched(&image, [0.0, 0.0, 0.2, 1.0]) && touched(&image, [0.8, 0.5, 0.81, 0.51]));
}

#[test]
fn what_is_said_of_the_whole_stands_at_the_foot() {
    for label in [
        Label::from(Classification::new("cat").with_confidence(0.5)),
        Classifications::new(vec![Classification::new("cat"), Classification::new("dog")]).into(),
        Regression::new(3.5).into(),
        PlainValue::new("a cat on a mat").into(),
    ] {
        let image = draw(label);
        assert!(touched(&image, [0.0, 0.93, 1.0, 1.0]) && !touched(&image, [0.0, 0.0, 1.0, 0.8]));
    }
    assert_eq!(draw(Classification::blank()), grey());
    assert_eq!(draw(Detections::default()), grey());
}

#[test]
fn coordinates_that_make_no_sense_do_no_harm() {
    for number in [f64::NAN, f64::INFINITY, -f64::INFINITY, 1e300, -5.0, 0.0] {
        draw(Detection::new("x", [number; 4]));
        draw(Detection::new("x", [0.5, 0.5, number, number]));
        draw(Polyline::new("x", vec![vec![[number, 0.5], [0.5, number], [0.1, 0.1]]]).into_polygon());
        draw(Keypoint::new(vec![[number, number]; 17]));
        draw(Heatmap::new(Array::new([1, 1], vec![number]).expect("fits")).with_range(number, number));
        draw(Segmentation::new(Array::new([1, 1], vec![number]).expect("fits")));
    }
}

#[test]
fn tiny_pictures_are_enlarged() {
    let tiny = RgbImage::from_raw(32, 32, vec![128; 32 * 32 * 3]).expect("fits");
    let labels = [("predictions".to_owned(), Classification::new("cat").into())].into();
    let image = Annotator::new().draw(&tiny, &labels);
    assert_eq!(image.size(), (224, 224));
    let large = Annotator::new().draw(&grey(), &labels);
    assert_eq!(large.size(), (WIDTH, HEIGHT));
}
