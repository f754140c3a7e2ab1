use super::*;
use crate::{
    device::Placement,
    network::{Network, Parameters, RandomParameters},
};
use candle_core::{Device, Tensor};
use modelzoo_kernels::graph::Weight;
use modelzoo_plugin_api::Result;
use std::cell::Cell;

/// Counts the parameters that a network asks for and gives zeros.
#[derive(Default)]
struct Counter {
    count: Cell<usize>,
}

impl Parameters for Counter {
    fn parameter(&self, name: &str, dims: &[usize]) -> Result<Weight> {
        let count: usize = dims.iter().product();
        // torch does not count running statistics as parameters.
        if !name.contains("running_") {
            self.count.set(self.count.get() + count);
        }
        Ok(Weight::new(dims, vec![0.0; count]))
    }
}

fn check(describe: impl Fn(&Counter) -> Result<Network>, parameters: usize, output: &[usize]) {
    let counter = Counter::default();
    let network = describe(&counter).unwrap();
    assert_eq!(counter.count.get(), parameters);
    assert_eq!(network.output_dims(), [output]);
}

/// The numbers of parameters are those that torchvision, OpenAI and the YOLOv8 project give.
#[test]
fn networks_have_as_many_parameters_as_their_authors_say() {
    let cpu = Placement::cpu();
    check(|parameters| resnet18(parameters, 1000, &cpu), 11_689_512, &[1000]);
    check(|parameters| resnet34(parameters, 1000, &cpu), 21_797_672, &[1000]);
    check(|parameters| resnet50(parameters, 1000, &cpu), 25_557_032, &[1000]);
    check(|parameters| vit_b_16(parameters, 1000, &cpu), 86_567_656, &[1000]);
    check(
        |parameters| clip_vit_b_32_image(parameters, &cpu),
        87_849_216,
        &[512],
    );
    // The project counts the 16 constants of the distribution's mean, too: 3,157,200.
    check(
        |parameters| yolov8n(parameters, 80, &cpu),
        3_157_184,
        &[8400, 144],
    );
}

/// Runs a network with random parameters on both engines and compares all outputs.
fn compare(network: &Network, size: [usize; 2]) {
    let noise = RandomParameters::new(1)
        .parameter("image", &[2, 3, size[0], size[1]])
        .unwrap();
    let batch = Tensor::from_slice(noise.data(), noise.dims(), &Device::Cpu).unwrap();
    let run = |kernels: bool| -> Vec<f32> {
        let outputs = network.on_kernels(kernels).unwrap().forward(&batch).unwrap();
        outputs[0].flatten_all().unwrap().to_vec1().unwrap()
    };
    let (operators, kernels) = (run(false), run(true));
    assert_eq!(operators.len(), kernels.len());
    let largest = operators
        .iter()
        .fold(0f32, |largest, value| largest.max(value.abs()));
    let worst = operators
        .iter()
        .zip(&kernels)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max);
    assert!(
        largest > 0.0 && worst <= 2e-5 * largest,
        "off by {worst} of {largest}"
    );
}

#[test]
fn whole_networks_compute_the_same_on_both_engines() {
    let (parameters, cpu) = (RandomParameters::new(5), Placement::cpu());
    compare(&resnet18(&parameters, 10, &cpu).unwrap(), [64, 96]);
    compare(&yolov8n(&parameters, 80, &cpu).unwrap(), [96, 64]);
    compare(&clip_vit_b_32_image(&parameters, &cpu).unwrap(), [224, 224]);
}

#[test]
fn the_features_before_the_classes_can_be_taken() {
    let network = resnet50(&Counter::default(), 1000, &Placement::cpu()).unwrap();
    for name in ["embedding", "<fc", "flatten"] {
        assert_eq!(network.with_outputs(&[name]).unwrap().output_dims(), [vec![2048]]);
    }
    assert_eq!(
        network.with_outputs(&["layer3.5.bn3"]).unwrap().output_dims(),
        [vec![1024, 14, 14]]
    );
}
