//! Slices are equal, ordered and hashed by their bytes, however these are cut into pieces.

use alloc::{string::String, vec::Vec};
use core::{
    cmp::Ordering,
    hash::{Hash, Hasher},
    iter::once,
};

use super::Slice;

/// Compares two runs of pieces, cut differently.
fn compare<'a>(a: impl Iterator<Item = &'a [u8]>, b: impl Iterator<Item = &'a [u8]>) -> Ordering {
    let (mut a, mut b) = (a, b);
    let (mut x, mut y): (&[u8], &[u8]) = (&[], &[]);
    loop {
        if x.is_empty() {
            x = a.next().unwrap_or(&[]);
        }
        if y.is_empty() {
            y = b.next().unwrap_or(&[]);
        }
        let n = x.len().min(y.len());
        if n == 0 {
            return x.len().cmp(&y.len());
        }
        let (x_now, x_later) = x.split_at(n);
        let (y_now, y_later) = y.split_at(n);
        match x_now.cmp(y_now) {
            Ordering::Equal => (x, y) = (x_later, y_later),
            unequal => return unequal,
        }
    }
}

impl PartialEq for Slice {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && compare(self.chunks(), other.chunks()).is_eq()
    }
}

impl Eq for Slice {}

impl PartialOrd for Slice {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Slice {
    fn cmp(&self, other: &Self) -> Ordering {
        compare(self.chunks(), other.chunks())
    }
}

impl Hash for Slice {
    /// Byte by byte where a slice is cut, so that equal bytes hash alike.
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_usize(self.len());
        // A hasher may treat two writes unlike one of both, so pieces are brought to a fixed grid.
        let mut block = [0; 64];
        let mut filled = 0;
        for piece in self.chunks() {
            let mut piece = piece;
            while !piece.is_empty() {
                let n = piece.len().min(block.len() - filled);
                let (now, later) = piece.split_at(n);
                block[filled..filled + n].copy_from_slice(now);
                filled += n;
                piece = later;
                if filled == block.len() {
                    state.write(&block);
                    filled = 0;
                }
            }
        }
        state.write(&block[..filled]);
    }
}

/// Both ways, without a copy. O(n).
macro_rules! compare_with {
    ($($t:ty $(where [$($generic:tt)*])? => |$v:ident| $bytes:expr;)*) => { $(
        impl$(<$($generic)*>)? PartialEq<$t> for Slice {
            fn eq(&self, $v: &$t) -> bool {
                let bytes: &[u8] = $bytes;
                self.len() == bytes.len() && compare(self.chunks(), once(bytes)).is_eq()
            }
        }

        impl$(<$($generic)*>)? PartialEq<Slice> for $t {
            fn eq(&self, slice: &Slice) -> bool {
                slice == self
            }
        }

        impl$(<$($generic)*>)? PartialOrd<$t> for Slice {
            fn partial_cmp(&self, $v: &$t) -> Option<Ordering> {
                let bytes: &[u8] = $bytes;
                Some(compare(self.chunks(), once(bytes)))
            }
        }

        impl$(<$($generic)*>)? PartialOrd<Slice> for $t {
            fn partial_cmp(&self, slice: &Slice) -> Option<Ordering> {
                slice.partial_cmp(self).map(Ordering::reverse)
            }
        }
    )* };
}

compare_with! {
    [u8] => |v| v;
    str => |v| v.as_bytes();
    Vec<u8> => |v| v;
    String => |v| v.as_bytes();
    &[u8] => |v| v;
    &str => |v| v.as_bytes();
    [u8; N] where [const N: usize] => |v| v;
    &[u8; N] where [const N: usize] => |v| *v;
}
