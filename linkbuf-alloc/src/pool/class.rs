//! Size classes: the powers of two from 4 KiB to 1 MiB.

use crate::figures::CLASSES;

/// Classes that threads cache: 4, 8, 16, 32, 64 KiB. Those above are kept in the depot only.
pub(super) const THREAD_CLASSES: usize = 5;

const SMALLEST_SHIFT: u32 = 12;

/// Bytes of a block of the class. `class < CLASSES`.
#[inline]
pub(super) const fn size(class: usize) -> usize {
    (1 << SMALLEST_SHIFT) << class
}

/// The largest block that is ever kept.
pub(super) const LARGEST: usize = size(CLASSES - 1);

/// The smallest class whose blocks hold `min` bytes; [`CLASSES`] or more if there is none.
///
/// Without a branch: in units of half a smallest block, the last byte's place has one binary digit for the smallest
/// class, two for the next, and so on.
#[inline]
pub(super) const fn of_request(min: usize) -> usize {
    ((min.wrapping_sub(1) >> (SMALLEST_SHIFT - 1)) | 1).ilog2() as usize
}

/// The class that a block of `len` bytes can serve, if blocks as long as this are kept: the largest that is no longer.
#[inline]
pub(super) const fn of_block(len: usize) -> Option<usize> {
    if len < size(0) || len > LARGEST {
        None
    } else {
        Some((len.ilog2() - SMALLEST_SHIFT) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_gets_the_smallest_class_that_holds_it() {
        for min in (1..=LARGEST)
            .step_by(7)
            .chain([4096, 4097, 8192, 65_536, 65_537, LARGEST])
        {
            let expected = (0..CLASSES).find(|c| size(*c) >= min).unwrap();
            assert_eq!(of_request(min), expected, "{min}");
        }
        for min in [0, LARGEST + 1, isize::MAX as usize, usize::MAX] {
            assert!(of_request(min) >= CLASSES, "{min}");
        }
    }

    #[test]
    fn a_block_serves_the_largest_class_that_is_no_longer() {
        for class in 0..CLASSES {
            assert_eq!(of_request(size(class)), class);
            assert_eq!(of_block(size(class)), Some(class));
            assert_eq!(of_block(size(class) - 1), class.checked_sub(1));
        }
        assert_eq!(of_block(LARGEST + 1), None);
        assert_eq!(of_block(1), None);
    }
}
