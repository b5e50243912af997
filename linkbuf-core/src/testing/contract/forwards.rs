//! The clause about allocators that stand before others.

use crate::{NodeAllocator, testing::allocators::Telltale};

/// An allocator that stands before another passes on all that it does not answer itself. `wrap` puts it before one that
/// is known by its answers.
///
/// For decorators that change none of them. One that does, a pool for its sizes, is checked by what it changes.
///
/// # Panics
/// When a method is answered and not passed on.
///
/// ```
/// use linkbuf_core::testing::{allocators::Failing, contract};
///
/// contract::forwards(Failing::new);
/// ```
pub fn forwards<A: NodeAllocator>(wrap: impl FnOnce(Telltale) -> A) {
    let (before, behind) = (wrap(Telltale), Telltale);
    assert_eq!(before.good_size(100), behind.good_size(100), "good_size");
    assert_eq!(before.page_size(), behind.page_size(), "page_size");
    assert_eq!(before.node_size(), behind.node_size(), "node_size");
    assert_eq!(
        before.default_tail_policy(),
        behind.default_tail_policy(),
        "default_tail_policy"
    );
    assert_eq!(before.trim(), behind.trim(), "trim");
    assert_eq!(before.decay(), behind.decay(), "decay");
    assert_eq!(before.figures(), behind.figures(), "figures");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Heap,
        testing::allocators::{Failing, Tracking},
    };

    #[test]
    fn those_of_this_crate_pass_everything_on() {
        forwards(Failing::new);
        forwards(Tracking::new);
        forwards(Tracking::with_quarantine);
        forwards(|behind| Tracking::new(Failing::new(behind)));
    }

    #[test]
    #[should_panic(expected = "good_size")]
    fn one_that_answers_itself_is_found() {
        forwards(|_| Heap);
    }
}
