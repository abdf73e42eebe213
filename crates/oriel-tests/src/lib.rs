//! Holds no code: every integration test is a module of the one test binary in `tests/all`.
