"""Where the program is put together: the only place that sees the memory, perception and the planners at once."""
