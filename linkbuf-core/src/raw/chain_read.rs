//! The reader's slow paths: across nodes, and giving nodes back.
#![expect(unsafe_code, reason = "copies out of published bytes")]

use core::{ptr, slice};

use super::{
    chain::{Chain, Shape},
    cold::Cold,
    node::{NodePtr, same},
    pieces::Pieces,
    span,
    view::View,
    view_list::ViewList,
};
use crate::{allocator::NodeAllocator, error::Error};

impl<A: NodeAllocator> Chain<A> {
    fn check_readable(&self, n: usize) -> Result<(), Error> {
        let readable = self.len();
        if n > readable {
            Err(Error::NotEnough { asked: n, readable })
        } else {
            Ok(())
        }
    }

    /// Moves the reader from the end of its node to the next one's start. False: there is none that is published.
    pub(super) fn next_node(&mut self) -> bool {
        debug_assert!(self.r.ptr == self.r.end);
        if same(self.r.node, self.f.node) {
            return false;
        }
        let Some(node) = self.r.node.and_then(NodePtr::next) else {
            return false;
        };
        let position = self.position();
        let start = node.start();
        let end = if same(self.f.node, Some(node)) {
            self.f.ptr
        } else {
            node.end()
        };
        self.r.node = Some(node);
        self.r.ptr = start;
        self.r.end = end;
        self.r.beyond -= span(start, end);
        self.r.bias = position.wrapping_sub(start.addr());
        self.forget_passed();
        true
    }

    /// Moves the reader over nodes without bytes to read.
    #[inline]
    pub(super) fn settle(&mut self) {
        while self.r.ptr == self.r.end && self.r.beyond > 0 {
            if !self.next_node() {
                break;
            }
        }
    }

    #[inline(never)]
    pub(super) fn take_slow<'b>(&mut self, n: usize) -> Result<&'b [u8], Error> {
        self.check_readable(n)?;
        self.settle();
        let bytes = self.look(n)?;
        self.pass(n);
        Ok(bytes)
    }

    #[inline(never)]
    pub(super) fn look_slow<'b>(&mut self, n: usize) -> Result<&'b [u8], Error> {
        self.check_readable(n)?;
        self.settle();
        if n <= span(self.r.ptr, self.r.end) {
            // SAFETY: readable bytes, as in `look`.
            return Ok(unsafe { slice::from_raw_parts(self.r.ptr, n) });
        }
        let at = self.gather(n)?;
        // SAFETY: `gather` copied `n` bytes there, which stay as they are until the release (I8).
        Ok(unsafe { slice::from_raw_parts(at, n) })
    }

    /// Consumes `n` bytes that are readable.
    pub(super) fn pass(&mut self, mut n: usize) {
        loop {
            let here = span(self.r.ptr, self.r.end).min(n);
            self.r.ptr = self.r.ptr.wrapping_add(here);
            n -= here;
            if n == 0 || !self.next_node() {
                break;
            }
        }
        debug_assert_eq!(n, 0);
    }

    #[inline(never)]
    pub(super) fn skip_slow(&mut self, n: usize) -> Result<(), Error> {
        self.check_readable(n)?;
        self.pass(n);
        Ok(())
    }

    /// Consumes all `n` readable bytes. O(1).
    #[inline]
    pub(super) fn pass_all(&mut self, n: usize) {
        self.searched.forget();
        let position = self.position().wrapping_add(n);
        self.r.node = self.f.node;
        self.r.ptr = self.f.ptr;
        self.r.end = self.f.ptr;
        self.r.beyond = 0;
        self.r.bias = position.wrapping_sub(self.r.ptr.addr());
    }

    #[inline(never)]
    pub(super) fn read_into_slow(&mut self, dst: &mut [u8]) -> Result<(), Error> {
        self.check_readable(dst.len())?;
        let mut rest = dst;
        while !rest.is_empty() {
            self.settle();
            let n = span(self.r.ptr, self.r.end).min(rest.len());
            let (now, later) = rest.split_at_mut(n);
            // SAFETY: `n` readable bytes; `dst` is the caller's own (I4).
            unsafe { ptr::copy_nonoverlapping(self.r.ptr, now.as_mut_ptr(), n) };
            self.r.ptr = self.r.ptr.wrapping_add(n);
            rest = later;
            debug_assert!(n > 0);
        }
        Ok(())
    }

