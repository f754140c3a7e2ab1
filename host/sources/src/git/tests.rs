//! Git against real repositories.
