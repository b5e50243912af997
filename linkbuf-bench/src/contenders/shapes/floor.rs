//! The floor of every shape: its bytes copied out of the socket and to it, and nothing else.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::scenario::Case;

/// Bytes that arrive, and how many are sent then.
pub(crate) type Step = (Vec<u8>, usize);

/// Copies what arrives in each step to the same place, and as much as is sent in it from there to another.
pub(crate) struct Copies {
    steps: Vec<Step>,
    memory: Vec<u8>,
    socket: Vec<u8>,
}

impl Copies {
    pub(crate) fn new(steps: Vec<Step>) -> Self {
        let longest = steps.iter().map(|step| step.0.len().max(step.1)).max();
        let memory = vec![0; longest.unwrap_or(0)];
        Self {
            steps,
            socket: memory.clone(),
            memory,
        }
    }

    #[inline]
    fn step((arrived, sent): &Step, memory: &mut [u8], socket: &mut [u8]) {
        memory[..arrived.len()].copy_from_slice(arrived);
        if *sent == 0 {
            return;
        }
        socket[..*sent].copy_from_slice(&memory[..*sent]);
    }
}

impl Case for Copies {
    fn run(&mut self, ops: u64) -> Duration {
        let memory = black_box(&mut self.memory[..]);
        let socket = black_box(&mut self.socket[..]);
        let start = Instant::now();
        for _ in 0..ops {
            for step in black_box(&self.steps) {
                Self::step(step, memory, socket);
            }
        }
        start.elapsed()
    }

    fn check(&mut self) -> Result<(), String> {
        for (n, step) in self.steps.iter().enumerate() {
            self.socket.fill(0);
            Self::step(step, &mut self.memory, &mut self.socket);
            let (arrived, sent) = step;
            if !self.memory.starts_with(arrived) || self.socket[..*sent] != self.memory[..*sent] {
                return Err(format!("step {n} was not copied"));
            }
        }
        Ok(())
    }
}
