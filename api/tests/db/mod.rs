//! What the database itself refuses, and that it is what the program thinks it is.
