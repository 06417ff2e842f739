//! How often a client of a tenant may call. Requests are counted once the token is known: a stranger's are refused
//! before, and count against nobody. There is one counter a configured client, so that memory is bounded.

use std::num::NonZeroU32;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use super::error::Failure;
use crate::config::Limits;

/// The limit of one client, by the machine's monotonic clock: a wall clock that is set back would lock everybody out.
pub(super) struct Limit<C: Clock = DefaultClock>(Option<Counter<C>>);

struct Counter<C: Clock> {
    limits: Limits,
    limiter: RateLimiter<NotKeyed, InMemoryState, C, NoOpMiddleware<C::Instant>>,
}

impl Limit {
    /// The limit as configured; no limit without one.
    pub(super) fn of(limits: Option<&Limits>) -> Self {
        Self::by(DefaultClock::default(), limits)
    }
}

impl<C: Clock> Limit<C> {
    fn by(clock: C, limits: Option<&Limits>) -> Self {
        let counter = move |limits: &Limits| {
            let quota = Quota::per_second(NonZeroU32::new(limits.requests_per_second)?)
                .allow_burst(NonZeroU32::new(limits.burst())?);
            limits.enabled.then(|| Counter {
                limits: *limits,
                limiter: RateLimiter::direct_with_clock(quota, clock),
            })
        };
        Self(limits.and_then(counter))
    }

    /// Counts a request of the client of that name: 429 (RFC 6585 §4) if it is one too many.
    pub(super) fn count(&self, client: &str) -> Result<(), Failure> {
        let Some(Counter { limits, limiter }) = &self.0 else {
            return Ok(());
        };
        limiter.check().map_err(|too_early| {
            let wait = too_early.wait_time_from(limiter.clock().now());
            // Whole seconds, for clients that read nothing else; at least one.
            let seconds = wait.as_millis().div_ceil(1000).max(1);
            Failure::too_many_requests(
                format!(
                    "the client '{client}' may make {} requests a second, and {} at once: wait for {seconds} s",
                    limits.requests_per_second,
                    limits.burst()
                ),
                seconds,
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use governor::clock::FakeRelativeClock;

    use super::*;

    fn limits(burst: u32) -> Limits {
        Limits {
            requests_per_second: 25,
            burst: Some(burst),
            enabled: true,
        }
    }

    #[test]
    fn a_burst_is_let_in_and_no_more_until_the_time_told_has_passed() {
        let clock = FakeRelativeClock::default();
        let limit = Limit::by(clock.clone(), Some(&limits(40)));
        assert!((0..40).all(|_| limit.count("idp").is_ok()));
        let failure = limit.count("idp").unwrap_err();
        assert_eq!(failure.status, 429);
        assert!(failure.to_string().contains("25 requests a second, and 40"));
        assert!(failure.to_string().contains("wait for 1 s"));
        clock.advance(Duration::from_millis(39));
        assert!(limit.count("idp").is_err());
        clock.advance(Duration::from_millis(961));
        assert_eq!((0..60).filter(|_| limit.count("idp").is_ok()).count(), 25);
    }

    #[test]
    fn twenty_five_requests_in_a_second_are_never_refused() {
        let clock = FakeRelativeClock::default();
        let limit = Limit::by(clock.clone(), Some(&limits(25)));
        for _ in 0..100 {
            assert!((0..25).all(|_| limit.count("idp").is_ok()));
            clock.advance(Duration::from_secs(1));
        }
    }

    #[test]
    fn without_limits_nothing_is_counted() {
        let off = Limits {
            enabled: false,
            ..limits(25)
        };
        for limit in [Limit::of(None), Limit::of(Some(&off))] {
            assert!((0..1000).all(|_| limit.count("idp").is_ok()));
        }
    }
}
