//! Booking: room for a read call to fill, of a size that adapts both ways.
#![expect(unsafe_code, reason = "hands out initialised room")]

use core::slice;

use super::{
    chain::{Chain, Shape},
    node::{NodePtr, same},
    span,
};
use crate::{allocator::NodeAllocator, error::Error, policy::BOOK_PATIENCE};

impl<A: NodeAllocator> Chain<A> {
    /// Room of `min` to `max` bytes in one piece, of about the adapted size.
    #[inline]
    pub(crate) fn book(&mut self, min: usize, max: usize) -> Result<&mut [u8], Error> {
        let clean = span(self.w.ptr, self.w.end);
        let want = self.book_want(min, max);
        // As `book_tail` finds it where all is initialised.
        let ready = self.shape == Shape::Simple
            && self.f.ptr == self.w.ptr
            && (clean >= want.max(1) || clean >= min.max(want / 2).max(1) && !self.at_start());
        let len = if ready {
            self.booked(clean.min(max.max(min)))
        } else {
            self.book_tail(min, max)?
        };
        // SAFETY: `len` initialised bytes of the tail's room (I2, I5), lent out as long as the chain is.
        Ok(unsafe { slice::from_raw_parts_mut(self.w.ptr, len) })
    }

    /// As `book`, and a spare node's room behind it, if the tail's is less than the adapted size.
    #[cfg(feature = "std")]
    pub(crate) fn book_two(
        &mut self,
        min: usize,
        max: usize,
    ) -> Result<(&mut [u8], &mut [u8]), Error> {
        let want = self.book_want(min, max);
        let here = self.room();
        // The tail's rest is worth a piece of its own if it has the minimum.
        let split = here >= min.max(1) && here < want;
        let len = if split {
            self.book_here(here)?
        } else {
            self.book_tail(min, max)?
        };
        let mut second: &mut [u8] = &mut [];
        if split {
            let more = want - here;
            if let Some((node, len)) = self.book_spare(more) {
                self.booking.second = Some(node);
                self.booking.len = clamp(self.booking.len as usize + len);
                self.refresh();
                // SAFETY: `len` initialised bytes of a spare, whose block nobody else sees.
                second = unsafe { slice::from_raw_parts_mut(node.start(), len) };
            }
        }
        // SAFETY: as in `book`; the spare is another block.
        let first = unsafe { slice::from_raw_parts_mut(self.w.ptr, len) };
        Ok((first, second))
    }

    #[inline]
    fn book_want(&self, min: usize, max: usize) -> usize {
        (self.booking.size as usize).min(max).max(min)
    }

    /// Is the tail empty, and nothing of it was consumed?
    #[inline]
    fn at_start(&self) -> bool {
        self.w.tail.is_some_and(|t| t.start() == self.w.ptr)
    }

    /// Books in the tail, or in a new one.
    #[inline(never)]
    fn book_tail(&mut self, min: usize, max: usize) -> Result<usize, Error> {
        let pending = self.pending();
        if pending > 0 {
            return Err(Error::PendingInTheWay { pending });
        }
        if max == 0 && min == 0 {
            self.booking.len = 0;
            return Ok(0);
        }
        let want = self.book_want(min, max).max(1);
        let room = self.room();
        // Half the wanted size is worth a read, as what is left of a node; a smaller rest is left behind.
        let enough = if self.at_start() { want } else { want / 2 };
        if room < min.max(1) || room < enough {
            self.check_total(want)?;
            let node = self
                .store
                .native(want, self.store.config.node_size as usize)?;
            self.push_tail(node);
            self.refresh();
        }
        let len = self.room().min(max.max(min));
        // A node may be much larger than what adapts to the traffic: clear no more than is asked for.
        let clean = span(self.w.ptr, self.w.end);
        self.book_here(if len > clean {
            len.min(want.max(clean))
        } else {
            len
        })
    }

    /// Books the first `len` bytes of the tail's room.
    fn book_here(&mut self, len: usize) -> Result<usize, Error> {
        let pending = self.pending();
        if pending > 0 {
            return Err(Error::PendingInTheWay { pending });
        }
        if !self.has_room(len) {
            self.clear_ahead(len);
        }
        Ok(self.booked(len))
    }

