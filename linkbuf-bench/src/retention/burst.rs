//! Bursts: buffers live on small messages, a large one comes to each, and then they are idle.
//!
//! | part | what is done |
//! |---|---|
//! | base | the buffers are made; they have no memory yet |
//! | ramp | three messages, of 256 B to 64 KiB, pass through each |
//! | burst | a message of 1 MiB passes through each; of the last hundred, 50 are held at once |
//! | drain | the last 50 go out |
//! | idle | nothing, while a trimmer runs where there is such a thing |
//!
//! What the burst took is what was resident at its peak more than at the end of the ramp; `t50` and `t90` tell when
//! half and 90 % of it had gone, from the end of the drain. Where buffers are few, [`modes`](super::modes) follow.

use std::thread;
use std::time::Duration;

use linkbuf_alloc::{Figures, Rung};

use super::buffers::Passing;
use super::idle::{HELD, MESSAGE, PAGE, number};
use super::modes::{Level, Modes};
use super::record::{Look, Record};
use super::subjects::{Subject, Work};
use super::watch::{STEP, bytes, every, looks, times};
use super::{Found, Sizes};
use crate::memory::count;

/// Bytes of a small message.
pub(crate) const SMALL: usize = 256;
/// Bytes of the messages before the large one. With the last of them, a buffer of linkbuf has nearly all that it is
/// going to keep, headers too: what is left of the burst later is the burst's.
const RAMP: [usize; 3] = [SMALL, 4096, 64 << 10];
/// Buffers that hold a large message at once.
pub(crate) const WINDOW: usize = 50;
/// An idle program is watched so long, whatever happens: what it keeps is told of the end.
const MOST: Duration = Duration::from_millis(1500);
/// Between two looks during a long burst, at least.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The figure that the bar is set on.
pub(super) const IDLE: &str = "idle bytes per buffer";

/// The trial, as work for any subject.
pub(super) struct Burst {
    /// With the modes that few buffers have time for.
    pub(super) few: bool,
    pub(super) sizes: Sizes,
}

/// A large message through each buffer: through many one by one, and through the last hundred 50 at a time. `full` is
/// given those that hold theirs, and whether they are the last, and drains them.
pub(crate) fn burst<'b, B: Passing, E>(
    buffers: &'b mut [B],
    mut full: impl FnMut(&'b mut [B], bool) -> Result<(), E>,
) -> Result<(), E> {
    let (many, last) = buffers.split_at_mut(buffers.len().saturating_sub(2 * WINDOW));
    let windows = many.len() + last.len().div_ceil(WINDOW);
    let all = many.chunks_mut(1).chain(last.chunks_mut(WINDOW));
    for (n, window) in all.enumerate() {
        for buffer in window.iter_mut() {
            buffer.fill(MESSAGE);
        }
        full(window, n + 1 == windows)?;
    }
    Ok(())
}

/// The small messages.
pub(crate) fn ramp_up<B: Passing>(buffer: &mut B) {
    for len in RAMP {
        buffer.pass(len);
    }
}

/// What was found when most was resident.
#[derive(Default)]
struct Peak {
    look: Look,
    live: usize,
}

/// Ramp and burst. Returns what was resident between them, and the peak.
fn rise<S: Subject>(
    buffers: &mut [S::Buffer],
    record: &mut Record<'_, S>,
) -> Result<(f64, Peak), String> {
    record.mark("ramp");
    for buffer in buffers.iter_mut() {
        ramp_up(buffer);
        if record.is_due(LOOK_EVERY) {
            record.look(0)?;
        }
    }
    let ramp = record.look(0)?.resident;
    record.mark("burst");
    let mut peak = Peak::default();
    burst(buffers, |window, last| {
        let live = window.len() * MESSAGE;
        // The last are the most.
        if window.len() > 1 || last || record.is_due(LOOK_EVERY) {
            let look = record.look(live)?;
            if look.resident >= peak.look.resident {
                peak = Peak { look, live };
            }
        }
        if last {
            record.mark("drain");
        }
        window.iter_mut().for_each(Passing::drain);
        if last || record.is_due(LOOK_EVERY) {
            record.look(0)?;
        }
        Ok::<_, String>(())
    })?;
    Ok((ramp, peak))
}

impl Work for Burst {
    type Out = Result<Found, String>;

    fn with<S: Subject>(self, subject: S) -> Result<Found, String> {
        let wanted = match self.few {
            true => self.sizes.few(),
            false => self.sizes.buffers,
        };
        let (n, number) = number(&subject, wanted);
        let mut buffers = Vec::new();
        buffers.resize_with(n, || subject.buffer());
        let trimmer = subject.trimmer()?;
        let mut record = Record::begin(&subject)?;
        record.mark("base");
        record.look(0)?;
        thread::sleep(STEP);
        record.look(0)?;
        let (risen, heap) = count(|| rise(&mut buffers, &mut record));
        let (ramp, peak) = risen?;
        let taken = peak.look.resident - ramp;

        record.mark("idle");
        let most = self.sizes.watch.min(MOST);
        let mut series = Vec::with_capacity(looks(most));
        let mut end = Look::default();
        every(STEP, most, |at| {
            end = record.look(0)?;
            let left = end.resident - ramp;
            series.push((at.as_secs_f64(), left));
            Ok(true)
        })?;

        let mut found = Found::default();
        found.count("buffers", number);
        found.each(IDLE, end.resident / number);
        // Others don't tell, so it is counted.
        let held = subject.held(&buffers).unwrap_or(heap.live.unsigned_abs());
        found.each(HELD, bytes(held) / number);
        found.each("after the ramp", ramp / number);
        found.bytes("peak", peak.look.resident);
        found.times("peak ratio", peak.look.resident / bytes(peak.live as u64));
        times(&mut found, "", taken, &series);
        if let Some(figures) = &end.figures {
            tell_totals(&mut found, figures);
        }
        found.part("on huge pages", peak.look.system.on_huge_pages());
        if let Some(figures) = &peak.look.figures {
            tell_rungs(&mut found, figures);
        }
        if let Some(page) = subject.page() {
            found.each(PAGE, bytes(page as u64));
        }
        if self.few {
            let level = Level {
                base: record.base(),
                ramp,
            };
            Modes::new(&subject, &mut buffers, level, most).tell(&mut found, trimmer)?;
        }
        found.seconds("watched", Some(most.as_secs_f64()));
        record.tell(&mut found);
        Ok(found)
    }
}

fn tell_totals(found: &mut Found, figures: &Figures) {
    let totals = &figures.totals;
    found.bytes("live", bytes(totals.live_bytes));
    // Some count what is out, and no more.
    if totals.mapped_bytes > 0 {
        found.bytes("cached", bytes(totals.cached_bytes));
        found.bytes("free", bytes(totals.free_bytes));
        found.bytes("mapped", bytes(totals.mapped_bytes));
    }
}

/// On what the mapped memory stands, where that is known.
fn tell_rungs(found: &mut Found, figures: &Figures) {
    let all: u64 = figures.rungs.iter().map(|rung| rung.bytes).sum();
    if all == 0 {
        return;
    }
    for rung in [Rung::HugeTlb, Rung::Transparent, Rung::Plain] {
        let on = figures
            .rungs
            .get(rung as usize)
            .map_or(0, |rung| rung.bytes);
        found.part(&format!("mapped as {rung}"), bytes(on) / bytes(all));
    }
}
