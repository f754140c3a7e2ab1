//! Parts of a network, whose layers' names begin alike.

use super::NetworkBuilder;
use std::ops::{Deref, DerefMut};

/// A [`NetworkBuilder`] that puts a name and a dot before every name it gets, until it is dropped.
#[derive(Debug)]
pub struct Scope<'n, 'p> {
    network: &'n mut NetworkBuilder<'p>,
    /// How long the names before are outside of it.
    outer: usize,
}

impl<'p> NetworkBuilder<'p> {
    /// The part of the network that torch calls `name`: layers, parameters and aliases that are added by what it gives have
    /// that name and a dot before theirs. Scopes can be within scopes.
    ///
    /// ```
    /// use modelzoo_candle::{device::Placement, network::{Conv2d, NetworkBuilder, RandomParameters, Value}};
    /// use modelzoo_plugin_api::Result;
    ///
    /// fn block(network: &mut NetworkBuilder, input: Value) -> Result<Value> {
    ///     let x = network.conv_norm(["conv", "bn"], input, Conv2d::new(3, 3).padding(1))?;
    ///     network.add(input, x)
    /// }
    ///
    /// let parameters = RandomParameters::new(0);
    /// let mut network = NetworkBuilder::new(&parameters);
    /// let mut x = network.input("image", [3, 32, 32])?;
    /// for index in 0..2 {
    ///     x = block(&mut network.scope(&format!("blocks.{index}")), x)?;
    /// }
    /// let network = network.build(&[x], &Placement::cpu())?;
    /// assert!(network.with_outputs(&["blocks.1.bn"]).is_ok());
    /// # Ok::<(), modelzoo_plugin_api::Error>(())
    /// ```
    pub fn scope(&mut self, name: &str) -> Scope<'_, 'p> {
        let outer = self.scope.len();
        self.scope.push_str(name);
        self.scope.push('.');
        Scope { network: self, outer }
    }
}

impl<'p> Deref for Scope<'_, 'p> {
    type Target = NetworkBuilder<'p>;

    fn deref(&self) -> &Self::Target {
        self.network
    }
}

impl DerefMut for Scope<'_, '_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.network
    }
}

impl Drop for Scope<'_, '_> {
    fn drop(&mut self) {
        self.network.scope.truncate(self.outer);
    }
}
