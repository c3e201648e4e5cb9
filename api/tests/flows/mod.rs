//! Stories that take more than one operation.

mod serving;
