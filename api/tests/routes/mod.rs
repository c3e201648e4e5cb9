//! A file an operation: the good case, and every refusal of its own.

mod instances;
