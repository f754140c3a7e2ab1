use super::*;
use crate::{network::RandomParameters, testing::numbers};
use candle_core::{Device, Tensor};
use modelzoo_kernels::graph::Activation;

/// A picture of these dimensions.
fn picture(dims: [usize; 3]) -> Tensor {
    let noise = RandomParameters::new(7).parameter("picture", &dims).unwrap();
    let dims = [vec![1], dims.to_vec()].concat();
    Tensor::from_slice(noise.data(), dims, &Device::Cpu).unwrap()
}

#[test]
fn names_in_scopes_begin_with_those_of_the_scopes() {
    let parameters = RandomParameters::new(3);
    let describe = |network: &mut NetworkBuilder, image: Value, is_scoped: bool| -> Result<Value> {
        let conv = Conv2d::new(4, 3).padding(1);
        let x = if is_scoped {
            let mut outer = network.scope("layer1");
            let mut inner = outer.scope("0");
            let x = inner.conv_norm_activation(["conv1", "bn1"], image, conv, Activation::Relu)?;
            inner.alias("block", x)?;
            drop(inner);
            outer.conv_norm(["conv2", "bn2"], x, conv)?
        } else {
            let conv = conv.without_bias();
            let x = network.conv2d("layer1.0.conv1", image, conv)?;
            let x = network.batch_norm("layer1.0.bn1", x)?;
            let x = network.relu(x)?;
            network.alias("layer1.0.block", x)?;
            let x = network.conv2d("layer1.conv2", x, conv)?;
            network.batch_norm("layer1.bn2", x)?
        };
        let x = network.adaptive_avg_pool2d(x, [1, 1])?;
        let x = network.flatten(x)?;
        network.linear("fc", x, 2)
    };
    let results = [true, false].map(|is_scoped| {
        let mut network = NetworkBuilder::new(&parameters);
        let image = network.input("image", [3, 8, 8]).unwrap();
        let x = describe(&mut network, image, is_scoped).unwrap();
        let network = network.build(&[x], &Placement::cpu()).unwrap();
        let outputs = ["fc", "layer1.0.block", "layer1.0.conv1", "layer1.bn2", "relu"];
        let network = network.with_outputs(&outputs).unwrap();
        let results = network.forward(&picture([3, 8, 8])).unwrap();
        results.iter().map(numbers).collect::<Vec<_>>()
    });
    assert_eq!(results[0], results[1]);
}

#[test]
fn an_epsilon_is_that_of_the_whole_network() {
    let parameters = RandomParameters::new(3);
    let run = |of_network: f64, own: Option<f64>| {
        let mut network = NetworkBuilder::new(&parameters).with_batch_norm_epsilon(of_network);
        let image = network.input("image", [3, 4, 4]).unwrap();
        let x = match own {
            Some(epsilon) => network.batch_norm_with_epsilon("bn", image, epsilon),
            None => network.batch_norm("bn", image),
        };
        let network = network.build(&[x.unwrap()], &Placement::cpu()).unwrap();
        numbers(&network.forward(&picture([3, 4, 4])).unwrap()[0])
    };
    assert_eq!(run(0.5, None), run(1e-5, Some(0.5)));
    assert_ne!(run(0.5, None), run(1e-5, None));
}

#[test]
fn an_error_says_once_what_is_wrong_and_in_which_block() {
    let parameters = RandomParameters::new(3);
    let mut network = NetworkBuilder::new(&parameters);
    let image = network.input("image", [3, 8, 8]).unwrap();
    let mut block = network.scope("features.3");
    let narrow = block.conv2d("conv", image, Conv2d::new(4, 3)).unwrap();
    let sum = block.add(image, narrow).unwrap_err();
    assert_eq!(
        sum.to_string(),
        "in `features.3`, behind `image` and `features.3.conv`: layer `add`: operands do not fit: map 3x8x8 and map 4x6x6"
    );
    let groups = block.conv2d("grouped", image, Conv2d::new(4, 3).groups(2));
    assert_eq!(
        groups.unwrap_err().to_string(),
        "layer `features.3.grouped`: 3 channels cannot be divided into 2 groups"
    );
    let taken = block.conv2d("conv", image, Conv2d::new(4, 3)).unwrap_err();
    assert_eq!(
        taken.to_string(),
        "layer `features.3.conv`: another layer has this name; give each layer its own"
    );
    drop(block);
    let sum = network.add(image, narrow).unwrap_err();
    assert!(
        sum.to_string()
            .starts_with("behind `image` and `features.3.conv`: layer `add_1`:"),
        "{sum}"
    );
}
