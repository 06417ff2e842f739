//! The signals that end a server: SIGTERM from a supervisor, SIGINT from a keyboard.

use std::future::Future;
use std::io;

/// A future that is done when the first of them arrives. They are caught from now on.
#[cfg(unix)]
pub(super) fn end() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(std::future::poll_fn(move |cx| {
        match (terminate.poll_recv(cx), interrupt.poll_recv(cx)) {
            (std::task::Poll::Pending, std::task::Poll::Pending) => std::task::Poll::Pending,
            _ => std::task::Poll::Ready(()),
        }
    }))
}

/// A future that is done at Ctrl-C.
#[cfg(not(unix))]
pub(super) fn end() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
