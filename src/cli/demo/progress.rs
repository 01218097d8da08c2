//! What a person watches while the story is played: a bar per phase, on standard error, and only on a
//! terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar for a phase of `len` steps, named in French; one that shows nothing unless `shown`.
pub fn bar(shown: bool, label: String, len: usize) -> ProgressBar {
    let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let style = ProgressStyle::with_template(
        "{prefix:<36} {bar:20} {percent:>3} % {elapsed:>4} {wide_msg}",
    );
    let bar = ProgressBar::with_draw_target(u64::try_from(len).ok(), target)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_prefix(label);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
