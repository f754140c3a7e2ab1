//! The questions that are under way to a worker: the next one is there already when it has answered.
//!
//! Several threads ask. A worker answers in the order in which it was asked, so each thread waits for its turn, and then
//! reads its own answer.

use super::{
    channel::{Patience, Receiver, Sender, UNDER_WAY},
    protocol::{Answer, Question},
};
use std::{
    io,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

/// The questions that are under way to a worker.
#[derive(Debug)]
pub(super) struct Line {
    sender: Mutex<Sender>,
    receiver: Mutex<Receiver>,
    turns: Mutex<Turns>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Turns {
    asked: u64,
    answered: u64,
    /// Nobody can ask any more, and only the question whose turn it is may still be answered.
    is_broken: bool,
}

/// A question that is under way. It is answered, or the line is broken when this is dropped: nobody else could read the
/// answer.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    line: &'a Line,
    number: u64,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Broken {
    /// The worker never got to this question: it, or its line, ended over another one.
    Elsewhere,
    /// It ended over this question, or the wait for it did.
    Here(io::Error),
}

impl Line {
    /// Nothing is under way between these.
    pub(super) fn new(sender: Sender, receiver: Receiver) -> Self {
        Self {
            sender: Mutex::new(sender),
            receiver: Mutex::new(receiver),
            turns: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Asks a question as soon as there is room for one more. `begun` is told when no other is under way.
    pub(super) fn ask(
        &self,
        question: &Question,
        buffers: &[&[u8]],
        patience: Patience<'_>,
        begun: impl FnOnce(),
    ) -> Result<Turn<'_>, Broken> {
        let mut sender = lock(&self.sender);
        let room =
            |turns: &mut Turns| !turns.is_broken && turns.asked - turns.answered >= UNDER_WAY.get() as u64;
        let mut turns = self
            .changed
            .wait_while(lock(&self.turns), room)
            .unwrap_or_else(PoisonError::into_inner);
        if turns.is_broken {
            return Err(Broken::Elsewhere);
        }
        let number = turns.asked;
        let is_first = number == turns.answered;
        turns.asked += 1;
        drop(turns);
        let turn = Turn { line: self, number };
        if is_first {
            begun();
        }
        match sender.send(question, buffers, patience) {
            Ok(()) => Ok(turn),
            Err(error) if is_first => Err(Broken::Here(error)),
            // The one before, which is under way, tells what happened.
            Err(_) => Err(Broken::Elsewhere),
        }
    }

    /// Lets the worker see that nobody asks any more.
    pub(super) fn close(&self) {
        lock(&self.sender).close();
    }
}

impl Turn<'_> {
    /// Waits for the answer, and the buffers beside it.
    pub(super) fn answer(self, patience: Patience<'_>) -> Result<(Answer, Vec<Vec<u8>>), Broken> {
        let line = self.line;
        let not_yet = |turns: &mut Turns| turns.answered != self.number && !turns.is_broken;
        let turns = line
            .changed
            .wait_while(lock(&line.turns), not_yet)
            .unwrap_or_else(PoisonError::into_inner);
        if turns.answered != self.number {
            return Err(Broken::Elsewhere);
        }
        drop(turns);
        let mut receiver = lock(&line.receiver);
        let (answer, places) = receiver.receive(patience).map_err(Broken::Here)?;
        let buffers = receiver.copy_buffers(&places).map_err(Broken::Here)?;
        lock(&line.turns).answered += 1;
        line.changed.notify_all();
        Ok((answer, buffers))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut turns = lock(&self.line.turns);
        if turns.answered <= self.number {
            turns.is_broken = true;
            self.line.changed.notify_all();
        }
    }
}

/// Whoever panicked while holding one of these has dropped a turn, which breaks the line.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::{super::channel::channel, *};
    use modelzoo_plugin_api::message;
    use std::{os::unix::net::UnixStream, thread, time::Duration};

    fn question(number: u8) -> Question {
        Question::Download {
            name: number.to_string(),
            path: String::new(),
        }
    }

    /// A line to a worker that answers so many questions by their names, and ends.
    fn line_to(answers: usize) -> Line {
        let (host, worker) = UnixStream::pair().unwrap();
        thread::spawn(move || {
            let (mut sender, mut receiver) = channel(worker).unwrap();
            for _ in 0..answers {
                let (question, _): (Question, _) = receiver.receive(None).unwrap();
                let Question::Download { name, .. } = question else {
                    panic!("{question:?}")
                };
                thread::sleep(Duration::from_millis(1));
                let answer = Answer::Done(message::encode(&name).unwrap());
                sender.send(&answer, &[name.as_bytes()], None).unwrap();
            }
            // It takes one more, and dies over it.
            let _: (Question, _) = receiver.receive(None).unwrap();
        });
        let (sender, receiver) = channel(host).unwrap();
        Line::new(sender, receiver)
    }

    fn ask(line: &Line, number: u8) -> Result<Vec<u8>, Broken> {
        let turn = line.ask(&question(number), &[&[number]], None, || ())?;
        let (_, mut buffers) = turn.answer(None)?;
        Ok(buffers.remove(0))
    }

    #[test]
    fn each_thread_gets_its_own_answer() {
        let line = line_to(60);
        thread::scope(|scope| {
            for first in [0, 20, 40] {
                let line = &line;
                scope.spawn(move || {
                    for number in first..first + 20 {
                        assert_eq!(ask(line, number).unwrap(), number.to_string().as_bytes());
                    }
                });
            }
        });
    }

    #[test]
    fn only_the_question_that_it_dies_over_is_blamed() {
        let line = line_to(1);
        let first = line.ask(&question(1), &[], None, || ()).unwrap();
        let second = line.ask(&question(2), &[], None, || ()).unwrap();
        first.answer(None).unwrap();
        let third = line.ask(&question(3), &[], None, || ());
        assert!(matches!(second.answer(None), Err(Broken::Here(_))));
        let third = third.and_then(|turn| turn.answer(None));
        assert!(matches!(third, Err(Broken::Elsewhere)), "{third:?}");
        assert!(matches!(ask(&line, 4), Err(Broken::Elsewhere)));
    }

    #[test]
    fn a_question_that_nobody_waits_for_breaks_the_line() {
        let line = line_to(2);
        drop(line.ask(&question(1), &[], None, || ()).unwrap());
        assert!(matches!(ask(&line, 2), Err(Broken::Elsewhere)));
    }
}
