//! Who is weighed: linkbuf with every backend and the policies of retention, and what a program would use instead.

use std::any::Any;
use std::time::Duration;

use bytes::BytesMut;
use linkbuf_alloc::{Figures, Trimmer};
use linkbuf_core::{Builder, Heap, LinkBuffer, NodeAllocator, TailPolicy};
use linkedbytes::LinkedBytes;

use super::buffers::{Codec, Passing};
use crate::backends::{self, Backend, Job};
use crate::part::Selection;

/// Buffers that stand for very many, where so many can't be had in reasonable memory or time.
pub(super) const FEWER: usize = 1000;

/// One kind of buffer, and the memory behind it.
pub(crate) trait Subject: Sync {
    /// The buffer.
    type Buffer: Passing;

    /// Makes one, empty.
    fn buffer(&self) -> Self::Buffer;

    /// Gives back all that nobody uses. False where there is no such call.
    fn trim(&self) -> bool {
        false
    }

    /// Starts a trimmer, where there is such a thing.
    fn trimmer(&self) -> Result<Option<Trimmer>, String> {
        Ok(None)
    }

    /// What the memory behind the buffers says of itself.
    fn figures(&self) -> Option<Figures> {
        None
    }

    /// Bytes that the buffers hold, if they tell.
    fn held(&self, _: &[Self::Buffer]) -> Option<u64> {
        None
    }

    /// How many of very many buffers are made: what others keep, or how long they take, may be a thousand times more.
    fn at_most(&self) -> usize {
        FEWER
    }

    /// Bytes of a page of the allocator: the bound of an idle buffer.
    fn page(&self) -> Option<usize> {
        None
    }
}

/// linkbuf.
struct Linked<A> {
    alloc: A,
    policy: Option<TailPolicy>,
}

impl<A: NodeAllocator> Subject for Linked<A> {
    type Buffer = LinkBuffer<A>;

    fn buffer(&self) -> LinkBuffer<A> {
        let builder = Builder::new_in(self.alloc.clone());
        match self.policy {
            Some(policy) => builder.tail_policy(policy).build(),
            None => builder.build(),
        }
    }

    fn trim(&self) -> bool {
        self.alloc.trim();
        true
    }

    fn trimmer(&self) -> Result<Option<Trimmer>, String> {
        trimmer(&self.alloc).map(Some)
    }

    fn figures(&self) -> Option<Figures> {
        backends::report(&self.alloc)
    }

    fn held(&self, buffers: &[LinkBuffer<A>]) -> Option<u64> {
        let each = buffers.iter().map(|buffer| buffer.memory().total());
        Some(each.sum::<usize>() as u64)
    }

    fn at_most(&self) -> usize {
        // Where glibc gives the end of its heap back after every message, each takes milliseconds.
        let any: &dyn Any = &self.alloc;
        if any.is::<Heap>() { FEWER } else { usize::MAX }
    }

    fn page(&self) -> Option<usize> {
        Some(self.alloc.page_size())
    }
}

/// A trimmer as its documentation starts one.
pub(super) fn trimmer<A: NodeAllocator>(alloc: &A) -> Result<Trimmer, String> {
    let started = Trimmer::start(Duration::from_millis(250));
    let trimmer = started.map_err(|e| format!("the trimmer didn't start: {e}"))?;
    let watched = trimmer.watch(alloc.clone());
    watched.map_err(|e| format!("the trimmer doesn't watch: {e}"))?;
    Ok(trimmer)
}

/// Buffers over the program's global heap, of which nobody is told anything.
struct Peer<B>(fn() -> B);

impl<B: Passing> Subject for Peer<B> {
    type Buffer = B;

    fn buffer(&self) -> B {
        self.0()
    }
}

/// Work that can be done with any subject.
pub(crate) trait Work {
    /// What comes of it.
    type Out;
    /// Does it.
    fn with<S: Subject>(self, subject: S) -> Self::Out;
}

/// A subject, by name.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Of letters, digits, `_` and `-`.
    pub(crate) name: &'static str,
    who: Who,
    /// What its process finds in the environment.
    pub(crate) environment: &'static [(&'static str, &'static str)],
}

#[derive(Clone, Copy, Debug)]
enum Who {
    /// With the policy that the backend asks for, or another.
    Linkbuf(Backend, Option<TailPolicy>),
    BytesMut,
    Codec,
    LinkedBytes,
    Vec,
}

/// Beside whom all others are told.
pub(super) const BYTES_MUT: &str = "bytes_mut";

const fn peer(name: &'static str, who: Who) -> Entry {
    Entry {
        name,
        who,
        environment: &[],
    }
}

const fn policy(name: &'static str, backend: Backend, policy: TailPolicy) -> Entry {
    Entry {
        name,
        who: Who::Linkbuf(backend, Some(policy)),
        environment: &[],
    }
}

