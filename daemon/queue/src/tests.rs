//! Whole lives of jobs, and every way to cut them short.

mod crash_sweep;
mod lives;
mod scene;
