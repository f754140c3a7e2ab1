//! `modelzoo evaluate`: how good a model is where the truth is known.

use super::{
    calibration::calibrated,
    loading::load_settings,
    open::{named, open},
};
use crate::{
    arguments::{EvaluateArguments, Global},
    exit::Exit,
    terminal::{Result, Step, Terminal, count, print_json, print_line, print_table},
};
use modelzoo::{
    ApplyOptions, Evaluation, Input, ProgressCallback, Task, evaluate,
    evaluation::{Accuracy, DetectionScores},
};
use std::sync::Arc;

/// So many names of unknown classes are told.
const TOLD_CLASSES: usize = 5;

pub fn run(arguments: &EvaluateArguments, global: &Global, terminal: &Terminal) -> Result<Exit> {
    // What the user typed is checked before anything is fetched or built.
    let mut input = Input::resolve_labeled(&arguments.input)?;
    let zoo = open(global, terminal)?;
    let settings = load_settings(&arguments.model.options, &arguments.model.run)?;
    let model = zoo.load_with(&named(&arguments.model.choice, &zoo)?, &settings)?;
    let mut options = arguments.options();
    let task = Task::Apply(ApplyOptions {
        run: options.run.clone(),
        ..ApplyOptions::default()
    });
    let model = calibrated(model, &task, &input, terminal)?;
    let bar = Arc::new(terminal.bar(Step::Pictures, "evaluating", None));
    let shown = Arc::clone(&bar);
    options.run.progress = Some(ProgressCallback::new(move |so_far| {
        shown.set(so_far.done + so_far.failed);
    }));
    let evaluation = evaluate(&model, &mut input, &options);
    bar.clear();
    let evaluation = evaluation?;
    for note in input.notes() {
        terminal.warn(note);
    }
    let is_whole = terminal.tell_losses([input.losses()]);
    warn(&evaluation, &options.truth, terminal);
    if arguments.facts.json {
        print_json(&evaluation)?;
    } else {
        print(&evaluation)?;
    }
    Ok(if is_whole && evaluation.failed == 0 {
        Exit::Done
    } else {
        Exit::Partial
    })
}

fn warn(evaluation: &Evaluation, truth: &str, terminal: &Terminal) {
    let Evaluation {
        failed,
        without_truth,
        unknown_classes,
        ..
    } = evaluation;
    if *failed > 0 {
        let failed = count(*failed, "sample");
        terminal.warn(format!("the model failed on {failed}: nothing of them is right"));
    }
    if *without_truth > 0 {
        let left_out = count(*without_truth, "sample");
        terminal.warn(format!(
            "{left_out} without a `{truth}` that can be compared left out"
        ));
    }
    if !unknown_classes.is_empty() {
        let told = unknown_classes.iter().take(TOLD_CLASSES).cloned();
        let more = match unknown_classes.len().saturating_sub(TOLD_CLASSES) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        terminal.warn(format!(
            "the model does not know these classes, and gets them wrong: {}{more}",
            told.collect::<Vec<_>>().join(", ")
        ));
    }
}

fn print(evaluation: &Evaluation) -> Result<()> {
    print_line(format_args!("{} compared", count(evaluation.compared, "sample")))?;
    if let Some(accuracy) = &evaluation.classification {
        print_accuracy(accuracy)?;
    }
    if let Some(scores) = &evaluation.detection {
        print_scores(scores)?;
    }
    Ok(())
}

fn print_accuracy(accuracy: &Accuracy) -> Result<()> {
    let rows = [
        ["top-1".to_owned(), share(accuracy.top1_share())],
        ["top-5".to_owned(), share(accuracy.top5_share())],
    ];
    print_line("")?;
    Ok(print_table(["accuracy", "share"], &rows)?)
}

fn print_scores(scores: &DetectionScores) -> Result<()> {
    let rows = [
        ("0.50:0.95", "all", "100", scores.map, scores.recall_100),
        ("0.50", "all", "100", scores.map_50, None),
        ("0.75", "all", "100", scores.map_75, None),
        ("0.50:0.95", "small", "100", scores.map_small, scores.recall_small),
        (
            "0.50:0.95",
            "medium",
            "100",
            scores.map_medium,
            scores.recall_medium,
        ),
        ("0.50:0.95", "large", "100", scores.map_large, scores.recall_large),
        ("0.50:0.95", "all", "1", None, scores.recall_1),
        ("0.50:0.95", "all", "10", None, scores.recall_10),
    ];
    let rows = rows.map(|(shared, area, boxes, precision, recall)| {
        [
            shared.to_owned(),
            area.to_owned(),
            boxes.to_owned(),
            share(precision),
            share(recall),
        ]
    });
    print_line("")?;
    print_table(["shared area", "objects", "boxes", "precision", "recall"], &rows)?;
    let row = |class: &modelzoo::evaluation::ClassPrecision| {
        let precision = share(Some(class.average_precision));
        [class.class.clone(), class.objects.to_string(), precision]
    };
    let rows: Vec<_> = scores.classes.iter().map(row).collect();
    print_line("")?;
    Ok(print_table(["class", "objects", "precision"], &rows)?)
}

/// A share of one; `-` where there is none.
fn share(share: Option<f64>) -> String {
    share.map_or_else(|| "-".to_owned(), |share| format!("{share:.4}"))
}
