//! Anonymous mappings, as those backends need them that map memory themselves.

use std::{io, ptr::NonNull};

use memmap2::{MmapMut, MmapOptions, MmapRaw};

/// A mapping on ordinary pages, and its first byte. Its memory is zero, and comes when it is touched.
///
/// It keeps to ordinary pages also where the kernel gives large ones unasked, because of a large page nothing comes
/// back but the whole.
pub(crate) fn plain(len: usize) -> io::Result<(MmapRaw, NonNull<u8>)> {
    let (map, start) = raw(MmapOptions::new().len(len).map_anon()?)?;
    #[cfg(target_os = "linux")]
    {
        // Kernels without large pages refuse, and need not be asked.
        let _ = map.advise(memmap2::Advice::NoHugePage);
    }
    Ok((map, start))
}

/// From here on only pointers lead to the memory.
pub(crate) fn raw(map: MmapMut) -> io::Result<(MmapRaw, NonNull<u8>)> {
    let map = MmapRaw::from(map);
    let start = NonNull::new(map.as_mut_ptr()).ok_or(io::ErrorKind::OutOfMemory)?;
    Ok((map, start))
}