    /// Remembers that the first `len` bytes of the tail's clean room are booked, or as many as can be.
    #[inline]
    fn booked(&mut self, len: usize) -> usize {
        let len = clamp(len);
        self.booking.ptr = self.w.ptr;
        self.booking.first = len;
        self.booking.len = len;
        self.booking.second = None;
        len as usize
    }

    /// The first spare's room, initialised: at most `n` bytes.
    #[cfg(feature = "std")]
    fn book_spare(&mut self, n: usize) -> Option<(NodePtr, usize)> {
        if self.store.first_spare().is_none() {
            let node = self
                .store
                .native(n, self.store.config.node_size as usize)
                .ok()?;
            self.store.put_spare(node);
        }
        let node = self.store.first_spare()?;
        let len = node.block().cap().min(n);
        node.clear_to(len);
        Some((node, len))
    }

    /// Publishes the first `n` booked bytes, and adapts.
    #[inline]
    pub(crate) fn book_ack(&mut self, n: usize) -> Result<(), Error> {
        let (at, booked) = (self.w.ptr, self.booking.len as usize);
        let ready = self.shape == Shape::Simple
            && self.booking.ptr == at
            && self.f.ptr == at
            && n <= booked
            && self.booking.second.is_none();
        if !ready {
            return self.book_ack_slow(n);
        }
        let end = at.wrapping_add(n);
        self.w.ptr = end;
        self.f.ptr = end;
        self.r.end = end;
        self.booking.len = 0;
        self.adapt(n, booked);
        Ok(())
    }

    #[inline(never)]
    fn book_ack_slow(&mut self, n: usize) -> Result<(), Error> {
        let pending = self.pending();
        if pending > 0 {
            return Err(Error::PendingInTheWay { pending });
        }
        let booked = if self.booking.ptr == self.w.ptr {
            self.booking.len as usize
        } else {
            0
        };
        if n > booked {
            return Err(Error::BeyondBooked { asked: n, booked });
        }
        let here = n.min(self.booking.first as usize);
        if here == n {
            self.w.ptr = self.w.ptr.wrapping_add(n);
        } else if !self.book_ack_spare(here, n - here) {
            return Err(Error::BeyondBooked {
                asked: n,
                booked: here,
            });
        }
        self.adapt(n, booked);
        self.booking.len = 0;
        self.flush();
        Ok(())
    }

    /// Publishes all of the tail's booked bytes, and makes the booked spare the tail, with `more` bytes.
    #[cold]
    fn book_ack_spare(&mut self, here: usize, more: usize) -> bool {
        // Another call may have used or freed the spare since.
        let first = self.store.first_spare();
        let booked = |node: NodePtr| node.block().init() >= more;
        if !same(first, self.booking.second) || !first.is_some_and(booked) {
            return false;
        }
        let Some(node) = self.store.take_spare(0, None) else {
            return false;
        };
        self.w.ptr = self.w.ptr.wrapping_add(here);
        self.push_tail(node);
        self.w.ptr = self.w.ptr.wrapping_add(more);
        self.refresh();
        true
    }

    /// Reads that fill a booking double the next one; reads that use little of it, a few times in a row, halve it. A
    /// booking that `max` cut short says nothing.
    #[inline]
    fn adapt(&mut self, n: usize, booked: usize) {
        let size = self.booking.size as usize;
        if n < booked && n < size / 4 {
            let least = self.store.config.book_min;
            self.booking.small += u8::from(self.booking.size > least);
            if self.booking.small >= BOOK_PATIENCE {
                self.booking.size = (self.booking.size / 2).max(least);
                self.booking.small = 0;
            }
            return;
        }
        self.booking.small = 0;
        if n == booked && n >= size {
            let most = self.store.config.book_max;
            self.booking.size = self.booking.size.saturating_mul(2).min(most);
        }
    }

    /// The size that the next booking is about to have.
    pub(crate) fn book_size(&self) -> usize {
        self.booking.size as usize
    }
}

/// A booking's length: read calls take no more at once.
fn clamp(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}
