//! A box, or `None` where there is no memory for it. (The standard library's own would end the process.)
#![expect(unsafe_code, reason = "allocates without aborting")]

use std::{
    alloc::{Layout, alloc},
    ptr::NonNull,
};

pub(crate) fn try_box<T>(value: T) -> Option<Box<T>> {
    let layout = Layout::new::<T>();
    if layout.size() == 0 {
        return Some(Box::new(value)); // takes no memory
    }
    // SAFETY: the layout's size is not 0.
    let memory = NonNull::new(unsafe { alloc(layout) })?.cast::<T>();
    // SAFETY: fresh memory of the type's layout.
    unsafe { memory.write(value) };
    // SAFETY: from the global allocator with the layout of the type, and with a value in it.
    Some(unsafe { Box::from_raw(memory.as_ptr()) })
}
