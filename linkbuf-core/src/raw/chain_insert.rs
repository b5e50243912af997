//! Attaching and inserting bytes that others own: nothing is copied, nothing moves.

use super::{
    chain::Chain,
    node::{NodePtr, same},
    span,
    view::View,
};
use crate::{
    allocator::NodeAllocator,
    error::{Error, Rejected},
};

/// The first and the last of some nodes that are linked to each other, in no chain.
type List = Option<(NodePtr, NodePtr)>;

impl<A: NodeAllocator> Chain<A> {
    /// Adds the bytes of `value`, pending, without a copy.
    #[inline]
    pub(crate) fn attach<T>(&mut self, value: T) -> Result<(), Rejected<T>>
    where
        T: AsRef<[u8]> + Send + 'static,
    {
        let node = self.checked_foreign(value)?;
        self.push_attached(node);
        Ok(())
    }

    /// Adds the bytes of `view`, pending, without a copy.
    pub(crate) fn attach_view(&mut self, view: View) -> Result<(), Rejected<View>> {
        if view.len() == 0 {
            return Ok(());
        }
        if let Err(error) = self.check_total(view.len()) {
            return Err(Rejected { error, value: view });
        }
        let node = self.store.viewing(view)?;
        self.push_attached(node);
        Ok(())
    }

    /// Adds the bytes of `views`, pending: all or none.
    pub(crate) fn attach_views(
        &mut self,
        views: impl Iterator<Item = View>,
        total: usize,
    ) -> Result<(), Error> {
        let list = self.views_list(views, total)?;
        self.push_list(list);
        Ok(())
    }

    /// Adds the bytes of `views`, `total` of them, so that `remain` pending bytes follow: all or none.
    pub(crate) fn insert_views(
        &mut self,
        views: impl Iterator<Item = View>,
        total: usize,
        remain: usize,
    ) -> Result<(), Error> {
        self.check_pending(remain)?;
        let list = self.views_list(views, total)?;
        self.insert_list(list, total, remain)
            .map_err(|(error, list)| {
                self.store.dispose_list(list.map(|(first, _)| first));
                error
            })
    }

    /// Adds the bytes of `value` so that `remain` pending bytes follow them.
    pub(crate) fn insert<T>(&mut self, value: T, remain: usize) -> Result<(), Rejected<T>>
    where
        T: AsRef<[u8]> + Send + 'static,
    {
        if let Err(error) = self.check_pending(remain) {
            return Err(Rejected { error, value });
        }
        let node = self.checked_foreign(value)?;
        match self.insert_list(Some((node, node)), node.len(), remain) {
            Ok(()) => Ok(()),
            Err((error, _)) => Err(Rejected {
                error,
                value: self.store.unmake_foreign(node),
            }),
        }
    }

    fn check_pending(&self, remain: usize) -> Result<(), Error> {
        let pending = self.pending();
        if remain > pending {
            return Err(Error::BeyondPending {
                asked: remain,
                pending,
            });
        }
        Ok(())
    }

    /// Nodes of `views`, linked to each other and not to the chain: all or none.
    fn views_list(
        &mut self,
        views: impl Iterator<Item = View>,
        total: usize,
    ) -> Result<List, Error> {
        self.check_total(total)?;
        let mut list: List = None;
        for view in views.filter(|v| v.len() > 0) {
            match self.store.viewing(view) {
                Ok(node) => {
                    list = match list {
                        Some((first, last)) => {
                            last.set_next(Some(node));
                            Some((first, node))
                        }
                        None => Some((node, node)),
                    };
                }
                Err(r) => {
                    self.store.dispose_list(list.map(|(first, _)| first));
                    return Err(r.error);
                }
            }
        }
        Ok(list)
    }

    /// Links nodes behind the tail, one by one.
    fn push_list(&mut self, list: List) {
        let mut at = list.map(|(first, _)| first);
        while let Some(node) = at {
            at = node.next();
            node.set_next(None);
            self.push_attached(node);
        }
    }

    /// Links nodes, of `len` bytes in all, so that `remain` pending bytes follow them. They come back if that is
    /// refused.
    fn insert_list(&mut self, list: List, len: usize, remain: usize) -> Result<(), (Error, List)> {
        let before = self.pending() - remain;
        let place = if remain == 0 || len == 0 {
            None
        } else {
            self.locate_pending(before)
        };
        let (Some((left, cut, _)), Some((first, last))) = (place, list) else {
            self.push_list(list);
            return Ok(());
        };
        if !same(self.w.tail, Some(left)) && cut == left.end() {
            last.set_next(left.next());
            left.set_next(Some(first));
            self.f.pend += len;
            return Ok(());
        }
        let right = match self.store.header() {
            Ok(right) => right,
            Err(error) => return Err((error, list)),
        };
        self.split(left, cut, right, before);
        last.set_next(Some(right));
        left.set_next(Some(first));
        self.f.pend += len;
        self.refresh();
        Ok(())
    }

    /// Makes `right` a node of what `left` has from `cut` on, its room too. `before`: pending bytes before `cut`.
    fn split(&mut self, left: NodePtr, cut: *mut u8, right: NodePtr, before: usize) {
        let tail = same(self.w.tail, Some(left));
        let end = if tail { self.w.ptr } else { left.end() };
        let room_end = if left.has_room() {
            left.room_end()
        } else {
            cut
        };
        right.make_sibling(left, cut, end, room_end);
        right.set_next(left.next());
        left.set_next(Some(right));
        left.set_end(cut);
        if left.has_room() {
            left.set_room_end(cut);
        }
        if tail {
            self.w.tail = Some(right);
            self.f.pend = before;
        }
        if same(self.resume, Some(left)) {
            self.resume = Some(right);
        }
    }

    /// A node of the bytes of `value`, in no list, if they can be added.
    #[inline]
    fn checked_foreign<T>(&mut self, value: T) -> Result<NodePtr, Rejected<T>>
    where
        T: AsRef<[u8]> + Send + 'static,
    {
        let node = self.store.foreign(value)?;
        match self.check_total(node.len()) {
            Ok(()) => Ok(node),
            Err(error) => Err(Rejected {
                error,
                value: self.store.unmake_foreign(node),
            }),
        }
    }

    /// Links an attached node behind the tail; what room the tail has left is gone back to by the next copy.
    #[inline]
    pub(super) fn push_attached(&mut self, node: NodePtr) {
        if node.len() == 0 {
            self.store.dispose(node);
            return;
        }
        if let Some(tail) = self.w.tail
            && tail.has_room()
            && span(self.w.ptr, tail.room_end()) > 0
        {
            self.resume = Some(tail);
            // A flush seals this one as it would seal the tail.
            self.seal |= self.is_large(tail);
        }
        self.push_tail(node);
    }
}