const fn set(
    name: &'static str,
    backend: Backend,
    environment: &'static [(&'static str, &'static str)],
) -> Entry {
    Entry {
        name,
        who: Who::Linkbuf(backend, None),
        environment,
    }
}

/// Those that aren't a backend as it is. What others are compared with comes first.
const PEERS: [Entry; 4] = [
    peer(BYTES_MUT, Who::BytesMut),
    peer("tokio_codec", Who::Codec),
    peer("linked_bytes", Who::LinkedBytes),
    peer("vec", Who::Vec),
];

/// Other policies of linkbuf's default, and mimalloc with and without huge pages of its own.
const VARIANTS: [Entry; 5] = [
    policy("pooled-release", Backend::Pooled, TailPolicy::Release),
    policy(
        "pooled-keep_64k",
        Backend::Pooled,
        TailPolicy::Keep(64 << 10),
    ),
    policy("heap-release", Backend::Heap, TailPolicy::Release),
    set(
        "mimalloc-no_thp",
        Backend::Mimalloc,
        &[("MIMALLOC_ALLOW_THP", "0")],
    ),
    set(
        "mimalloc-large_pages",
        Backend::Mimalloc,
        &[("MIMALLOC_ALLOW_LARGE_OS_PAGES", "1")],
    ),
];

/// All of them, in the order of the tables.
pub(crate) fn all() -> impl Iterator<Item = Entry> {
    let backend = |backend: &Backend| set(backend.name(), *backend, &[]);
    let backends = Backend::RETENTION.iter().map(backend);
    PEERS.into_iter().chain(backends).chain(VARIANTS)
}

impl Entry {
    /// The one of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        all().find(|entry| entry.name == name)
    }

    /// The backend under it, if it is linkbuf.
    pub(crate) fn backend(&self) -> Option<Backend> {
        match self.who {
            Who::Linkbuf(backend, _) => Some(backend),
            _ => None,
        }
    }

    /// The policy, where it isn't the one that the backend asks for.
    pub(crate) fn policy(&self) -> Option<TailPolicy> {
        match self.who {
            Who::Linkbuf(_, policy) => policy,
            _ => None,
        }
    }

    /// Whether it is a backend as it is: of the policy that it asks for, in a common environment.
    pub(crate) fn is_plain(&self) -> bool {
        matches!(self.who, Who::Linkbuf(_, None)) && self.environment.is_empty()
    }

    /// Bytes that an idle buffer is expected to keep at most: for a look at the machine before the run.
    pub(super) fn keeps(&self, message: usize) -> usize {
        match self.who {
            Who::Linkbuf(_, Some(TailPolicy::Keep(bytes))) => bytes,
            Who::Linkbuf(..) => 16 << 10,
            _ => message,
        }
    }

    /// The same with another policy.
    pub(super) fn releasing(mut self) -> Self {
        if let Who::Linkbuf(backend, _) = self.who {
            self.who = Who::Linkbuf(backend, Some(TailPolicy::Release));
        }
        self
    }

    /// Does `work` with it.
    ///
    /// # Errors
    /// Why it isn't to be had here.
    pub(crate) fn run<W: Work>(&self, work: W) -> Result<W::Out, String> {
        for (name, value) in self.environment {
            if std::env::var_os(name).is_none_or(|is| is != *value) {
                return Err(format!("{name} is not {value} in the environment"));
            }
        }
        Ok(match self.who {
            Who::Linkbuf(backend, policy) => backend.run(WithPolicy { policy, work })?,
            Who::BytesMut => work.with(Peer(BytesMut::new)),
            Who::Codec => work.with(Peer(Codec::new)),
            Who::LinkedBytes => work.with(Peer(LinkedBytes::new)),
            Who::Vec => work.with(Peer(Vec::<u8>::new)),
        })
    }
}

struct WithPolicy<W> {
    policy: Option<TailPolicy>,
    work: W,
}

impl<W: Work> Job for WithPolicy<W> {
    type Out = W::Out;

    fn with<A: NodeAllocator>(self, alloc: A) -> W::Out {
        let policy = self.policy;
        self.work.with(Linked { alloc, policy })
    }
}

/// Whether an entry was asked for: of linkbuf what stands on one of the backends, peers beside it; and what is named.
pub(crate) fn wants(selection: &Selection, entry: &Entry, names: &[&str]) -> bool {
    let named = selection.wants_contender(entry.name, names);
    match entry.backend() {
        _ if selection.backends.is_empty() => named,
        Some(backend) => {
            let by_name = !selection.contenders.is_empty() && named;
            selection.wants_backend(backend.name()) || by_name
        }
        None => named,
    }
}
