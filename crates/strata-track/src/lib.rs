//! What a run logs: its directory and its sinks.
