//! Values of a file that is mapped into memory.

/// Has the system look up the pages of values that are about to be read, all at once. Where they are those of a file that is
/// mapped, looking them up sixteen at a time as they are first read takes about twice as long.
#[cfg(all(target_os = "linux", not(miri)))]
pub(crate) fn populate(values: &[f32]) {
    /// Fewer bytes are brought together by the first one that is read.
    const FEW: usize = 64 << 10;
    const PAGE: usize = 4096;
    if size_of_val(values) < FEW {
        return;
    }
    let start = values.as_ptr().map_addr(|address| address / PAGE * PAGE);
    let bytes = values.as_ptr_range().end.addr() - start.addr();
    // SAFETY: it reads the pages that the values lie on, and changes nothing. Where the system does not know it or cannot
    // do it, the pages are looked up as they are read.
    unsafe { libc::madvise(start.cast_mut().cast(), bytes, libc::MADV_POPULATE_READ) };
}

#[cfg(not(all(target_os = "linux", not(miri))))]
pub(crate) fn populate(_: &[f32]) {}