    /// Copies `len` bytes from `offset` behind the reader to `at`.
    ///
    /// # Safety
    /// `offset + len` bytes are readable, and `at .. at + len` is memory that only the caller uses.
    pub(super) unsafe fn copy_out(&self, offset: usize, at: *mut u8, len: usize) {
        let (mut skip, mut at, mut left) = (offset, at, len);
        for piece in self.pieces() {
            let from = skip.min(piece.len());
            skip -= from;
            let n = (piece.len() - from).min(left);
            if let Some(src) = piece.get(from..from + n) {
                // SAFETY: `n` of the `len` bytes that are the caller's; published bytes are elsewhere (I4).
                unsafe { ptr::copy_nonoverlapping(src.as_ptr(), at, n) };
            }
            at = at.wrapping_add(n);
            left -= n;
            if left == 0 {
                break;
            }
        }
        debug_assert_eq!(left, 0);
    }

    /// The readable bytes, piece by piece.
    #[inline]
    pub(crate) fn pieces(&self) -> Pieces<'_> {
        // SAFETY: the first piece is readable, and `beyond` more readable bytes lie in the nodes behind the reader's;
        // all of them stay as they are while `self` is borrowed (I4).
        unsafe {
            Pieces::of_chain(
                self.r.ptr,
                span(self.r.ptr, self.r.end),
                self.r.node,
                self.r.beyond,
                self.w.tail,
            )
        }
    }

    /// The readable bytes of the reader's node, or of the next one that has some.
    #[inline]
    pub(crate) fn first_piece(&self) -> &[u8] {
        if self.r.ptr == self.r.end {
            return self.pieces().next().unwrap_or(&[]);
        }
        // SAFETY: readable bytes (I2), unwritten while `self` is borrowed (I4).
        unsafe { slice::from_raw_parts(self.r.ptr, span(self.r.ptr, self.r.end)) }
    }

    /// Views of `n` bytes from `from` on, counted over readable and then pending ones, node by node.
    ///
    /// A pending byte that a view sees must not be written to any more (I5): where such views are made the chain is about
    /// to go, and if it stays after all, they are dropped first.
    pub(super) fn views(&mut self, from: usize, n: usize) -> impl Iterator<Item = View> + '_ {
        let mut node = self.r.node;
        let mut at = self.r.ptr;
        let (mut skip, mut left) = (from, n);
        core::iter::from_fn(move || {
            while left > 0 {
                let here = node?;
                let end = if same(self.w.tail, Some(here)) {
                    self.w.ptr
                } else {
                    here.end()
                };
                let len = span(at, end);
                let over = skip.min(len);
                skip -= over;
                let n = (len - over).min(left);
                let start = at.wrapping_add(over);
                node = here.next();
                at = node.map_or(end, NodePtr::start);
                left -= n;
                if n > 0 {
                    return Some(here.view(start, n));
                }
            }
            None
        })
    }

    /// `cut` across nodes, or of a small piece.
    #[inline(never)]
    pub(super) fn cut_slow(&mut self, n: usize) -> Result<Cut, Error> {
        self.check_readable(n)?;
        self.settle();
        if n == 0 {
            return Ok(Cut::One(View::from_static(&[])));
        }
        if n <= span(self.r.ptr, self.r.end) {
            let large = self
                .r
                .node
                .is_some_and(|h| h.block().cap() > self.store.config.page as usize);
            if large && n < self.store.config.detach_below as usize {
                let view = View::copied(self.look(n)?)?;
                self.pass(n);
                return Ok(Cut::One(view));
            }
            if let Some(node) = self.r.node {
                let at = self.r.ptr;
                self.pass(n);
                return Ok(Cut::One(node.view(at, n)));
            }
        }
        let nodes = self.count_pieces(n);
        let mut list = self.cold()?.list(nodes)?;
        let shared: ViewList = list.fill(self.views(0, n));
        self.cold()?.keep_list(list);
        self.recount();
        self.pass(n);
        Ok(Cut::Many(shared))
    }

    /// In how many pieces the next `n` bytes are.
    fn count_pieces(&self, n: usize) -> usize {
        let mut sum = 0;
        let before = |piece: &&[u8]| {
            let more = sum < n;
            sum += piece.len();
            more
        };
        self.pieces().take_while(before).count()
    }

    /// What is needed rarely, made when it is first needed.
    pub(super) fn cold(&mut self) -> Result<&mut Cold, Error> {
        if self.cold.is_none() {
            self.cold = Some(Cold::create()?);
            self.recount();
        }
        match &mut self.cold {
            Some(cold) => Ok(cold),
            None => Err(Error::Alloc(crate::AllocError {
                size: size_of::<Cold>(),
            })),
        }
    }

    /// Counts the tables' bytes anew among what is kept.
    pub(super) fn recount(&mut self) {
        if let Some(cold) = &mut self.cold {
            let (now, before) = (cold.bytes(), cold.counted);
            cold.counted = now;
            self.store.count(now, before);
            // The tail may no longer fit beside it.
            if now > before {
                self.shape = Shape::Any;
            }
        }
    }
}

/// What a slice is made of.
pub(crate) enum Cut {
    /// Bytes of one node.
    One(View),
    /// Bytes of several.
    Many(ViewList),
}
