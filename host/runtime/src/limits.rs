//! How much may cross between a plugin and its host at once. Everything beyond is a fault of who sends it.

/// The longest message: far more than the labels of a batch need.
pub(crate) const MAX_MESSAGE_BYTES: usize = 256 << 20;

/// The largest number of buffers beside a message.
pub(crate) const MAX_BUFFERS: usize = 1 << 17;

/// The largest size of all buffers beside a message; it fits the address space of a 32-bit machine.
pub(crate) const MAX_BUFFER_BYTES: usize = 3 << 30;
