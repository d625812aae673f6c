//! From answer rows to a report.
