//! Many at once: threads let go together by a barrier. No sleeps.

use std::sync::Barrier;
use std::thread;

/// Work for a thread of its own.
pub type Work<'w, T> = Box<dyn FnOnce() -> T + Send + 'w>;

/// A thread's work.
pub fn work<'w, T>(work: impl FnOnce() -> T + Send + 'w) -> Work<'w, T> {
    Box::new(work)
}

/// Lets all of it go together, and returns what each came to, in the same order.
pub fn at_once<T: Send>(works: Vec<Work<'_, T>>) -> Vec<T> {
    let barrier = Barrier::new(works.len());
    thread::scope(|scope| {
        let threads: Vec<_> = works
            .into_iter()
            .map(|work| {
                scope.spawn(|| {
                    barrier.wait();
                    work()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}
