//! What the page shows of the recorded run.
