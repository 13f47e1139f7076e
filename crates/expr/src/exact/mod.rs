//! Exact sums of floating-point numbers, rounded once.
