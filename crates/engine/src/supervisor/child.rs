//! A child's side of a run with several processes.
use super::message::{Assignment, Order, Word, write_line};
use crate::Done;
use crate::Watch;
use crate::deal::Asking;
use crate::links::{Links, Member, PROTOCOL, Purpose, Secret, Wanted, connect, listen};
use base::{Failure, FailureKind};
use rustix::process::{Signal, getppid, set_parent_process_death_signal};
use serde_json::Value;
use std::io::{stdin, stdout};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// Time between two signs of life.
const BEAT: Duration = Duration::from_millis(200);

/// The exit code of a child whose launcher is gone. Nobody is left to read it.
const ORPHAN: i32 = 4;

/// A child, its launcher at the other end of its standard input and output.
pub struct Child {
    assignment: Assignment,
    orders: Mutex<Receiver<Order>>,
    /// Nothing has begun that would have to be ended in good order.
    planning: Arc<AtomicBool>,
}

impl Child {
    /// Reads what is to be done, and makes sure that this process ends with its launcher. What the
    /// launcher says of tiles goes to `watch`.
    ///
    /// # Errors
    /// If it was not started by a launcher.
    pub fn begin(watch: &Arc<Watch>) -> Result<Child, Failure> {
        let stranger = || Failure::new(FailureKind::Peer, "this verb is for tidemill itself");
        let mut line = String::new();
        stdin().read_line(&mut line).map_err(|_| stranger())?;
        let Ok(Order::Start(assignment)) = serde_json::from_str(&line) else {
            return Err(stranger());
        };
        end_with_parent(assignment.parent)?;
        let (send, orders) = channel();
        let (watch, planning) = (watch.clone(), Arc::new(AtomicBool::new(true)));
        let idle = planning.clone();
        thread::spawn(move || obey(&send, &watch, &idle));
        Ok(Child { assignment, orders: Mutex::new(orders), planning })
    }

    /// Says that the plan is made. Until then this process ends as soon as it is to stop, whatever
    /// it waits for.
    pub fn planned(&self) {
        self.planning.store(false, SeqCst);
    }

    /// What is to be done.
    pub fn assignment(&self) -> &Assignment {
        &self.assignment
    }

    /// Asks the launcher for tiles.
    pub fn asking() -> Asking {
        Asking::new(|ask| drop(write_line(&mut stdout().lock(), &Word::Ask(ask))))
    }

    /// Tells the launcher something.
    pub fn say(&self, word: &Word) {
        // Fails only if the launcher is gone; then this process is ended elsewhere.
        drop(write_line(&mut stdout().lock(), word));
    }

    /// Gives a sign of life several times a second from now on, with what is done.
    pub fn beat(&self, done: impl Fn() -> Done + Send + 'static) {
        thread::spawn(move || {
            loop {
                let word = Word::Alive(done());
                if write_line(&mut stdout().lock(), &word).is_err() {
                    return;
                }
                thread::sleep(BEAT);
            }
        });
    }

    /// Opens the links to all other processes. What others must find, such as staged outputs,
    /// is to be there before.
    ///
    /// # Errors
    /// As [`connect`]; also if the launcher says something else.
    pub fn link(&self, threads: usize, plan: [u8; 32]) -> Result<Links, Failure> {
        let (listener, address) = listen(&self.assignment.listen)?;
        self.say(&Word::Listening(address.port()));
        let Order::Addresses(addresses) = self.next_order()? else {
            return Err(Failure::internal("the launcher spoke out of turn"));
        };
        let secret = Secret::from_hex(&self.assignment.secret)
            .ok_or_else(|| Failure::internal("the launcher gave no secret"))?;
        let Assignment { index, processes, deadline, .. } = self.assignment;
        let run_id = self.assignment.run_id.clone();
        let me = Member { index, processes, threads, run_id, plan, secret, protocol: PROTOCOL };
        let wanted = Wanted {
            me: &me,
            purpose: Purpose::Data,
            addresses: &addresses,
            dial: index + 1..processes,
            answer: 0..index,
            deadline: Duration::from_secs_f64(deadline),
            // The launcher ends this process if the run ends before.
            stop: &|| None,
        };
        // Said while the links that there are still stand, since their end makes others fail.
        connect(Some(listener), &wanted).map_err(|unlinked| {
            self.say(&Word::Unlinked(unlinked.why.clone().into()));
            unlinked.why
        })
    }

    /// Says that this process has finished, and stays until the launcher lets it go. In process
    /// 0, once all have finished, `commit` gives the outputs their names; it gets to know what each
    /// process has `told`.
    ///
    /// # Errors
    /// What `commit` says.
    pub fn finish(
        &self,
        result: Value,
        told: Value,
        commit: impl FnOnce(Vec<Value>) -> Result<Value, Failure>,
    ) -> Result<(), Failure> {
        self.say(&Word::Finished { result, told });
        if let Order::Commit(told) = self.next_order()? {
            self.say(&Word::Written(commit(told)?));
            self.next_order()?;
        }
        Err(Failure::internal("the launcher spoke out of turn"))
    }

    /// The next order. If there is none because the launcher has ended the input, the process
    /// exits meanwhile.
    fn next_order(&self) -> Result<Order, Failure> {
        let orders = self.orders.lock().map_err(|e| Failure::internal(e.to_string()))?;
        orders.recv().map_err(|_| Failure::new(FailureKind::Peer, "the launcher is gone"))
    }
}

fn end_with_parent(parent: u32) -> Result<(), Failure> {
    set_parent_process_death_signal(Some(Signal::KILL))
        .map_err(|e| Failure::internal(format!("cannot follow the launcher: {e}")))?;
    if getppid().map(|p| p.as_raw_nonzero().get() as u32) != Some(parent) {
        std::process::exit(ORPHAN);
    }
    Ok(())
}

/// Passes orders on. The end of the input means that this process is no longer wanted: the run
/// is over, or the launcher is gone.
fn obey(send: &Sender<Order>, watch: &Watch, planning: &AtomicBool) {
    for line in stdin().lines() {
        let Ok(Ok(order)) = line.map(|l| serde_json::from_str(&l)) else { break };
        match order {
            Order::Deal(deal) => watch.dealt(&deal),
            Order::Stop if planning.load(SeqCst) => {
                drop(write_line(&mut stdout().lock(), &Word::Drained { tiles: 0 }));
                break;
            }
            Order::Stop => watch.request_stop(Failure::new(FailureKind::Terminated, "terminated")),
            order => drop(send.send(order)),
        }
    }
    std::process::exit(0);
}
