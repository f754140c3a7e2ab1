//! What a call carries: a self-describing message, and bulk numbers beside it that are never encoded.

use abi_stable::{
    StableAbi,
    std_types::{RSlice, RStr, RVec},
};
use core::ffi::c_void;

/// Bytes that the caller lends for the length of one call: pixels, for example.
#[repr(C)]
#[derive(Clone, Copy, Debug, StableAbi)]
pub struct BufferView<'a> {
    /// The borrowed bytes. What they mean (shape, element type) stands in the message beside them.
    pub bytes: RSlice<'a, u8>,
}

/// One call of a named method.
#[repr(C)]
#[derive(Clone, Copy, Debug, StableAbi)]
pub struct Request<'a> {
    /// Name and version of the method: `"predict/1"`.
    pub method: RStr<'a>,
    /// The arguments as a MessagePack map with field names.
    pub message: RSlice<'a, u8>,
    /// Bulk data, referred to by index from the message.
    pub buffers: RSlice<'a, BufferView<'a>>,
}

/// The answer to a [`Request`].
#[repr(C)]
#[derive(Debug, StableAbi)]
pub struct Reply {
    /// The result as a MessagePack map with field names.
    pub message: RVec<u8>,
    /// Bulk data, referred to by index from the message.
    pub buffers: RVec<ReplyBuffer>,
}

/// Bytes that their maker hands over together with the way to release them.
#[repr(C)]
#[derive(Debug, StableAbi)]
pub struct ReplyBuffer {
    data: *const u8,
    length: usize,
    owner: *mut c_void,
    release: unsafe extern "C" fn(*mut c_void),
}

impl ReplyBuffer {
    /// Hands over `values` without copying them, as bytes in native order.
    pub fn from_vec<T: Plain>(values: Vec<T>) -> Self {
        let owner = Box::new(values);
        let data = owner.as_ptr().cast::<u8>();
        let length = size_of_val(owner.as_slice());
        Self {
            data,
            length,
            owner: Box::into_raw(owner).cast(),
            release: release_vec::<T>,
        }
    }

    /// The bytes, in native order.
    pub fn bytes(&self) -> &[u8] {
        if self.length == 0 {
            return &[];
        }
        // SAFETY: `data` and `length` describe the vector that `owner` keeps alive until `drop`.
        unsafe { std::slice::from_raw_parts(self.data, self.length) }
    }
}

impl Drop for ReplyBuffer {
    fn drop(&mut self) {
        // SAFETY: `owner` was made for exactly this function and is released only here, once.
        unsafe { (self.release)(self.owner) }
    }
}

// SAFETY: a reply buffer is a uniquely owned vector of plain numbers; nothing in it is tied to a thread.
unsafe impl Send for ReplyBuffer {}
// SAFETY: shared access only reads the bytes.
unsafe impl Sync for ReplyBuffer {}

unsafe extern "C" fn release_vec<T>(owner: *mut c_void) {
    // SAFETY: `from_vec` made `owner` from a `Box<Vec<T>>` of this very type.
    drop(unsafe { Box::from_raw(owner.cast::<Vec<T>>()) });
}

/// Numbers without padding, of which every bit pattern may be read as bytes.
///
/// # Safety
/// The type has no padding and no pointers.
pub unsafe trait Plain: Copy + Send + Sync + 'static {}

macro_rules! plain {
    ($($number:ty),*) => {
        $(
            // SAFETY: a primitive number (or a bool, which is one byte) has no padding and no pointers.
            unsafe impl Plain for $number {}
        )*
    };
}
plain!(bool, u8, u16, u32, u64, i8, i16, i32, i64, f32, f64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_buffer_shows_the_bytes_of_its_vector() {
        let buffer = ReplyBuffer::from_vec(vec![1.0f32, -2.5]);
        assert_eq!(
            buffer.bytes(),
            [1.0f32.to_ne_bytes(), (-2.5f32).to_ne_bytes()].concat()
        );
        assert_eq!(ReplyBuffer::from_vec(Vec::<f32>::new()).bytes(), b"");
    }
}
