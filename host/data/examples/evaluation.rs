//! Scores of boxes as JSON, for programs that compare them with those of others: standard input is a list of pictures, each
//! with what is there (`truth`) and what was found (`found`).

use modelzoo_data::evaluation::{BoxComparison, FoundBox, TrueBox};
use serde_json::Value;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let pictures: Vec<Value> = serde_json::from_reader(std::io::stdin())?;
    let mut detections = BoxComparison::default();
    for picture in &pictures {
        let truth: Option<Vec<TrueBox>> = list(picture, "truth").map(true_box).collect();
        let found: Option<Vec<FoundBox>> = list(picture, "found").map(found_box).collect();
        detections.add(
            &truth.ok_or("an object is not whole")?,
            &found.ok_or("a box is not whole")?,
        );
    }
    println!("{}", serde_json::to_string(&detections.scores())?);
    Ok(())
}

fn list<'a>(picture: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    picture[key].as_array().into_iter().flatten()
}

fn true_box(value: &Value) -> Option<TrueBox> {
    Some(TrueBox {
        class: value["class"].as_str()?.to_owned(),
        bbox: bbox(value)?,
        area: value["area"].as_f64()?,
        is_crowd: value["is_crowd"].as_bool()?,
    })
}

fn found_box(value: &Value) -> Option<FoundBox> {
    Some(FoundBox {
        class: value["class"].as_str()?.to_owned(),
        bbox: bbox(value)?,
        confidence: value["confidence"].as_f64()?,
    })
}

fn bbox(value: &Value) -> Option<[f64; 4]> {
    let numbers: Option<Vec<f64>> = value["bbox"].as_array()?.iter().map(Value::as_f64).collect();
    numbers?.try_into().ok()
}
