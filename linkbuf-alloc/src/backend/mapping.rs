//! Anonymous mappings, as those backends need them that map memory themselves.

use std::{io, ptr::NonNull};

use memmap2::{MmapMut, MmapOptions, MmapRaw};

use crate::{
    Rung,
    source::{Grain, Piece},
};

/// A piece on ordinary pages. Its memory is zero, and comes when it is touched.
///
/// It keeps to ordinary pages also where the kernel gives large ones unasked, because of a large page nothing comes
/// back but the whole.
pub(crate) fn plain(len: usize) -> io::Result<Piece<MmapRaw>> {
    let (map, start) = anonymous(len)?;
    #[cfg(target_os = "linux")]
    {
        // Kernels without large pages refuse, and need not be asked.
        let _ = map.advise(memmap2::Advice::NoHugePage);
    }
    Ok(Piece::new(start, len, map)
        .with_init(true)
        .with_rung(Rung::Plain)
        .with_grain(Grain::Page))
}

/// A mapping, and its first byte. There is none of no bytes, for which `memmap2` would map a page.
pub(crate) fn anonymous(len: usize) -> io::Result<(MmapRaw, NonNull<u8>)> {
    if len == 0 {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    raw(MmapOptions::new().len(len).map_anon()?)
}

/// From here on only pointers lead to the memory.
pub(crate) fn raw(map: MmapMut) -> io::Result<(MmapRaw, NonNull<u8>)> {
    let map = MmapRaw::from(map);
    let start = NonNull::new(map.as_mut_ptr()).ok_or(io::ErrorKind::OutOfMemory)?;
    Ok((map, start))
}
