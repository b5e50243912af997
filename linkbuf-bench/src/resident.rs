//! What the system says of this process's memory, and of the machine's. Linux tells; elsewhere nothing is known.

use std::fs::File;
use std::io::{self, Read};

/// Bytes of this process that are in memory.
///
/// ```
/// use linkbuf_bench::resident::Resident;
/// let said = "Rss: 100 kB\nLazyFree: 10 kB\nShared_Hugetlb: 0 kB\nPrivate_Hugetlb: 2048 kB\n";
/// assert_eq!(Resident::parse(said).unwrap().adjusted(), (100 - 10 + 2048) << 10);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resident {
    /// Pages that are mapped and present, but for huge pages that were reserved.
    pub rss: u64,
    /// Reserved huge pages that nobody else has mapped. They are in no other figure.
    pub private_hugetlb: u64,
    /// Reserved huge pages that others have mapped, too.
    pub shared_hugetlb: u64,
    /// Pages of `rss` that the process gave up with `MADV_FREE`: the system takes them when it wants some.
    pub lazy_free: u64,
    /// Pages of `rss` that the system made huge by itself or by request.
    pub transparent: u64,
}

impl Resident {
    /// Of this process, now. Does not touch the heap.
    ///
    /// # Errors
    /// `/proc/self/smaps_rollup` can't be read, as on any system but Linux, or says something else.
    pub fn now() -> io::Result<Self> {
        // It is about 1 KiB.
        let mut buffer = [0; 4096];
        let text = read("/proc/self/smaps_rollup", &mut buffer)?;
        Self::parse(text).ok_or_else(|| io::Error::other("smaps_rollup lacks a figure"))
    }

    /// Reads what `smaps_rollup` says. `None` if a figure is missing.
    pub fn parse(text: &str) -> Option<Self> {
        Some(Self {
            rss: kilobytes(text, "Rss")?,
            private_hugetlb: kilobytes(text, "Private_Hugetlb")?,
            shared_hugetlb: kilobytes(text, "Shared_Hugetlb")?,
            lazy_free: kilobytes(text, "LazyFree")?,
            // Where the kernel doesn't do it, it doesn't speak of it.
            transparent: kilobytes(text, "AnonHugePages").unwrap_or(0),
        })
    }

    /// The part of [`adjusted`](Self::adjusted) that stands on huge pages, of 1.
    ///
    /// ```
    /// use linkbuf_bench::resident::Resident;
    /// let half = Resident { rss: 4 << 20, transparent: 2 << 20, ..Resident::default() };
    /// assert_eq!(half.on_huge_pages(), 0.5);
    /// ```
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52 bytes")]
    pub fn on_huge_pages(&self) -> f64 {
        let huge = self.transparent + self.private_hugetlb + self.shared_hugetlb;
        huge as f64 / self.adjusted().max(1) as f64
    }

    /// What the process holds and will not lose to the first that asks: `Rss` and the reserved huge pages, without
    /// what was given up already.
    pub fn adjusted(&self) -> u64 {
        (self.rss + self.private_hugetlb + self.shared_hugetlb).saturating_sub(self.lazy_free)
    }
}

/// What the machine has left.
///
/// ```
/// use linkbuf_bench::resident::Machine;
/// let said = "MemAvailable: 1024 kB\nHugePages_Free: 3\nHugePages_Rsvd: 1\nHugepagesize: 2048 kB\n";
/// let machine = Machine::parse(said).unwrap();
/// assert_eq!((machine.available, machine.huge), (1 << 20, 4 << 20));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// Bytes that programs can have without swapping.
    pub available: u64,
    /// Bytes of reserved huge pages that nobody uses or was promised.
    pub huge: u64,
}

impl Machine {
    /// Of this machine, now.
    ///
    /// # Errors
    /// `/proc/meminfo` can't be read, as on any system but Linux, or says something else.
    pub fn now() -> io::Result<Self> {
        let mut buffer = [0; 8192];
        let text = read("/proc/meminfo", &mut buffer)?;
        Self::parse(text).ok_or_else(|| io::Error::other("meminfo lacks a figure"))
    }

    /// Reads what `meminfo` says. `None` if it lacks what is available; where nothing is said of huge pages there are
    /// none.
    pub fn parse(text: &str) -> Option<Self> {
        let pages = |name| figure(text, name).unwrap_or(0);
        let free = pages("HugePages_Free").saturating_sub(pages("HugePages_Rsvd"));
        Some(Self {
            available: kilobytes(text, "MemAvailable")?,
            huge: free * kilobytes(text, "Hugepagesize").unwrap_or(0),
        })
    }
}

/// How many threads this process has.
pub(crate) fn threads() -> io::Result<u64> {
    let mut buffer = [0; 8192];
    let text = read("/proc/self/status", &mut buffer)?;
    figure(text, "Threads").ok_or_else(|| io::Error::other("status lacks a figure"))
}

/// The start of a file, as much of it as `buffer` holds.
fn read<'b>(path: &str, buffer: &'b mut [u8]) -> io::Result<&'b str> {
    let mut file = File::open(path)?;
    let mut len = 0;
    while len < buffer.len() {
        match file.read(&mut buffer[len..])? {
            0 => break,
            n => len += n,
        }
    }
    std::str::from_utf8(&buffer[..len]).map_err(io::Error::other)
}

/// The number behind `name:` at the start of a line.
fn figure(text: &str, name: &str) -> Option<u64> {
    let value = |line: &str| {
        let value = line.strip_prefix(name)?.strip_prefix(':')?;
        value.trim().trim_end_matches(" kB").parse().ok()
    };
    text.lines().find_map(value)
}

fn kilobytes(text: &str, name: &str) -> Option<u64> {
    figure(text, name)?.checked_mul(1024)
}
