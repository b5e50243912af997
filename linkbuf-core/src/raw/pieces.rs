//! The readable bytes of a chain, or the bytes of a list of views, piece by piece.
#![expect(
    unsafe_code,
    reason = "makes slices of the windows of a borrowed chain"
)]

use core::{iter::FusedIterator, marker::PhantomData, slice};

use super::{
    node::{NodePtr, same},
    span,
    view_list::ViewList,
};

/// An iterator over pieces, none of them empty.
#[derive(Clone)]
pub(crate) struct Pieces<'a> {
    first: &'a [u8],
    /// Bytes in later pieces.
    left: usize,
    source: Source<'a>,
}

#[derive(Clone)]
enum Source<'a> {
    Chain {
        node: Option<NodePtr>,
        tail: Option<NodePtr>,
        chain: PhantomData<&'a NodePtr>,
    },
    List {
        views: &'a ViewList,
        next: usize,
    },
    None,
}

// SAFETY: stands for `&Chain` and the `&[u8]` of its bytes, or for `&ViewList`: all of them `Send`. The nodes are only
// read, and do not change while they are borrowed.
unsafe impl Send for Pieces<'_> {}
// SAFETY: as above, and `&Pieces` reads no more than its own fields.
unsafe impl Sync for Pieces<'_> {}

impl<'a> Pieces<'a> {
    /// # Safety
    /// For all of `'a`: `ptr .. ptr + len` are initialised bytes that nobody writes to, and so are the first `left`
    /// bytes of the windows of the nodes behind `node`, in a list that ends at `tail` and does not change.
    #[inline]
    pub(super) unsafe fn of_chain(
        ptr: *const u8,
        len: usize,
        node: Option<NodePtr>,
        left: usize,
        tail: Option<NodePtr>,
    ) -> Pieces<'a> {
        // SAFETY: the caller's promise.
        let first = unsafe { slice::from_raw_parts(ptr, len) };
        Pieces {
            first,
            left,
            source: Source::Chain {
                node,
                tail,
                chain: PhantomData,
            },
        }
    }

    pub(crate) fn of_bytes(bytes: &'a [u8]) -> Pieces<'a> {
        Pieces {
            first: bytes,
            left: 0,
            source: Source::None,
        }
    }

    /// `len` bytes of a list from `start` on; both are in range.
    pub(crate) fn of_list(views: &'a ViewList, start: usize, len: usize) -> Pieces<'a> {
        match views.find(start) {
            Some((i, view, offset)) => {
                let bytes = view.as_bytes().get(offset..).unwrap_or(&[]);
                let first = &bytes[..bytes.len().min(len)];
                let source = Source::List { views, next: i + 1 };
                Pieces {
                    first,
                    left: len - first.len(),
                    source,
                }
            }
            None => Pieces::of_bytes(&[]),
        }
    }

    /// Bytes in all pieces that are left.
    pub(crate) fn bytes(&self) -> usize {
        self.first.len() + self.left
    }

    /// The next piece, possibly empty, when there are bytes left.
    #[inline]
    fn advance(&mut self) -> &'a [u8] {
        match &mut self.source {
            Source::Chain { node, tail, .. } => {
                let Some(next) = node.and_then(NodePtr::next) else {
                    debug_assert!(false, "readable bytes behind the last node");
                    self.left = 0;
                    return &[];
                };
                *node = Some(next);
                // The tail's end is the writer's; of it, what is left is readable.
                let len = if same(*tail, Some(next)) {
                    self.left
                } else {
                    span(next.start(), next.end()).min(self.left)
                };
                self.left -= len;
                // SAFETY: among the first `left` bytes behind the node (`of_chain`).
                unsafe { slice::from_raw_parts(next.start(), len) }
            }
            Source::List { views, next } => {
                let Some(view) = views.get(*next) else {
                    self.left = 0;
                    return &[];
                };
                *next += 1;
                let bytes = view.as_bytes();
                let bytes = &bytes[..bytes.len().min(self.left)];
                self.left -= bytes.len();
                bytes
            }
            Source::None => {
                self.left = 0;
                &[]
            }
        }
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        let piece = core::mem::take(&mut self.first);
        if !piece.is_empty() {
            return Some(piece);
        }
        while self.left > 0 {
            let piece = self.advance();
            if !piece.is_empty() {
                return Some(piece);
            }
        }
        None
    }
}

impl FusedIterator for Pieces<'_> {}
