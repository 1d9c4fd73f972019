//! Loom's atomics in place of those of `keystile-auth`.
//!
//! Loom takes a sequentially consistent access for an acquiring and releasing one, and would raise
//! false alarms; it knows sequentially consistent fences as they are. So such an access has a fence
//! before it and one behind it, which is what it is worth to whoever uses nothing else.

#![expect(dead_code, reason = "not every type needs every access")]

use std::cell::Cell;

use loom::sync::atomic::fence;

pub(crate) use std::sync::atomic::Ordering;

/// The fewer there are, the more orders can be tried.
pub(crate) const SEATS: u16 = 2;
pub(crate) const LANES: usize = 2;

/// From now on every access of this thread is relaxed, to see that the order is what keeps things
/// right.
pub fn forget_orders() {
    RELAXED.set(true);
}

fn access<T>(order: Ordering, access: impl FnOnce(Ordering) -> T) -> T {
    if RELAXED.get() {
        return access(Ordering::Relaxed);
    }
    let fence = || {
        if order == Ordering::SeqCst {
            fence(order);
        }
    };
    fence();
    let value = access(order);
    fence();
    value
}

macro_rules! atomics {
    ($($name:ident: $number:ty),*) => {$(
        #[derive(Debug)]
        pub(crate) struct $name(loom::sync::atomic::$name);

        impl $name {
            pub(crate) fn new(value: $number) -> Self {
                Self(loom::sync::atomic::$name::new(value))
            }

            pub(crate) fn load(&self, order: Ordering) -> $number {
                access(order, |order| self.0.load(order))
            }

            pub(crate) fn store(&self, value: $number, order: Ordering) {
                access(order, |order| self.0.store(value, order));
            }

            pub(crate) fn fetch_add(&self, value: $number, order: Ordering) -> $number {
                access(order, |order| self.0.fetch_add(value, order))
            }

            pub(crate) fn fetch_sub(&self, value: $number, order: Ordering) -> $number {
                access(order, |order| self.0.fetch_sub(value, order))
            }

            pub(crate) fn fetch_max(&self, value: $number, order: Ordering) -> $number {
                access(order, |order| self.0.fetch_max(value, order))
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new(0)
            }
        }
    )*};
}

atomics!(AtomicI64: i64, AtomicU64: u64, AtomicUsize: usize);

thread_local! {
    /// Loom runs all threads of a model on one thread of the machine.
    static RELAXED: Cell<bool> = const { Cell::new(false) };
}
