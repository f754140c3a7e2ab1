//! Choices read from bytes, so that a fuzzer or proptest makes them.

/// Bytes to choose by; when they run out, every choice is the first one.
#[derive(Debug)]
pub struct Choices<'a>(&'a [u8]);

impl<'a> Choices<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        first
    }

    /// One of `0..count`; `count` is at most 256.
    pub fn below(&mut self, count: usize) -> usize {
        usize::from(self.byte()) % count
    }

    pub fn flag(&mut self) -> bool {
        self.below(2) == 1
    }

    pub fn pick<T: Copy>(&mut self, options: &[T]) -> T {
        options[self.below(options.len())]
    }

    /// A size of `1..=most`.
    pub fn size(&mut self, most: usize) -> usize {
        1 + self.below(most)
    }

    /// A number of `least..=most`; seldom one that no layer takes, or only a few.
    pub fn setting(&mut self, least: usize, most: usize) -> usize {
        match self.byte() {
            255 => usize::MAX,
            254 => 1 << 40,
            253 => 0,
            byte => least + usize::from(byte) % (most - least + 1),
        }
    }

    /// Mostly `usual`, seldom a number that is none or has no place there.
    pub fn number(&mut self, usual: f32) -> f32 {
        match self.byte() {
            255 => f32::NAN,
            254 => f32::INFINITY,
            253 => -1.0,
            _ => usual,
        }
    }
}
