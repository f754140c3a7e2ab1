//! Numbers for weights and inputs.

use modelzoo_kernels::graph::Weight;

/// Numbers that look random and are the same every time (splitmix64).
#[derive(Debug)]
pub struct Numbers(u64);

impl Numbers {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next one, in -1..1.
    pub fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 40) as f32 / (1 << 23) as f32 - 1.0
    }

    pub fn take(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.next()).collect()
    }

    /// A tensor of these dimensions with values in `-scale..scale`.
    pub fn weight(&mut self, dims: &[usize], scale: f32) -> Weight {
        let count = dims.iter().product();
        let data: Vec<f32> = (0..count).map(|_| self.next() * scale).collect();
        Weight::new(dims, data)
    }
}
