//! Operations on slices that were cut before.

use std::sync::Arc;

use super::{Kept, Runner, writer::with_owner};
use crate::{
    Error, NodeAllocator, Rejected, Slice,
    testing::{
        model::difference,
        ops::{Faults, Op, OwnerKind, attempt, without_memory},
    },
};

impl<A: NodeAllocator> Runner<'_, A> {
    pub(super) fn cut(&mut self, op: &Op) {
        match *op {
            Op::FromOwner { n, seed, kind } => self.own(n, seed, kind),
            _ if self.slices.is_empty() => {}
            Op::SliceAgain { i, from, to } => {
                let (faults, kept) = self.kept(i);
                let len = kept.shows.len();
                let (from, to) = (from.of(len), to.of(len));
                let answer = attempt(faults, kept, |k| k.slice.slice(from..to), |k| k.check());
                match (answer, kept.shows.get(from..to).map(Arc::from)) {
                    (Ok(slice), Some(shows)) => self.keep(slice, shows),
                    (answer, shows) => assert_eq!(
                        answer.is_ok(),
                        shows.is_some(),
                        "slice({from}..{to}) of {len}"
                    ),
                }
            }
            Op::SplitTo { i, n } => {
                let (faults, kept) = self.kept(i);
                let n = n.of(kept.shows.len());
                let answer = attempt(faults, kept, |k| k.slice.split_to(n), |k| k.check());
                if let Some((slice, (front, back))) = kept.halves(answer, n) {
                    kept.shows = back;
                    kept.check();
                    self.keep(slice, front);
                }
            }
            Op::SplitOff { i, n } => {
                let (faults, kept) = self.kept(i);
                let n = n.of(kept.shows.len());
                let answer = attempt(faults, kept, |k| k.slice.split_off(n), |k| k.check());
                if let Some((slice, (front, back))) = kept.halves(answer, n) {
                    kept.shows = front;
                    kept.check();
                    self.keep(slice, back);
                }
            }
            Op::SliceSkip { i, n } => {
                let (faults, kept) = self.kept(i);
                let n = n.of(kept.shows.len());
                let answer = attempt(faults, kept, |k| k.slice.skip(n), |k| k.check());
                if let Some(((), (_, back))) = kept.halves(answer, n) {
                    kept.shows = back;
                }
                kept.check();
            }
            Op::Truncate { i, n } => {
                let (faults, kept) = self.kept(i);
                let n = n.of(kept.shows.len());
                without_memory(faults, || kept.slice.truncate(n));
                kept.shows = kept.shows[..n.min(kept.shows.len())].into();
                kept.check();
            }
            Op::CloneSlice { i } => {
                let (faults, kept) = self.kept(i);
                let clone = without_memory(faults, || kept.slice.clone());
                assert!(clone == kept.slice, "a clone is equal");
                let shows = Arc::clone(&kept.shows);
                self.keep(clone, shows);
            }
            Op::Detach { i } => {
                let (faults, kept) = self.kept(i);
                let answer = attempt(faults, kept, |k| k.slice.detach(), |k| k.check());
                assert_eq!(answer, Ok(()), "detach");
                kept.check();
            }
            Op::CopyOut { i } => {
                let (faults, kept) = self.kept(i);
                let copy = attempt(faults, kept, |k| k.slice.to_vec(), |k| k.check());
                assert_eq!(copy.as_deref(), Ok(&*kept.shows), "to_vec");
                let mut dst = vec![0; kept.shows.len()];
                assert_eq!(kept.slice.copy_to(&mut dst), Ok(()), "copy_to");
                assert_eq!(dst, &*kept.shows, "copy_to");
            }
            Op::DropSlice { i } => {
                let at = usize::from(i) % self.slices.len();
                self.slices.swap_remove(at).check();
            }
            _ => unreachable!("not a slice's operation"),
        }
    }

    fn kept(&mut self, i: u8) -> (&dyn Faults, &mut Kept) {
        let at = usize::from(i) % self.slices.len();
        (self.faults, &mut self.slices[at])
    }

    fn own(&mut self, n: usize, seed: u8, kind: OwnerKind) {
        with_owner!(self.owners, kind, n, seed, |value| {
            let shows: Arc<[u8]> = AsRef::<[u8]>::as_ref(&value).into();
            let slice = slice_of(self.faults, value, &shows);
            self.keep(slice, shows);
        });
    }
}

/// What the front and the back of a cut show.
type Halves = (Arc<[u8]>, Arc<[u8]>);

impl Kept {
    /// What a cut at `n` gave, with what each half should show; `None` if it was refused, and rightly.
    #[track_caller]
    fn halves<T>(&self, answer: Result<T, Error>, n: usize) -> Option<(T, Halves)> {
        let readable = self.shows.len();
        match (answer, self.shows.split_at_checked(n)) {
            (Ok(value), Some((front, back))) => Some((value, (front.into(), back.into()))),
            (answer, halves) => {
                assert!(halves.is_none(), "a cut at {n} of {readable} was refused");
                let refused = Error::NotEnough { asked: n, readable };
                assert_eq!(answer.err(), Some(refused), "a cut at {n} of {readable}");
                self.check();
                None
            }
        }
    }
}

fn slice_of<T: AsRef<[u8]> + Send + 'static>(faults: &dyn Faults, value: T, shows: &[u8]) -> Slice {
    let call = |held: &mut Option<T>| {
        let given = held.take().expect("it came back");
        Slice::from_owner(given).map_err(|Rejected { error, value }| {
            *held = Some(value);
            error
        })
    };
    let answer = attempt(faults, &mut Some(value), call, |held| {
        let back: Vec<u8> = held.as_ref().expect("it came back").as_ref().to_vec();
        assert_eq!(
            difference([&back[..]], shows),
            None,
            "the value that came back"
        );
    });
    answer.unwrap_or_else(|e| panic!("from_owner: {e}"))
}
