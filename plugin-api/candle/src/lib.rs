//! The Candle toolkit for authors of modelzoo plugins.
